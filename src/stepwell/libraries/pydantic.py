"""The adapter around pydantic, which is imported only when a type needs it.

The fields of a model are held by our own nodes: from pydantic's own dump a `bytes`, a `datetime | str` or a subclass
would come back as something else. What pydantic alone knows, such as a URL, goes through its JSON form and is proved
each time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, cast, get_args, get_origin

import msgspec

from stepwell.codecs import wire
from stepwell.codecs.fields import Foreign, Shape
from stepwell.codecs.port import Adapter
from stepwell.codecs.shapes import shape as dataclass_shape
from stepwell.errors import CodecError

if TYPE_CHECKING:
    import pydantic

_REFERENCE = "#/$defs/{model}"
_PUT = object.__setattr__


class PydanticAdapter(Adapter):
    """Models, root models, generic models, pydantic dataclasses, and pydantic's own types."""

    def shape(self, annotation: object) -> Shape | None:
        """The fields of a model or of a pydantic dataclass."""
        cls = get_origin(annotation) or annotation
        if not isinstance(cls, type) or not hasattr(cls, "__pydantic_validator__"):
            return None  # no class of pydantic's: nothing to import
        import pydantic

        if issubclass(cls, pydantic.BaseModel):
            return _model(cls)
        found = dataclass_shape(annotation)
        if found is None:
            return None
        adapter = pydantic.TypeAdapter[object](cast("Any", annotation))
        return replace(found, build=_told(adapter.validate_python), raw=True, schema=lambda: _schema(adapter))

    def foreign(self, annotation: object, inside: bool) -> Foreign | None:
        """A type that pydantic can write as JSON."""
        if "pydantic" not in sys.modules or not (inside or hasattr(annotation, "__get_pydantic_core_schema__")):
            return None
        import pydantic

        try:
            adapter = pydantic.TypeAdapter[object](cast("Any", annotation))
        except Exception:  # it raises errors of many classes, and the caller has the better words
            return None

        def dump(value: object) -> object:
            return adapter.dump_python(value, mode="json", warnings="error")

        return Foreign(dump, _told(adapter.validate_python), lambda: _schema(adapter))


def _model(cls: type[pydantic.BaseModel]) -> Shape:
    if not cls.__pydantic_complete__:
        try:
            cls.model_rebuild()
        except NameError as error:
            raise CodecError(f"the annotations of `{cls.__qualname__}` cannot be resolved: {error}") from error
    fields = cls.__pydantic_fields__
    names = tuple(fields)
    # Which fields were given and what came beside them is part of a model: `exclude_unset` and `==` look at it.
    hints: dict[str, object] = {name: _closed(field.annotation, cls) for name, field in fields.items()}
    hints |= {wire.MODEL_SET: list[str], wire.MODEL_EXTRA: dict[str, Any]}
    every = set(names)

    def take(value: object) -> Sequence[object]:
        model = cast("pydantic.BaseModel", value)
        try:
            found = [*map(model.__dict__.__getitem__, names)]
        except KeyError as error:
            raise AttributeError(error.args[0]) from None
        given = model.__pydantic_fields_set__
        found += (msgspec.UNSET if given == every else sorted(given), model.__pydantic_extra__ or msgspec.UNSET)
        return found

    sparse = frozenset({wire.MODEL_SET, wire.MODEL_EXTRA})
    optional = sparse | {name for name, field in fields.items() if not field.is_required()}

    def make(values: dict[str, object]) -> object:
        return _restore(cls, names, values)

    def lost(value: object) -> str:
        return _lost_private(cast("pydantic.BaseModel", value), take, make)

    def schema() -> dict[str, object]:
        return cls.model_json_schema(ref_template=_REFERENCE)

    return Shape(
        cls,
        hints,
        take,
        make,
        _told(cls.model_validate),
        optional,
        raw=True,
        sparse=sparse,
        sure=cls.__pydantic_post_init__ is None,
        lost=lost if cls.__private_attributes__ else None,
        schema=schema,
    )


