"""The pandas adapter: frames, series and indexes come back equal in value and in type, or are refused."""

from __future__ import annotations

import datetime as dt
import decimal
import importlib.util
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stepwell.codecs.values import plain
from stepwell.errors import CodecError
from stepwell.libraries import pandas as adapter

from .returns import CODECS, comes_back

FRAME = pd.DataFrame({"a": [1, 2], "b": [1.5, None], "c": ["x", None]})
NULLABLE = pd.DataFrame(
    {
        "n": pd.array([1, None], dtype="Int64"),
        "b": pd.array([True, None], dtype="boolean"),
        "s": pd.array(["a", None], dtype="string"),
        "f": pd.array([1.5, None], dtype="Float32"),
        "p": pd.array([1, None], dtype="int64[pyarrow]"),
    }
)
ANYTHING = ["x", None, 1, 2.5, float("nan"), [1, 2], {"k": [1]}, True]
FRAMES = {
    "plain": FRAME,
    "no rows": FRAME[:0],
    "nothing": pd.DataFrame(),
    "only an index": pd.DataFrame(index=[1, 2]),
    "labels of two kinds": pd.DataFrame({1: [1], "x": [2]}),
    "labels that are numbers": pd.DataFrame({0: [1], 5: [2]}),
    "labels that are a range": pd.DataFrame(np.arange(6).reshape(2, 3)),
    "labels that are equal": pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "labels of two levels": pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])),
    "named labels": pd.DataFrame({"a": [1]}).rename_axis("cols", axis=1),
    "an index of numbers": FRAME.set_index("a"),
    "an index of two levels": FRAME.set_index(["a", "c"]),
    "an index of texts": pd.DataFrame({"a": [1]}, index=pd.Index(["r"], name="nm")),
    "an index with a hole": pd.DataFrame({"x": [1, 2]}, index=["a", None]),
    "an index of categories": pd.DataFrame({"x": [1, 2]}, index=pd.CategoricalIndex(["a", "b"])),
    "an index of periods": pd.DataFrame({"x": [1, 2]}, index=pd.PeriodIndex(["2026-01", "2026-02"], freq="M")),
    "an index with a rhythm": pd.DataFrame({"x": [1.0, 2]}, index=pd.date_range("2026", periods=2, freq="h")),
    "every other row": pd.DataFrame({"a": [1, 2, 3]}).iloc[::2],
    "objects of all kinds": pd.DataFrame({"o": pd.Series(ANYTHING, dtype=object)}),
    "bytes": pd.DataFrame({"o": [b"x", None]}),
    "dates": pd.DataFrame({"o": [dt.date(2026, 1, 1), None]}),
    "decimals": pd.DataFrame({"o": [decimal.Decimal(1)]}),
    "texts as objects": pd.DataFrame({"o": ["a", None]}, dtype=object),
    "ordered categories": pd.DataFrame(
        {"c": pd.Categorical(["a", "b", None], categories=["b", "a", "z"], ordered=True)}
    ),
    "a zone": pd.DataFrame({"t": pd.date_range("2026", periods=3, tz="Europe/Berlin")}),
    "nullable": NULLABLE,
    "periods": pd.DataFrame({"p": pd.period_range("2026", periods=2, freq="M")}),
    "intervals": pd.DataFrame({"i": pd.interval_range(0, 2)}),
    "durations": pd.DataFrame({"d": pd.to_timedelta([1, None], unit="s")}),
    "small numbers": pd.DataFrame({"x": np.array([1], "i1"), "y": np.array([1], "f4"), "w": np.array([1], "M8[s]")}),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_comes_back_equal_in_value_and_in_type(name: str) -> None:
    """M10, S21."""
    frame = FRAMES[name]
    back = comes_back(pd.DataFrame, frame)
    pd.testing.assert_frame_equal(back, frame, check_exact=True, check_index_type="exact", check_column_type="exact")


