"""From an annotation to the nodes that hold its values.

Each annotation is built once in the way of msgspec, and again, with `exact` leaves, when a value turns up that msgspec
cannot hold. A class that holds itself is left to msgspec if all of it can be; `Lowered` says that it cannot, and the
annotation is built anew with such classes as bytes of their own inside the bytes.
"""

from __future__ import annotations

import collections.abc as abc
import enum
import inspect
import pathlib
import types
import typing
from collections.abc import Callable, MutableMapping, Sequence
from typing import Annotated, Any, ForwardRef, Literal, NewType, TypeVar, Union, Unpack, cast, get_args, get_origin

import msgspec

from stepwell.codecs.bounds import limits_of
from stepwell.codecs.choices import Literals, enumeration
from stepwell.codecs.containers import Dict, Fixed, Items
from stepwell.codecs.fields import Buffer, Shape, Stored
from stepwell.codecs.leaves import Leaf
from stepwell.codecs.node import Node, name_of
from stepwell.codecs.plain import Plain, PlainKey
from stepwell.codecs.port import Adapter
from stepwell.codecs.records import Record
from stepwell.codecs.registry import registered
from stepwell.codecs.shapes import resolved, substitute
from stepwell.codecs.shapes import shape as own_shape
from stepwell.codecs.singles import leaf
from stepwell.codecs.stored import Whole
from stepwell.codecs.unions import union
from stepwell.codecs.wrappers import Again, Bound, Foreigner
from stepwell.errors import CodecError

_UNDECLARED: tuple[object, ...] = (inspect.Signature.empty, Any, object)


class Lowered(Exception):
    """A class that holds itself turned out to need lowering."""

    def __init__(self, key: object) -> None:
        super().__init__(key)
        self.key = key


def build(
    annotation: object, adapters: Sequence[Adapter], wholes: MutableMapping[type, Whole], *, exact: bool = False
) -> Node:
    """The node of this annotation; raises `CodecError` for a type whose values cannot be stored.

    Into `wholes` goes, by class, each node of a class that is one piece: they know when two of its values are equal.
    """
    lowered: set[object] = set()
    while True:
        try:
            return Builder(adapters, exact, frozenset(lowered), wholes).node(annotation)
        except Lowered as found:
            lowered.add(found.key)
        except RecursionError:
            raise CodecError(f"`{name_of(annotation)}` is nested too deeply") from None


