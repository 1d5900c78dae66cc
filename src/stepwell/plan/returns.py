"""What a step's return annotation says about its value: control types are told apart from it, `Stop[T]` gives its T."""

from __future__ import annotations

import inspect
import types
from collections.abc import Awaitable, Coroutine
from enum import Enum, Flag
from typing import Annotated, Any, Literal, Never, NoReturn, Union, cast, get_args, get_origin

from stepwell.control import CONTROLS, Stop

_UNDECLARED: tuple[object, ...] = (inspect.Signature.empty, Any, object)
_NO_VALUE: tuple[object, ...] = (*CONTROLS, Never, NoReturn)


def value_type(annotation: object) -> object:
    """The annotation without control types; no annotation stays no annotation, nothing at all is None's type.

    >>> value_type(int | Stop[str]) == int | str
    True
    """
    values: list[object] = []
    controls = False
    left = [annotation]
    while left:
        one = left.pop()
        if _is_union(one):
            left.extend(reversed(_members(one)))
        elif get_origin(one) is Annotated and _is_union(get_args(one)[0]):
            left.append(get_args(one)[0])
        elif get_origin(one) is Stop:
            controls = True
            left.extend(get_args(one))
        elif one is Stop:
            controls = True
            values.append(None)  # of a bare `Stop` nothing is known but that its value may be left out
        elif any(one is never for never in _NO_VALUE):
            controls = True
        else:
            values.append(one)
    return _union(values) if controls else annotation


def awaited(annotation: object) -> object:
    """What awaiting a value of this annotation gives; the annotation itself where it is nothing to await."""
    origin = get_origin(annotation)
    if origin in (Awaitable, Coroutine):
        return get_args(annotation)[-1]
    return annotation


def item_type(annotation: object) -> object:
    """The type of the items of a collection, where its annotation tells; else no annotation."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return arguments[0]
    if origin is not None and origin is not tuple and len(arguments) == 1 and hasattr(origin, "__iter__"):
        return arguments[0]
    return inspect.Signature.empty


def _is_union(annotation: object) -> bool:
    """Also `type Answer = int | Stop[str]`, which Python has from 3.12 on."""
    if type(annotation).__name__ == "TypeAliasType":
        annotation = getattr(annotation, "__value__", None)
    return get_origin(annotation) in (Union, types.UnionType)


def _members(union: object) -> tuple[object, ...]:
    return get_args(getattr(union, "__value__", union))


def _union(values: list[object]) -> object:
    if any(value is one for value in values for one in _UNDECLARED):
        return inspect.Signature.empty
    if not values or values == [None]:
        return type(None)
    return cast("object", Union[tuple(cast("list[Any]", values))])  # noqa: UP007 - there is no other way from a list


def all_values(annotation: object) -> list[object] | None:
    """Every value there is of this annotation: of a Literal, an Enum, or bool; None where they cannot be told."""
    if annotation is bool:
        return [True, False]
    if isinstance(annotation, type) and issubclass(annotation, Enum) and not issubclass(annotation, Flag):
        return list(annotation)
    return list(get_args(annotation)) if get_origin(annotation) is Literal else None


def plain_class(annotation: object) -> type | None:
    """The class that values of this annotation are of, where there is exactly one for sure."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if annotation is None:
        return type(None)
    origin = get_origin(annotation) or annotation
    if not isinstance(origin, type) or origin in (Any, object, types.UnionType, inspect.Signature.empty):
        return None
    odd = getattr(origin, "_is_protocol", False) or hasattr(origin, "__total__")  # a TypedDict is a dict in the end
    return None if odd else origin
