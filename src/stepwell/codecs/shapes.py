"""The fields of dataclasses, Structs, NamedTuples and TypedDicts, and how an instance is put together again."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from types import SimpleNamespace
from typing import Any, ClassVar, Generic, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec

from stepwell.codecs.fields import Shape
from stepwell.errors import CodecError

_NEW_TUPLE = cast("Callable[[type, Sequence[object]], object]", tuple.__new__)  # pyright: ignore[reportUnknownMemberType]


def shape(annotation: object) -> Shape | None:
    """The fields of the class, None if it has none that are declared."""
    origin = class_of(annotation)
    if origin is None:
        return None
    if _is_typed_dict(origin):
        return _typed_dict(annotation, origin)
    if dataclasses.is_dataclass(origin):
        return _dataclass(annotation, origin)
    if issubclass(origin, msgspec.Struct):
        return _struct(annotation, origin)
    named = getattr(annotation if isinstance(annotation, type) else get_origin(annotation), "_fields", None)
    return None if named is None or not issubclass(origin, tuple) else _named_tuple(annotation, cast("type", origin))


def _is_typed_dict(cls: type) -> bool:
    """Of `typing`, or of `typing_extensions`, which the function of `typing` does not know."""
    return hasattr(cls, "__optional_keys__") and dict in cls.__mro__


def class_of(annotation: object) -> type | None:
    """The class itself, or the one that a generic alias is of."""
    origin: object = get_origin(annotation) or annotation
    return cast("type[object]", origin) if isinstance(origin, type) else None


def hints_of(annotation: object) -> dict[str, object]:
    """The declared types of a class and its bases, forward references and type variables resolved."""
    origin = cast("type", get_origin(annotation) or annotation)
    try:
        # A class of a function's own is not in its module: it may at least name itself.
        found = get_type_hints(origin, localns={origin.__name__: origin}, include_extras=True)
    except Exception as error:  # an annotation is an expression of the user's: anything may come out of it
        raise CodecError(
            f"the annotations of `{origin.__qualname__}` cannot be resolved ({error}): "
            "import what they name in its module, outside `if TYPE_CHECKING` and outside functions"
        ) from error
    bound = _bindings(annotation)
    return {name: substitute(hint, bound) for name, hint in found.items()}


def resolved(alias: Any) -> object:
    """What a `type X = …` or `TypeAliasType` stands for, with the names in it resolved."""
    names = vars(sys.modules[alias.__module__]) if alias.__module__ in sys.modules else {}
    holder = SimpleNamespace(__annotations__={"value": alias.__value__})
    try:
        return get_type_hints(holder, dict(names), {alias.__name__: alias}, include_extras=True)["value"]
    except Exception as error:  # what it stands for is an expression of the user's: anything may come out of it
        raise CodecError(f"the type `{alias.__name__}` cannot be resolved ({error})") from error


def _bindings(annotation: object) -> dict[object, object]:
    """What each type variable of the class and of its bases stands for."""
    origin = get_origin(annotation)
    found: dict[object, object] = {}
    if origin is not None:
        found.update(zip(getattr(origin, "__parameters__", ()), get_args(annotation), strict=False))
    cls: object = origin or annotation
    for base in getattr(cls, "__orig_bases__", ()):
        if get_origin(base) not in {None, Generic}:
            found = {**_bindings(substitute(base, found)), **found}
    return found


def substitute(hint: Any, bound: Mapping[object, object]) -> object:
    """The type with its variables replaced."""
    if isinstance(hint, TypeVar):
        return bound.get(hint, hint)
    parameters: tuple[object, ...] = getattr(hint, "__parameters__", ())
    if not parameters or isinstance(hint, type) or not bound:
        return hint
    return hint[tuple(bound.get(parameter, parameter) for parameter in parameters)]


def getter(names: Sequence[str]) -> Callable[[object], Sequence[object]]:
    """Takes the values of these attributes, as a tuple."""
    if not names:
        return lambda _value: ()
    if len(names) == 1:
        single = attrgetter(names[0])
        return lambda value: (single(value),)
    return attrgetter(*names)


def _typed_dict(annotation: object, cls: type) -> Shape:
    marked = hints_of(annotation)
    hints = {name: _bare(hint) for name, hint in marked.items()}
    names = tuple(hints)
    known = frozenset(names)
    told = cast("frozenset[str]", cast("Any", cls).__optional_keys__)
    # With `from __future__ import annotations` the class itself has not seen its `NotRequired`, nor does msgspec.
    optional = (told | _marked(marked, "NotRequired")) - _marked(marked, "Required")

    def take(value: object) -> Sequence[object]:
        found = cast("dict[str, object]", value)
        if missing := known - optional - found.keys():
            raise AttributeError(", ".join(sorted(missing)))
        return [found.get(name, msgspec.UNSET) for name in names]

    def lost(value: object) -> str:
        extra = cast("dict[object, object]", value).keys() - known
        return ", ".join(sorted(f"the key {key!r:.80}" for key in extra))

    def make(fields: Mapping[str, object]) -> object:
        return dict(fields)

    native = optional == told
    return Shape(dict, hints, take, make, make, optional, native=native, lost=lost, sparse=optional, sure=True)


def _marked(hints: Mapping[str, object], mark: str) -> frozenset[str]:
    """The keys with this mark."""
    return frozenset(name for name, hint in hints.items() if str(get_origin(hint)).endswith(f".{mark}"))


def _bare(hint: object) -> object:
    """The type without `Required`, `NotRequired`, `ReadOnly`."""
    while str(get_origin(hint)).endswith(("Required", "ReadOnly")):
        hint = get_args(hint)[0]
    return hint


def _struct(annotation: object, cls: type[msgspec.Struct]) -> Shape:
    fields = msgspec.structs.fields(cast("Any", annotation))
    hints: dict[str, object] = {field.name: field.type for field in fields}
    optional = frozenset(field.name for field in fields if not field.required)
    aliases = {field.encode_name: field.name for field in fields if field.encode_name != field.name}
    revised = hasattr(cls, "__post_init__")

    def make(values: dict[str, object]) -> object:
        found = cls(**values)
        if revised:
            for name, value in values.items():
                msgspec.structs.force_setattr(found, name, value)
        return found

    def build(values: Mapping[str, object]) -> object:
        return cls(**values)

    take = getter(tuple(hints))
    array = cls.__struct_config__.array_like
    return Shape(
        cls, hints, take, make, build, optional, native=not revised, array=array, aliases=aliases, sure=not revised
    )


def _named_tuple(annotation: object, cls: Any) -> Shape:
    hints = hints_of(annotation)
    names = cast("tuple[str, ...]", cls._fields)
    typed: dict[str, object] = {name: hints.get(name, Any) for name in names}
    defaults = cast("dict[str, object]", cls._field_defaults)

    def make(values: dict[str, object]) -> object:
        given = {**defaults, **values}
        return _NEW_TUPLE(cls, [given[name] for name in names])

    def build(values: Mapping[str, object]) -> object:
        return cls(**values)

    def take(value: object) -> Sequence[object]:
        return cast("tuple[object, ...]", value)

    native = len(hints) == len(names)
    return Shape(cls, typed, take, make, build, frozenset(defaults), native=native, array=native, sure=True)


def _dataclass(annotation: object, cls: Any) -> Shape:
    hints = hints_of(annotation)
    fields = dataclasses.fields(cls)
    typed = {field.name: hints[field.name] for field in fields}
    unset = dataclasses.MISSING
    optional = {f.name for f in fields if f.default is not unset or f.default_factory is not unset}
    # `dataclasses.fields` does not give the pseudo-fields, and there is no other way to see an `InitVar`.
    variables = any(get_origin(hint) is not ClassVar and _is_init_var(hint) for hint in hints.values())
    revised = hasattr(cls, "__post_init__")
    native = not (revised or variables or not all(field.init for field in fields))
    sure = not (revised and not variables) and cls.__new__ is object.__new__
    put = object.__setattr__

    def make(values: dict[str, object]) -> object:
        found = cls.__new__(cls)
        for field in fields:
            if field.name not in values:
                made = field.default_factory() if field.default_factory is not unset else field.default
                if made is not unset:
                    put(found, field.name, made)
        for name, value in values.items():
            put(found, name, value)
        if revised and not variables:
            # It may set what is no field. What it does to the fields was done before they were taken.
            found.__post_init__()
            for name, value in values.items():
                put(found, name, value)
        return found

    def build(values: Mapping[str, object]) -> object:
        later = {field.name for field in fields if not field.init}
        found = cls(**{name: value for name, value in values.items() if name not in later})
        for name in later & values.keys():
            put(found, name, values[name])
        return found

    # A field that `__init__` does not take may have no default: `__post_init__` sets it.
    given = frozenset(optional | {field.name for field in fields if not field.init})
    return Shape(cls, typed, getter(tuple(typed)), make, build, given, native=native, sure=sure)


def _is_init_var(hint: object) -> bool:
    return isinstance(hint, dataclasses.InitVar)
