"""The adapter around attrs: its classes are told by their looks, and nothing is imported before one is met."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any, cast, get_origin

from stepwell.codecs.fields import Shape
from stepwell.codecs.port import Adapter
from stepwell.codecs.shapes import getter, hints_of

_PUT = object.__setattr__


class AttrsAdapter(Adapter):
    """Classes of `attrs.define`, `attrs.frozen`, `attr.s`: with slots or without, inherited, generic."""

    def shape(self, annotation: object) -> Shape | None:
        """The fields of an attrs class.

        What is recorded has been converted already, so a converter is not run on it again; validators are.
        """
        cls: Any = get_origin(annotation) or annotation
        if not inspect.isclass(cls) or not hasattr(cls, "__attrs_attrs__"):
            return None
        return _shape(annotation, cls)


def _shape(annotation: object, cls: Any) -> Shape:
    # What attrs says of a class is typed by `Any` throughout.
    attrs: Any = import_module("attrs")
    fields: tuple[Any, ...] = attrs.fields(cls)
    hints = hints_of(annotation)
    typed: dict[str, object] = {field.name: hints.get(field.name, field.type or Any) for field in fields}
    names = {cast("str", field.name): cast("str", field.alias) for field in fields if field.init}
    optional = frozenset(field.name for field in fields if field.default is not attrs.NOTHING or not field.init)
    revised = hasattr(cls, "__attrs_post_init__")
    checked = any(field.validator is not None for field in fields)
    # The hash that an instance remembers is no field, and is looked for nevertheless.
    hashed = "_attrs_cached_hash" in getattr(getattr(cls.__hash__, "__code__", None), "co_names", ())
    plain = not (revised or hashed or hasattr(cls, "__attrs_pre_init__")) and all(map(_plain, fields))

    def make(values: dict[str, object]) -> object:
        found: Any
        if len(values) < len(fields):
            found = build(values)
        else:
            found = cls.__new__(cls)
            if hashed:
                _PUT(found, "_attrs_cached_hash", None)
        _put(found, values)
        if checked:
            attrs.validate(found)
        if revised:
            # It may set what is no field. What it does to the fields was done before they were taken.
            found.__attrs_post_init__()
            _put(found, values)
        return found

    def build(values: Mapping[str, object]) -> Any:
        found = cls(**{names[name]: value for name, value in values.items() if name in names})
        _put(found, {name: value for name, value in values.items() if name not in names})
        return found

    aliases = {alias: name for name, alias in names.items() if alias != name}
    sure = not (revised or checked) and cls.__new__ is object.__new__
    take = getter(tuple(typed))
    return Shape(cls, typed, take, make, build, optional, native=plain, aliases=aliases, sure=sure)


def _put(value: object, fields: Mapping[str, object]) -> None:
    """Set fields as they were, also of a frozen class."""
    for name, item in fields.items():
        _PUT(value, name, item)


def _plain(field: Any) -> bool:
    """Whether msgspec's own way of attrs classes restores this field as it was."""
    own = field.init and field.validator is None and field.converter is None and field.alias == field.name
    return own and not getattr(field.default, "takes_self", False)
