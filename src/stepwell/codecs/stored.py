"""A class that is written as data of another type: of a library of arrays or tables, or registered by its author."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from msgspec.msgpack import Ext

from stepwell.codecs import wire
from stepwell.codecs.compare import Same, difference
from stepwell.codecs.fields import Stored
from stepwell.codecs.node import Misfit, Node, of
from stepwell.errors import CodecError


class Whole(Node):
    """One piece to us: `encode` makes data of it, the inner node holds that, `decode` makes it again.

    Only the exact form tries a value out when it is judged, so that what is wrong is told with its path; the other one
    finds it when the value is lowered, and encodes it once.
    """

    native = False

    def __init__(self, annotation: object, stored: Stored, inner: Node, exact: bool) -> None:
        super().__init__(annotation, () if stored.family else (stored.cls,))
        self.stored = stored
        self.inner = inner
        self._exact = exact
        self.wild = stored.family
        self.leaf = not (exact or stored.family or stored.fault)
        self.sure = stored.sure and inner.sure
        self.shapes = frozenset({"array"}) if stored.summary else inner.shapes
        self.wire = of(tuple, Ext, inner.wire) if stored.summary else inner.wire

    @property
    def label(self) -> str:
        return self.stored.name or super().label

    @property
    def classes(self) -> tuple[type, ...]:
        return (self.stored.cls,)

    def fault(self, value: object) -> Misfit | None:
        if not self._is_one(value):
            return self.misfit(value)
        if self.stored.fault is not None and (told := self.stored.fault(value)):
            return self.misfit(value, told)
        if not self._exact:
            return None
        try:
            data = self._data(value)
            self._made(data)
        except Misfit as misfit:
            return misfit
        return None

    def _is_one(self, value: object) -> bool:
        return isinstance(value, self.stored.cls) if self.stored.family else type(value) is self.stored.cls

    def _data(self, value: object) -> object:
        """What it is encoded to; raises `Misfit` for what would not come back."""
        stored = self.stored
        data = self._told(lambda: stored.encode(value), "that cannot be encoded")
        if (found := self.inner.fault(data)) is not None:
            hint = f"; {found.hint}" if found.hint else ""
            where = "".join(reversed(found.path))
            at = f" at `{where}`" if where else ""
            raise Misfit(f"`encode` of `{self.label}` to give {found.expected}{at}", found.got + hint)
        return data

    def _made(self, data: object) -> object:
        found = self._told(lambda: self.stored.decode(data), "that cannot be decoded again")
        if not self._is_one(found):
            raise Misfit(f"`decode` to give `{self.label}`", f"`{type(found).__name__}`")
        return found

    def _told(self, make: Callable[[], object], what: str) -> object:
        """Any exception may come from the functions of a user or of a library."""
        try:
            return make()
        except Exception as error:
            if isinstance(error, CodecError):
                raise Misfit(f"`{self.label}`", "one that cannot be stored", str(error)) from error
            raise Misfit(f"`{self.label}`", f"one {what}", f"{type(error).__name__}: {error}") from error

    def lower(self, value: object) -> object:
        data = self.inner.lower(self._data(value))
        summary = self.stored.summary
        return data if summary is None else [Ext(wire.NOTE, summary(value).encode()), data]

    def lift(self, data: object) -> object:
        if self.stored.summary is not None:
            _, data = cast("tuple[object, object]", data)
        return self._made(self.inner.lift(data))

    def read(self, data: object) -> object:
        if self.fault(data) is None:
            return data
        build = self.stored.build
        if build is None:
            found = self._told(lambda: self.stored.decode(self.inner.read(data)), "of data that it refuses")
        elif isinstance(data, str):
            raise self.misfit(data, "give it as JSON")
        else:
            found = self._told(lambda: build(data), "of data that it refuses")
        if (misfit := self.fault(found)) is not None:
            raise misfit
        return found

    def same(self, one: object, two: object, inside: Same) -> bool:
        """Whether two values of one class are equal; `inside` says it of what is in their data.

        A class without `==` is what it is encoded to. One with it may hold nan: then the data is what decides, unless
        the data is equal as it stands, for then it lacks what the class itself compares.
        """
        stored = self.stored
        if stored.same is not None:
            return stored.same(one, two)
        own = type(one).__eq__ is not object.__eq__
        if own and one == two:
            return True
        left, right = stored.encode(one), stored.encode(two)
        return not (own and left == right) and difference(left, right, inside) is None
