"""Whether what would come back is what was given: values and classes, at every depth, without recursion."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from decimal import Decimal
from typing import cast

import msgspec

from stepwell.codecs.node import Misfit, name_of

_Pair = tuple[str, object, object]
Same = Callable[[object, object], bool | None]


def _by_itself(_one: object, _two: object) -> None:
    """No class has a rule of its own."""


def difference(given: object, back: object, same: Same = _by_itself) -> Misfit | None:
    """The first place where they differ, None if they do not. nan equals nan; an int may have become an equal float.

    `same` says whether two values of one class are equal, if it knows the class.
    """
    todo: list[_Pair] = [("", given, back)]
    while todo:
        path, one, two = todo.pop()
        if one is two:
            continue
        known = same(one, two) if type(one) is type(two) else None
        below = _below(path, one, two) if known is None else () if known else None
        if below is None:
            return Misfit("the value that was returned", _told(one, two), "it does not survive being stored").under(
                path
            )
        todo += below
    return None


def _told(one: object, two: object) -> str:
    """How they differ, by class where that is the difference: a value may be a secret."""
    if type(one) is type(two):
        return f"another `{name_of(type(two))}` than it"
    return f"`{name_of(type(two))}` instead of `{name_of(type(one))}`"


def _below(path: str, one: object, two: object) -> Iterable[_Pair] | None:
    """What remains to be compared, None if they differ here."""
    if type(one) is not type(two):
        return () if type(one) is int and type(two) is float and one == two else None
    if isinstance(one, (list, tuple)):
        left, right = cast("Sequence[object]", one), cast("Sequence[object]", two)
        if len(left) != len(right):
            return None
        return [(f"{path}[{index}]", *pair) for index, pair in enumerate(zip(left, right, strict=True))]
    if isinstance(one, Mapping):
        return _mappings(path, cast("Mapping[object, object]", one), cast("Mapping[object, object]", two))
    if isinstance(one, Set):
        return _sets(path, cast("Set[object]", one), cast("Set[object]", two))
    names = _fields(one)
    if names is None:
        return () if _equal(one, two) else None
    missing = object()
    return [(f"{path}.{name}", getattr(one, name, missing), getattr(two, name, missing)) for name in names]


def _mappings(path: str, one: Mapping[object, object], two: Mapping[object, object]) -> Iterable[_Pair] | None:
    if len(one) != len(two):
        return None
    found: list[_Pair] = []
    # The order is part of the value: a step that runs over the dict again must see the same.
    for (key, left), (other, right) in zip(one.items(), two.items(), strict=True):
        found += [(f"{path}[key {key!r:.80}]", key, other), (f"{path}[{key!r:.80}]", left, right)]
    return found


def _sets(path: str, one: Set[object], two: Set[object]) -> Iterable[_Pair] | None:
    if len(one) != len(two):
        return None
    known = {each: each for each in two}
    if all(each in known for each in one):
        return [(path, each, known[each]) for each in one]
    left, right = sorted(one, key=_order), sorted(two, key=_order)  # nan is not found among others
    return [(path, *pair) for pair in zip(left, right, strict=True)]


def _order(value: object) -> tuple[str, str]:
    """Some order that equal values share."""
    if isinstance(value, Set):
        value = sorted(cast("Set[object]", value), key=_order)
    return type(value).__name__, repr(value)


def _fields(value: object) -> Iterable[str] | None:
    """The names of all that a value holds, None if it is one piece."""
    if isinstance(value, msgspec.Struct):
        return value.__struct_fields__
    if (attributes := getattr(type(value), "__attrs_attrs__", None)) is not None:
        return [cast("str", attribute.name) for attribute in attributes]
    model = cast("Mapping[str, object] | None", getattr(type(value), "__pydantic_fields__", None))
    if dataclasses.is_dataclass(value):
        return [field.name for field in dataclasses.fields(value)]
    if model is not None:
        return [*model, "__pydantic_extra__", "__pydantic_private__", "__pydantic_fields_set__"]
    return None


def _zone(moment: dt.datetime | dt.time) -> object:
    """The name of a zone that has rules."""
    return getattr(moment.tzinfo, "key", None)


def _equal(one: object, two: object) -> bool:
    if isinstance(one, float) and isinstance(two, float):
        return (math.isnan(one) and math.isnan(two)) or (one == two and math.copysign(1, one) == math.copysign(1, two))
    if isinstance(one, Decimal) and isinstance(two, Decimal):  # a signaling nan cannot be compared, and 1.0 is not 1.00
        return one.as_tuple() == two.as_tuple()
    if isinstance(one, (complex, dt.tzinfo)) or one != one:
        return repr(one) == repr(two)
    if isinstance(one, (dt.datetime, dt.time)) and isinstance(two, (dt.datetime, dt.time)):
        # A fixed zone of any class comes back as `datetime.timezone`.
        same_zone = one.utcoffset() == two.utcoffset() and str(_zone(one)) == str(_zone(two))
        return one == two and same_zone and one.fold == two.fold
    return bool(one == two)
