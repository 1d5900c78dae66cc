"""Whether a value that came back is the one that went: judged apart from the code that is being proved."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import math
from collections.abc import Mapping
from typing import Any


def same(one: Any, two: Any) -> str:
    """In words where they differ; nothing where they are equal, type for type at every depth; without recursion."""
    todo: list[tuple[str, Any, Any]] = [("$", one, two)]
    while todo:
        path, left, right = todo.pop()
        if left is right:
            continue
        if type(left) is not type(right):
            if type(left) is int and type(right) is float and left == right and int(right) == left:
                continue  # where a float is declared an int is one
            if isinstance(left, (dt.tzinfo)) and isinstance(right, dt.tzinfo):
                continue  # looked at where the time is
            return f"{path}: {type(left).__name__} became {type(right).__name__}"
        below = _parts(left, right)
        if below is None:
            if not _equal(left, right):
                return f"{path}: {type(left).__name__} {left!r:.80} became {right!r:.80}"
        elif len(below[0]) != len(below[1]):
            return f"{path}: {len(below[0])} parts became {len(below[1])}"
        else:
            todo += [(f"{path}/{n}", *pair) for n, pair in enumerate(zip(*below, strict=True))]
    return ""


def _parts(one: Any, two: Any) -> tuple[list[Any], list[Any]] | None:
    """What each consists of, None for what is one piece."""
    if isinstance(one, (list, tuple)):
        return list(one), list(two)
    if isinstance(one, Mapping):
        return [*one.keys(), *one.values()], [*two.keys(), *two.values()]
    if isinstance(one, (set, frozenset)):
        return sorted(one, key=_order), sorted(two, key=_order)
    if hasattr(type(one), "__pydantic_fields__") and hasattr(type(one), "model_fields_set"):
        return _model(one), _model(two)
    if dataclasses.is_dataclass(one):
        names = [field.name for field in dataclasses.fields(one)]
        return [getattr(one, name) for name in names], [getattr(two, name) for name in names]
    for known in ("__struct_fields__", "__attrs_attrs__"):
        if hasattr(type(one), known):
            fields = [getattr(field, "name", field) for field in getattr(type(one), known)]
            return [getattr(one, name) for name in fields], [getattr(two, name) for name in fields]
    return None


def _model(model: Any) -> list[Any]:
    extra = model.__pydantic_extra__
    return [dict(model.__dict__), extra, model.__pydantic_private__, set(model.model_fields_set)]


def _order(value: Any) -> tuple[str, str]:
    if isinstance(value, (set, frozenset)):
        return "set", repr(sorted(value, key=_order))
    if isinstance(value, (int, float)) and not isinstance(value, bool) and -(2**53) < value < 2**53:
        return "number", repr(float(value))  # an int may have become a float
    return type(value).__name__, repr(value)


def _equal(one: Any, two: Any) -> bool:
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(two)) or (one == two and math.copysign(1, one) == math.copysign(1, two))
    if isinstance(one, (complex, range)):
        return repr(one) == repr(two)
    if isinstance(one, decimal.Decimal):
        return one.as_tuple() == two.as_tuple()
    if isinstance(one, (dt.datetime, dt.time)):
        naive = one.replace(tzinfo=None) == two.replace(tzinfo=None) and one.fold == two.fold
        named = str(getattr(one.tzinfo, "key", None)) == str(getattr(two.tzinfo, "key", None))
        return naive and named and one.utcoffset() == two.utcoffset() and (one.tzinfo is None) == (two.tzinfo is None)
    library = type(one).__module__.partition(".")[0]
    if library == "numpy":
        if one.dtype != two.dtype or one.shape != two.shape:
            return False
        return one.tobytes() == two.tobytes() or bool(((one == two) | (one != one)).all())
    if library == "pandas":
        return _frames(one, two)
    if library in {"polars", "pyarrow"}:
        return bool(one.equals(two)) or str(one) == str(two)
    return bool(one == two)


def _frames(one: Any, two: Any) -> bool:
    """By pandas' own comparison for tests."""
    from pandas import testing

    names = [kind.__name__ for kind in type(one).__mro__]
    kind = next((kind for kind in ("DataFrame", "Series", "Index") if kind in names), "")
    compare = {
        "DataFrame": testing.assert_frame_equal,
        "Series": testing.assert_series_equal,
        "Index": testing.assert_index_equal,
    }.get(kind)
    if compare is None:
        return bool(one == two)
    try:
        compare(one, two)
    except AssertionError:
        return False
    return True
