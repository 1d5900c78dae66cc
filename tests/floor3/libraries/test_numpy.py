"""The numpy adapter: arrays and scalars come back with their dtype, shape and class; nothing is pickled."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from stepwell.codecs.values import plain
from stepwell.errors import CodecError

from .returns import CODECS, comes_back

ALIGNED = np.dtype([("a", "i1"), ("b", "f8")], align=True)
ARRAYS = [
    np.arange(5.0),
    np.asfortranarray(np.arange(6).reshape(2, 3)),
    np.arange(10)[::2],
    np.arange(6).reshape(2, 3).T,
    np.broadcast_to(np.array(1.0), (3, 2)),
    np.array(5),
    np.array([]),
    np.zeros((2, 0, 3), dtype=">M8[D]"),
    np.array(["a", "bcd", ""]),
    np.array(["", ""]),
    np.array([b"a\0b"]),
    np.array([True]),
    np.array([1 + 2j]),
    np.array([np.nan, -0.0, np.inf]),
    np.array(["2026-01-01", "NaT"], dtype="M8[ns]"),
    np.array([1, 2], dtype="m8[s]"),
    np.array([1, 2], dtype=">i4"),
    np.array([1], dtype=np.float16),
    np.array([(1, 2.0)], dtype=[("a", "i1"), ("b", "f8")]),
    np.array([(1, np.nan)], dtype=ALIGNED),
    np.zeros(2, dtype=[("a", "i4", (2, 2)), ("n", [("x", "f4"), ("y", "U3")])]),
    np.zeros(3, "V4"),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype.char}{array.shape}")
def test_an_array_comes_back_with_its_dtype_shape_and_items(array: np.ndarray) -> None:
    """M10, S21: endianness, structure, no dimension, no item, no order in memory."""
    back = comes_back(np.ndarray, array)
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes() or array.dtype == ALIGNED
    assert back.flags.writeable
    assert back.flags.owndata


@given(
    hnp.arrays(
        st.one_of(hnp.scalar_dtypes(), hnp.unicode_string_dtypes(), hnp.array_dtypes(allow_subarrays=True)),
        hnp.array_shapes(min_dims=0, min_side=0, max_dims=3, max_side=3),
    )
)
def test_any_array_comes_back(array: np.ndarray) -> None:
    """S21."""
    codec = CODECS.codec(np.ndarray)
    data = codec.verify(array)
    assert codec.encode(codec.decode(data)) == data


SCALARS = [
    np.float64(1.5),
    np.float64("nan"),
    np.float64(-0.0),
    np.float32(0.1),
    np.float16(0.1),
    np.int8(-3),
    np.uint64(2**64 - 1),
    np.bool(True),
    np.complex64(1j),
    np.str_("ab"),
    np.str_("a\0"),
    np.bytes_(b"ab\0"),
    np.datetime64("2026-01-01", "D"),
    np.datetime64("NaT", "ns"),
    np.timedelta64(5, "ms"),
    np.array([(1, 2.0)], dtype=[("a", "i1"), ("b", "f8")])[0],
]


@pytest.mark.parametrize("scalar", SCALARS, ids=lambda scalar: ascii(scalar))
def test_a_scalar_comes_back_as_its_own_class(scalar: np.generic) -> None:
    """M10, S21."""
    assert comes_back(type(scalar), scalar).tobytes() == scalar.tobytes()


@pytest.mark.parametrize(
    ("annotation", "array"),
    [
        (NDArray[np.float64], np.zeros(2)),
        (NDArray[np.floating], np.zeros(2, "f4")),
        (NDArray[np.float32 | np.float64], np.zeros(2, "f4")),
        (np.ndarray[tuple[int, int], np.dtype[np.int64]], np.zeros((1, 2), int)),
        (np.ndarray[tuple[int, ...], np.dtype[np.generic]], np.zeros((1, 2), int)),
    ],
    ids=str,
)
def test_an_annotation_says_which_dtype_and_how_many_dimensions(annotation: object, array: np.ndarray) -> None:
    """M10."""
    comes_back(annotation, array)


@pytest.mark.parametrize(
    ("annotation", "value", "told"),
    [
        (NDArray[np.float64], np.zeros(2, "f4"), r"\.astype\(numpy\.float64\)`, or declare `NDArray\[float32\]`"),
        (np.ndarray, np.array([object()]), r"items are objects: use a list of a declared type"),
        (np.ndarray, np.array([(1,)], dtype=[("a", "O")]), "items are objects"),
        (np.ndarray, np.array(["a"], dtype=np.dtypes.StringDType()), "items are objects"),
        (np.longdouble, np.longdouble(1) / 3, "mean other numbers on other machines: use `numpy.float64`"),
        (np.ndarray, np.zeros(2, [("a", np.clongdouble)]), "mean other numbers on other machines"),
        (np.ndarray[tuple[int, int], np.dtype[np.int64]], np.zeros(3, int), "it has 1 dimensions, not 2"),
        (np.ndarray, [1], "expected `ndarray`, got `list`"),
        (np.ndarray, np.ma.array([1]), "got `MaskedArray`; a subclass would come back as plain `ndarray`"),
        (dict[str, NDArray[np.float64]], {"a": np.zeros(2, "f4")}, r"`\$\['a'\]`: expected `NDArray\[float64\]`"),
        (float, np.float64(1), r"convert it with `\.item\(\)`, or declare `numpy\.float64`"),
        (int, np.int64(1), r"convert it with `\.item\(\)`, or declare `numpy\.int64`"),
        (list[int], np.zeros(2), r"convert it with `\.tolist\(\)`, or declare `numpy\.ndarray`"),
    ],
)
def test_a_value_that_does_not_fit_is_told_with_the_way_out(annotation: object, value: object, told: str) -> None:
    with pytest.raises(CodecError, match=told):
        CODECS.codec(annotation).encode(value)


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        (NDArray[np.object_], "an array of objects cannot be stored"),
        (np.object_, "may be anything"),
        (np.floating, r"is abstract: name a class such as `numpy\.float64`"),
        (np.ma.MaskedArray, r"`MaskedArray` cannot be stored.*stepwell\.register_type"),
    ],
    ids=str,
)
def test_a_type_that_cannot_be_stored_is_refused_before_anything_runs(annotation: object, told: str) -> None:
    with pytest.raises(CodecError, match=told):
        CODECS.codec(annotation)


@pytest.mark.parametrize("dtype", ["|O", "|T16", "[('a', '|O')]", "__import__('os')", "nonsense"])
def test_bytes_that_name_a_dtype_with_references_are_refused(dtype: str) -> None:
    """Whoever can write to the store can neither run code nor make a pointer."""
    data = msgspec.msgpack.encode([msgspec.msgpack.Ext(7, b""), [dtype, [1], bytes(16)]])
    with pytest.raises(CodecError, match="decoded"):
        CODECS.codec(np.ndarray).decode(data)


def test_an_array_is_shown_as_a_list_and_what_is_recorded_of_it_as_a_line() -> None:
    codec = CODECS.codec(NDArray[np.float64])
    assert codec.to_builtins(np.array([[1.0, 2.0]])) == [[1.0, 2.0]]
    assert plain(codec.encode(np.zeros((2, 3)))) == "ndarray of float64, 2 × 3"


def test_an_array_can_be_given_as_json() -> None:
    codec = CODECS.codec(NDArray[np.float64])
    found = codec.from_text("[1, 2]")
    assert isinstance(found, np.ndarray)
    assert (found.dtype, found.tolist()) == (np.float64, [1.0, 2.0])
    with pytest.raises(CodecError, match="give it as JSON"):
        codec.from_text("x")
