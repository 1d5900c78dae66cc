"""What a return annotation says of a step's value: control types are told apart, `Stop[T]` and `Output[T]` give T."""

from __future__ import annotations

import inspect
import types
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
)
from enum import Enum, Flag
from typing import Annotated, Any, Literal, Never, NoReturn, Union, cast, get_args, get_origin

from stepwell.control import CONTROLS, Control, Output, Stop

_UNDECLARED: tuple[object, ...] = (inspect.Signature.empty, Any, object)
_STREAMS: tuple[object, ...] = (Iterator, Iterable, Generator, AsyncIterator, AsyncIterable, AsyncGenerator)
_NO_VALUE: tuple[object, ...] = (*CONTROLS, Never, NoReturn)


def value_type(annotation: object) -> object:
    """The annotation without control types; no annotation stays no annotation, nothing at all is None's type.

    >>> value_type(int | Stop[str]) == int | str
    True
    """
    values, given, controls = _told_apart(annotation)
    return _union([*values, *given]) if controls else annotation


def _told_apart(annotation: object) -> tuple[list[object], list[object], bool]:
    """The values, those that come inside of a control value, and whether there is any control type."""
    values: list[object] = []
    given: list[object] = []
    controls = False
    left = [(annotation, values)]
    while left:
        one, found = left.pop()
        if _is_union(one):
            left.extend((member, found) for member in reversed(_members(one)))
        elif get_origin(one) is Annotated and _is_union(get_args(one)[0]):
            left.append((get_args(one)[0], found))
        elif get_origin(one) in (Stop, Output):
            controls = True
            left.extend((member, given) for member in get_args(one))
        elif one is Stop:
            controls = True
            given.append(None)  # of a bare `Stop` nothing is known but that its value may be left out
        elif one is Output or one is Control:
            controls = True
            given.append(Any)
        elif any(one is never for never in _NO_VALUE):
            controls = True
        else:
            found.append(one)
    return values, given, controls


def yielded(annotation: object) -> object | None:
    """What a generator of this annotation yields, control types told apart; None where it is that of no generator.

    >>> yielded(Iterator[int | Stop[str]])
    <class 'int'>
    """
    if annotation is inspect.Signature.empty:
        return annotation
    if get_origin(annotation) not in _STREAMS and annotation not in _STREAMS:
        return None
    values, _, _ = _told_apart(next(iter(get_args(annotation)), inspect.Signature.empty))
    return _union(values) if values else inspect.Signature.empty


def stream_type(annotation: object, *, listed: bool) -> object:
    """The type of a generator's output: the joined text, or the list of what it yields; or what `Output` gives.

    `listed`: a map runs over it, so it is the list in any case.

    >>> stream_type(Iterator[str], listed=False)
    <class 'str'>
    """
    arguments = get_args(annotation)
    if not arguments:
        return inspect.Signature.empty
    values, given, _ = _told_apart(arguments[0])
    if len(arguments) == 3 and arguments[2] not in (None, type(None)):
        values_of_return, given_by_return, _ = _told_apart(arguments[2])
        given += [*values_of_return, *given_by_return]
    item = _union(values)
    if item is inspect.Signature.empty:
        return item
    if listed:
        return list[item]  # type: ignore[valid-type]
    whole: list[object] = [str] if str in values else []
    if values and values != [str]:
        whole.append(list[item])  # type: ignore[valid-type]
    return _union([*whole, *given])


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
