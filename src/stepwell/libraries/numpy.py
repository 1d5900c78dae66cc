"""The adapter around numpy: arrays by their dtype, shape and bytes, scalars by their class; never a pickle."""

from __future__ import annotations

import ast
import re
import sys
from functools import partial
from importlib import import_module
from operator import itemgetter
from types import UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin

from stepwell.codecs.fields import Buffer, Stored
from stepwell.codecs.node import name_of
from stepwell.codecs.port import Adapter
from stepwell.errors import CodecError

_KINDS = frozenset("biufcmMSUV")
"""Kinds of dtype whose items are their bytes: others hold references."""
_WIDE = re.compile("(^|')[<>](f12|f16|c24|c32)($|')")
"""Dtypes that C calls `long double`: of ten bytes and six of padding here, of sixteen elsewhere."""
_PARTS = tuple[str, tuple[int, ...], Buffer]
_OBJECTS = "use a list of a declared type, or give the array a dtype of its own"


class NumpyAdapter(Adapter):
    """`ndarray`, `NDArray[…]` with dtype and number of dimensions, and the concrete scalar classes."""

    def stored(self, annotation: object) -> Stored | None:
        """An array or a scalar; raises `CodecError` for arrays of objects and for abstract scalars."""
        cls = get_origin(annotation) or annotation
        if not isinstance(cls, type) or cls.__module__.partition(".")[0] != "numpy":
            return None
        np = _numpy()
        if cls is np.ndarray:
            return _array(np, get_args(annotation))
        return _scalar(np, cls) if issubclass(cls, np.generic) else None


def _numpy() -> Any:
    """The module; typed loosely, as what an array holds is known while the program runs and not before."""
    return import_module("numpy")


def _array(np: Any, arguments: tuple[Any, ...]) -> Stored:
    kinds = _scalars(np, arguments[1]) if len(arguments) > 1 else (np.generic,)
    if np.object_ in kinds:
        raise CodecError(f"an array of objects cannot be stored, as it may hold anything: {_OBJECTS}")
    dimensions = _dimensions(arguments[0]) if arguments else None
    names = " | ".join(kind.__name__ for kind in kinds)
    return Stored(
        np.ndarray,
        _PARTS,
        partial(_encode, np),
        partial(_decode, np),
        name="ndarray" if kinds == (np.generic,) else f"NDArray[{names}]",
        fault=partial(_fault, np, kinds, dimensions),
        same=_same,
        sure=True,
        summary=_summary,
        build=partial(_build, np, kinds),
        schema={"type": "array"},
    )


def _scalars(np: Any, dtype: Any) -> tuple[type, ...]:
    """The scalar classes that the second argument of `ndarray` names."""
    found = get_args(dtype)[0] if get_origin(dtype) is np.dtype else dtype
    if isinstance(found, TypeVar):
        found = found.__bound__ or (Union[found.__constraints__] if found.__constraints__ else Any)  # noqa: UP007
    members = get_args(found) if get_origin(found) in (Union, UnionType) else (found,)
    origins: list[Any] = [get_origin(member) or member for member in members]
    known = [one for one in origins if isinstance(one, type) and issubclass(one, np.generic)]
    return tuple(known) if len(known) == len(origins) else (np.generic,)


def _dimensions(shape: Any) -> int | None:
    """How many there are, where the shape says so: `tuple[int, int]` has two, `tuple[int, ...]` any number."""
    sizes = get_args(shape)
    return len(sizes) if get_origin(shape) is tuple and Ellipsis not in sizes else None


def _fault(np: Any, kinds: tuple[type, ...], dimensions: int | None, value: Any) -> str:
    dtype = value.dtype
    if dtype.hasobject or dtype.kind not in _KINDS:
        return f"its dtype is `{dtype}`, whose items are objects: {_OBJECTS}"
    if not issubclass(dtype.type, kinds):
        wanted = kinds[0].__name__
        return f"its dtype is `{dtype}`: convert it with `.astype(numpy.{wanted})`, or declare `NDArray[{dtype}]`"
    if dimensions is not None and value.ndim != dimensions:
        return f"it has {value.ndim} dimensions, not {dimensions}"
    if _WIDE.search(_told(np, dtype)):
        return f"its dtype is `{dtype}`, whose bytes mean other numbers on other machines: use `numpy.float64`"
    if _dtype(np, _told(np, dtype)) != dtype:
        return f"its dtype `{dtype}` is not numpy's own: convert it with `.astype(…)`"
    return "" if value.nbytes < 2**32 else "it has more than 4 GiB: write it to a file, and return the path"


