"""Numbers, texts and bytes, and the base of all single values: what msgspec holds is left to it.

An `exact` leaf holds what msgspec cannot: ints beyond 64 bits, texts with lone surrogates, times with their zone.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, cast

from stepwell.codecs import wire
from stepwell.codecs.node import Misfit, Node


class Leaf(Node):
    """A class that msgspec holds without loss."""

    leaf = True
    scalar = True

    def __init__(self, annotation: object, kind: type, *shapes: str) -> None:
        super().__init__(annotation, (kind,))
        self.wire = None if kind is type(None) else kind
        self.shapes = frozenset(shapes)


class Bytes(Leaf):
    """Bytes; base64 where a person gives them as JSON."""

    def read(self, data: object) -> object:
        if isinstance(data, str):
            try:
                return base64.b64decode(data, validate=True)
            except (binascii.Error, ValueError):
                raise Misfit("bytes as base64 text", "a text that is not base64") from None
        return super().read(data)


class Float(Leaf):
    """A float. An int is one too and comes back as float, by way of the exact leaf: equal values, equal bytes."""

    @property
    def classes(self) -> tuple[type, ...]:
        return (float, int)

    def read(self, data: object) -> object:
        if type(data) is int and (found := _int_as_float(data)) is not None:
            return found
        return super().read(data)


def _int_as_float(value: int) -> float | None:
    """None if a float would not hold all digits."""
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if int(found) == value else None


class ExactFloat(Float):
    """A float, or an int that a float holds without loss."""

    native = False
    leaf = False

    def __init__(self, annotation: object) -> None:
        super().__init__(annotation, float, "float")
        self.kinds = frozenset({float, int})

    def fault(self, value: object) -> Misfit | None:
        if type(value) is float:
            return None
        if type(value) is int:
            lost = _int_as_float(value) is None
            return self.misfit(value, "a float cannot hold all its digits: declare int") if lost else None
        return self.misfit(value)

    def lower(self, value: object) -> object:
        return float(cast("float", value))


class ExactInt(Leaf):
    """An int of any size."""

    native = False

    def __init__(self, annotation: object) -> None:
        super().__init__(annotation, int, "int", "ext")
        self.wire = Any

    def lower(self, value: object) -> object:
        number = cast("int", value)
        return number if -(2**63) <= number < 2**64 else wire.big(number)

    def lift(self, data: object) -> object:
        if type(data) is not int:
            raise self.misfit(data)
        return data


class ExactText(Leaf):
    """A text, with lone surrogates if it has them."""

    native = False

    def __init__(self, annotation: object) -> None:
        super().__init__(annotation, str, "str", "ext")
        self.wire = Any

    def lower(self, value: object) -> object:
        return lowered_text(cast("str", value))

    def lift(self, data: object) -> object:
        if type(data) is not str:
            raise self.misfit(data)
        return data


def lowered_text(value: str) -> object:
    """The text itself where it is UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return wire.text(value)
    return value
