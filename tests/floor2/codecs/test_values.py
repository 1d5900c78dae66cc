"""Codecs: each value comes back as what it was, and what would not is refused."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import decimal
import enum
import inspect
import math
import os
import pathlib
import subprocess
import sys
import uuid
import zoneinfo
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import IO, Annotated, Any, Generic, Literal, NamedTuple, NewType, NotRequired, Optional, TypedDict, TypeVar

import msgspec
import pytest

from stepwell.codecs.compare import difference
from stepwell.codecs.values import Codecs, digest, plain
from stepwell.errors import CodecError
from tests.floor2.codecs.ids import same_everywhere

T = TypeVar("T")
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
PLUS_TWO = dt.timezone(dt.timedelta(hours=2))
BAD_NAME = os.fsdecode(b"caf\xe9")


@dataclasses.dataclass
class Note:
    path: str
    words: int


@dataclasses.dataclass
class Other:
    path: str
    words: int


@dataclasses.dataclass
class LongNote(Note):
    pages: int = 1


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    path: Path
    at: dt.datetime | str


@dataclasses.dataclass
class Counted:
    """Its `__post_init__` would count twice, and sets what is no field."""

    start: int
    end: int = dataclasses.field(init=False)
    _seen: list[int] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self.end = self.start + 1
        self.start += 10
        self.cache: dict[str, int] = {}


@dataclasses.dataclass
class Given:
    total: int = dataclasses.field(init=False)
    factor: dataclasses.InitVar[int] = 2

    def __post_init__(self, factor: int) -> None:
        self.total = factor * 2


@dataclasses.dataclass
class Box(Generic[T]):
    value: T


@dataclasses.dataclass
class Crate(Box[Path]):
    label: str = ""


@dataclasses.dataclass
class Tree:
    value: int
    below: list[Tree] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Folder:
    path: Path
    below: list[Folder] = dataclasses.field(default_factory=list)
    first: Folder | None = None


class Point(msgspec.Struct):
    x: int
    at: Path | None = None


class Dot(msgspec.Struct, tag=True):
    x: int


class Spot(msgspec.Struct, tag=True):
    x: int


class Renamed(msgspec.Struct, rename="camel", array_like=True):
    first_name: str
    other: set[int] = msgspec.field(default_factory=set)


class Pair(NamedTuple):
    left: int
    right: Path = Path("r")


class Row(TypedDict):
    name: str
    path: NotRequired[Path]


class Odd(enum.Enum):
    A = (1, 2)
    B = "b"


class Color(enum.StrEnum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Access(enum.Flag):
    READ = 1
    WRITE = 2


Number = NewType("Number", int)
Positive = Annotated[int, msgspec.Meta(ge=1)]
SOME = Literal[1, True, "a", b"a", None, Color.RED, Odd.A]

VALUES: list[tuple[Any, Any]] = [
    (None, None),
    (bool, True),
    (int, -7),
    (int, 2**64),
    (int, -(2**2000)),
    (float, 1.5),
    (float, math.nan),
    (float, -math.inf),
    (float, 3),
    (str, "é"),
    (str, BAD_NAME),
    (bytes, b"\xff\x00"),
    (bytearray, bytearray(b"a")),
    (list[int], [1, 2**80]),
    (list, [1, {"a": [None]}]),
    (dict[str, int], {"b": 1, "a": 2}),
    (dict, {1: "a", None: 2, BAD_NAME: 2**70}),
    (dict[Path, Path], {Path("a"): Path(BAD_NAME), Path(BAD_NAME): Path("b")}),
    (dict[tuple[int, int], Note], {(1, 2): Note("a", 1)}),
    (dict[Place, int], {Place(Path("a"), "x"): 1}),
    (dict[str | Path, int], {"a": 1, Path("a"): 2}),
    (dict[Odd, bool], {Odd.A: True}),
    (dict[int, str], {2**70: "a", 1: "b"}),
    (tuple[int, str], (1, "a")),
    (tuple[int, ...], (1, 2, 3)),
    (tuple[()], ()),
    (tuple, (1, [2])),
    (set[str], {"b", "a"}),
    (set[float], {math.nan, 1.0}),
    (set[frozenset[Path]], {frozenset({Path("a"), Path("b")}), frozenset()}),
    (frozenset[int | str], frozenset({1, "1"})),
    (set[Place], {Place(Path("a"), dt.datetime(2026, 1, 1))}),  # noqa: DTZ001 (a naive one is a value too)
    (Sequence[int], [1]),
    (Sequence[int], (1,)),
    (Iterable[Note], [Note("a", 1)]),
    (Mapping[str, Note], {"a": Note("a", 1)}),
    (Optional[Note], None),  # noqa: UP045
    (Note, Note("a", 1)),
    (LongNote, LongNote("a", 1, 2)),
    (Place, Place(Path("a"), dt.datetime(2026, 7, 1, tzinfo=BERLIN))),
    (Counted, Counted(1)),
    (Given, Given(factor=4)),
    (Box[int], Box(1)),
    (Box[Path], Box(Path("a"))),
    (Box[list[Box[Path]]], Box([Box(Path("a"))])),
    (Crate, Crate(Path("a"), "x")),
    (Tree, Tree(1, [Tree(2), Tree(2**70)])),
    (Folder, Folder(Path("a"), [Folder(Path("b"))], Folder(Path("c")))),
    (Point, Point(1)),
    (Point, Point(1, Path("a"))),
    (Renamed, Renamed("a", {3, 1})),
    (Pair, Pair(1)),
    (Row, {"name": "a"}),
    (Row, {"name": "a", "path": Path("b")}),
    (Odd, Odd.A),
    (Color, Color.RED),
    (Level, Level.LOW),
    (Access, Access.READ | Access.WRITE),
    (Access, Access(0)),
    (Number, 3),
    (Positive, 2**70),
    (Annotated[list[Path], msgspec.Meta(min_length=1), "a note"], [Path("a")]),
    *((SOME, value) for value in (1, True, "a", b"a", None, Color.RED, Odd.A)),
    (complex, complex(math.nan, -0.0)),
    (range, range(2**70, 0, -3)),
    (Fraction, Fraction(1, 3)),
    (decimal.Decimal, decimal.Decimal("1.50")),
    (decimal.Decimal, decimal.Decimal("NaN")),
    (uuid.UUID, uuid.UUID(int=7)),
    (dt.date, dt.date(2026, 11, 21)),
    (dt.datetime, dt.datetime(2026, 11, 21, tzinfo=dt.UTC)),
    (dt.datetime, dt.datetime(2026, 11, 21, tzinfo=PLUS_TWO)),
    (dt.datetime, dt.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN)),
    (dt.datetime, dt.datetime(1, 1, 1, 0, 0, 0, 1)),  # noqa: DTZ001
    (dt.time, dt.time(9, 0, 0, 1)),
    (dt.time, dt.time(9, 0, tzinfo=PLUS_TWO)),
    (dt.timedelta, dt.timedelta.max),
    (dt.timedelta, -dt.timedelta(microseconds=1)),
    (Path, Path("a/b")),
    (Path, Path(BAD_NAME)),
    (pathlib.PurePath, Path("a")),
    (pathlib.PurePath, pathlib.PurePosixPath("a")),
    (pathlib.PurePath, pathlib.PureWindowsPath("a\\b")),
    (Any, {"a": [1, 2.5, True, None, {BAD_NAME: 2**70}]}),
    (inspect.Signature.empty, []),
    (object, math.nan),
    (Any | None, None),
    (int | float, 3),
    (int | float, 3.0),
    (bool | int, True),
    (bool | int, 1),
]


@pytest.fixture(scope="module")
def codecs() -> Codecs:
    return Codecs()


@pytest.mark.parametrize(("annotation", "value"), VALUES, ids=same_everywhere)
def test_what_is_encoded_comes_back_equal_and_of_the_same_class(codecs: Codecs, annotation: Any, value: Any) -> None:
    """M10, S21."""
    codec = codecs.codec(annotation)
    codec.check(value)
    data = codec.verify(value)
    back = codec.decode(memoryview(data))
    assert difference(value, back) is None
    assert codec.encode(back) == data


@pytest.mark.parametrize(("annotation", "value"), VALUES, ids=same_everywhere)
@pytest.mark.parametrize(
    ("around", "put"),
    [
        (lambda t: list[t], lambda v: [v, v]),
        (lambda t: dict[str, t], lambda v: {"k": v}),
        (lambda t: tuple[t, int], lambda v: (v, 1)),
        (lambda t: tuple[t, ...], lambda v: (v,)),
        (lambda t: Box[t], lambda v: Box(v)),
        (lambda t: t | range, lambda v: v),
        (lambda t: list[t] | tuple[t, ...], lambda v: (v,)),
    ],
    ids=["list", "dict", "tuple", "tuple…", "dataclass", "union", "union of lists"],
)
def test_every_type_can_be_inside_every_other(
    codecs: Codecs, around: Callable[[Any], Any], put: Callable[[Any], Any], annotation: Any, value: Any
) -> None:
    """M10."""
    if annotation is object or annotation is inspect.Signature.empty:
        annotation = Any
    kind = type(None) if annotation is None else annotation
    codecs.codec(around(kind)).verify(put(value))


UNIONS: list[tuple[Any, list[Any]]] = [
    (Note | Other, [Note("a", 1), Other("a", 1)]),
    (Note | LongNote, [Note("a", 1), LongNote("a", 1)]),
    (str | Path, ["a", Path("a")]),
    (dt.datetime | str, [dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "2026-01-01T00:00:00+00:00"]),
    (int | Level, [1, Level.LOW]),
    (str | Color | Odd, ["red", Color.RED, Odd.B]),
    (list[int] | tuple[int, ...] | set[int] | frozenset[int], [[1], (1,), {1}, frozenset({1})]),
    (list[int] | list[str] | None, [[1], ["a"], [], None]),
    (Note | Row | Point | dict[str, int], [Note("a", 1), {"name": "a"}, Point(1), {"name": 1}]),
    (Dot | Spot | None, [Dot(1), Spot(1), None]),
    (bytes | str | bytearray, [b"a", "a", bytearray(b"a")]),
    (decimal.Decimal | float | int, [decimal.Decimal(1), 1.0, 1]),
    (Box[int] | Box[str], [Box(1), Box("a")]),
    (Any | Note, [Note("a", 1), {"path": "a", "words": 1}]),
    (Literal["a"] | Path, ["a", Path("a")]),
]


@pytest.mark.parametrize(("annotation", "values"), UNIONS, ids=same_everywhere)
def test_a_union_gives_back_the_very_member(codecs: Codecs, annotation: Any, values: list[Any]) -> None:
    """M10."""
    codec = codecs.codec(annotation)
    for value in values:
        codec.check(value)
        codec.verify(value)
    codecs.codec(list[annotation]).verify(values)


def test_members_of_a_union_may_be_reordered_and_added_while_runs_wait(codecs: Codecs) -> None:
    """M10."""
    data = codecs.codec(Note | Other).encode(Other("a", 1))
    assert codecs.codec(Point | Other | Note).decode(data) == Other("a", 1)
    with pytest.raises(CodecError, match=r"stored member `Other`.*add it"):
        codecs.codec(Note | LongNote).decode(data)


def _circle() -> list[Any]:
    circle: list[Any] = []
    circle += [circle, circle]
    return circle


def _tree_in_itself() -> Tree:
    tree = Tree(1)
    tree.below += [tree, tree]
    return tree


class Text(str):
    __slots__ = ()


REFUSED: list[tuple[Any, Any, str]] = [
    (int, True, "`\\$`: expected `int`, got `bool`"),
    (int, "3", "expected `int`, got `str`"),
    (int, 3.0, "expected `int`, got `float`"),
    (int, None, "got `None`"),
    (float, 2**53 + 1, "declare int"),
    (str, Text("a"), "declare the subclass, or convert"),
    (str, Color.RED, "got `Color`"),
    (Color, "red", "expected `Color`"),
    (list[int], (1,), "got `tuple`"),
    (list[int], [1, "a"], r"`\$\[1\]`: expected `int`"),
    (
        dict[str, list[Note]],
        {"a": [Note("a", 1), Note("a", "b")]},
        r"`\$\['a'\]\[1\].words`: expected `int`, got `str`",
    ),  # type: ignore[arg-type]
    (dict[str, int], {1: 1}, "key 1"),
    (tuple[int, int], (1,), "1 items"),
    (Note, LongNote("a", 1), "would come back as plain `Note`"),
    (Note, {"path": "a", "words": 1}, "expected `Note`, got `dict`"),
    (Row, {"name": "a", "size": 1}, "key 'size'"),
    (Row, {}, "without a field"),
    (Literal["a"], "b", "it is none of 'a'"),
    (Positive, 0, ">= 1"),
    (Positive, -(2**70), ">= 1"),
    (dt.datetime, "2026-01-01", "expected `datetime`"),
    (Path, "a", "expected `Path`"),
    (decimal.Decimal, 1, "expected `Decimal`"),
    (Any, (1,), "got `tuple`; declare a return type"),
    (Any, {"a": {1: 2}}, r"`\$\['a'\]\[key 1\]`"),
    (Any, {"a": [b""]}, "declare a return type"),
    (inspect.Signature.empty, Note("a", 1), "got `Note`; declare a return type"),
    (object, [Color.RED], "declare a return type"),
    (list[dict[str, Any]], [{"a": dt.date(2026, 1, 1)}], r"`\$\[0\]\['a'\]`"),
    (Any, _circle(), "hold itself"),
    (list, _circle(), "hold itself"),
    (Tree, _tree_in_itself(), "nested too deeply"),
]


@pytest.mark.parametrize(("annotation", "value", "message"), REFUSED, ids=same_everywhere)
def test_what_would_not_come_back_is_refused_with_its_place_and_the_way_out(
    codecs: Codecs, annotation: Any, value: Any, message: str
) -> None:
    """S21."""
    with pytest.raises(CodecError, match=message):
        codecs.codec(annotation).encode(value)


class Bare:
    pass


@dataclasses.dataclass
class HasBare:
    bare: Bare


@pytest.mark.parametrize(
    "annotation",
    [Bare, list[Bare], Callable[[int], int], IO[str], Generator[int], type, "Note", list["Note"], object.__init__],  # type: ignore[misc]
    ids=same_everywhere,
)
def test_a_type_that_cannot_be_stored_is_refused_when_it_is_declared(codecs: Codecs, annotation: Any) -> None:
    """M10."""
    with pytest.raises(CodecError, match=r"make it a dataclass|not resolved"):
        codecs.codec(annotation)


def test_the_refusal_of_a_field_names_the_field(codecs: Codecs) -> None:
    """M10."""
    with pytest.raises(CodecError, match="the field `bare` of `HasBare`: `Bare` cannot be stored"):
        codecs.codec(HasBare)


@dataclasses.dataclass
class Checked:
    share: float

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise KeyError("share")


def test_what_could_not_be_decoded_is_never_written(codecs: Codecs) -> None:
    """S21."""
    value = Checked(0.5)
    value.share = 2.0
    with pytest.raises(CodecError, match="KeyError"):
        codecs.codec(Checked).encode(value)


def test_bytes_that_are_cut_or_of_another_type_give_a_codec_error(codecs: Codecs) -> None:
    """M10."""
    data = codecs.codec(Place).encode(Place(Path("a"), "b"))
    for broken in (b"", data[:-1], data + b"\x00", b"\xc1", b"\x91" * 5000 + b"\x90"):
        with pytest.raises(CodecError, match=r"bytes|nested"):
            codecs.codec(Place).decode(broken)
    with pytest.raises(CodecError, match=r"\$\.words"):
        codecs.codec(Note).decode(msgspec.msgpack.encode({"path": "a", "words": "b"}))


def test_fields_that_came_later_have_their_default_in_older_bytes(codecs: Codecs) -> None:
    """M10, S23."""
    older = msgspec.msgpack.encode({"path": "a", "words": 1})
    assert codecs.codec(LongNote).decode(older) == LongNote("a", 1, 1)
    assert codecs.codec(Folder).decode(msgspec.msgpack.encode({"path": "a"})) == Folder(Path("a"))


def test_restoring_runs_no_init_twice_and_keeps_what_it_sets(codecs: Codecs) -> None:
    """S21."""
    codec = codecs.codec(Counted)
    back = codec.decode(codec.encode(Counted(1)))
    assert isinstance(back, Counted)
    assert (back.start, back.end, back.cache) == (11, 2, {})


def test_a_dict_keeps_its_order_and_its_digest_does_not_look_at_it(codecs: Codecs) -> None:
    """S21."""
    for annotation in (dict[str, Any], dict[Any, Any], dict[tuple[int, ...], str] | None):
        key: Callable[[int], Any] = (lambda n: (n,)) if annotation != dict[str, Any] else str
        if annotation == dict[Any, Any]:
            key = int
        codec = codecs.codec(annotation)
        one, two = {key(1): "a", key(2): "b"}, {key(2): "b", key(1): "a"}
        back = codec.decode(codec.encode(two))
        assert isinstance(back, dict)
        assert list(back) == list(two)
        assert digest(codec.encode(one)) == digest(codec.encode(two))
        assert digest(codec.encode(one)) != digest(codec.encode({key(1): "b", key(2): "a"}))


def test_equal_values_have_equal_digests_in_every_process() -> None:
    """S21."""
    code = (
        "from stepwell.codecs.values import Codecs, digest\n"
        "print(digest(Codecs().codec(set[str] | None).encode({'a', 'b', 'c', 'd', 'e'})))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def test_an_int_that_was_meant_as_a_float_has_the_bytes_of_the_float(codecs: Codecs) -> None:
    """S21."""
    for annotation, one, two in ((float, 3, 3.0), (list[float], [3], [3.0]), (Box[float], Box(3), Box(3.0))):
        codec = codecs.codec(annotation)
        assert codec.encode(one) == codec.encode(two)


def test_a_value_500_levels_deep_works_or_is_a_codec_error(codecs: Codecs) -> None:
    """M10."""
    deep: Any = 1
    tree, folder = Tree(0), Folder(Path("a"))
    for _ in range(500):
        deep, tree, folder = [deep], Tree(1, [tree]), Folder(Path("a"), [folder])
    codec = codecs.codec(Any)
    assert difference(deep, codec.decode(codec.verify(deep))) is None
    for annotation, value in ((Tree, tree), (Folder, folder), (Any, [deep, {"a": deep}])):
        found = codecs.codec(annotation)
        for use in (found.encode, found.verify, found.to_builtins, found.from_builtins):
            with contextlib.suppress(CodecError):
                use(value)


def test_check_looks_at_the_class_alone(codecs: Codecs) -> None:
    """M10."""
    codecs.codec(list[int]).check(["a"])
    codecs.codec(float).check(3)
    codecs.codec(Note).check(LongNote("a", 1))
    codecs.codec(bool | int).check(True)
    for annotation, value in ((int, True), (float, True), (int | str, False), (list[int], (1,)), (Note, 1), (Any, ())):
        with pytest.raises(CodecError, match="expected"):
            codecs.codec(annotation).check(value)


def test_verify_sees_what_a_class_hides_from_its_equality(codecs: Codecs) -> None:
    """S21: `check_values` and the Harness rely on it."""
    value = Checked(0.5)
    assert codecs.codec(Checked).verify(value) == codecs.codec(Checked).encode(value)


def test_one_codec_is_made_for_one_annotation(codecs: Codecs) -> None:
    """M10."""
    assert codecs.codec(list[int]) is codecs.codec(list[int])
    assert codecs.codec(Annotated[int, ["unhashable"]]).encode(1) == b"\x01"
    assert codecs.codec(Note).annotation is Note


def test_a_class_of_a_function_works_unless_its_annotations_cannot_be_resolved(codecs: Codecs) -> None:
    """M10."""

    @dataclasses.dataclass
    class Inner:
        value: int

    @dataclasses.dataclass
    class Outer:
        inner: Inner

    codecs.codec(Inner).verify(Inner(1))
    with pytest.raises(CodecError, match=r"annotations of `.*Outer` cannot be resolved"):
        codecs.codec(Outer)


def test_importing_the_codecs_does_not_import_pydantic() -> None:
    """The face loads nothing heavy."""
    code = "import sys, stepwell.codecs.values, stepwell.libraries.pydantic as p; "
    code += (
        "stepwell.codecs.values.Codecs([p.PydanticAdapter()]).codec(list[int]); assert 'pydantic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_plain_shows_what_bytes_hold_without_their_type(codecs: Codecs) -> None:
    """M10."""
    shown = {
        codecs.codec(Note | Other).encode(Other("a", 1)): {"path": "a", "words": 1},
        codecs.codec(int).encode(2**70): 2**70,
        codecs.codec(dict[tuple[int, int], bytes]).encode({(1, 2): b"a"}): {"[1,2]": "YQ=="},
        codecs.codec(Folder).encode(Folder(Path("a"))): {"path": "a", "below": [], "first": None},
        codecs.codec(dt.datetime).encode(dt.datetime(2026, 1, 1, tzinfo=dt.UTC)): "2026-01-01T00:00:00+00:00",
    }
    assert [plain(data) for data in shown] == list(shown.values())
    with pytest.raises(CodecError, match="2 bytes"):
        plain(b"\xc1\xc1")