SERIES = {
    "without a name": pd.Series([1, 2]),
    "named by a text": pd.Series([1.5], name="x"),
    "named by a number": pd.Series(["a", 1], name=0),
    "with an index of two levels": pd.Series([1], index=pd.MultiIndex.from_tuples([("a", 1)], names=["l", "m"])),
    "with a rhythm": pd.Series([1, 2], index=pd.date_range("2026", periods=2)),
    "empty": pd.Series([], dtype="float64"),
}


@pytest.mark.parametrize("name", SERIES)
def test_a_series_comes_back_with_its_name_and_index(name: str) -> None:
    """M10, S21."""
    back = comes_back(pd.Series, SERIES[name])
    pd.testing.assert_series_equal(back, SERIES[name], check_exact=True, check_index_type="exact")


INDEXES = [
    pd.RangeIndex(3, name="r"),
    pd.Index([1, 2]),
    pd.Index(["a"]),
    pd.date_range("2026", periods=2),
    pd.MultiIndex.from_product([[1, 2], ["a"]]),
    pd.Index([1.5], name="z"),
]


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: type(index).__name__)
def test_an_index_comes_back_as_its_own_class(index: pd.Index) -> None:
    """M10, S21."""
    comes_back(pd.Index, index)
    comes_back(type(index), index)


def test_what_a_frame_knows_beside_its_values_comes_back_too() -> None:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["unit"] = ["m"]
    assert comes_back(pd.DataFrame, frame).attrs == {"unit": ["m"]}


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (pd.DataFrame({"o": [(1, 2)]}), "its column 'o' of dtype `object` would come back with other values"),
        (pd.DataFrame({"o": [object()]}), "cannot be encoded; ArrowInvalid"),
        (pd.DataFrame({"s": pd.arrays.SparseArray([0, 1])}), "Sparse pandas data"),
        (pd.Series([1]), "expected `DataFrame`, got `Series`"),
    ],
    ids=["tuples", "objects", "sparse", "series"],
)
def test_what_would_come_back_as_something_else_is_refused(frame: Any, told: str) -> None:
    with pytest.raises(CodecError, match=told):
        CODECS.codec(pd.DataFrame).encode(frame)
    with pytest.raises(CodecError, match=rf"`\$\['a'\]`.*{told}"):
        CODECS.codec(dict[str, pd.DataFrame]).encode({"a": frame})


def test_frames_that_differ_in_anything_are_told_apart() -> None:
    """S21: the comparison is the proof, so it must see what pandas' own `equals` does not."""
    one = pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2026", periods=2, freq="D"))
    others = [one.astype("float64"), one.rename(columns={"a": "b"}), one.rename_axis("i"), one + 1, one[:1]]
    without_rhythm = one.copy()
    without_rhythm.index = pd.DatetimeIndex(list(one.index))
    for other in [*others, without_rhythm]:
        assert adapter._difference(one, other)
    assert adapter._difference(one, one.copy()) == ""


def test_a_missing_pyarrow_is_told_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(adapter, "find_spec", lambda name: None if name == "pyarrow" else find(name))
    with pytest.raises(CodecError, match="install pyarrow beside pandas"):
        adapter.PandasAdapter().stored(pd.DataFrame)


def test_other_types_of_the_library_are_refused() -> None:
    with pytest.raises(CodecError, match=r"use a DataFrame, a Series or an Index.*register_type"):
        CODECS.codec(pd.Timestamp)


def test_a_frame_is_shown_as_its_rows_and_given_as_them() -> None:
    codec = CODECS.codec(pd.DataFrame)
    rows = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    assert codec.to_builtins(codec.from_builtins(rows)) == rows
    assert plain(codec.encode(FRAME)) == "DataFrame, 2 × 3"
    assert CODECS.codec(pd.Series).to_builtins(pd.to_timedelta(pd.Series([1]), unit="s")) == ["PT1S"]