class Builder:
    """Builds the nodes of one annotation."""

    def __init__(
        self,
        adapters: Sequence[Adapter],
        exact: bool,
        lowered: frozenset[object],
        wholes: MutableMapping[type, Whole],
    ) -> None:
        self._adapters = adapters
        self._exact = exact
        self._lowered = lowered
        self._open: dict[object, list[Again]] = {}
        self._done: dict[object, Node] = {}
        self._inside = False
        self._wholes = wholes

    def node(self, annotation: object) -> Node:
        """The node of an annotation, or of one inside it."""
        if any(annotation is each for each in _UNDECLARED):
            return Plain(annotation, self._exact)
        if isinstance(annotation, (str, ForwardRef)):
            raise CodecError(f"the type {annotation!r} is not resolved: import it where it is named")
        if isinstance(annotation, TypeVar):
            return self._variable(annotation)
        if isinstance(annotation, NewType):
            return self.node(annotation.__supertype__)
        if annotation is msgspec.UnsetType:
            return Leaf(annotation, msgspec.UnsetType)
        if annotation is Buffer:
            return Leaf(annotation, memoryview, "bin")
        if (found := leaf(annotation, self._exact)) is not None:
            return found
        if (found := _enumeration(annotation)) is not None:
            return found
        origin: object = get_origin(annotation)
        alias = origin if hasattr(origin, "__value__") else annotation
        if hasattr(alias, "__value__"):
            return self._guarded(annotation, lambda: self._alias(alias, get_args(annotation)), None)
        if origin is Union or origin is types.UnionType:
            return self._union(annotation)
        if origin is Literal:
            return Literals(annotation)
        if origin is Annotated:
            return self._annotated(annotation)
        if str(origin).startswith("typing") and str(origin).endswith(("Required", "Final", "ReadOnly", "ClassVar")):
            return self.node(get_args(annotation)[0])
        if (origin or annotation) in _ABSTRACT:
            return self._abstract(annotation)
        return self._container(annotation) or self._record(annotation)

    def _variable(self, variable: TypeVar) -> Node:
        if variable.__constraints__:
            return self.node(Union[variable.__constraints__])  # noqa: UP007 (a tuple of types)
        return self.node(Any if variable.__bound__ is None else variable.__bound__)

    def _alias(self, alias: Any, arguments: tuple[object, ...]) -> Node:
        value = resolved(alias)
        variables = cast("tuple[object, ...]", getattr(alias, "__type_params__", ()))
        bound = dict(zip(variables, arguments, strict=False))
        return self.node(substitute(value, bound))

    def _union(self, annotation: object) -> Node:
        members: list[Node] = []
        for argument in get_args(annotation):
            if any(argument is each for each in _UNDECLARED):
                plain = Plain(argument, self._exact)
                others = [self.node(each) for each in get_args(annotation) if each is not argument]
                # `Any | None` holds nothing that `Any` does not.
                held = all(node.leaf and plain.kinds.issuperset(node.kinds) for node in others)
                return plain if held else union(annotation, [*others, plain])
            members.append(self.node(argument))
        return union(annotation, members)

    def _annotated(self, annotation: object) -> Node:
        inner, *metadata = get_args(annotation)
        node = self.node(inner)
        limits = limits_of(node, metadata)
        return Bound(annotation, node, limits) if limits else node

    def _abstract(self, annotation: object) -> Node:
        """An abstract class: the union of what it may be."""
        origin = cast("object", get_origin(annotation) or annotation)
        arguments = get_args(annotation)
        return union(annotation, [self.node(make(arguments)) for make in _ABSTRACT[origin]])

    def _container(self, annotation: object) -> Node | None:
        origin = get_origin(annotation) or annotation
        arguments = get_args(annotation)
        if origin in {list, set, frozenset}:
            kind = cast("type", origin)
            if arguments:
                return Items(annotation, kind, self.node(arguments[0]))
            return Items(annotation, kind, (Plain if kind is list else PlainKey)(Any, self._exact))
        if origin is dict:
            if arguments:
                return Dict(annotation, self._key(arguments[0]), self.node(arguments[1]))
            return Dict(annotation, PlainKey(Any, self._exact), Plain(Any, self._exact))
        if origin is tuple:
            if annotation is tuple or annotation is typing.Tuple:  # noqa: UP006 (the bare old name)
                return Items(annotation, tuple, Plain(Any, self._exact))
            if len(arguments) == 2 and arguments[1] is Ellipsis:
                return Items(annotation, tuple, self.node(arguments[0]))
            if any(get_origin(each) is Unpack or getattr(each, "__unpacked__", False) for each in arguments):
                raise CodecError(f"`{annotation}` cannot be stored: use a NamedTuple or a `tuple[…, ...]` of one type")
            return Fixed(annotation, [self.node(argument) for argument in arguments])
        return None

    def _key(self, annotation: object) -> Node:
        """A key without a declared type can only be a scalar."""
        if any(annotation is each for each in _UNDECLARED):
            return PlainKey(annotation, self._exact)
        return self.node(annotation)

    def _record(self, annotation: object) -> Node:
        if (stored := registered(annotation)) is not None:
            return self._whole(annotation, stored)
        for adapter in self._adapters:
            if (found := adapter.shape(annotation)) is not None:
                return self._fields(annotation, found, inside=True)
        if (found := own_shape(annotation)) is not None:
            return self._fields(annotation, found, inside=False)
        for adapter in self._adapters:
            if (stored := adapter.stored(annotation)) is not None:
                return self._whole(annotation, stored)
        for adapter in self._adapters:
            if (foreign := adapter.foreign(annotation, self._inside)) is not None:
                return Foreigner(annotation, foreign)
        raise CodecError(
            f"`{name_of(annotation)}` cannot be stored: make it a dataclass, a pydantic model or a msgspec Struct, "
            "return what it was made from, or say how it is stored with `stepwell.register_type`"
        )

    def _whole(self, annotation: object, stored: Stored) -> Node:
        def made() -> Node:
            node = self._wholes[stored.cls] = Whole(annotation, stored, self._inner(stored), self._exact)
            return node

        return self._guarded(annotation, made, None)

    def _inner(self, stored: Stored) -> Node:
        try:
            return self.node(stored.to)
        except CodecError as error:
            raise CodecError(f"what `{name_of(stored.cls)}` is stored as: {error}") from error

    def _fields(self, annotation: object, shape: Shape, inside: bool) -> Node:
        def fields() -> Node:
            before, self._inside = self._inside, inside
            try:
                return Record(
                    annotation, shape, [self._field(name, hint, shape) for name, hint in shape.fields.items()]
                )
            finally:
                self._inside = before

        return self._guarded(annotation, fields, shape.cls)

    def _field(self, name: str, hint: object, shape: Shape) -> Node:
        try:
            return self.node(hint)
        except CodecError as error:
            raise CodecError(f"the field `{name}` of `{name_of(shape.cls)}`: {error}") from error

    def _guarded(self, key: object, make: Callable[[], Node], kind: type | None) -> Node:
        """Build what may hold itself."""
        if (done := self._done.get(key)) is not None:
            return done
        if key in self._open:
            again = Again(key, kind, native=kind is not None and key not in self._lowered)
            self._open[key].append(again)
            return again
        self._open[key] = []
        assumed = sum(map(len, self._open.values()))
        node = make()
        inner = self._open.pop(key)
        for again in inner:
            again.target = node
        if not node.native and any(again.native for again in inner):
            raise Lowered(key)
        if sum(map(len, self._open.values())) == assumed:  # else it holds something that is not built yet
            self._done[key] = node
        return node


def _enumeration(annotation: object) -> Node | None:
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return enumeration(annotation)
    return None


def _of(*kinds: Any) -> tuple[Callable[[tuple[Any, ...]], object], ...]:
    return tuple((lambda arguments, kind=kind: _alias(kind, arguments)) for kind in kinds)


def _alias(kind: Any, arguments: tuple[Any, ...]) -> object:
    if not arguments:
        return kind
    return tuple[arguments[0], ...] if kind is tuple else kind[arguments]  # type: ignore[valid-type]


_ABSTRACT: dict[object, tuple[Callable[[tuple[Any, ...]], object], ...]] = {
    abc.Sequence: _of(list, tuple),
    abc.MutableSequence: _of(list),
    abc.Iterable: _of(list, tuple, set, frozenset),
    abc.Collection: _of(list, tuple, set, frozenset),
    abc.Reversible: _of(list, tuple),
    abc.Set: _of(set, frozenset),
    abc.MutableSet: _of(set),
    abc.Mapping: _of(dict),
    abc.MutableMapping: _of(dict),
    pathlib.PurePath: _of(*dict.fromkeys((pathlib.Path, pathlib.PurePosixPath, pathlib.PureWindowsPath))),
}
