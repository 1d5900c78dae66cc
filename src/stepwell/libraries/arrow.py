"""The adapter around pyarrow: tables, batches and arrays as an Arrow stream, which pandas is stored by too."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from stepwell.codecs.fields import Stored
from stepwell.codecs.node import name_of
from stepwell.codecs.port import Adapter
from stepwell.errors import CodecError
from stepwell.libraries.stream import Stream, opened, sealed

_ALIGNED = 8
_Made = Callable[[Any], Any]
_Told = Callable[[Any], str]


class ArrowAdapter(Adapter):
    """`Table`, `RecordBatch`, `Array` and its subclasses, `ChunkedArray`."""

    def stored(self, annotation: object) -> Stored | None:
        """One of these; raises `CodecError` for anything else of pyarrow."""
        if not isinstance(annotation, type) or annotation.__module__.partition(".")[0] != "pyarrow":
            return None
        pa, one = pyarrow(), partial(_stored, annotation)
        cls: Any = annotation
        if cls is pa.Table:
            return one(lambda table: table, lambda table: table, _table_summary, pa.Table.from_pylist)
        if cls is pa.RecordBatch:
            return one(lambda batch: pa.Table.from_batches([batch]), _batch, _table_summary, pa.RecordBatch.from_pylist)
        if cls is pa.ChunkedArray:
            return one(_of_array, lambda table: table.column(0), _array_summary, _from_list)
        if issubclass(cls, pa.Array):
            return one(_of_array, _array, _array_summary, _from_list, family=True)
        raise CodecError(
            f"`pyarrow.{name_of(annotation)}` cannot be stored: use a Table, a RecordBatch, an Array or a ChunkedArray"
        )


def pyarrow() -> Any:
    """The module, which has no types of its own."""
    return import_module("pyarrow")


def stream(table: Any) -> tuple[int, memoryview]:
    """A table as an Arrow stream, each column in one piece, so that equal tables have equal bytes."""
    pa = pyarrow()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sealed(memoryview(sink.getvalue()))


def table_of(written: tuple[int, memoryview]) -> Any:
    """The table of such a stream. Its columns look into the bytes; these are copied only if they are not aligned."""
    pa = pyarrow()
    data = opened(written)
    buffer = pa.py_buffer(data)
    if buffer.address % _ALIGNED:
        buffer = pa.py_buffer(bytes(data))
    with pa.ipc.open_stream(buffer) as reader:
        return reader.read_all()


def _stored(cls: type, take: _Made, make: _Made, summary: _Told, build: _Made, *, family: bool = False) -> Stored:
    """A class that a table is made of, and that is made of one."""

    def encode(value: Any) -> tuple[int, memoryview]:
        return stream(take(value))

    return Stored(
        cls,
        Stream,
        encode,
        lambda data: make(table_of(data)),
        family=family,
        same=partial(_same, encode),
        sure=True,
        summary=summary,
        build=build,
        schema={"type": "array"},
    )


def _batch(table: Any) -> Any:
    """The one batch of a table in one piece; one without rows has none."""
    pa = pyarrow()
    batches = table.to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


def _of_array(values: Any) -> Any:
    return pyarrow().table([values], [""])


def _array(table: Any) -> Any:
    found = table.column(0).combine_chunks()
    return found.chunk(0) if isinstance(found, pyarrow().ChunkedArray) else found


def _from_list(data: object) -> Any:
    return pyarrow().array(data)


def _same(encode: _Made, one: Any, two: Any) -> bool:
    """Arrow holds that nan is not nan; the same bytes are the same values."""
    schema = getattr(one, "schema", None)
    if schema is not None and not schema.equals(two.schema, check_metadata=True):
        return False
    return bool(one.equals(two)) or encode(one) == encode(two)


def _table_summary(value: Any) -> str:
    return f"{type(value).__name__}, {value.num_rows} × {value.num_columns}"


def _array_summary(value: Any) -> str:
    return f"{type(value).__name__} of {value.type}, {len(value)}"