def _closed(hint: Any, cls: type[pydantic.BaseModel]) -> Any:
    """The type of a field, with the class itself where pydantic has left a mark for it: in a generic model."""
    if type(hint).__name__ == "PydanticRecursiveRef":
        origin = cls.__pydantic_generic_metadata__["origin"] or cls
        own = str(hint.type_ref).startswith(f"{origin.__module__}.{origin.__qualname__}:{id(origin)}")
        return cls if own else hint
    arguments = get_args(hint)
    found = tuple(_closed(argument, cls) for argument in arguments)
    if found == arguments:
        return hint
    if get_origin(hint) in (Union, UnionType):
        return Union[found]  # noqa: UP007 (a tuple of types)
    return hint.copy_with(found) if hasattr(hint, "copy_with") else get_origin(hint)[found]


def _restore(cls: type[pydantic.BaseModel], names: Sequence[str], values: dict[str, object]) -> object:
    """A model with exactly these fields, without running its validators again: they have been applied once."""
    extra = cast("dict[str, object] | None", values.pop(wire.MODEL_EXTRA, None))
    given = cast("Sequence[str] | None", values.pop(wire.MODEL_SET, None))
    if len(values) < len(names):
        values = {name: values[name] if name in values else _default(cls, name) for name in names}
    if extra is None and cls.model_config.get("extra") == "allow":
        extra = {}
    model = cls.__new__(cls)
    # As `model_construct` does, whose own way of filling in what is missing is not wanted here.
    _PUT(model, "__dict__", values)
    _PUT(model, "__pydantic_fields_set__", set(names if given is None else given))
    root = cls.__pydantic_root_model__  # has neither of these, and would keep them among its fields
    if not root:
        _PUT(model, "__pydantic_extra__", extra)
    if cls.__pydantic_post_init__ is None:
        if not root:
            _PUT(model, "__pydantic_private__", None)
        return model
    # It makes the private attributes, and may do what it likes with the fields: they are as they were taken.
    held, made = dict(values), set(model.__pydantic_fields_set__)
    model.model_post_init(None)
    _PUT(model, "__dict__", {**model.__dict__, **held})
    _PUT(model, "__pydantic_fields_set__", made)
    if not root:
        _PUT(model, "__pydantic_extra__", extra)
    return model


def _default(cls: type[pydantic.BaseModel], name: str) -> object:
    return cls.__pydantic_fields__[name].get_default(call_default_factory=True, validated_data={})


def _lost_private(
    model: pydantic.BaseModel,
    take: Callable[[object], Sequence[object]],
    make: Callable[[dict[str, object]], object],
) -> str:
    """The private attributes that a model read back would not have."""
    names = (*type(model).__pydantic_fields__, wire.MODEL_SET, wire.MODEL_EXTRA)
    pairs = zip(names, take(model), strict=True)
    fresh = cast("pydantic.BaseModel", make({name: item for name, item in pairs if item is not msgspec.UNSET}))
    before: Mapping[str, object] = model.__pydantic_private__ or {}
    after: Mapping[str, object] = fresh.__pydantic_private__ or {}
    lost = [name for name in before if name not in after or after[name] != before[name]]
    return ", ".join(f"the private attribute `{name}`" for name in lost)


def _told(validate: Callable[[Any], object]) -> Callable[[object], object]:
    """The same, with all that is wrong in one line."""

    def validated(data: object) -> object:
        import pydantic

        try:
            return validate(data)
        except pydantic.ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
            told = (("".join(f".{part}" for part in each["loc"]) or "$", each["msg"]) for each in found)
            raise ValueError("; ".join(f"`{where.removeprefix('.')}`: {message}" for where, message in told)) from None

    return validated


def _schema(adapter: pydantic.TypeAdapter[object]) -> dict[str, object]:
    return adapter.json_schema(ref_template=_REFERENCE)
