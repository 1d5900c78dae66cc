"""The pyarrow adapter: tables, batches and arrays come back, nan and metadata included."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from stepwell.codecs.values import plain
from stepwell.errors import CodecError

from .returns import CODECS, comes_back

VALUES = [
    pa.table({"a": [1, None], "b": ["x", "y"]}),
    pa.table({"a": [float("nan")]}),
    pa.table({"a": pa.chunked_array([[1], [2]])}),
    pa.table({}),
    pa.table({"a": pa.array([], pa.int8())}),
    pa.table({"a": [1]}).replace_schema_metadata({"k": "v"}),
    pa.record_batch({"a": [1, 2]}),
    pa.record_batch({"a": pa.array([], pa.int8())}),
    pa.chunked_array([[1], [2]]),
    pa.chunked_array([], pa.int8()),
    pa.array([1, 2, 3])[1:],
    pa.array(["a", "b", "c"])[1:],
    pa.array(["a", "b", "a"]).dictionary_encode(),
    pa.array([[1], [2, 3]]),
    pa.array([{"a": 1}]),
    pa.nulls(3),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_comes_back_equal(value: Any) -> None:
    """M10, S21."""
    comes_back(type(value), value)
    if isinstance(value, pa.Array):
        comes_back(pa.Array, value)


def test_equal_tables_have_equal_bytes_however_they_are_cut() -> None:
    codec = CODECS.codec(pa.Table)
    whole = pa.table({"a": [1, 2]})
    assert codec.encode(pa.table({"a": pa.chunked_array([[1], [2]])})) == codec.encode(whole)
    assert codec.encode(pa.table({"a": [0, 1, 2]})[1:]) == codec.encode(whole)


def test_tables_that_differ_are_told_apart() -> None:
    same = CODECS.codec(pa.Table)._wholes[pa.Table].stored.same  # type: ignore[attr-defined]
    one = pa.table({"a": [1]})
    assert same(one, pa.table({"a": [1]}))
    assert not same(one, pa.table({"a": [2]}))
    assert not same(one, pa.table({"b": [1]}))
    assert not same(one, one.replace_schema_metadata({"k": "v"}))


def test_other_types_of_the_library_are_refused() -> None:
    with pytest.raises(CodecError, match="use a Table, a RecordBatch, an Array or a ChunkedArray"):
        CODECS.codec(pa.Schema)
    with pytest.raises(CodecError, match="expected `Int8Array`, got `Int64Array`"):
        CODECS.codec(pa.Int8Array).encode(pa.array([1]))


def test_a_table_is_shown_as_its_rows_and_given_as_them() -> None:
    codec = CODECS.codec(pa.Table)
    rows = [{"a": 1}, {"a": None}]
    assert codec.to_builtins(codec.from_builtins(rows)) == rows
    assert plain(codec.encode(pa.table({"a": [1, 2]}))) == "Table, 2 × 1"
