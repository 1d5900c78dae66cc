"""A class as a modelling library sees it: its fields, and how a value is taken apart and put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


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