def _told(np: Any, dtype: Any) -> str:
    """A dtype as a text, in the way of numpy's own file format."""
    return repr(np.lib.format.dtype_to_descr(dtype)) if dtype.names or dtype.subdtype else dtype.str


def _dtype(np: Any, told: str) -> Any:
    """The dtype of such a text; never one that holds references, whatever the text says."""
    found = np.lib.format.descr_to_dtype(ast.literal_eval(told) if told.startswith("[") else told)
    if found.hasobject or found.kind not in _KINDS:
        raise ValueError(f"an array of dtype {told!r:.80} is not read from bytes")
    return found


def _packed(np: Any, dtype: Any) -> Any:
    """The dtype without the padding between its fields, whose bytes are nobody's."""
    if not dtype.names:
        return dtype
    return import_module("numpy.lib.recfunctions").repack_fields(dtype, align=False, recurse=True)


def _encode(np: Any, value: Any) -> tuple[str, tuple[int, ...], memoryview]:
    """Dtype, shape and items in the order of C: without a copy, if they are in that order already."""
    items = np.asarray(value, dtype=_packed(np, value.dtype), order="C")
    data = items.reshape(-1).view(np.uint8).data if items.nbytes else memoryview(b"")
    return _told(np, value.dtype), value.shape, data


def _decode(np: Any, parts: tuple[str, tuple[int, ...], memoryview]) -> Any:
    """An array of its own, which can be written to."""
    told, shape, data = parts
    dtype = _dtype(np, told)
    if not len(data):
        return np.zeros(shape, dtype)
    if dtype.kind == "U" and int(np.frombuffer(data, f"{dtype.str[0]}u4").max()) > sys.maxunicode:
        raise ValueError("its texts hold what is no character: the bytes are damaged")
    packed = _packed(np, dtype)
    found = np.frombuffer(data, packed).reshape(shape)
    return found.copy() if packed == dtype else found.astype(dtype)


def _same(one: Any, two: Any) -> bool:
    if one.dtype != two.dtype or one.shape != two.shape:
        return False
    if one.tobytes() == two.tobytes():
        return True
    return bool(((one == two) | ((one != one) & (two != two))).all())


def _summary(value: Any) -> str:
    kind = f"({', '.join(value.dtype.names)})" if value.dtype.names else value.dtype
    return f"ndarray of {kind}, {' × '.join(map(str, value.shape)) or 'no dimensions'}"


def _build(np: Any, kinds: tuple[type, ...], data: object) -> Any:
    """An array of the numbers that a person gave."""
    concrete = len(kinds) == 1 and kinds[0] in _concrete(np)
    return np.asarray(data, dtype=kinds[0] if concrete else None)


def _concrete(np: Any) -> frozenset[type]:
    return frozenset(cast("dict[str, type]", np.sctypeDict).values())


def _scalar(np: Any, cls: Any) -> Stored:
    if cls not in _concrete(np):
        raise CodecError(f"`numpy.{name_of(cls)}` is abstract: name a class such as `numpy.float64`")
    if cls is np.object_:
        raise CodecError(f"`numpy.object_` cannot be stored, as it may be anything: {_OBJECTS}")
    plain = None if issubclass(cls, (np.void, np.datetime64, np.timedelta64)) else cls().item()
    for kind in (bool, int, float, complex, str, bytes):
        if isinstance(plain, kind):
            # Of a text, numpy's own ways to plain Python leave trailing zeros out.
            take = itemgetter(slice(None)) if issubclass(cls, (str, bytes)) else cls.item
            return Stored(cls, kind, take, cls, same=_same_scalar, sure=True)
    return Stored(
        cls,
        _PARTS,
        partial(_encode, np),
        lambda parts: _decode(np, parts)[()],
        fault=partial(_fault, np, (np.generic,), None),
        same=_same,
        summary=str,
    )


def _same_scalar(one: Any, two: Any) -> bool:
    """One nan is the other, and -0.0 is not 0.0."""
    return cast("bool", one.tobytes() == two.tobytes()) or (one != one and two != two)
