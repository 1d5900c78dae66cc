"""The polars adapter: frames and series come back; a query and a column of objects are refused."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from polars.testing.parametric import dataframes

from stepwell.codecs.values import plain
from stepwell.errors import CodecError

from .returns import CODECS, comes_back

FRAME = pl.DataFrame(
    {
        "a": [1, None],
        "b": [float("nan"), 1.0],
        "c": ["x", None],
        "d": [dt.date(2026, 1, 1), None],
        "e": [[1], [2, 3]],
        "f": [{"x": 1}, {"x": 2}],
        "g": [decimal.Decimal("1.5"), None],
        "h": [b"a", None],
        "i": [dt.datetime(2026, 1, 1, tzinfo=dt.UTC), None],
    }
)
VALUES = [
    FRAME,
    FRAME[:0],
    pl.DataFrame(),
    pl.concat([FRAME, FRAME], rechunk=False),
    pl.Series("a", [1, 2]),
    pl.Series([None]),
    pl.Series("c", ["a", "b"], dtype=pl.Categorical),
    pl.Series("c", ["a"], dtype=pl.Enum(["a", "b"])),
    pl.Series("x", [dt.time(1), None]),
    pl.Series("a", [[1, 2]], dtype=pl.Array(pl.Int8, 2)),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: f"{type(value).__name__}{value.shape}")
def test_a_value_comes_back_equal(value: Any) -> None:
    """M10, S21."""
    comes_back(type(value), value)


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=30, deadline=None)
@given(dataframes(max_cols=4, max_size=5, excluded_dtypes=[pl.Categorical]))
def test_any_frame_comes_back(frame: pl.DataFrame) -> None:
    """S21."""
    codec = CODECS.codec(pl.DataFrame)
    back = codec.decode(codec.verify(frame))
    assert isinstance(back, pl.DataFrame)
    assert back.schema == frame.schema
    assert back.equals(frame)


@pytest.mark.parametrize(
    ("annotation", "told"),
    [(pl.LazyFrame, r"is a query.*call `\.collect\(\)`"), (pl.Expr, "use a `DataFrame` or a `Series`")],
    ids=str,
)
def test_other_types_of_the_library_are_refused(annotation: object, told: str) -> None:
    with pytest.raises(CodecError, match=told):
        CODECS.codec(annotation)


def test_a_column_of_objects_is_refused_before_polars_panics() -> None:
    frame = pl.DataFrame({"o": pl.Series([object()], dtype=pl.Object)})
    with pytest.raises(CodecError, match="the column `o` holds objects: give it a dtype"):
        CODECS.codec(pl.DataFrame).encode(frame)
    with pytest.raises(CodecError, match="got `LazyFrame`"):
        CODECS.codec(pl.DataFrame).encode(FRAME.lazy())


def test_a_frame_is_shown_as_its_rows_and_given_as_them() -> None:
    codec = CODECS.codec(pl.DataFrame)
    rows = [{"a": 1}, {"a": None}]
    assert codec.to_builtins(codec.from_builtins(rows)) == rows
    assert plain(codec.encode(pl.DataFrame({"a": [1, 2]}))) == "DataFrame, 2 × 1"
