"""Lists, tuples, sets and dicts of declared types."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain
from typing import cast

import msgspec
from msgspec.msgpack import Decoder, Ext

from stepwell.codecs import wire
from stepwell.codecs.node import Misfit, Node, items_of, of


class Items(Node):
    """Any number of items of one type: a list, a tuple of any length, a set."""

    def __init__(self, annotation: object, kind: type, item: Node) -> None:
        super().__init__(annotation, (kind,))
        self.kind = kind
        self.item = item
        self.shapes = frozenset({"array"})
        ordered = kind in {list, tuple}
        # A set is sorted before it is written: its order changes from process to process.
        self.native = ordered and item.native
        held = kind if item.native else list
        # What the items of a set do when they are hashed is theirs.
        self.sure = item.sure and (ordered or item.leaf)
        self.wire = of(tuple, item.wire, ...) if held is tuple else of(held, item.wire)

    def fault(self, value: object) -> Misfit | None:
        if type(value) is not self.kind:
            return self.misfit(value)
        return self.item.faults(cast("Collection[object]", value))

    def hold(self, values: Collection[object]) -> bool:
        if not self.kinds.issuperset(map(type, values)):
            return False
        return self.item.hold(list(chain.from_iterable(cast("Collection[Collection[object]]", values))))

    def lower(self, value: object) -> object:
        if self.native:
            return value
        values = cast("Collection[object]", value)
        if self.kind in {list, tuple}:
            return list(map(self.item.lower, values))
        return [msgspec.Raw(data) for data in sorted(map(self.item.pack, values))]

    def lift(self, data: object) -> object:
        if self.item.native:
            return data
        return self.kind(map(self.item.lift, cast("Sequence[object]", data)))

    def read(self, data: object) -> object:
        values = items_of(data)
        if values is None:
            raise self.misfit(data)
        try:
            return self.kind(_read(self.item, value, index) for index, value in enumerate(values))
        except TypeError as error:
            raise self.misfit(data, str(error)) from None


def _read(node: Node, value: object, index: object) -> object:
    try:
        return node.read(value)
    except Misfit as misfit:
        raise misfit.under(f"[{index!r}]") from None


class Fixed(Node):
    """A tuple in which each place has its type."""

    def __init__(self, annotation: object, items: Sequence[Node]) -> None:
        super().__init__(annotation, (tuple,))
        self.items = tuple(items)
        self.shapes = frozenset({"array"})
        self.native = all(item.native for item in items)
        self.sure = all(item.sure for item in items)
        self.wire = of(tuple, *(item.wire for item in items)) if items else tuple[()]

    def fault(self, value: object) -> Misfit | None:
        if type(value) is not tuple:
            return self.misfit(value)
        values = cast("tuple[object, ...]", value)
        if len(values) != len(self.items):
            return Misfit(f"`{self.label}`", f"{len(values)} items", f"return {len(self.items)}")
        for index, (node, item) in enumerate(zip(self.items, values, strict=True)):
            if (found := node.fault(item)) is not None:
                return found.under(f"[{index}]")
        return None

    def lower(self, value: object) -> object:
        if self.native:
            return value
        values = cast("tuple[object, ...]", value)
        return [node.lower(item) for node, item in zip(self.items, values, strict=True)]

    def lift(self, data: object) -> object:
        if self.native:
            return data
        values = cast("tuple[object, ...]", data)
        return tuple([node.lift(item) for node, item in zip(self.items, values, strict=True)])

    def read(self, data: object) -> object:
        if not isinstance(data, (list, tuple)):
            raise self.misfit(data)
        values = cast("Sequence[object]", data)
        if len(values) != len(self.items):
            raise Misfit(f"`{self.label}`", f"{len(values)} items")
        pairs = zip(self.items, values, strict=True)
        return tuple([_read(node, item, index) for index, (node, item) in enumerate(pairs)])


class Dict(Node):
    """A dict. Keys that msgpack cannot hold as keys make it a list of pairs."""

    def __init__(self, annotation: object, key: Node, value: Node) -> None:
        super().__init__(annotation, (dict,))
        self.key = key
        self.value = value
        self.pairs = not key.scalar
        self.native = key.native and value.native and not self.pairs
        self.sure = key.leaf and key.sure and value.sure
        self.shapes = frozenset({"ext" if self.pairs else "map"})
        self.wire = Ext if self.pairs else of(dict, key.wire, value.wire)

    def fault(self, value: object) -> Misfit | None:
        if type(value) is not dict:
            return self.misfit(value)
        mapping = cast("dict[object, object]", value)
        if not (self.key.leaf and self.key.kinds.issuperset(map(type, mapping))):
            for key in mapping:
                if (found := self.key.fault(key)) is not None:
                    return found.under(f"[key {key!r:.80}]")
        if self.value.hold(mapping.values()):
            return None
        for key, item in mapping.items():
            if (found := self.value.fault(item)) is not None:
                return found.under(f"[{key!r:.80}]")
        return None

    def hold(self, values: Collection[object]) -> bool:
        if not self.kinds.issuperset(map(type, values)):
            return False
        mappings = cast("Collection[dict[object, object]]", values)
        if not self.key.hold(list(chain.from_iterable(mappings))):
            return False
        return self.value.hold(list(chain.from_iterable(mapping.values() for mapping in mappings)))

    def lower(self, value: object) -> object:
        if self.native:
            return value
        mapping = cast("dict[object, object]", value)
        key, item = self.key.lower, self.value.lower
        if self.pairs:
            return Ext(wire.PAIRS, wire.ENCODER.encode([(key(k), item(v)) for k, v in mapping.items()]))
        return {key(k): item(v) for k, v in mapping.items()} if self._plain_keys(mapping) else self._raw(mapping)

    def _plain_keys(self, mapping: dict[object, object]) -> bool:
        """Whether the lowered keys can be keys of a dict here too: an `Ext` cannot."""
        return self.key.native or all(type(self.key.lower(key)) is not Ext for key in mapping)

    def _raw(self, mapping: dict[object, object]) -> object:
        """The map written by hand, for keys that are extension items."""
        return wire.raw_map([(self.key.pack(key), self.value.pack(value)) for key, value in mapping.items()])

    def lift(self, data: object) -> object:
        if self.native:
            return data
        key, item = self.key.lift, self.value.lift
        if self.pairs:
            found = cast("Ext", data)
            if found.code != wire.PAIRS:
                raise Misfit(f"`{self.label}`", f"extension {found.code}")
            return {key(k): item(v) for k, v in self._pairs(wire.inside(found))}
        return {key(k): item(v) for k, v in cast("dict[object, object]", data).items()}

    def _pairs(self, data: bytes) -> list[tuple[object, object]]:
        pairs = of(list, of(tuple, self.key.wire, self.value.wire))
        return cast("list[tuple[object, object]]", Decoder(pairs, ext_hook=wire.restore).decode(data))

    def read(self, data: object) -> object:
        if not isinstance(data, dict):
            raise self.misfit(data)
        mapping = cast("dict[object, object]", data)
        return {self._read_key(key): _read(self.value, value, key) for key, value in mapping.items()}

    def _read_key(self, key: object) -> object:
        """A key of JSON is always a text, whatever the type."""
        try:
            return self.key.read(key)
        except Misfit as misfit:
            if isinstance(key, str):
                try:
                    return msgspec.convert(key, self.key.annotation, strict=False, str_keys=True)
                except (msgspec.ValidationError, TypeError):
                    pass
            raise misfit.under(f"[key {key!r:.80}]") from None
