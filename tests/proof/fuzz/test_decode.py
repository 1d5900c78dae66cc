"""Broken bytes in place of a recorded value: a value of the declared type comes out of them, or a CodecError."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from stepwell import CodecError
from stepwell.codecs.values import Codecs, digest, plain
from stepwell.libraries.every import every_adapter

from .. import counts
from .odd import EVERY, PLAIN_TYPES
from .tables import ARRAY_TYPES, ARRAYS

CODECS = Codecs(every_adapter())
TRIES = counts.size(200, 20_000)
_HEADS = b"\x80\x90\xa0\xc0\xc1\xc4\xc6\xc7\xc9\xca\xcb\xcf\xd3\xd4\xd8\xdb\xdc\xdd\xdf\xff\x01\x02\x03\x04\x05\x06\x07"


def broken(data: bytes, chance: random.Random) -> bytes:
    """The bytes with something wrong, or none of them."""
    found = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 4])):
        at = chance.randrange(len(found) + 1)
        match chance.randrange(7):
            case 0:
                del found[at:]
            case 1 if found:
                found[at % len(found)] ^= 1 << chance.randrange(8)
            case 2:
                found[at:at] = chance.randbytes(chance.choice([1, 2, 8]))
            case 3:
                found[at : at + chance.choice([1, 4, 8])] = b""
            case 4:
                found[at : at + 1] = bytes([chance.choice(_HEADS)])
            case 5:
                found[at:at] = found[: chance.choice([1, 4, 16])]
            case _:
                found = bytearray(chance.randbytes(chance.choice([0, 1, 3, 9, 40])))
    return bytes(found)


@pytest.mark.parametrize("annotation", [*PLAIN_TYPES, *ARRAY_TYPES], ids=str)
def test_broken_bytes_give_a_value_of_the_type_or_a_codec_error(annotation: Any) -> None:
    """S21, S3: also where they are shown without their type."""
    codec, chance, found = CODECS.codec(annotation), random.Random(str(annotation)), Counter[str]()
    known = [data for value in (*EVERY, *ARRAYS) if (data := _encoded(codec, value)) is not None]
    assert known, annotation
    for _ in range(TRIES):
        data = broken(chance.choice(known), chance)
        try:
            value = codec.decode(data)
        except CodecError as error:
            found["broken bytes refused" if str(error) else "broken bytes refused without a word"] += 1
        else:
            codec.check(value)
            found["broken bytes that are a value"] += 1
        try:
            plain(data)
        except CodecError:
            pass
        assert len(digest(data)) == 64
    counts.tell("fuzz", found)
    assert not found["broken bytes refused without a word"]


def _encoded(codec: Any, value: Any) -> bytes | None:
    try:
        found: bytes = codec.encode(value)
    except CodecError:
        return None
    return found if len(found) < 100_000 else None
