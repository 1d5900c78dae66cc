"""Odd values, and declared types that they meet: drawn at random, a fitting pair now and then."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import ipaddress
import pathlib
import struct
import types
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, NotRequired, TypeVar
from unittest.mock import Mock

import attrs
import msgspec
import pydantic
from hypothesis import strategies as st
from typing_extensions import TypeAliasType, TypedDict

T = TypeVar("T")
Tree = TypeAliasType("Tree", "list[Tree] | int")  # type: ignore[misc]
Number = NewType("Number", int)


class Text(str):
    __slots__ = ()


class Whole(int):
    pass


class Colour(enum.Enum):
    RED = 1
    ROUGE = 1
    BLUE = 2


class Odd(enum.Enum):
    NAN = float("nan")
    LIST = [1]  # noqa: RUF012
    MINUS = -0.0
    ZERO = 0.0
    NONE = None


class Level(enum.IntEnum):
    LOW = 1


class Word(enum.StrEnum):
    A = "a"


class Access(enum.IntFlag):
    READ = 1
    WRITE = 2


@dataclasses.dataclass
class Box(Generic[T]):
    value: T
    _private: int = 0


@dataclasses.dataclass
class Sub(Box[int]):
    pass


@dataclasses.dataclass
class Doubled:
    half: int
    whole: int = 0

    def __post_init__(self) -> None:
        self.whole = self.half * 2


@dataclasses.dataclass(repr=False)
class Chain:
    value: int
    after: Chain | None = None

    def __repr__(self) -> str:
        return "Chain"  # what made the example would fail at a long one


class Pair(NamedTuple):
    left: int
    right: str = ""


class Row(TypedDict):
    a: int
    b: NotRequired[str]


class Struct(msgspec.Struct, array_like=True):
    a: int
    b: float = 0.0


@attrs.define
class Attrs:
    a: int
    _b: list[int] = attrs.Factory(list)


class Model(pydantic.BaseModel, extra="allow"):
    a: int
    _private: int = pydantic.PrivateAttr(default=1)


class Root(pydantic.RootModel[list[int]]):
    pass


class Zone(dt.tzinfo):
    def __init__(self, offset: dt.timedelta | None) -> None:
        self.offset = offset

    def utcoffset(self, moment: dt.datetime | None) -> dt.timedelta | None:
        return self.offset

    def dst(self, moment: dt.datetime | None) -> None:
        return None


class Bites:
    """Nothing can be asked of it."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("eq")

    @property
    def __class__(self) -> Any:
        return int


class Silent:
    def __repr__(self) -> str:
        raise RuntimeError("repr")


def deep(levels: int, around: Callable[[Any], Any]) -> Any:
    """A value inside a value, so often."""
    found: Any = None
    for _ in range(levels):
        found = around(found)
    return found


def chained(count: int) -> Chain | None:
    """A list by hand."""
    return deep(count, lambda rest: Chain(1, rest))


def round_and_round() -> list[Any]:
    """Values that hold themselves."""
    circle: list[Any] = []
    circle.append(circle)
    mapping: dict[str, Any] = {}
    mapping["a"] = mapping
    link = Chain(1)
    link.after = link
    box: Box[Any] = Box(None)
    box.value = box
    return [circle, mapping, link, box]


