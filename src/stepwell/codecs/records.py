"""Classes with named fields: dataclasses, msgspec Structs, NamedTuples, TypedDicts, and those of an adapter."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NotRequired, TypedDict, cast

import msgspec

from stepwell.codecs.fields import Shape
from stepwell.codecs.node import Misfit, Node, Wire, name_of

_MANY = 64


class Record(Node):
    """A value whose fields each have a type of their own. On the wire it is a map by field name."""

    def __init__(self, annotation: object, shape: Shape, nodes: Sequence[Node]) -> None:
        super().__init__(annotation, (shape.cls,))
        self.shape = shape
        self.nodes = tuple(nodes)
        self.names = tuple(shape.fields)
        self.shapes = frozenset({"array" if shape.array else "map"})
        plain = all(node.native for node in nodes)
        self.native = shape.native and plain and msgspec_takes(annotation)
        self._plain = plain
        self.sure = shape.sure and all(node.sure for node in nodes)
        self._sparse = tuple(name in shape.sparse for name in self.names)
        # A TypedDict is a dict, and keeps its own order.
        self._by_name = dict(zip(self.names, nodes, strict=True)) if shape.cls is dict else None
        # The classes of all fields of the values that were seen, and which fields then need more than that look.
        self._seen: dict[tuple[type, ...], tuple[int, ...]] = {}
        self.wire = annotation if self.native else self._map()

    def _map(self) -> Wire:
        """The map as a type for msgspec."""
        fields: dict[str, Any] = {}
        for name, node in zip(self.names, self.nodes, strict=True):
            fields[name] = NotRequired[node.wire] if name in self.shape.optional else node.wire
        return TypedDict(self.shape.cls.__name__, fields)  # type: ignore[operator]  # pyright: ignore[reportGeneralTypeIssues, reportArgumentType]

    def fault(self, value: object) -> Misfit | None:
        if type(value) is not self.shape.cls:
            return self.misfit(value)
        try:
            values = self.shape.take(value)
        except AttributeError as error:
            return Misfit(f"`{self.label}`", f"one without a field ({error})", "set every field")
        kinds = tuple(map(type, values))
        deep = self._seen.get(kinds)
        if deep is None:
            deep = self._look(kinds)
        for index in deep:
            if (found := self.nodes[index].fault(values[index])) is not None:
                return found.under(f".{self.names[index]}")
        if self.shape.lost is not None and (lost := self.shape.lost(value)):
            return Misfit(f"`{self.label}` with nothing beside its fields", lost, "it would be lost: make it a field")
        return None

    def _look(self, kinds: tuple[type, ...]) -> tuple[int, ...]:
        """The fields whose class does not say all."""
        found = tuple(
            index
            for index, (node, kind, sparse) in enumerate(zip(self.nodes, kinds, self._sparse, strict=True))
            if not (node.leaf and kind in node.kinds) and not (sparse and kind is msgspec.UnsetType)
        )
        if len(self._seen) < _MANY:
            self._seen[kinds] = found
        return found

    def hold(self, values: Collection[object]) -> bool:
        if not self.kinds.issuperset(map(type, values)):
            return False
        if self.shape.lost is not None:
            return super().hold(values)
        try:
            columns = list(zip(*map(self.shape.take, values), strict=True))
        except AttributeError:
            return False
        for node, sparse, column in zip(self.nodes, self._sparse, columns, strict=False):
            if not node.hold([item for item in column if item is not msgspec.UNSET] if sparse else column):
                return False
        return True

    def lower(self, value: object) -> object:
        if self.native:
            return value
        if self._by_name is not None:
            return {name: self._by_name[name].lower(item) for name, item in cast("dict[str, object]", value).items()}
        values = self.shape.take(value)
        if self._plain:
            found = dict(zip(self.names, values, strict=True))
            if self.shape.sparse and msgspec.UNSET in values:
                return {name: item for name, item in found.items() if item is not msgspec.UNSET}
            return found
        return {
            name: node.lower(item)
            for name, node, item in zip(self.names, self.nodes, values, strict=True)
            if item is not msgspec.UNSET
        }

    def lift(self, data: object) -> object:
        if self.native:
            return data
        found = cast("dict[str, object]", data)
        if self._by_name is not None:
            return {name: self._by_name[name].lift(item) for name, item in found.items()}
        if not self._plain:
            pairs = zip(self.names, self.nodes, strict=True)
            found = {name: node.lift(found[name]) for name, node in pairs if name in found}
        return self.shape.make(found)

    def read(self, data: object) -> object:
        if self.fault(data) is None:
            return data
        if not self.shape.raw and isinstance(data, Mapping):
            data = self._fields(cast("Mapping[object, object]", data))
        elif not self.shape.raw and self.shape.array and isinstance(data, (list, tuple)):
            values = cast("Sequence[object]", data)
            data = self._fields(dict(zip(self.names, values, strict=False)))
        elif not self.shape.raw:
            raise self.misfit(data, "give its fields as a mapping")
        try:
            found = self.shape.build(cast("Mapping[str, object]", data))
        except (ValueError, TypeError) as error:
            raise Misfit(f"`{self.label}`", "fields that it refuses", str(error)) from None
        if (misfit := self.fault(found)) is not None:
            raise misfit
        return found

    def _fields(self, data: Mapping[object, object]) -> dict[str, object]:
        """Each field read by its own type."""
        nodes = dict(zip(self.names, self.nodes, strict=True))
        aliases = self.shape.aliases or {}
        found: dict[str, object] = {}
        for key, value in data.items():
            name = key if key in nodes else aliases.get(str(key), "")
            if not isinstance(name, str) or name not in nodes:
                near = difflib.get_close_matches(str(key), self.names, 1)
                hint = f"did you mean `{near[0]}`?" if near else f"its fields are {', '.join(self.names)}"
                raise Misfit(f"the fields of `{self.label}`", f"{key!r:.80}", hint)
            try:
                found[name] = nodes[name].read(value)
            except Misfit as misfit:
                raise misfit.under(f".{name}") from None
        missing = [name for name in self.names if name not in found and name not in self.shape.optional]
        if missing:
            raise Misfit(f"`{self.label}`", "a mapping without " + ", ".join(f"`{name}`" for name in missing))
        return found

    def misfit(self, value: object, hint: str = "") -> Misfit:
        if not hint and isinstance(value, self.shape.cls) and type(value) is not self.shape.cls:
            own = name_of(type(value))
            hint = f"it would come back as plain `{self.label}`: declare `{own}`, or the union of both"
        return super().misfit(value, hint)


def msgspec_takes(annotation: Any) -> bool:
    """Whether msgspec has a way of its own for this type."""
    try:
        msgspec.msgpack.Decoder(annotation)
    except Exception:  # it reads the annotations of the user's class, where anything may be wrong
        return False
    return True
