"""What the house knows of encoding: a `Codec` for one declared type, and the `Adapter` of a modelling library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from stepwell.codecs.fields import Foreign, Shape, Stored


class Codec(Protocol):
    """Values of one declared type; each method raises `CodecError` with field, what was expected and the way out."""

    @property
    def annotation(self) -> object:
        """The type as it was declared."""
        ...

    def encode(self, value: object) -> bytes:
        """The bytes of a value of exactly the declared type, proved to be decodable; equal for equal values."""
        ...

    def decode(self, data: bytes | memoryview) -> object:
        """The value that was encoded. Imports nothing, unpickles nothing."""
        ...

    def check(self, value: object) -> None:
        """Look at the class of the value alone (about 100 ns): for values that are handed on without being encoded."""
        ...

    def verify(self, value: object) -> bytes:
        """Encode, decode and compare: raises where what would come back differs in value or in type."""
        ...

    def from_text(self, text: str | Sequence[str]) -> object:
        """The value that a person typed: one text, or several where the type is a list, tuple or set."""
        ...

    def from_builtins(self, value: object) -> object:
        """The value that JSON or YAML spells, or the value itself where it is of the declared type already."""
        ...

    def to_builtins(self, value: object) -> object:
        """The value as JSON would have it, for showing; it need not be possible to read it back."""
        ...

    def schema(self) -> dict[str, object]:
        """The JSON Schema of what `from_builtins` takes."""
        ...


class Adapter(Protocol):
    """A library of types beside msgspec. It must not import that library before a type of it is met.

    An adapter overrides what it has an answer for. Each may raise `CodecError` for a type of its library that cannot
    be stored, with the way out.
    """

    def shape(self, annotation: object) -> Shape | None:
        """The fields of a class of this library; None if it is not one."""
        return None

    def stored(self, annotation: object) -> Stored | None:
        """How the values of a class of this library become data; None if it is not one."""
        return None

    def foreign(self, annotation: object, inside: bool) -> Foreign | None:
        """Last resort for a type unknown elsewhere; `inside`: it is a field of a class of this library."""
        return None