NAN = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_0001))[0]
_DAY = dt.datetime.fromisoformat("2026-10-25T02:30")  # an hour that comes twice
_FIRST, _LAST = (dt.datetime.fromisoformat(text) for text in ("0001-01-01", "9999-12-31T23:59:59.999999"))
SINGLES: list[Any] = [
    Text("a"), Whole(3), Colour.ROUGE, Odd.NAN, Odd.LIST, Odd.MINUS, Odd.ZERO, Odd.NONE, Level.LOW, Word.A, Access(3),
    Access(8), Box(1), Box(object()), Box(NAN), Sub(1), Doubled(3), Pair(1), {"a": 1}, {"a": 1, "c": 2},
    {1: 1, 2.0: 2},
    {(1, 2): 3}, {None: 1}, {NAN: 1, float("nan"): 2}, {frozenset({1}): 2}, {b"x": 1}, Struct(1), Attrs(1),
    Model(a=1), Model.model_validate({"a": 1, "z": [2]}), Root([1]), chained(40), chained(2000), *round_and_round(),
    deep(300, lambda one: [one]), deep(1001, lambda one: [one]), deep(30_000, lambda one: [one]),
    deep(600, lambda one: {"a": one}), deep(200, lambda one: (one,)), Bites(), Mock(), Mock(spec=Box), object(), int,
    len, Ellipsis, NotImplemented, slice(1), memoryview(b"abcd")[::2], collections.OrderedDict(a=1),
    collections.defaultdict(int, a=1), collections.Counter("aab"), collections.deque([1]), types.SimpleNamespace(a=1),
    types.MappingProxyType({"a": 1}), ipaddress.ip_address("1.2.3.4"), range(0, 10**30, 7),
    fractions.Fraction(10**99, 3),
    decimal.Decimal("sNaN"), decimal.Decimal("-NaN12"), decimal.Decimal("-0"), decimal.Decimal("1.10"),
    decimal.Decimal("1E+999999"), uuid.UUID(int=0), pathlib.PurePosixPath("x"), pathlib.PureWindowsPath("c:\\x"),
    pathlib.Path("a\0b"), pathlib.Path("\udc80"), _DAY.replace(fold=1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
    _DAY.replace(fold=1), _DAY.replace(tzinfo=Zone(dt.timedelta(hours=2))), _DAY.replace(tzinfo=Zone(None)),
    _DAY.replace(tzinfo=dt.timezone(dt.timedelta(microseconds=-1))), _FIRST, _LAST,
    _FIRST.replace(tzinfo=zoneinfo.ZoneInfo("Asia/Tokyo")), dt.time(1, tzinfo=zoneinfo.ZoneInfo("Asia/Tokyo")),
    dt.time(1, tzinfo=dt.timezone(dt.timedelta(hours=-3, seconds=7))), dt.timedelta.min, dt.timedelta.max, dt.date.max,
    10**400, -(2**63) - 1, 2**64, -0.0, 5e-324, "\ud800", "\0", "a" * 20_000, b"\0" * 20_000, bytearray(b"x"), (), [],
    None, True, 1, "a", 1j, {1.5}, frozenset({1.5}), frozenset({1, 2.5}), (1, "a"), [1, 2], [0.5], {"a": [1]}, {1: 2},
]  # fmt: skip
EVERY: list[Any] = [*SINGLES, Silent()]


def _single(number: int) -> Any:
    """One of them, which `sampled_from` would ask what it is."""
    return SINGLES[number]


LEAVES = st.one_of(
    st.integers(0, len(SINGLES) - 1).map(_single), st.none(), st.booleans(), st.integers(), st.floats(),
    st.text(st.characters(), max_size=5), st.binary(max_size=5), st.complex_numbers(), st.decimals(),
    st.datetimes(timezones=st.timezones()),
)  # fmt: skip


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except Exception:
        return False
    return True


VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.lists(inner.filter(_hashable), max_size=3).map(frozenset),
        st.dictionaries(st.one_of(st.text(max_size=3), inner.filter(_hashable)), inner, max_size=3),
        inner.map(Box),
    ),
    max_leaves=6,
)
PLAIN_TYPES: list[Any] = [
    Any, None, bool, int, float, str, bytes, bytearray, complex, list, dict, tuple, frozenset, list[int], list[float],
    dict[str, Any], dict[Any, Any], dict[float, int], dict[tuple[int, int], int], dict[frozenset[int], int],
    dict[bytes, int], dict[int | None, int], set[float], frozenset[int | float], tuple[int, ...], tuple[int, str],
    tuple[()], int | float, str | pathlib.Path, bytes | str, bool | int, list[int] | list[str], dt.datetime | str,
    Box[int] | Sub, Struct | Pair, int | Any, float | None, decimal.Decimal | float, Literal[1, True, "a", None],
    Literal[b"x", Level.LOW], Colour, Odd, Level, Word, Access, Box[Any], Box[int], Sub, Doubled, Chain, Pair, Row,
    Struct, Attrs, Model, Root, Tree, Number, dt.datetime, dt.date, dt.time, dt.timedelta, decimal.Decimal, uuid.UUID,
    pathlib.Path, pathlib.PurePosixPath, fractions.Fraction, range, Annotated[int, msgspec.Meta(ge=0)],
    Annotated[str, pydantic.Field(max_length=2)], Annotated[list[float], msgspec.Meta(max_length=1)],
]  # fmt: skip
