"""The adapter around polars: frames and series as an Arrow stream by polars itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from io import BytesIO
from typing import Any

from stepwell.codecs.fields import Stored
from stepwell.codecs.node import name_of
from stepwell.codecs.port import Adapter
from stepwell.errors import CodecError
from stepwell.libraries.stream import Stream, opened, sealed


class PolarsAdapter(Adapter):
    """`DataFrame` and `Series`."""

    def stored(self, annotation: object) -> Stored | None:
        """One of these; raises `CodecError` for anything else of polars."""
        if not isinstance(annotation, type) or annotation.__module__.partition(".")[0] != "polars":
            return None
        pl: Any = import_module("polars")
        if annotation is pl.DataFrame:
            return Stored(
                annotation,
                Stream,
                _stream,
                partial(_frame, pl),
                fault=partial(_fault, pl),
                same=_same_frames,
                sure=True,
                summary=lambda frame: f"DataFrame, {frame.height} × {frame.width}",
                build=pl.DataFrame,
                schema={"type": "array", "items": {"type": "object"}},
            )
        if annotation is pl.Series:
            return Stored(
                annotation,
                Stream,
                lambda series: _stream(series.to_frame()),
                lambda data: _frame(pl, data).to_series(),
                fault=lambda series: _fault(pl, series.to_frame()),
                same=lambda one, two: _same_frames(one.to_frame(), two.to_frame()),
                sure=True,
                summary=lambda series: f"Series of {series.dtype}, {series.len()}",
                build=lambda data: pl.Series(values=data),
                schema={"type": "array"},
            )
        if annotation is pl.LazyFrame:
            raise CodecError(
                "a `polars.LazyFrame` is a query and holds no data: call `.collect()` and declare `polars.DataFrame`"
            )
        raise CodecError(f"`polars.{name_of(annotation)}` cannot be stored: use a `DataFrame` or a `Series`")


def _stream(frame: Any) -> tuple[int, memoryview]:
    """Each column in one piece, so that equal frames have equal bytes."""
    sink = BytesIO()
    frame.rechunk().write_ipc_stream(sink)
    return sealed(sink.getbuffer())


def _frame(pl: Any, stream: tuple[int, memoryview]) -> Any:
    return pl.read_ipc_stream(BytesIO(opened(stream)), use_pyarrow=False)


def _fault(pl: Any, frame: Any) -> str:
    """Objects would end in a panic inside polars, which is no exception."""
    schema: Mapping[str, Any] = frame.schema
    for name, dtype in schema.items():
        todo = [dtype]
        while todo:
            one = todo.pop()
            if one == pl.Object:
                return f"the column `{name}` holds objects: give it a dtype"
            inner = getattr(one, "inner", None)
            todo += [field.dtype for field in getattr(one, "fields", ())] + ([] if inner is None else [inner])
    return ""


def _same_frames(one: Any, two: Any) -> bool:
    return one.schema == two.schema and bool(one.equals(two, null_equal=True))
