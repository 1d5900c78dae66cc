"""The extension point: types of a user's own, stored as data of a type that is known."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import math
from pathlib import Path
from typing import Any

import pytest

from stepwell.codecs.registry import register_type
from stepwell.codecs.values import Codecs, plain
from stepwell.errors import CodecError, DefinitionError


class Vector:
    """Without `==`: it is what it is encoded to."""

    def __init__(self, x: float, y: float) -> None:
        self.x, self.y = x, y


class Point(Vector):
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and (self.x, self.y) == (other.x, other.y)

    __hash__ = None  # type: ignore[assignment]


class Tree:
    def __init__(self, name: str, below: list[Tree] | None = None) -> None:
        self.name, self.below = name, below or []


class Word:
    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Word) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


class UserId(int):
    """A class of its own, though of an int."""


@dataclasses.dataclass
class Drawing:
    at: Vector
    title: Word
    more: Vector | Word | None = None


@dataclasses.dataclass
class Lossy:
    """Its `encode` forgets a field."""

    kept: int
    lost: int = 0


class Unknown:
    pass


class Holder:
    def __init__(self, inside: list[Unknown]) -> None:
        self.inside = inside


class Broken:
    pass


class Wrong:
    pass


register_type(Vector, encode=lambda v: [v.x, v.y], decode=lambda data: Vector(*data), to=list[float])
register_type(Point, encode=lambda v: [v.x, v.y], decode=lambda data: Point(*data), to=list[float])
register_type(Tree, encode=lambda t: (t.name, t.below), decode=lambda data: Tree(*data), to=tuple[str, list[Tree]])
register_type(Word, encode=lambda w: w.text, decode=Word, to=str)
register_type(UserId, encode=int, decode=UserId, to=int)
register_type(Lossy, encode=lambda v: v.kept, decode=Lossy, to=int)
register_type(Holder, encode=lambda v: v.inside, decode=Holder, to=list[Unknown])
register_type(Broken, encode=lambda v: 1 // 0, decode=lambda data: Broken(), to=int)
register_type(Wrong, encode=lambda v: 1, decode=lambda data: data, to=int)  # type: ignore[arg-type, return-value]


@pytest.fixture(scope="module")
def codecs() -> Codecs:
    return Codecs()


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Vector, Vector(1.0, math.nan)),
        (Point, Point(1.0, 2.0)),
        (Point, Point(1.0, math.nan)),
        (Tree, Tree("a", [Tree("b"), Tree("c", [Tree("d")])])),
        (Word, Word("a")),
        (UserId, UserId(2**70)),
        (dict[Word, int], {Word("a"): 1, Word("b"): 2}),
        (set[Word], {Word("a"), Word("b"), Word("c")}),
        (Drawing, Drawing(Vector(1.0, 2.0), Word("x"), Word("y"))),
        (Vector | Word | str, Word("s")),
        (Vector | Word | str, "s"),
        (Vector | None, None),
        (int | UserId, UserId(1)),
        (list[Vector], [Vector(1.0, 2.0)]),
    ],
)
def test_a_registered_type_can_stand_wherever_a_type_can(codecs: Codecs, annotation: Any, value: Any) -> None:
    """M10, S21."""
    codec = codecs.codec(annotation)
    codec.check(value)
    data = codec.verify(value)
    back = codec.decode(data)
    assert type(back) is type(value)
    assert codec.encode(back) == data
    assert codec.schema()
    plain(data)


def test_an_encode_that_forgets_something_does_not_pass_for_equal(codecs: Codecs) -> None:
    """S21: the harness and `check_values=True` compare each value with what would come back."""
    codecs.codec(Lossy).verify(Lossy(1))
    with pytest.raises(CodecError, match="does not survive being stored"):
        codecs.codec(Lossy).verify(Lossy(1, 2))


def test_a_person_gives_what_it_is_stored_as_and_sees_that(codecs: Codecs) -> None:
    codec = codecs.codec(Vector)
    for found in (codec.from_text("[1, 2]"), codec.from_text(["1", "2"]), codec.from_builtins([1, 2])):
        assert isinstance(found, Vector)
        assert (found.x, found.y) == (1.0, 2.0)
    assert codecs.codec(Word).from_text("hey") == Word("hey")
    assert codecs.codec(Word | int).from_text("3") == 3
    assert codec.to_builtins([Vector(1.0, 2.0)]) == [[1.0, 2.0]]
    assert codec.schema() == {"title": "Vector", "type": "array", "items": {"type": "number"}}


@pytest.mark.parametrize(
    ("annotation", "value", "told"),
    [
        (Vector, 3, r"`\$`: expected `Vector`, got `int`"),
        (Drawing, Drawing(Vector("a", 1.0), Word("x")), r"`\$\.at`: expected `encode` of `Vector` to give `float` at"),  # type: ignore[arg-type]
        (dict[str, Broken], {"a": Broken()}, r"`\$\['a'\]`: expected `Broken`.*ZeroDivisionError"),
        (Wrong, Wrong(), "expected `decode` to give `Wrong`, got `int`"),
    ],
)
def test_what_goes_wrong_is_told_with_its_place(codecs: Codecs, annotation: Any, value: Any, told: str) -> None:
    with pytest.raises(CodecError, match=told):
        codecs.codec(annotation).encode(value)


def test_bytes_that_its_decode_refuses_are_an_error(codecs: Codecs) -> None:
    data = codecs.codec(list[float]).encode([1.0])
    with pytest.raises(CodecError, match="one that cannot be decoded again; TypeError"):
        codecs.codec(Vector).decode(data)


def test_a_type_that_nobody_knows_names_the_way_out(codecs: Codecs) -> None:
    with pytest.raises(CodecError, match=r"`Unknown` cannot be stored: .*`stepwell\.register_type`"):
        codecs.codec(dict[str, Unknown])
    with pytest.raises(CodecError, match="what `Holder` is stored as: `Unknown` cannot be stored"):
        codecs.codec(Holder)


class Color(enum.Enum):
    RED = 1


@pytest.mark.parametrize(
    ("cls", "told"),
    [
        (int, "a builtin is stored already"),
        (list, "a builtin is stored already"),
        (Path, "stored already"),
        (dt.datetime, "stored already"),
        (Color, "an Enum is stored already"),
        (3, "expected a class, got 3"),
        (list[int], "expected a class"),
    ],
    ids=str,
)
def test_what_is_stored_already_and_what_is_no_class_cannot_be_registered(cls: Any, told: str) -> None:
    with pytest.raises(DefinitionError, match=told):
        register_type(cls, encode=str, decode=lambda text: text, to=str)


def test_all_that_is_wrong_is_told_at_once() -> None:
    async def later(value: object) -> int:
        return 1

    with pytest.raises(DefinitionError, match=r"`to` is the class itself.*`encode` is async.*`decode` is `None`"):
        register_type(Unknown, encode=later, decode=None, to=Unknown)  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="`to` is 'str'; name the type"):
        register_type(Unknown, encode=str, decode=lambda text: Unknown(), to="str")


def test_a_type_is_registered_in_one_way_only() -> None:
    """The same again is no mistake, as a module may be loaded twice."""
    register_type(UserId, encode=int, decode=UserId, to=int)
    for _ in range(2):
        register_type(Late, encode=lambda v: v.n, decode=lambda n: Late(n), to=int)
    with pytest.raises(
        DefinitionError, match=r"registered already, as `int` by the `encode` at .*test_registry\.py:\d+"
    ):
        register_type(Late, encode=lambda v: str(v.n), decode=lambda n: Late(int(n)), to=str)


class Late:
    def __init__(self, n: int) -> None:
        self.n = n
