"""What a kind of value can do: be judged, lowered to what msgspec writes, lifted back, read from JSON-like data."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from functools import cached_property
from typing import Any, cast

import msgspec

from stepwell.codecs import wire

# What a type is to msgspec is a value to us: aliases are put together while the program runs.
Wire = Any


def of(generic: Any, *arguments: Wire) -> Wire:
    """`generic[arguments]`, put together while the program runs."""
    return generic[arguments[0] if len(arguments) == 1 else arguments]


def items_of(data: object) -> list[object] | None:
    """The items of an array or set that a person gave, None if it is neither."""
    if not isinstance(data, (list, tuple, set, frozenset)):
        return None
    return list(cast("Collection[object]", data))


class Misfit(Exception):
    """A value that is not of its type; the path to it is put together on the way up."""

    def __init__(self, expected: str, got: str, hint: str = "") -> None:
        super().__init__(expected, got, hint)
        self.expected = expected
        self.got = got
        self.hint = hint
        self.path: list[str] = []

    def under(self, segment: str) -> Misfit:
        """The same misfit, seen from the value that holds it."""
        self.path.append(segment)
        return self

    def __str__(self) -> str:
        where = "$" + "".join(reversed(self.path))
        return f"`{where}`: expected {self.expected}, got {self.got}" + (f"; {self.hint}" if self.hint else "")


class Node:
    """One declared type. Where it is `native` msgspec does all, and `lower` and `lift` leave values as they are."""

    native: bool = True
    leaf: bool = False
    """The class of a value says all."""
    scalar: bool = False
    """It can be the key of a map on the wire."""
    wild: bool = False
    """`kinds` does not name all classes that its values may have."""
    wire: Wire
    """What msgspec is told to decode."""
    sure: bool = True
    """No code of the user's runs while it is read, so that what could be written can be read."""
    shapes: frozenset[str] = frozenset()
    """The kinds of msgpack item it may be written as, to see whether the members of a union can be told apart."""

    def __init__(self, annotation: object, kinds: Collection[type]) -> None:
        self.annotation = annotation
        self.kinds: frozenset[type] = frozenset(kinds)
        self.wire = annotation

    @property
    def label(self) -> str:
        """The type as people write it."""
        return name_of(self.annotation)

    @property
    def classes(self) -> tuple[type, ...]:
        """The classes for `isinstance`."""
        return tuple(self.kinds)

    def fault(self, value: object) -> Misfit | None:
        """None if the value is exactly of this type, at every depth, and would come back equal."""
        return None if type(value) in self.kinds else self.misfit(value)

    def hold(self, values: Collection[object]) -> bool:
        """Whether all of them are of this type: many at once, mostly in C."""
        if self.leaf and self.kinds.issuperset(map(type, values)):
            return True
        fault = self.fault
        return all(fault(value) is None for value in values)

    def faults(self, values: Collection[object]) -> Misfit | None:
        """The first fault of many values, with the path from their container."""
        if self.hold(values):
            return None
        fault = self.fault
        for index, value in enumerate(values):
            if (found := fault(value)) is not None:
                return found.under(f"[{index}]")
        return None

    def lower(self, value: object) -> object:
        """What msgspec writes for this value."""
        return value

    def lift(self, data: object) -> object:
        """The value of what msgspec has read as `wire`; raises `Misfit`."""
        return data

    def read(self, data: object) -> object:
        """The value that JSON-like data spells, or the value itself; raises `Misfit`."""
        if self.fault(data) is None:
            return data
        try:
            return msgspec.convert(data, self.annotation)
        except (msgspec.ValidationError, TypeError, ValueError) as error:
            raise self.misfit(data, _more(error)) from None

    def misfit(self, value: object, hint: str = "") -> Misfit:
        """The misfit of this value, with advice for the cases that people meet."""
        cls = type(value)
        if not hint:
            near = next((kind for kind in self.kinds if issubclass(cls, kind)), None)
            if cls.__module__ == "numpy":
                way = ".tolist()" if cls.__name__ == "ndarray" else ".item()"
                hint = f"convert it with `{way}`, or declare `numpy.{cls.__name__}`"
            elif cls is bool:
                hint = "say `bool` where a bool is meant"
            elif near is not None:
                hint = (
                    f"a subclass would come back as plain `{near.__name__}`: declare the subclass, or convert the value"
                )
        return Misfit(f"`{self.label}`", f"`{name_of(cls)}`", hint)

    # --- nested bytes, for values that are put in an extension item of their own ---

    def pack(self, value: object) -> bytes:
        """The value as bytes of its own."""
        return wire.ENCODER.encode(self.lower(value))

    @cached_property
    def _decoder(self) -> msgspec.msgpack.Decoder[object]:
        return msgspec.msgpack.Decoder(self.wire, ext_hook=wire.restore)

    def unpack(self, data: bytes | memoryview | msgspec.Raw) -> object:
        """The value of such bytes; raises `Misfit` or an error of msgspec."""
        found = self._decoder.decode(data)
        return found if self.native else self.lift(found)


def _more(error: Exception) -> str:
    """What msgspec says beyond the two types."""
    told = str(error) if isinstance(error, msgspec.ValidationError) else ""
    return "" if told.startswith("Expected") and ", got" in told else told


def name_of(annotation: object) -> str:
    """A type as people write it: `list[Note]`, not `builtins.list[mylab.notes.Note]`."""
    if annotation is None or annotation is type(None):
        return "None"
    if annotation is inspect.Signature.empty:
        return "no declared type"
    if isinstance(annotation, type) and not hasattr(annotation, "__args__"):
        return annotation.__qualname__.rpartition("<locals>.")[2]
    if isinstance(annotation, list):  # the parameters of a `Callable`
        return str(cast("object", annotation))
    arguments: tuple[object, ...] = getattr(annotation, "__args__", ())
    origin = getattr(annotation, "__origin__", None)
    text = str(getattr(origin, "__name__", "") or getattr(annotation, "__name__", "") or annotation)
    if "Literal" in str(origin) or (arguments and not all(map(_named, arguments))):
        return str(annotation).replace("typing.", "")
    if text in {"Union", "UnionType", "Optional"} or str(type(annotation)).endswith("UnionType'>"):
        return " | ".join(map(name_of, arguments))
    if hasattr(annotation, "__metadata__"):
        return name_of(origin)
    return f"{text}[{', '.join(map(name_of, arguments))}]" if arguments else text


def _named(argument: object) -> bool:
    """Whether it is a type rather than a value in a `Literal`."""
    return argument is Ellipsis or not isinstance(argument, (str, int, bytes, bool))
