"""Which node a class of single values has."""

from __future__ import annotations

import datetime as dt
import decimal
import pathlib
import uuid
from collections.abc import Callable
from fractions import Fraction
from typing import cast

from stepwell.codecs.leaves import Bytes, ExactFloat, ExactInt, ExactText, Float, Leaf
from stepwell.codecs.node import Node
from stepwell.codecs.spelled import Parts, Path, Text, complex_parts, range_parts
from stepwell.codecs.times import ExactMoment, Moment


def leaf(annotation: object, exact: bool) -> Node | None:
    """The leaf for a class, None if it is none of them."""
    if annotation is None or annotation is type(None):
        return Leaf(annotation, type(None), "nil")
    if not isinstance(annotation, type):
        return None
    if exact and annotation in _EXACT:
        return _EXACT[annotation](annotation)
    if annotation in _NATIVE:
        make, shapes = _NATIVE[annotation]
        return make(annotation, annotation, *shapes)
    if annotation is Fraction:
        return Text(annotation, Fraction, str, Fraction)
    if annotation is complex:
        return Parts(annotation, complex, complex_parts, Leaf(float, float, "float"), 2)
    if annotation is range:
        part: Node = ExactInt(int) if exact else Leaf(int, int, "int")
        return Parts(annotation, range, range_parts, part, 3)
    if annotation in {pathlib.Path, pathlib.PurePosixPath, pathlib.PureWindowsPath, type(pathlib.Path())}:
        return Path(cast("type[pathlib.PurePath]", annotation), exact)
    return None


_EXACT: dict[type, Callable[[type], Node]] = {
    int: ExactInt,
    str: ExactText,
    float: ExactFloat,
    dt.datetime: lambda kind: ExactMoment(kind, kind),
    dt.time: lambda kind: ExactMoment(kind, kind),
}
# The shapes are what msgspec would take for the type, which is more than what it writes.
_NATIVE: dict[type, tuple[Callable[..., Node], tuple[str, ...]]] = {
    bool: (Leaf, ("bool",)),
    int: (Leaf, ("int",)),
    float: (Float, ("float",)),
    str: (Leaf, ("str",)),
    bytes: (Bytes, ("bin", "str")),
    bytearray: (Leaf, ("bin", "str")),
    dt.date: (Leaf, ("str",)),
    dt.timedelta: (Leaf, ("str",)),
    dt.datetime: (Moment, ("str", "ext", "int", "float")),
    dt.time: (Moment, ("str",)),
    decimal.Decimal: (Leaf, ("str", "int", "float")),
    uuid.UUID: (Leaf, ("str", "bin")),
}
