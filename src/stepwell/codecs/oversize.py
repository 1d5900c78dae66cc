"""How large a recorded value may be, and what is said of one that is larger."""

from __future__ import annotations

import msgspec

LARGEST = 1_000_000_000
"""Bytes. What any store can take as one value, and a process can have in memory several times over."""

_FIELDS = msgspec.msgpack.Decoder(dict[str, msgspec.Raw])
_ELEMENTS = msgspec.msgpack.Decoder(list[msgspec.Raw])


def oversize(data: bytes) -> str:
    """What is wrong with a value that is too large: its size, which part of it is the largest, and the way out.

    >>> oversize(msgspec.msgpack.encode({"name": "a", "rows": [0] * 100})).partition(";")[0]
    'it has 116 bytes as it is recorded, and at most 1,000,000,000 are allowed (103 of them are `$.rows`)'
    """
    part = _largest(data)
    return (
        f"it has {len(data):,} bytes as it is recorded, and at most {LARGEST:,} are allowed{part}; "
        "write it to a file and return the path, or return it in parts"
    )


def _largest(data: bytes) -> str:
    """The largest field or element, if that can be told."""
    try:
        sizes = {f"$.{name}": len(bytes(part)) for name, part in _FIELDS.decode(data).items()}
    except msgspec.MsgspecError:
        try:
            sizes = {f"$[{index}]": len(bytes(part)) for index, part in enumerate(_ELEMENTS.decode(data))}
        except msgspec.MsgspecError:
            return ""
    if not sizes:
        return ""
    name = max(sizes, key=sizes.__getitem__)
    return f" ({sizes[name]:,} of them are `{name}`)"
