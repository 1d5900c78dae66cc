"""Unions: left to msgspec where the bytes say which member it is, else written with the name of the member.

A name, not a number: members may then be reordered and added while runs are waiting, and a member that is gone is an
error instead of another type.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Optional, Union, cast

import msgspec
from msgspec.msgpack import Decoder, Ext

from stepwell.codecs import wire
from stepwell.codecs.leaves import Leaf
from stepwell.codecs.node import Misfit, Node, of
from stepwell.codecs.records import msgspec_takes
from stepwell.codecs.spelled import Text
from stepwell.codecs.stored import Whole

_MAP = frozenset({"map"})
_NONE: frozenset[type] = frozenset({type(None)})


class Members(Node):
    """What unions have in common: finding the member that a value belongs to."""

    def __init__(self, annotation: object, members: Sequence[Node]) -> None:
        super().__init__(annotation, frozenset[type]().union(*(member.kinds for member in members)))
        self.members = tuple(members)
        self.wild = any(member.wild for member in members)
        self.leaf = all(member.leaf for member in members)
        self.sure = all(member.sure for member in members)
        table: dict[type, list[Node]] = {}
        for member in members:
            for kind in member.kinds:
                # An int is an `int` before it is a `float`.
                first = kind is int and float not in member.kinds
                table.setdefault(kind, []).insert(0 if first else len(table.get(kind, ())), member)
        self._table = {kind: tuple(nodes) for kind, nodes in table.items()}
        self._wild = tuple(member for member in members if member.wild)

    @property
    def classes(self) -> tuple[type, ...]:
        return tuple({kind for member in self.members for kind in member.classes})

    def fault(self, value: object) -> Misfit | None:
        nodes = self._table.get(type(value), ())
        if len(nodes) == 1 and not self._wild:
            return nodes[0].fault(value)
        faults: list[Misfit] = []
        for node in (*nodes, *self._wild):
            if (found := node.fault(value)) is None:
                return None
            faults.append(found)
        # The one that came closest says most.
        return max(faults, key=lambda found: len(found.path)) if faults else self.misfit(value)

    def member(self, value: object) -> Node:
        """The member that this value belongs to; it is known to have one."""
        nodes = self._table.get(type(value), ())
        if len(nodes) == 1:
            return nodes[0]
        return next(node for node in (*nodes, *self._wild) if node.fault(value) is None)

    def read(self, data: object) -> object:
        """By the first member that takes it: one that holds it as it is, then one that can make something of it."""
        if self.fault(data) is None:
            return self.member(data).read(data)
        misfits: list[Misfit] = []
        # Almost any text is a text or a path: they come last.
        for node in sorted(self.members, key=takes_any_text):
            try:
                return node.read(data)
            except Misfit as misfit:
                misfits.append(misfit)
        deepest = max(misfits, key=lambda misfit: len(misfit.path))
        raise deepest if deepest.path else self.misfit(data)


def takes_any_text(node: Node) -> bool:
    """Whether every text is a value of this type."""
    if isinstance(node, Whole):
        return takes_any_text(node.inner)
    return str in node.kinds or (isinstance(node, Text) and node.label.endswith("Path"))


class Native(Members):
    """A union that msgspec holds, because no two members look alike."""

    def __init__(self, annotation: object, members: Sequence[Node]) -> None:
        super().__init__(annotation, members)
        self.shapes = frozenset[str]().union(*(member.shapes for member in members))
        self.scalar = all(member.scalar for member in members)
        self.wire = of(Union, *(member.wire for member in members))


class Maybe(Members):
    """None or something that is lowered."""

    native = False

    def __init__(self, annotation: object, none: Node, inner: Node) -> None:
        super().__init__(annotation, (none, inner))
        self.inner = inner
        self.shapes = inner.shapes | {"nil"}
        self.wire = of(Optional, inner.wire)

    def lower(self, value: object) -> object:
        return None if value is None else self.inner.lower(value)

    def lift(self, data: object) -> object:
        return None if data is None else self.inner.lift(data)


class Tagged(Members):
    """A union whose members are told apart by name."""

    native = False
    shapes = frozenset({"ext"})

    def __init__(self, annotation: object, members: Sequence[Node]) -> None:
        super().__init__(annotation, members)
        self.wire = Ext
        self._by_name: dict[str, Node] = {}
        for member in members:
            name, count = member.label, 1
            while name in self._by_name:
                count += 1
                name = f"{member.label}#{count}"
            self._by_name[name] = member
        self._heads = {id(node): b"\x92" + wire.ENCODER.encode(name) for name, node in self._by_name.items()}

    @cached_property
    def _tags(self) -> Decoder[tuple[str, msgspec.Raw]]:
        return Decoder(tuple[str, msgspec.Raw])

    def lower(self, value: object) -> object:
        node = self.member(value)
        return Ext(wire.TAG, self._heads[id(node)] + node.pack(value))

    def lift(self, data: object) -> object:
        item = cast("Ext", data)
        if item.code != wire.TAG:
            raise Misfit(f"`{self.label}`", f"extension {item.code}")
        name, inner = self._tags.decode(wire.inside(item))
        if name not in self._by_name:
            raise Misfit(f"`{self.label}`", f"the stored member `{name}`", "add it to the union again")
        return self._by_name[name].unpack(inner)


def union(annotation: object, members: Sequence[Node]) -> Node:
    """The cheapest form that tells the members apart."""
    if len(members) == 1:
        return members[0]
    if all(member.native and not member.wild for member in members):
        count = sum(len(member.shapes) for member in members)
        apart = count == len(frozenset[str]().union(*(member.shapes for member in members)))
        structs = all(member.shapes != _MAP or _tagged_struct(member) for member in members)
        if apart or (structs and _apart_but_for_structs(members)):
            found = Native(annotation, members)
            if msgspec_takes(found.wire):
                return found
    if len(members) == 2 and any(type(member) is Leaf and member.kinds == _NONE for member in members):
        none, inner = sorted(members, key=lambda member: member.kinds != _NONE)
        found_maybe = Maybe(annotation, none, inner)
        if "nil" not in inner.shapes and not inner.wild and msgspec_takes(found_maybe.wire):
            return found_maybe
    return Tagged(annotation, members)


def _tagged_struct(member: Node) -> bool:
    """A Struct that writes its own tag."""
    (kind,) = member.kinds if len(member.kinds) == 1 else (object,)
    return issubclass(kind, msgspec.Struct) and kind.__struct_config__.tag is not None


def _apart_but_for_structs(members: Sequence[Node]) -> bool:
    others = [member for member in members if not _tagged_struct(member)]
    shapes = [shape for member in others for shape in member.shapes]
    return len(shapes) == len(set(shapes)) and "map" not in shapes
