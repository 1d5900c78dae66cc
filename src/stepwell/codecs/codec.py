"""The codec of one declared type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NoReturn

import msgspec
from msgspec.msgpack import Decoder, Ext

from stepwell.codecs import wire
from stepwell.codecs.build import build
from stepwell.codecs.compare import difference
from stepwell.codecs.leaves import Leaf
from stepwell.codecs.node import Misfit, Node, name_of
from stepwell.codecs.port import Adapter
from stepwell.codecs.schema import schema_of
from stepwell.codecs.show import shown
from stepwell.codecs.stored import Whole
from stepwell.codecs.text import parse
from stepwell.errors import CodecError

_encode = wire.ENCODER.encode


class ValueCodec:
    """The codec of one type: msgspec's own way where that loses nothing, the exact way for values it cannot hold."""

    def __init__(self, annotation: object, adapters: Sequence[Adapter] = ()) -> None:
        self.annotation = annotation
        self._adapters = adapters
        self._wholes: dict[type, Whole] = {}
        self._node = node = build(annotation, adapters, self._wholes)
        self._fault = node.fault
        self._native = node.native
        single = isinstance(node, Leaf) and node.native and node.leaf
        self._single = next(iter(node.kinds)) if single else None
        self._sure = node.sure
        self._decoder: Decoder[object] = Decoder(node.wire, ext_hook=wire.restore)
        self._read = self._decoder.decode
        classes = node.classes
        self._classes = object if node.wild else classes
        self._no_bool = not node.wild and int in classes and bool not in classes

    @cached_property
    def _exact(self) -> Node:
        return build(self.annotation, self._adapters, {}, exact=True)

    def encode(self, value: object) -> bytes:
        """The bytes of the value; raises `CodecError` if it is not of exactly this type or cannot be read back."""
        try:
            if type(value) is self._single:
                return _encode(value)
            if self._fault(value) is None:
                if self._native:
                    data = _encode(value)
                    self._read(data)
                    return data
                data = _encode(self._node.lower(value))
                found = self._read(data)
                if not self._sure:
                    self._node.lift(found)
                return data
        except Exception:  # whatever it was, the exact way meets it again or has no trouble with it
            pass
        return self._encode_exactly(value)

    def _encode_exactly(self, value: object) -> bytes:
        node = self._exact
        try:
            if (misfit := node.fault(value)) is not None:
                raise CodecError(f"{misfit}")
            data = node.pack(value)
            back = node.unpack(data)
        except (CodecError, KeyboardInterrupt):
            raise
        except Exception as error:
            self._cannot("be stored", error)
        try:
            # An int that was meant as a float has become one: equal values have equal bytes.
            if self._fault(back) is None:
                plainer = self._node.pack(back)
                self._node.unpack(plainer)
                return plainer
        except Exception:  # then only the exact way holds it
            pass
        return wire.ENCODER.encode(Ext(wire.EXACT, data))

    def decode(self, data: bytes | memoryview) -> object:
        """The value; raises `CodecError` for bytes that do not hold one of this type."""
        try:
            found = self._read(data)
            return found if self._native else self._node.lift(found)
        except Exception as error:
            exact = wire.is_exact(data)
            if exact is None:
                self._cannot(f"be read from {len(data)} bytes", error)
        try:
            return self._exact.unpack(exact)
        except Exception as error:
            self._cannot(f"be read from {len(data)} bytes", error)

    def _cannot(self, what: str, error: Exception) -> NoReturn:
        """Any exception may come from a `__post_init__` or validator of the user's: all become one, with the cause."""
        if isinstance(error, Misfit):
            raise CodecError(str(error)) from None
        if isinstance(error, RecursionError):
            raise CodecError(
                f"`$`: expected `{name_of(self.annotation)}`, got a value nested too deeply to {what}"
            ) from None
        told = str(error) if isinstance(error, msgspec.MsgspecError) else f"{type(error).__name__}: {error}"
        raise CodecError(f"a value of `{name_of(self.annotation)}` cannot {what}: {told}") from error

    def check(self, value: object) -> None:
        """Raises `CodecError` if the class of the value is not of this type; does not look inside."""
        if isinstance(value, self._classes) and not (self._no_bool and value.__class__ is bool):
            return
        misfit = self._node.misfit(value)
        raise CodecError(str(misfit))

    def verify(self, value: object) -> bytes:
        """The bytes, once what they hold has been found to be what was given."""
        data = self.encode(value)
        if (misfit := difference(value, self.decode(data), self._same)) is not None:
            raise CodecError(str(misfit))
        return data

    def _same(self, one: object, two: object) -> bool | None:
        """Whether two values of a class that is one piece are equal; None for any other class."""
        for kind in type(one).__mro__:
            if kind in self._wholes:
                return self._wholes[kind].same(one, two, self._same)
        return None

    def from_text(self, text: str | Sequence[str]) -> object:
        """The value that a person typed."""
        return self._checked(lambda: parse(self._exact, text))

    def from_builtins(self, value: object) -> object:
        """The value that JSON-like data spells, or the value itself."""
        return self._checked(lambda: self._exact.read(value))

    def _checked(self, make: Callable[[], object]) -> object:
        try:
            return make()
        except Misfit as misfit:
            raise CodecError(str(misfit)) from None
        except CodecError:
            raise
        except Exception as error:
            self._cannot("be made from this", error)

    def to_builtins(self, value: object) -> object:
        """The value as JSON would have it."""
        return shown(value)

    def schema(self) -> dict[str, object]:
        """The JSON Schema."""
        return schema_of(self._node)

    def __repr__(self) -> str:
        return f"<codec of {name_of(self.annotation)}>"
