"""The pydantic adapter: models come back as they were, validators or not."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, TypeVar

import pydantic
import pytest

from stepwell.codecs.compare import difference
from stepwell.codecs.values import Codecs, plain
from stepwell.errors import CodecError
from stepwell.libraries.pydantic import PydanticAdapter
from tests.floor2.codecs.ids import same_everywhere

T = TypeVar("T")


class Note(pydantic.BaseModel):
    path: Path
    words: int = 0
    tag: int | str | None = None


class Same(pydantic.BaseModel):
    path: Path
    words: int = 0
    tag: int | str | None = None


class Long(Note):
    pages: int = 1


class Raw(pydantic.BaseModel, extra="allow"):
    data: bytes


class Numbers(pydantic.RootModel[list[int]]):
    pass


class Holder(pydantic.BaseModel, Generic[T]):
    value: T


class Branch(pydantic.BaseModel):
    name: str
    below: list[Branch] = []
    first: Branch | None = None


class Hashed(pydantic.BaseModel, frozen=True):
    """Its validator must not run again on what it has made."""

    secret: str = pydantic.Field(alias="Secret")

    @pydantic.field_validator("secret")
    @classmethod
    def _hash(cls, value: str) -> str:
        return f"hash({value})"


class Split(pydantic.BaseModel):
    """Its validator takes a text only, and makes a list of it."""

    words: list[str]

    @pydantic.field_validator("words", mode="before")
    @classmethod
    def _split(cls, value: str) -> list[str]:
        return value.split()


class Web(pydantic.BaseModel):
    url: pydantic.HttpUrl
    at: pydantic.AwareDatetime
    name: Annotated[str, pydantic.Field(max_length=5)] = "a"


class Guarded(pydantic.BaseModel):
    password: pydantic.SecretStr


class Private(pydantic.BaseModel):
    name: str
    _opened: int = pydantic.PrivateAttr(default=0)
    _cache: dict[str, int] = pydantic.PrivateAttr(default_factory=dict)

    def model_post_init(self, context: Any, /) -> None:
        self.name = self.name + "!"


class Cat(pydantic.BaseModel):
    kind: Literal["cat"] = "cat"


class Dog(pydantic.BaseModel):
    kind: Literal["dog"] = "dog"


class Zoo(pydantic.BaseModel):
    animals: list[Annotated[Cat | Dog, pydantic.Field(discriminator="kind")]]
    at: dt.datetime | str


@pydantic.dataclasses.dataclass
class Record:
    path: Path
    note: Note


@dataclasses.dataclass
class Plain:
    path: Path
    words: int
    tag: int | str | None = None


VALUES: list[tuple[Any, Any]] = [
    (Note, Note(path=Path("a"))),
    (Note, Note(path=Path("a"), words=3, tag="3")),
    (Raw, Raw(data=b"\xff", more=[1])),  # type: ignore[call-arg]
    (Raw, Raw(data=b"")),
    (Numbers, Numbers([1, 2**70])),
    (Holder[int], Holder[int](value=1)),
    (Holder[Path], Holder[Path](value=Path("a"))),
    (Branch, Branch(name="a", below=[Branch(name="b")], first=Branch(name="c"))),
    (Hashed, Hashed(Secret="x")),
    (set[Hashed], {Hashed(Secret="x"), Hashed(Secret="y")}),
    (Split, Split(words="a b")),  # type: ignore[arg-type]
    (Web, Web(url="http://a.example/b", at="2026-01-01T00:00:00+02:00")),  # type: ignore[arg-type]
    (Private, Private(name="a")),
    (Zoo, Zoo(animals=[Cat(), Dog()], at="2026-01-01")),
    (Record, Record(Path("a"), Note(path=Path("b")))),
    (pydantic.HttpUrl, pydantic.HttpUrl("http://a.example")),
]


@pytest.fixture(scope="module")
def codecs() -> Codecs:
    return Codecs([PydanticAdapter()])


@pytest.mark.parametrize(("annotation", "value"), VALUES, ids=same_everywhere)
def test_a_model_comes_back_as_it_was(codecs: Codecs, annotation: Any, value: Any) -> None:
    """M10, S21: also the fields that were set, what came beside them, and what validators made of them."""
    for kind, held in ((annotation, value), (list[annotation], [value, value]), (annotation | Plain, value)):
        codec = codecs.codec(kind)
        codec.check(held)
        data = codec.verify(held)
        assert codec.encode(codec.decode(data)) == data


def test_the_fields_that_were_set_are_known_after_it_came_back(codecs: Codecs) -> None:
    """S21."""
    codec = codecs.codec(Note)
    back = codec.decode(codec.encode(Note(path=Path("a"))))
    assert isinstance(back, Note)
    assert back.model_dump(exclude_unset=True) == {"path": Path("a")}


def test_a_union_of_models_and_dataclasses_gives_back_the_very_member(codecs: Codecs) -> None:
    """M10."""
    codec = codecs.codec(list[Note | Same | Plain | Long | dict[str, Any]])
    values = [Note(path=Path("a")), Same(path=Path("a")), Plain(Path("a"), 0), Long(path=Path("a")), {"path": "a"}]
    assert difference(values, codec.decode(codec.verify(values))) is None


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    [
        (Note, Long(path=Path("a")), "would come back as plain `Note`"),
        (Note, Note.model_construct(path="a"), r"\$\.path`: expected `Path`, got `str`"),
        (Note, Note.model_construct(words=3), "without a field"),
        (Note, {"path": "a"}, "expected `Note`, got `dict`"),
        (Guarded, Guarded(password="x"), r"\$\.password"),  # type: ignore[arg-type]
        (list[Holder[Any]], [Holder[Any](value=Note(path=Path("a")))], "declare a return type"),
    ],
    ids=same_everywhere,
)
def test_a_model_that_would_not_come_back_is_refused(codecs: Codecs, annotation: Any, value: Any, message: str) -> None:
    """S21."""
    with pytest.raises(CodecError, match=message):
        codecs.codec(annotation).encode(value)


def test_private_attributes_that_would_be_lost_are_refused(codecs: Codecs) -> None:
    """S21."""
    value = Private(name="a")
    value._opened = 3
    with pytest.raises(CodecError, match="private attribute `_opened`"):
        codecs.codec(Private).encode(value)


def test_a_field_that_came_later_has_its_default_in_older_bytes(codecs: Codecs) -> None:
    """M10, S23."""
    data = codecs.codec(Note).encode(Note(path=Path("a"), words=2, tag=1))
    back = codecs.codec(Long).decode(data)
    assert isinstance(back, Long)
    assert (back.words, back.pages) == (2, 1)


def test_what_a_person_gives_is_validated_by_the_model(codecs: Codecs) -> None:
    """M10."""
    assert codecs.codec(Split).from_text('{"words": "a b"}') == Split(words="a b")  # type: ignore[arg-type]
    assert codecs.codec(list[Note]).from_builtins([{"path": "a", "words": "3"}]) == [Note(path=Path("a"), words=3)]
    assert codecs.codec(Hashed).from_builtins({"Secret": "x"}) == Hashed(Secret="x")
    assert codecs.codec(Record).from_builtins({"path": "a", "note": {"path": "b"}}) == VALUES[-2][1]
    note = Note(path=Path("a"))
    assert codecs.codec(Note).from_builtins(note) is note
    with pytest.raises(CodecError, match=r"refuses; `words`: Input should be a valid integer"):
        codecs.codec(Note).from_builtins({"path": "a", "words": "x"})


def test_a_model_is_shown_without_what_is_kept_beside_its_fields(codecs: Codecs) -> None:
    """M10."""
    value = Raw(data=b"a", more=[1])  # type: ignore[call-arg]
    codec = codecs.codec(Raw)
    assert codec.to_builtins(value) == plain(codec.encode(value)) == {"data": "YQ==", "more": [1]}
    assert codecs.codec(Numbers).to_builtins(Numbers([1])) == [1]


def test_the_schema_is_the_one_of_pydantic(codecs: Codecs) -> None:
    """M10."""
    schema = codecs.codec(list[Branch] | Note).schema()
    assert "Branch" in str(schema["$defs"])
    assert codecs.codec(Web).schema() == Web.model_json_schema()


def test_a_root_model_comes_back_with_nothing_beside_its_root(codecs: Codecs) -> None:
    """M10, S21."""
    codec = codecs.codec(Numbers)
    back = codec.decode(codec.encode(Numbers([1])))
    assert vars(back) == vars(Numbers([1])) == {"root": [1]}


def test_without_the_adapter_a_model_is_refused_with_the_way_out() -> None:
    """M10."""
    with pytest.raises(CodecError, match="cannot be stored"):
        Codecs().codec(Note)
