"""Classes that msgspec does not know, written as a text or as their parts: paths, fractions, complex, range."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from typing import Any, cast

from stepwell.codecs.leaves import Leaf, lowered_text
from stepwell.codecs.node import Node, items_of, of


class Text(Leaf):
    """A class that is written as a text."""

    native = False

    def __init__(
        self, annotation: object, kind: type, write: Callable[[Any], str], make: Callable[[str], object]
    ) -> None:
        super().__init__(annotation, kind, "str")
        self.wire = str
        self._write = write
        self._make = make

    def lower(self, value: object) -> object:
        return self._write(value)

    def lift(self, data: object) -> object:
        return self._make(cast("str", data))

    def read(self, data: object) -> object:
        if isinstance(data, str):
            try:
                return self._make(data)
            except (ValueError, TypeError, ArithmeticError) as error:
                raise self.misfit(data, str(error)) from None
        return super().read(data)


class Path(Text):
    """A path of this system, or a pure path of either."""

    def __init__(self, annotation: type[pathlib.PurePath], exact: bool) -> None:
        kind = type(annotation())
        super().__init__(annotation, kind, os.fspath, kind)
        self._exact = exact
        self.wire = Any if exact else str

    @property
    def classes(self) -> tuple[type, ...]:
        return (cast("type", self.annotation),)

    def lower(self, value: object) -> object:
        return lowered_text(str(value)) if self._exact else str(value)

    def lift(self, data: object) -> object:
        if type(data) is not str:
            raise self.misfit(data)
        return self._make(data)


class Parts(Leaf):
    """A class that is written as an array of its parts."""

    native = False

    def __init__(
        self, annotation: object, kind: type, take: Callable[[Any], tuple[object, ...]], part: Node, count: int
    ) -> None:
        super().__init__(annotation, kind, "array")
        self.scalar = False
        self._take = take
        self._part = part
        self.wire = of(tuple, *(part.wire,) * count)

    def lower(self, value: object) -> object:
        return [self._part.lower(part) for part in self._take(value)]

    def lift(self, data: object) -> object:
        (kind,) = self.kinds
        return kind(*map(self._part.lift, cast("tuple[object, ...]", data)))

    def read(self, data: object) -> object:
        (kind,) = self.kinds
        try:
            if isinstance(data, str) and kind is complex:
                return complex(data)
            if (parts := items_of(data)) is not None:
                return kind(*parts)
            if kind is complex and type(data) in {int, float}:
                return complex(cast("float", data))
        except (ValueError, TypeError) as error:
            raise self.misfit(data, str(error)) from None
        return super().read(data)


def complex_parts(value: complex) -> tuple[object, ...]:
    """Real and imaginary part."""
    return value.real, value.imag


def range_parts(value: range) -> tuple[object, ...]:
    """Start, stop, step."""
    return value.start, value.stop, value.step
