"""Values without a declared type: None, bool, int, float, str, list, and dict with str keys, nothing else.

They are judged level by level, not by recursion, and each level by a handful of calls into C.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain
from typing import Any, cast

from msgspec.msgpack import Ext

from stepwell.codecs import wire
from stepwell.codecs.leaves import lowered_text
from stepwell.codecs.node import Misfit, Node, name_of

_SCALARS: frozenset[type] = frozenset({type(None), bool, int, float, str})
_ALLOWED: frozenset[type] = _SCALARS | {list, dict}
_TEXT: frozenset[type] = frozenset({str})
_DEEPEST = 1000
_MANY = 1000
_WAY_OUT = "declare a return type that names it"


class Plain(Node):
    """Data as JSON has it, where no type is declared."""

    shapes = frozenset({"nil", "bool", "int", "float", "str", "array", "map", "ext"})

    def __init__(self, annotation: object, exact: bool = False) -> None:
        super().__init__(annotation, _ALLOWED)
        self.native = not exact
        self.wire = Any

    def fault(self, value: object) -> Misfit | None:
        kind = type(value)
        if kind is dict:  # a flat one is what most are
            mapping = cast("dict[object, object]", value)
            if _TEXT.issuperset(map(type, mapping)) and _SCALARS.issuperset(map(type, mapping.values())):
                return None
        return None if kind in _SCALARS or is_plain([value]) else _search(value)

    def misfit(self, value: object, hint: str = "") -> Misfit:
        return self.fault(value) or super().misfit(value, hint)

    def hold(self, values: Collection[object]) -> bool:
        return _SCALARS.issuperset(map(type, values)) or is_plain(values)

    def lower(self, value: object) -> object:
        return value if self.native else _lowered(value)

    def read(self, data: object) -> object:
        if (found := self.fault(data)) is not None:
            raise found
        return data


class PlainKey(Node):
    """The key of a dict whose keys have no declared type."""

    leaf = True
    scalar = True

    def __init__(self, annotation: object, exact: bool = False) -> None:
        super().__init__(annotation, _SCALARS)
        self.native = not exact
        self.shapes = Plain.shapes - {"array", "map"}
        self.wire = Any

    def lower(self, value: object) -> object:
        return value if self.native else _lowered(value)

    def lift(self, data: object) -> object:
        if type(data) not in _SCALARS:
            raise self.misfit(data)
        return data

    def read(self, data: object) -> object:
        if (found := self.fault(data)) is not None:
            raise found
        return data


def is_plain(level: Collection[object]) -> bool:
    """Whether these values and all below them are plain, and hold no circle."""
    for _ in range(_DEEPEST):
        kinds = set(map(type, level))
        if kinds <= _SCALARS:
            return True
        if not kinds <= _ALLOWED:
            return False
        lists: list[Any] = [value for value in level if type(value) is list] if list in kinds else []
        dicts: list[Any] = [value for value in level if type(value) is dict] if dict in kinds else []
        if len(lists) + len(dicts) > _MANY:
            # Once each: a circle, or what is shared, must not make the levels grow without end.
            lists = list({id(value): value for value in lists}.values())
            dicts = list({id(value): value for value in dicts}.values())
        if dicts and not _TEXT.issuperset(map(type, chain.from_iterable(dicts))):
            return False
        level = list(chain(chain.from_iterable(lists), chain.from_iterable(each.values() for each in dicts)))
    return False


def _search(value: object) -> Misfit:
    """What is not plain, with its path; slow, and without recursion."""
    level: list[tuple[tuple[str, ...], object]] = [((), value)]
    seen: set[int] = set()
    for _ in range(_DEEPEST):
        below: list[tuple[tuple[str, ...], object]] = []
        for path, item in level:
            if type(item) in _SCALARS or id(item) in seen:
                continue
            if type(item) not in _ALLOWED:
                return _refused(item, path)
            seen.add(id(item))
            if type(item) is list:
                below += [((*path, f"[{index}]"), each) for index, each in enumerate(cast("list[object]", item))]
                continue
            for key, each in cast("dict[object, object]", item).items():
                if type(key) is not str:
                    return _refused(key, (*path, f"[key {key!r:.80}]"))
                below.append(((*path, f"[{key!r:.80}]"), each))
        level = below
    return Misfit("data without a declared type", f"more than {_DEEPEST} levels", "it may hold itself")


def _refused(value: object, path: tuple[str, ...]) -> Misfit:
    allowed = "None, bool, int, float, str, list or dict with str keys, as no type is declared"
    misfit = Misfit(allowed, f"`{name_of(type(value))}`", _WAY_OUT)
    misfit.path = list(reversed(path))
    return misfit


def _lowered(value: object) -> object:
    """The same with what msgpack has no word for as extension items."""
    if type(value) is int:
        return value if -(2**63) <= value < 2**64 else wire.big(value)
    if type(value) is str:
        return lowered_text(value)
    if type(value) is list:
        return [_lowered(item) for item in cast("list[object]", value)]
    if type(value) is dict:
        return _lowered_dict(cast("dict[object, object]", value))
    return value


def _lowered_dict(value: dict[object, object]) -> object:
    keys = [_lowered(key) for key in value]
    items = [_lowered(item) for item in value.values()]
    if not any(type(key) is Ext for key in keys):
        return dict(zip(keys, items, strict=True))
    encode = wire.ENCODER.encode
    return wire.raw_map([(encode(key), encode(item)) for key, item in zip(keys, items, strict=True)])
