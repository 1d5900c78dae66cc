"""Nodes around other nodes: limits, a class inside itself, and types that only their own library can write."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, cast

import msgspec
from msgspec.msgpack import Ext

from stepwell.codecs import wire
from stepwell.codecs.fields import Foreign
from stepwell.codecs.node import Misfit, Node


class Bound(Node):
    """A type with limits (`msgspec.Meta`). msgspec checks them as it reads; what it does not read is checked here."""

    def __init__(self, annotation: object, inner: Node, limits: Sequence[msgspec.Meta]) -> None:
        super().__init__(annotation, inner.kinds)
        self.inner = inner
        self.native, self.scalar, self.wild, self.shapes = inner.native, inner.scalar, inner.wild, inner.shapes
        self.leaf = inner.leaf and inner.native
        self.sure = inner.sure
        self.wire = inner.wire
        self.limited: Any = inner.annotation
        for limit in limits:
            self.limited = Annotated[self.limited, limit]
            if inner.native:
                self.wire = Annotated[self.wire, limit]

    @property
    def classes(self) -> tuple[type, ...]:
        return self.inner.classes

    def fault(self, value: object) -> Misfit | None:
        if (found := self.inner.fault(value)) is not None or self.native:
            return found
        try:
            msgspec.convert(value, self.limited)
        except msgspec.ValidationError as error:
            return Misfit(f"`{self.label}` within its limits", "another value", str(error))
        except TypeError:  # msgspec does not know the type inside, so it knows no limit of it either
            pass
        return None

    def lower(self, value: object) -> object:
        return self.inner.lower(value)

    def lift(self, data: object) -> object:
        return self.inner.lift(data)

    def read(self, data: object) -> object:
        found = self.inner.read(data)
        try:
            msgspec.convert(found, self.limited)
        except msgspec.ValidationError as error:
            raise Misfit(f"`{self.label}` within its limits", "another value", str(error)) from None
        except TypeError:
            pass
        return found


class Again(Node):
    """A type inside itself."""

    target: Node

    def __init__(self, annotation: object, kind: type | None, native: bool) -> None:
        super().__init__(annotation, () if kind is None else (kind,))
        self.native = native
        self.sure = False  # nobody knows yet
        self.wild = kind is None
        self.shapes = frozenset({"map", "array"} if native else {"ext"})
        self.wire = annotation if native else Ext

    def fault(self, value: object) -> Misfit | None:
        return self.target.fault(value)

    def lower(self, value: object) -> object:
        return value if self.native else Ext(wire.NEST, self.target.pack(value))

    def lift(self, data: object) -> object:
        if self.native:
            return data
        item = cast("Ext", data)
        if item.code != wire.NEST:
            raise Misfit(f"`{self.label}`", f"extension {item.code}")
        return self.target.unpack(wire.inside(item))

    def read(self, data: object) -> object:
        return self.target.read(data)


class Foreigner(Node):
    """A type of another library, written as the JSON-like data that the library makes of it."""

    native = False
    wild = True
    shapes = frozenset({"str"})

    def __init__(self, annotation: object, foreign: Foreign) -> None:
        super().__init__(annotation, ())
        self.foreign = foreign
        self.wire = str

    def fault(self, value: object) -> Misfit | None:
        # Nothing is known of the type but that its library can write it: so see whether it comes back.
        try:
            found = self.lift(self.lower(value))
        except Exception as error:  # validators are the user's code
            return self.misfit(value, str(error))
        same = type(found) is type(value) and found == value
        return None if same else self.misfit(value, "it would come back as another value")

    def lower(self, value: object) -> object:
        return json.dumps(self.foreign.dump(value))

    def lift(self, data: object) -> object:
        return self.foreign.load(json.loads(cast("str", data)))

    def read(self, data: object) -> object:
        try:
            return self.foreign.load(data)
        except Exception as error:  # validators are the user's code
            raise self.misfit(data, str(error)) from None
