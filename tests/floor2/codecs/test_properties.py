"""Any value of any type comes back, and any bytes give a value or a `CodecError`."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import decimal
import enum
import math
import pathlib
import uuid
from collections.abc import Callable
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, NotRequired, TypeVar

import attrs
import msgspec
import numpy as np
import pydantic
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import TypeAliasType, TypedDict

from stepwell.codecs.compare import difference
from stepwell.codecs.registry import register_type
from stepwell.codecs.values import Codecs, digest, plain
from stepwell.errors import CodecError
from stepwell.libraries.every import every_adapter

T = TypeVar("T")
Typed = tuple[Any, st.SearchStrategy[Any], bool]
"""A type, its values, and whether they can be hashed."""
CODECS = Codecs(every_adapter())


class Word:
    """Registered, with `==` and a hash."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Word) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Word({self.text!r})"


register_type(Word, encode=lambda word: word.text, decode=Word, to=str)


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Row(TypedDict, Generic[T]):
    name: str
    value: NotRequired[T]


@attrs.frozen
class Sample(Generic[T]):
    value: T
    _count: int = 0


Number = NewType("Number", int)
Tree = TypeAliasType("Tree", "list[Tree] | int")  # type: ignore[misc]


class Color(enum.Enum):
    RED = "red"
    PAIR = (1, 2)


class Level(enum.IntEnum):
    LOW = 1


@dataclasses.dataclass
class Box(Generic[T]):
    value: T
    name: str = ""


@dataclasses.dataclass(frozen=True)
class Frozen(Generic[T]):
    value: T


class Struct(msgspec.Struct, Generic[T]):
    value: T


class Pair(NamedTuple):
    left: int
    right: pathlib.Path


class Model(pydantic.BaseModel, Generic[T], arbitrary_types_allowed=True):
    value: T


TEXT = st.text(st.characters(), max_size=5)
PATHS = st.text(st.characters(exclude_characters="\0"), max_size=5).map(pathlib.Path)
ZONES = st.one_of(st.none(), st.timezones(), st.just(dt.UTC), st.just(dt.timezone(dt.timedelta(hours=-3))))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=8,
)
LEAVES: list[Typed] = [
    (None, st.none(), True),
    (bool, st.booleans(), True),
    (int, st.integers(), True),
    (float, st.floats(), True),
    (str, TEXT, True),
    (bytes, st.binary(max_size=5), True),
    (complex, st.complex_numbers(), True),
    (pathlib.Path, PATHS, True),
    (dt.datetime, st.datetimes(timezones=ZONES), True),
    (dt.date, st.dates(), True),
    (dt.time, st.times(), True),
    (dt.timedelta, st.timedeltas(), True),
    (decimal.Decimal, st.decimals(allow_nan=False), True),
    (uuid.UUID, st.uuids(), True),
    (Color, st.sampled_from(Color), True),
    (Level, st.sampled_from(Level), True),
    (Pair, st.builds(Pair, st.integers(), PATHS), True),
    (Any, JSON, False),
    (Word, TEXT.map(Word), True),
    (Access, st.sampled_from([Access(0), Access.READ, Access.READ | Access.WRITE]), True),
    (Literal["a", 1, True, None], st.sampled_from(["a", 1, True, None]), True),
    (Number, st.integers().map(Number), True),
    (Tree, st.recursive(st.integers(), lambda inner: st.lists(inner, max_size=2), max_leaves=4), False),
    (Annotated[str, pydantic.Field(max_length=5)], st.text(max_size=5), True),
    (np.float32, st.floats(width=32).map(np.float32), True),
]


def _listed(inner: Typed) -> Typed:
    return list[inner[0]], st.lists(inner[1], max_size=3), False  # type: ignore[name-defined]


def _endless(inner: Typed) -> Typed:
    return tuple[inner[0], ...], st.lists(inner[1], max_size=3).map(tuple), inner[2]  # type: ignore[name-defined]


def _fixed(inner: Typed) -> Typed:
    return tuple[inner[0], int], st.tuples(inner[1], st.integers()), inner[2]  # type: ignore[name-defined]


def _keyed(inner: Typed) -> Typed:
    return dict[str, inner[0]], st.dictionaries(TEXT, inner[1], max_size=3), False  # type: ignore[name-defined]


