"""Values as JSON would have them, for showing: to people, to the dashboard, on stdout. Nothing reads them back."""

from __future__ import annotations

import base64
import dataclasses
import enum
from collections.abc import Callable, Mapping, Sequence
from datetime import date, time, timedelta
from typing import Any, cast

import msgspec
from msgspec.msgpack import Decoder

from stepwell.codecs import wire
from stepwell.codecs.plain import is_plain
from stepwell.codecs.registry import registered
from stepwell.errors import CodecError


def shown(value: object) -> object:
    """The value in None, bool, int, float, str, list and dict with str keys; raises `CodecError` if nested too deeply.

    >>> shown({1: {"b"}, "raw": b"abc"})
    {'1': ['b'], 'raw': 'YWJj'}
    """
    if is_plain([value]):
        return value
    try:
        return _shown(value)
    except RecursionError:
        raise CodecError("`$`: expected a value that can be shown, got one that is nested too deeply") from None


def _shown(value: object) -> object:
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    if (stored := registered(kind)) is not None:
        return _shown(stored.encode(value))
    if isinstance(value, (list, tuple)):
        return _sequence(cast("Sequence[object]", value))
    if isinstance(value, Mapping):
        return {_key(key): _shown(item) for key, item in cast("Mapping[object, object]", value).items()}
    if isinstance(value, (set, frozenset)):
        items = [_shown(item) for item in cast("set[object]", value)]
        return sorted(items, key=repr)
    if isinstance(value, enum.Enum):
        return _enum(value)
    for base, show in _BY_CLASS.items():
        if isinstance(value, base):
            return show(value)
    if isinstance(value, msgspec.Struct):
        return {name: _shown(getattr(value, name)) for name in value.__struct_fields__}
    if dataclasses.is_dataclass(value):
        return {field.name: _shown(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return _object(value)


def _sequence(value: Sequence[object]) -> object:
    if value and type(value[0]) is _Note:
        return str(value[0])
    names = cast("Sequence[str] | None", getattr(value, "_fields", None))
    if names is not None:
        return {name: _shown(item) for name, item in zip(names, value, strict=False)}
    return [_shown(item) for item in value]


def _enum(value: enum.Enum) -> object:
    """Its value if JSON has a word for that, else its name."""
    inner = cast("object", value.value)
    return inner if type(inner) in {bool, int, float, str} else value.name


def _object(value: object) -> object:
    """A value of a library, told by its looks: nothing is imported for it. Else the text of the value."""
    kind = type(value)
    if (attributes := getattr(kind, "__attrs_attrs__", None)) is not None:
        return {attribute.name: _shown(getattr(value, attribute.name)) for attribute in attributes}
    fields = cast("Mapping[str, object] | None", getattr(kind, "__pydantic_fields__", None))
    if fields is not None:
        return _model(value, fields)
    if kind.__module__.partition(".")[0] in _LIBRARIES:
        found = _listed(value)
        return str(value) if type(found) is kind else _shown(found)
    return str(value)


def _listed(value: Any) -> object:
    """A library's array, table or scalar as plain data: of a table, the list of its rows; else the value itself."""
    for method in _LISTED:
        if hasattr(value, method):
            return getattr(value, method)()
    if not hasattr(value, "to_dict"):
        return value
    return value.to_dict(orient="records") if value.columns.is_unique else value.to_numpy().tolist()


def _model(value: object, fields: Mapping[str, object]) -> object:
    found = {name: _shown(getattr(value, name)) for name in fields}
    if getattr(type(value), "__pydantic_root_model__", False):
        return found["root"]
    extra = cast("Mapping[str, object]", getattr(value, "__pydantic_extra__", None) or {})
    return found | {name: _shown(item) for name, item in extra.items()}


def _key(key: object) -> str:
    """A key as JSON has it."""
    found = _shown(key)
    if found is None or isinstance(found, bool):
        return {None: "null", True: "true", False: "false"}[found]
    return found if isinstance(found, str) else msgspec.json.encode(found).decode()


def _base64(value: bytes | bytearray) -> str:
    return base64.b64encode(value).decode()


_AS_IT_IS: frozenset[type] = frozenset({type(None), bool, int, float, str})
_LIBRARIES = frozenset({"numpy", "pandas", "polars", "pyarrow"})
_LISTED = ("to_pylist", "to_dicts", "tolist", "to_list")
_BY_CLASS: dict[type, Callable[[Any], object]] = {
    bool: bool,
    int: int,
    float: float,
    str: str,
    bytes: _base64,
    bytearray: _base64,
    date: lambda value: value.isoformat(),  # and datetime
    time: lambda value: value.isoformat(),
    timedelta: lambda value: msgspec.to_builtins(timedelta(value.days, value.seconds, value.microseconds)),
}


def plain(data: bytes) -> object:
    """What encoded bytes hold, as JSON would have it; see `values.plain`."""
    try:
        found = _READER.decode(data)
        # Searching the bytes is cheap; walking through all that they hold is not.
        return shown(_flat(found) if _MODEL_SET in data or _MODEL_EXTRA in data else found)
    except CodecError:
        raise
    except Exception as error:  # damaged bytes may hold anything where a pair or a tag should be
        size = len(data)
        raise CodecError(f"`$`: expected an encoded value, got {size} bytes that are none ({error})") from error


def _flat(value: object) -> object:
    """Models with what they were given beside their fields among these, as they show themselves."""
    if isinstance(value, list):
        return [_flat(item) for item in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    found = {key: _flat(item) for key, item in cast("dict[object, object]", value).items()}
    found.pop(wire.MODEL_SET, None)
    extra = found.pop(wire.MODEL_EXTRA, None)
    return {**found, **cast("dict[object, object]", extra)} if isinstance(extra, dict) else found


class _Note(str):
    """A line that stands for the data after it."""

    __slots__ = ()


def _open(code: int, data: memoryview) -> object:
    """What an extension item holds."""
    if code == wire.TAG:
        return cast("list[object]", _READER.decode(data))[1]
    if code in {wire.NEST, wire.EXACT}:
        return _READER.decode(data)
    if code == wire.NOTE:
        return _Note(data, "utf-8")
    if code == wire.PAIRS:
        pairs = cast("list[tuple[object, object]]", _READER.decode(data))
        return {_key(key): item for key, item in pairs}
    return wire.restore(code, data)


_MODEL_SET, _MODEL_EXTRA = wire.MODEL_SET.encode(), wire.MODEL_EXTRA.encode()
_READER = Decoder(ext_hook=_open)
