"""Enums and Literals: values of which there are a few."""

from __future__ import annotations

import enum
from typing import Any, cast, get_args

import msgspec

from stepwell.codecs import wire
from stepwell.codecs.node import Misfit, Node, items_of, name_of


class Choice(Node):
    """An Enum that msgspec holds by the value of the member."""

    leaf = True
    scalar = True

    def __init__(self, annotation: type[enum.Enum], *shapes: str) -> None:
        super().__init__(annotation, (annotation,))
        self.enum = annotation
        self.shapes = frozenset(shapes)

    def read(self, data: object) -> object:
        if type(data) is self.enum:
            return data
        for member in self.enum.__members__.values():
            if type(member.value) is type(data) and member.value == data:
                return member
        if isinstance(data, str) and data in self.enum.__members__:
            return self.enum[data]
        if (items := items_of(data)) is not None:  # a member whose value is a tuple, as JSON has it
            for member in self.enum.__members__.values():
                if items_of(cast("object", member.value)) == items:
                    return member
        raise self.misfit(data, "its members are " + ", ".join(self.enum.__members__))


class NamedChoice(Choice):
    """An Enum with values that msgspec does not know: held by the name of the member."""

    native = False

    def __init__(self, annotation: type[enum.Enum]) -> None:
        super().__init__(annotation, "str")
        self.wire = str

    def lower(self, value: object) -> object:
        return cast("enum.Enum", value).name

    def lift(self, data: object) -> object:
        found = self.enum.__members__.get(cast("str", data))
        if found is None:
            raise Misfit(f"`{self.label}`", f"the stored member `{data}`", "add it to the enum again")
        return found


class Flags(Choice):
    """A Flag, also a combination of several."""

    native = False

    def __init__(self, annotation: type[enum.Enum]) -> None:
        super().__init__(annotation, "int", "ext")
        self.wire = Any

    def lower(self, value: object) -> object:
        number = int(cast("enum.Flag", value).value)
        return number if -(2**63) <= number < 2**64 else wire.big(number)

    def lift(self, data: object) -> object:
        if type(data) is not int:
            raise self.misfit(data)
        return self.enum(data)

    def read(self, data: object) -> object:
        if type(data) is int:
            try:
                return self.enum(data)
            except ValueError as error:
                raise self.misfit(data, str(error)) from None
        if isinstance(data, str) and "|" in data:
            found = self.enum(0)
            for name in data.split("|"):
                found = cast("Any", found) | super().read(name.strip())
            return found
        return super().read(data)


def enumeration(annotation: type[enum.Enum]) -> Node:
    """The node of an Enum."""
    if not len(annotation) and not issubclass(annotation, enum.Flag):
        return NamedChoice(annotation)
    if issubclass(annotation, enum.Flag):
        return Flags(annotation)
    try:
        decoder = msgspec.msgpack.Decoder(annotation)
        if all(decoder.decode(wire.ENCODER.encode(member)) is member for member in annotation.__members__.values()):
            return Choice(annotation, "str" if isinstance(next(iter(annotation)).value, str) else "int")
    except Exception:  # `_missing_` and values of any class are the user's code
        pass
    return NamedChoice(annotation)


class Literals(Node):
    """The values of a `Literal`. None, int and str are left to msgspec, if there is nothing else."""

    scalar = True

    def __init__(self, annotation: object) -> None:
        self.values = literal_values(annotation)
        super().__init__(annotation, {type(value) for value in self.values})
        self._known = {(type(value), value) for value in self.values}
        self.native = self.kinds <= {type(None), int, str} and all(map(_simple, self.values))
        self.wire = annotation if self.native else str
        self._by_token = {_token(value): value for value in self.values}
        names: dict[type, str] = {type(None): "nil", int: "int"}
        self.shapes = frozenset(names.get(kind, "str") for kind in self.kinds) if self.native else frozenset({"str"})

    def fault(self, value: object) -> Misfit | None:
        try:
            if (type(value), value) in self._known:
                return None
        except TypeError:  # it cannot be hashed
            pass
        return self.misfit(value, f"it is none of {', '.join(map(repr, self.values))}")

    def lower(self, value: object) -> object:
        return value if self.native else _token(value)

    def lift(self, data: object) -> object:
        if self.native:
            return data
        token = cast("str", data)
        if token not in self._by_token:
            raise Misfit(f"`{self.label}`", f"the stored value {token!r:.80}")
        return self._by_token[token]

    def read(self, data: object) -> object:
        if self.fault(data) is None:
            return data
        for value in self.values:
            if isinstance(value, enum.Enum) and data in (value.value, value.name):
                return value
        raise self.misfit(data, f"it is none of {', '.join(map(repr, self.values))}")


def literal_values(annotation: object) -> tuple[object, ...]:
    """The values, those of Literals inside it too."""
    found: list[object] = []
    for value in get_args(annotation):
        found += literal_values(value) if get_args(value) else [value]
    return tuple(found)


def _simple(value: object) -> bool:
    """Whether msgpack has a word for it."""
    try:
        wire.ENCODER.encode(value)
    except (OverflowError, ValueError, TypeError):
        return False
    return True


def _token(value: object) -> str:
    """A text that stands for one value of a Literal."""
    if isinstance(value, enum.Enum):
        return f"{name_of(type(value))}.{value.name}"
    return ascii(value)
