"""The attrs adapter: classes come back as they were; converters are not run twice, validators are."""

from __future__ import annotations

from typing import Any, Generic, Optional, TypeVar

import attr
import attrs
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from stepwell.errors import CodecError

from .returns import CODECS, comes_back

T = TypeVar("T")


@attrs.define
class Simple:
    a: int
    b: str = "x"


@attrs.frozen
class Frozen:
    a: int
    _x: float = 1.0
    inside: list[Simple] = attrs.field(factory=list)


@attrs.define
class Child(Simple):
    child: Optional[Child] = None  # noqa: UP045 (as people wrote it)


@attr.s(auto_attribs=True)
class Old:
    a: int = attr.ib(converter=int)


@attrs.define
class Split:
    """Its converter does not take what it has made."""

    words: list[str] = attrs.field(converter=str.split)


@attrs.define
class Valid:
    n: int = attrs.field(validator=attrs.validators.gt(0))
    twice: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.twice = self.n * 2


@attrs.define
class Holder(Generic[T]):
    value: T
    more: Holder[T] | None = None


@attrs.define(slots=False)
class Open:
    a: int


@attrs.frozen(cache_hash=True)
class Hashed:
    a: int


@attrs.frozen(cache_hash=True, slots=False)
class HashedOpen:
    a: int


@attrs.define
class Measured:
    values: NDArray[np.float64] = attrs.field(eq=attrs.cmp_using(eq=np.array_equal))
    later: dict[str, Later] = attrs.field(factory=dict)


@attrs.define(kw_only=True)
class Named:
    a: int
    b: int = attrs.field(default=attrs.Factory(lambda self: self.a, takes_self=True))


@attrs.define
class Later:
    z: int


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Simple, Simple(1)),
        (Frozen, Frozen(1, x=2.0, inside=[Simple(2)])),
        (Child, Child(1, "y", Child(2))),
        (Old, Old("3")),
        (Split, Split("a b")),  # type: ignore[arg-type]
        (Valid, Valid(3)),
        (Holder[int], Holder(1, Holder(2))),
        (Holder[Simple], Holder(Simple(1))),
        (Open, Open(1)),
        (set[Hashed], {Hashed(1), Hashed(2)}),
        (set[HashedOpen], {HashedOpen(1), HashedOpen(2)}),
        (Measured, Measured(np.array([1.0, np.nan]), {"a": Later(1)})),
        (Named, Named(a=1)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_instance_comes_back_as_it_was(annotation: Any, value: Any) -> None:
    """M10, S21."""
    back = comes_back(annotation, value)
    assert isinstance(value, Measured) or back == value


def test_an_instance_that_remembers_its_hash_can_be_hashed_when_it_is_back() -> None:
    for one in (Hashed(1), HashedOpen(1)):
        codec = CODECS.codec(type(one))
        assert hash(codec.decode(codec.encode(one))) == hash(one)


def test_validators_look_at_what_is_read() -> None:
    with pytest.raises(CodecError, match="'n' must be > 0: -1"):
        CODECS.codec(Valid).decode(msgspec.msgpack.encode({"n": -1, "twice": 2}))


def test_a_field_that_older_bytes_lack_has_its_default() -> None:
    assert CODECS.codec(Simple).decode(msgspec.msgpack.encode({"a": 1})) == Simple(1)
    assert CODECS.codec(Named).decode(msgspec.msgpack.encode({"a": 2})) == Named(a=2, b=2)


def test_a_person_gives_a_private_field_by_the_name_that_init_has_for_it() -> None:
    assert CODECS.codec(Frozen).from_builtins({"a": 1, "x": 3.0}) == Frozen(1, x=3.0)
    assert CODECS.codec(Split).to_builtins(Split("a b")) == {"words": ["a", "b"]}  # type: ignore[arg-type]
    with pytest.raises(CodecError, match="'y'; its fields are a, _x, inside"):
        CODECS.codec(Frozen).from_builtins({"a": 1, "y": 3.0})


def test_a_value_that_does_not_fit_is_told_with_its_field() -> None:
    with pytest.raises(CodecError, match=r"`\$\.a`: expected `int`, got `str`"):
        CODECS.codec(Simple).encode(Simple("no"))  # type: ignore[arg-type]
    with pytest.raises(CodecError, match="declare `Child`, or the union of both"):
        CODECS.codec(Simple).encode(Child(1))