def _mapped(inner: Typed) -> Typed:
    if not inner[2]:
        return _keyed(inner)
    return dict[inner[0], int], st.dictionaries(inner[1], st.integers(), max_size=3), False  # type: ignore[name-defined]


def _set(inner: Typed) -> Typed:
    if not inner[2]:
        return _listed(inner)
    return frozenset[inner[0]], st.frozensets(inner[1], max_size=3), True  # type: ignore[name-defined]


def _class(cls: Any, make: Callable[[Any], Any], hashes: bool = False) -> Callable[[Typed], Typed]:
    return lambda inner: (cls[inner[0]], inner[1].map(make), hashes and inner[2])


def _model(inner: Typed) -> Typed:
    kind = Model[inner[0]]  # type: ignore[name-defined]
    # Not validated: what pydantic would make of a value is not the matter here.
    return kind, inner[1].map(lambda value: kind.model_construct(value=value)), False


AROUND: list[Callable[[Typed], Typed]] = [
    _listed,
    _endless,
    _fixed,
    _keyed,
    _mapped,
    _set,
    _class(Box, Box),
    _class(Frozen, Frozen, hashes=True),
    _class(Struct, Struct),
    _class(Sample, Sample, hashes=True),
    _class(Row, lambda value: {"value": value, "name": "a"}),
    _model,
]


def _either(inner: tuple[Typed, Typed]) -> Typed:
    one, two = inner
    if Any in (one[0], two[0]):  # then a value of the other may be plain too
        return one
    return (one[0] or type(None)) | two[0], st.one_of(one[1], two[1]), one[2] and two[2]


TYPES = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(AROUND), inner).map(lambda pair: pair[0](pair[1])),
        st.tuples(inner, inner).map(_either),
    ),
    max_leaves=5,
)


@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_value_of_any_type_comes_back(data: st.DataObject) -> None:
    """M10, S21."""
    annotation, values, _ = data.draw(TYPES)
    value = data.draw(values)
    codec = CODECS.codec(annotation)
    codec.check(value)
    encoded = codec.verify(value)
    back = codec.decode(encoded)
    assert difference(value, back) is None
    assert codec.encode(back) == encoded
    assert len(digest(encoded)) == 64
    codec.to_builtins(value)
    plain(encoded)
    codec.schema()


@settings(max_examples=400, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_value_of_another_type_is_refused_or_comes_back(data: st.DataObject) -> None:
    """S21."""
    annotation, _, _ = data.draw(TYPES)
    _, values, _ = data.draw(TYPES)
    value = data.draw(values)
    codec = CODECS.codec(annotation)
    try:
        encoded = codec.encode(value)
    except CodecError:
        return
    assert difference(value, codec.decode(encoded)) is None


@settings(max_examples=600, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_broken_bytes_give_a_value_or_a_codec_error(data: st.DataObject) -> None:
    """M10: nothing else comes out of a damaged store."""
    annotation, values, _ = data.draw(TYPES)
    codec = CODECS.codec(annotation)
    encoded = bytearray(codec.encode(data.draw(values)))
    for _ in range(data.draw(st.integers(1, 3))):
        where = data.draw(st.integers(0, len(encoded)))
        encoded[where : where + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    for use in (codec.decode, plain):
        with contextlib.suppress(CodecError):
            use(bytes(encoded))
    digest(bytes(encoded))


@settings(max_examples=300)
@given(st.binary(max_size=40))
def test_random_bytes_give_a_value_or_a_codec_error(data: bytes) -> None:
    """M10."""
    for annotation in (Any, Box[pathlib.Path], Model[int], dict[Frozen[int], set[str]], int | Level | list[Color]):
        with contextlib.suppress(CodecError):
            CODECS.codec(annotation).decode(data)


@given(JSON, JSON)
def test_equal_data_has_one_digest_and_other_data_another(one: Any, two: Any) -> None:
    """S21."""
    codec = CODECS.codec(Any)
    same = difference(one, two) is None
    if same or not _equal(one, two):
        assert (digest(codec.encode(one)) == digest(codec.encode(two))) is same


def _equal(one: Any, two: Any) -> bool:
    """As Python sees it, where 1 is 1.0 and the order of a dict does not count."""
    return one == two or (isinstance(one, float) and isinstance(two, float) and math.isnan(one) and math.isnan(two))
