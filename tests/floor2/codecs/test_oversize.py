"""What is said of a value that is larger than a recorded one may be (S21)."""

from __future__ import annotations

import msgspec
import pytest

from stepwell.codecs.oversize import oversize


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ({"name": "a", "rows": [0] * 100}, " (103 of them are `$.rows`)"),
        ([b"x", b"y" * 300], " (303 of them are `$[1]`)"),
        ("x" * 300, ""),
        ({}, ""),
        ({1: "x" * 300}, ""),
    ],
)
def test_the_largest_part_is_named_where_there_are_parts(value: object, part: str) -> None:
    data = msgspec.msgpack.encode(value)
    said = oversize(data)
    assert said.startswith(
        f"it has {len(data):,} bytes as it is recorded, and at most 1,000,000,000 are allowed{part};"
    )
    assert said.endswith("return it in parts")
