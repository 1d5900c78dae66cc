"""The bytes: msgpack, with a few extension items for what msgpack has no word for.

Nothing in them names anything to import. `restore` is the only code that runs while undeclared data is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import cast

import msgspec
from msgspec.msgpack import Decoder, Encoder, Ext

TAG = 1
"""A member of a union that could not be told from the others: `[name of the member, value]`."""
BIG = 2
"""An int beyond 64 bits: its bytes, big-endian, two's complement."""
TEXT = 3
"""A text with lone surrogates, such as a file name of undecodable bytes: UTF-8 with `surrogatepass`."""
PAIRS = 4
"""A mapping whose keys are not plain: `[[key, value], …]`."""
NEST = 5
"""A value inside a value of the same type: bytes of its own."""
EXACT = 6
"""A whole value that msgspec's own way could not hold: written by the exact nodes."""
NOTE = 7
"""Before data that says nothing to a person: one line that does, such as `DataFrame, 3 × 2`."""

MODEL_SET = "+set"
"""Beside the fields of a model: which of them were given, if not all."""
MODEL_EXTRA = "+extra"
"""Beside the fields of a model: what else it was given."""

# Dicts keep their order: it is what a step saw and what it must see again. `digest` is what leaves the order out;
# msgspec's own `order="deterministic"` would lose it, and refuses keys that are not str.
ENCODER = Encoder()


def restore(code: int, data: memoryview) -> object:
    """The value of an extension item where no type says what to expect."""
    if code == BIG:
        return int.from_bytes(data, "big", signed=True)
    if code == TEXT:
        return str(data, "utf-8", "surrogatepass")
    raise ValueError(f"unknown extension {code}")


def big(value: int) -> Ext:
    """An int of any size."""
    return Ext(BIG, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def text(value: str) -> Ext:
    """A text that is not UTF-8."""
    return Ext(TEXT, value.encode("utf-8", "surrogatepass"))


def raw_map(pairs: list[tuple[bytes, bytes]]) -> msgspec.Raw:
    """A map of encoded keys and values: for keys that are extension items, which no dict can hold."""
    size = len(pairs)
    if size < 16:
        head = bytes([0x80 | size])
    else:
        head = b"\xde" + size.to_bytes(2, "big") if size < 2**16 else b"\xdf" + size.to_bytes(4, "big")
    return msgspec.Raw(head + b"".join(key + value for key, value in pairs))


def inside(item: Ext) -> bytes:
    """What an extension item holds."""
    return cast("bytes", item.data)


def is_exact(data: bytes | memoryview) -> bytes | None:
    """The bytes inside an `EXACT` item, None if it is not one."""
    try:
        item = _EXT.decode(data)
    except (msgspec.MsgspecError, ValueError):
        return None
    return inside(item) if item.code == EXACT else None


_EXT = Decoder(Ext)


def digest(data: bytes) -> str:
    """SHA-256, in hex, of the value that the bytes hold, in which the order of a dict does not count.

    Bytes that are no value at all have the digest of the bytes.

    >>> digest(ENCODER.encode({"a": 1, "b": 2})) == digest(ENCODER.encode({"b": 2, "a": 1}))
    True
    """
    try:
        data = _canonical(_LOOSE.decode(data))
    except Exception:  # no value, or one nested too deeply to be sorted: then the bytes count as they are
        pass
    return hashlib.sha256(data).hexdigest()


def _keep(code: int, data: memoryview) -> object:
    """An extension item with what it holds in canonical form, hashable because it may be a key."""
    if code in {TAG, NEST, EXACT}:
        return _Item((code, _canonical(_LOOSE.decode(data))))
    if code == PAIRS:
        pairs = cast("list[list[object]]", _LOOSE.decode(data))
        return _Item((code, b"".join(sorted(_canonical(pair) for pair in pairs))))
    return _Item((code, bytes(data)))


class _Item(tuple[int, bytes]):
    """An extension item, as a value of its own class so that it can be told from an array."""

    __slots__ = ()


_LOOSE = Decoder(ext_hook=_keep)


def _canonical(value: object) -> bytes:
    """The bytes of a value that was read loosely, with each mapping in the order of its keys' bytes."""
    return ENCODER.encode(_sorted(value))


def _sorted(value: object) -> object:
    if isinstance(value, _Item):
        return Ext(*value)
    if isinstance(value, (list, tuple)):
        items = cast("list[object]", value)
        return [_sorted(item) if type(item) in _HOLDERS else item for item in items]
    if isinstance(value, dict):
        mapping = cast("Mapping[object, object]", value)
        pairs = [(_canonical(key), _sorted(item) if type(item) in _HOLDERS else item) for key, item in mapping.items()]
        pairs.sort(key=lambda pair: pair[0])
        # Pairs, because a mapping with sorted bytes for keys says no more than they do.
        return Ext(PAIRS, ENCODER.encode([(msgspec.Raw(key), item) for key, item in pairs]))
    return value


_HOLDERS = frozenset({list, tuple, dict, _Item})
