"""Limits in `Annotated` hold, whoever wrote them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pydantic
import pytest

from stepwell.codecs.values import Codecs
from stepwell.errors import CodecError


@pytest.mark.parametrize(
    ("annotation", "fits", "wrong"),
    [
        (Annotated[int, msgspec.Meta(ge=0)], 0, -1),
        (Annotated[int, pydantic.Field(ge=0, lt=10)], 9, 10),
        (pydantic.PositiveInt, 1, 0),
        (Annotated[str, pydantic.Field(max_length=3)], "abc", "abcd"),
        (Annotated[str, pydantic.Field(pattern="^a")], "ab", "b"),
        (Annotated[list[Annotated[int, pydantic.Field(gt=0)]], pydantic.Field(min_length=1)], [1], [0]),
        (Annotated[list[int], pydantic.Field(min_length=1)], [1], []),
        (dict[str, Annotated[float, pydantic.Field(le=1)]], {"a": 1.0}, {"a": 2.0}),
    ],
)
def test_a_value_outside_its_limits_is_refused(annotation: Any, fits: Any, wrong: Any) -> None:
    """M10: also where it comes from the command line or from YAML."""
    codec = Codecs().codec(annotation)
    codec.verify(fits)
    for check in (codec.encode, codec.from_builtins):
        with pytest.raises(CodecError):
            check(wrong)


def test_what_a_limit_cannot_be_set_to_is_left_to_its_library() -> None:
    """A limit of a class that msgspec does not measure says nothing to us, and nothing breaks."""
    Codecs().codec(Annotated[complex, pydantic.Field(ge=0), "a word"]).verify(1j)
