"""Odd arrays and tables of the libraries, and the types that they are declared as."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

_NAN = float("nan")
ARRAYS: list[Any] = [
    np.int64(3), np.float64("nan"), np.float16(1), np.bool_(True), np.str_("a\0"), np.bytes_(b"a\0"),
    np.datetime64("NaT"), np.datetime64("2026-01-01", "ns"), np.timedelta64("NaT"), np.longdouble(1), np.void(b"abc"),
    np.array([]), np.array(5), np.zeros((0, 3)), np.zeros((2, 0, 3), "i1"), np.array([1, 2], ">i4"),
    np.array([1.0, _NAN, -0.0]), np.array(["a", "bc"]), np.array([b"a\0"]), np.array([1, None], object),
    np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), np.array([(1,)], dtype=[("a", "O")]),
    np.ma.array([1, 2], mask=[0, 1]), np.arange(6).reshape(2, 3).T, np.arange(10)[::2],
    np.asfortranarray(np.ones((2, 3))), np.array(["2026", "NaT"], "M8[D]"), np.rec.array([(1, 2)], names="a,b"),
    np.zeros(3, dtype=[("a", "i1", (2, 2)), ("b", "<U3")]),
    np.zeros(2, np.dtype([("a", "i1"), ("b", "i8")], align=True)),
    np.zeros(2, "V3"), np.array([1], np.longdouble), np.array([_NAN], ">f2"), np.broadcast_to(np.array([1]), (3,)),
    pd.DataFrame(), pd.DataFrame({"a": [1, None]}), pd.DataFrame({"a": []}), pd.DataFrame(index=[1, 2]),
    pd.DataFrame({"a": [object()]}), pd.DataFrame({"a": [(1, 2)]}), pd.DataFrame([[1, 2]], columns=["a", "a"]),
    pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(1, "x")])), pd.DataFrame({1: [1], "1": [2]}),
    pd.DataFrame({"a": pd.Categorical(["x", "y", "x"], ordered=True)}),
    pd.DataFrame({"a": pd.to_datetime(["2026-01-01", None])}),
    pd.DataFrame({"a": pd.to_datetime(["2026-01-01"]).tz_localize("Europe/Berlin")}),
    pd.DataFrame({"a": [pd.NA, 1]}, dtype="Int64"), pd.DataFrame({"a": pd.arrays.SparseArray([0, 0, 1])}),
    pd.DataFrame({"a": pd.period_range("2026", periods=2, freq="M")}), pd.DataFrame({"a": pd.interval_range(0, 2)}),
    pd.DataFrame({"a": pd.Series(["\ud800"], dtype=object)}), pd.DataFrame({"a": [1, "x", None, _NAN, True, 2.5]}),
    pd.DataFrame({"a": [b"x"]}), pd.DataFrame({"a": [dt.date(2026, 1, 1)]}), pd.DataFrame({None: [1]}),
    pd.DataFrame({"a": [decimal.Decimal("1.1")]}), pd.DataFrame({"a": [pd.NaT]}), pd.DataFrame({"a": [{"b": 1}]}),
    pd.DataFrame({"a": [10**30]}), pd.DataFrame({"a": [1]}).astype("complex"), pd.Series([1, 2], name=("a", 1)),
    pd.Series(dtype=object), pd.Series([_NAN, None], dtype=object), pd.Index([]), pd.RangeIndex(0, 6, 2),
    pd.Index(["a", None]), pd.Timestamp("2026-01-01"), pd.NaT, pd.NA, pd.CategoricalIndex(["a"]),
    pd.DatetimeIndex(["2026-01-01", "2026-01-02"], freq="D"), pd.MultiIndex.from_product([[1, 2], ["a"]]),
    pl.DataFrame(), pl.DataFrame({"a": [1, None]}), pl.DataFrame({"a": [object()]}), pl.DataFrame({"a": [[1], []]}),
    pl.DataFrame({"a": [{"x": 1}]}), pl.DataFrame({"a": [_NAN]}), pl.Series([1]), pl.DataFrame({"a": [1]}).lazy(),
    pl.Series("a", [], dtype=pl.Categorical), pl.Series("c", ["x"], dtype=pl.Enum(["x", "y"])),
    pl.DataFrame(schema={"a": pl.Datetime("us", "Europe/Berlin")}), pl.DataFrame({"a": [decimal.Decimal("1.10")]}),
    pl.DataFrame({"a": [None]}), pa.table({"a": [1, None]}), pa.table({}), pa.array([]), pa.array([None]),
    pa.chunked_array([[1], [2]]), pa.chunked_array([], type=pa.int8()), pa.record_batch({"a": [1]}),
    pa.array(["x"]).dictionary_encode(), pa.array([[1], None]), pa.array([1, 2, 3])[1:], pa.scalar(1),
    {"a": np.array([1])}, [np.float64(1)],
]  # fmt: skip
ARRAY_TYPES: list[Any] = [
    np.ndarray, NDArray[np.float64], NDArray[np.int32], np.int64, np.float64, np.str_, np.bytes_, np.datetime64,
    np.void, np.bool_, list[np.float64], dict[str, np.ndarray[Any, Any]], np.ndarray[Any, Any] | None, pd.DataFrame,
    pd.Series, pd.Index, pd.MultiIndex, pd.DataFrame | pl.DataFrame, pl.DataFrame, pl.Series, pa.Table, pa.Array,
    pa.ChunkedArray, pa.RecordBatch,
]  # fmt: skip
