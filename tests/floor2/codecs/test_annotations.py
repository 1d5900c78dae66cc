"""Annotations as people write them, in a module whose annotations are all text: forward references, marks, aliases."""

from __future__ import annotations

import dataclasses
import enum
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    Required,
    TypedDict,
    TypeVar,
    Union,
)

import msgspec
import pydantic
import pytest
from typing_extensions import ReadOnly, TypeAliasType
from typing_extensions import TypedDict as NewTypedDict

from stepwell.codecs.compare import difference
from stepwell.codecs.values import Codecs
from stepwell.errors import CodecError
from stepwell.libraries.pydantic import PydanticAdapter

T = TypeVar("T")
B = TypeVar("B", bound=int)
C = TypeVar("C", int, str)


class Kind(enum.Enum):
    A = 1
    B = "b"


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Level(enum.IntEnum):
    LOW = 1


class Tone(enum.StrEnum):
    SOFT = "soft"


class Part(TypedDict, total=False):
    name: Required[str]
    size: int
    made: ReadOnly[int]


class Whole(Part):
    parts: NotRequired[list[Whole]]
    weight: Annotated[float, "kg"]


class Boxed(TypedDict, Generic[T]):
    value: T


class Newer(NewTypedDict, total=False):
    name: Required[str]
    below: list[Newer]


class Chain(NamedTuple):
    head: int
    rest: Optional[Chain] = None  # noqa: UP045 (as people wrote it)


class Pair(NamedTuple, Generic[T]):
    left: T
    right: T


@dataclasses.dataclass
class Node:
    value: int
    below: list[Node] = dataclasses.field(default_factory=list)
    at: Optional["Later"] = None  # noqa: UP037, UP045 (as people wrote it)


@dataclasses.dataclass
class Page(Generic[T]):
    items: list[T]
    next: Page[T] | None = None


class Sheet(pydantic.BaseModel, Generic[T]):
    items: list[T]
    next: Sheet[T] | None = None
    by_name: dict[str, Sheet[T]] = {}


class Struct(msgspec.Struct, Generic[T]):
    value: T
    next: Struct[T] | None = None


@dataclasses.dataclass
class Later:
    back: Node | None = None


UserId = NewType("UserId", int)
Nested = TypeAliasType("Nested", list[int] | dict[str, "Nested"])  # type: ignore[misc]
Many = TypeAliasType("Many", list[T], type_params=(T,))
Json = TypeAliasType("Json", bool | int | float | str | list["Json"] | dict[str, "Json"] | None)  # type: ignore[misc]
Lost = TypeAliasType("Lost", list["Nowhere"])  # type: ignore[name-defined]  # noqa: F821

CASES: list[tuple[Any, Any]] = [
    (Kind, Kind.B),
    (dict[Kind, int], {Kind.A: 1}),
    (Access, Access.READ | Access.WRITE),
    (Level, Level.LOW),
    (Tone, Tone.SOFT),
    (Part, {"name": "a"}),
    (Part, {"made": 2, "name": "a", "size": 1}),
    (Whole, {"weight": 1.0, "parts": [{"weight": 2.0, "name": "b"}], "name": "a"}),
    (Newer, {"below": [{"name": "b"}], "name": "a"}),
    (Boxed[int], {"value": 1}),
    (Boxed[Boxed[str]], {"value": {"value": "a"}}),
    (Chain, Chain(1, Chain(2))),
    (Pair[int], Pair(1, 2)),
    (Node, Node(1, [Node(2)], Later(Node(3)))),
    (Page[int], Page([1], Page([2]))),
    (Page[Page[str]], Page([Page(["a"])])),
    (Sheet[int], Sheet[int](items=[1], next=Sheet[int](items=[2]), by_name={"a": Sheet[int](items=[])})),
    (Sheet[Node], Sheet[Node](items=[Node(1)])),
    (Struct[int], Struct(1, Struct(2))),
    (UserId, UserId(3)),
    (dict[UserId, str], {UserId(1): "a"}),
    (Nested, {"a": [1], "b": {"c": [2]}}),
    (Many[int], [1]),
    (Json, {"a": [1, None, {"b": 2.5}]}),
    (Literal["a", 1, True, None, Kind.A, b"x"], Kind.A),
    (Literal["a", 1, True], True),
    (Annotated[int, msgspec.Meta(ge=0)], 3),
    (Annotated[list[Annotated[str, pydantic.Field(max_length=3)]], "a word"], ["abc"]),
    (B, 3),
    (C, "a"),
    (list[T], [1, "a"]),
    (Optional[Node], None),  # noqa: UP045 (as people wrote it)
    (Union[int, str, None], "a"),  # noqa: UP007 (as people wrote it)
    (int | Node | Chain, Chain(1)),
]


@pytest.mark.parametrize(("annotation", "value"), CASES, ids=lambda value: f"{value}"[:40])
def test_a_value_comes_back_whatever_its_annotation_looks_like(annotation: Any, value: Any) -> None:
    """M10, S21."""
    codec = Codecs([PydanticAdapter()]).codec(annotation)
    data = codec.verify(value)
    back = codec.decode(data)
    assert difference(value, back) is None
    assert codec.encode(back) == data
    assert codec.schema()
    Codecs([PydanticAdapter()]).codec(list[annotation] | None).verify([value])


def test_a_typed_dict_keeps_the_order_of_its_keys() -> None:
    """S21: a step that runs over it must see what it would have seen."""
    codec = Codecs().codec(Whole)
    value = {"weight": 1.0, "name": "a", "size": 2}
    assert list(codec.decode(codec.encode(value))) == list(value)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        (Lost, "the type `Lost` cannot be resolved.*Nowhere"),
        (tuple[int, *tuple[str, ...]], r"use a NamedTuple or a `tuple\[…, \.\.\.\]` of one type"),
    ],
    ids=["a name that is nowhere", "a tuple in a tuple"],
)
def test_what_cannot_be_resolved_is_told_before_anything_runs(annotation: Any, told: str) -> None:
    with pytest.raises(CodecError, match=told):
        Codecs().codec(annotation)
