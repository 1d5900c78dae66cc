"""A class as its library, or its author, sees it: how a value is taken apart and put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Shape:
    """A class with named fields, as its library sees it."""

    cls: type
    fields: Mapping[str, object]
    """The declared type of each field, in order."""
    take: Callable[[object], Sequence[object]]
    """The values of the fields in order, `msgspec.UNSET` for one that is not there. May raise `AttributeError`."""
    make: Callable[[dict[str, object]], object]
    """The instance with exactly these fields, as it was when they were taken; a missing one has its default."""
    build: Callable[[Mapping[str, object]], object]
    """A new instance from fields that a person gave, by the library's own rules."""
    optional: frozenset[str] = frozenset()
    """Fields that may be missing in older bytes and in what a person gives."""
    native: bool = False
    """msgspec encodes and restores it as it is, if it can do so for each field."""
    array: bool = False
    """msgspec writes it as an array."""
    aliases: Mapping[str, str] | None = None
    """Other names of fields in what a person gives."""
    raw: bool = False
    """`build` takes what the person gave, whole, and validates it itself."""
    sparse: frozenset[str] = frozenset()
    """Fields that a value may lack."""
    sure: bool = False
    """`make` runs no code of the user's."""
    lost: Callable[[object], str] | None = None
    """Names what a value holds beside its fields and would lose, or ""."""
    schema: Callable[[], dict[str, object]] | None = None
    """The JSON Schema by the library itself, with `$defs`."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A type that only its library can write, as JSON-like data."""

    dump: Callable[[object], object]
    load: Callable[[object], object]
    schema: Callable[[], dict[str, object]]


class Buffer:
    """As a type: the bytes of whatever has a buffer. They are written without a copy and read as a `memoryview`."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A class whose values are written as data of a type that is known, and are made of that data again."""

    cls: type
    to: object
    """The type of the data."""
    encode: Callable[[Any], object]
    """May raise `CodecError` for a value that would not come back equal, with the way out."""
    decode: Callable[[Any], object]
    name: str = ""
    """The type as people write it, also in stored bytes; "" for its own name."""
    family: bool = False
    """A value may be of any subclass; else it is of exactly this class."""
    fault: Callable[[Any], str] | None = None
    """What is wrong with a value of this class, with the way out, or ""."""
    same: Callable[[Any, Any], bool] | None = None
    """Whether two values of one class are equal; None: by `==`, or by the data where the class has no `==`."""
    sure: bool = False
    """`decode` takes whatever `encode` gives."""
    summary: Callable[[Any], str] | None = None
    """One line that is shown where the data itself says nothing to a person."""
    build: Callable[[object], object] | None = None
    """A value from what a person gave as JSON; None: from the data."""
    schema: Mapping[str, object] | None = None
    """The JSON Schema of what `build` takes."""
