"""Values as JSON would have them, from JSON-like data, and the schema of that."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import msgspec
import pytest

from stepwell.codecs.values import Codecs
from stepwell.errors import CodecError
from tests.floor2.codecs.ids import same_everywhere


class Color(enum.Enum):
    RED = "r"
    PAIR = (1, 2)


@dataclasses.dataclass
class Note:
    """A note."""

    path: Path
    words: int = 0
    later: list[Note] = dataclasses.field(default_factory=list)


class Point(msgspec.Struct, rename="camel"):
    from_x: int


class Pair(NamedTuple):
    left: int
    right: str = ""


class Row(TypedDict):
    name: str


@dataclasses.dataclass
class Share:
    value: float

    def __post_init__(self) -> None:
        if self.value > 1:
            raise ValueError("a share is at most 1")


SHOWN: list[tuple[Any, Any, Any]] = [
    (bytes, b"abc", "YWJj"),
    (Path, Path("a"), "a"),
    (set[int], {2, 1}, [1, 2]),
    (dict[int, bool], {1: True}, {"1": True}),
    (dict[bool, int], {True: 1}, {"true": 1}),
    (dict[Path, None], {Path("a"): None}, {"a": None}),
    (tuple[int, str], (1, "a"), [1, "a"]),
    (Color, Color.RED, "r"),
    (Color, Color.PAIR, "PAIR"),
    (
        Note,
        Note(Path("a"), 1, [Note(Path("b"))]),
        {"path": "a", "words": 1, "later": [{"path": "b", "words": 0, "later": []}]},
    ),
    (Pair, Pair(1), {"left": 1, "right": ""}),
    (Point, Point(1), {"from_x": 1}),
    (dt.datetime, dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "2026-01-01T00:00:00+00:00"),
    (dt.timedelta, dt.timedelta(seconds=90), "PT90S"),
    (Decimal, Decimal("1.50"), "1.50"),
    (complex, 1j, "1j"),
    (int, 2**70, 2**70),
]


@pytest.mark.parametrize(("annotation", "value", "shown"), SHOWN, ids=same_everywhere)
def test_a_value_is_shown_as_json_would_have_it(annotation: Any, value: Any, shown: Any) -> None:
    """M10."""
    found = Codecs().codec(annotation).to_builtins(value)
    assert found == shown
    assert json.loads(json.dumps(found)) == found


def test_nan_stays_nan_when_it_is_shown() -> None:
    """M10."""
    found = Codecs().codec(list[float]).to_builtins([math.nan])
    assert isinstance(found, list)
    assert math.isnan(found[0])


READ: list[tuple[Any, Any, Any]] = [
    (Note, {"path": "a", "later": [{"path": "b"}]}, Note(Path("a"), 0, [Note(Path("b"))])),
    (list[Note], [Note(Path("a")), {"path": "b"}], [Note(Path("a")), Note(Path("b"))]),
    (Point, {"fromX": 1}, Point(1)),
    (Point, {"from_x": 1}, Point(1)),
    (Pair, {"left": 1}, Pair(1)),
    (Pair, [1, "a"], Pair(1, "a")),
    (Row, {"name": "a"}, {"name": "a"}),
    (float, 3, 3.0),
    (bytes, "YWJj", b"abc"),
    (set[Path], ["a"], {Path("a")}),
    (tuple[int, Path], [1, "a"], (1, Path("a"))),
    (dict[int, Path], {"1": "a"}, {1: Path("a")}),
    (Color, "r", Color.RED),
    (Color, [1, 2], Color.PAIR),
    (Color, "PAIR", Color.PAIR),
    (dt.datetime, "2026-01-01T00:00:00Z", dt.datetime(2026, 1, 1, tzinfo=dt.UTC)),
    (dt.date, dt.date(2026, 1, 1), dt.date(2026, 1, 1)),
    (dt.date, "2026-01-01", dt.date(2026, 1, 1)),
    (int | Note, {"path": "a"}, Note(Path("a"))),
    (int | str, "5", "5"),
    (str | Path, "a", "a"),
    (Path | None, "a", Path("a")),
    (Any, {"a": [1]}, {"a": [1]}),
]


@pytest.mark.parametrize(("annotation", "data", "value"), READ, ids=same_everywhere)
def test_json_like_data_becomes_a_value_of_the_declared_type(annotation: Any, data: Any, value: Any) -> None:
    """M10."""
    codec = Codecs().codec(annotation)
    found = codec.from_builtins(data)
    assert found == value
    assert type(found) is type(value)
    codec.verify(found)
    assert codec.from_builtins(found) == found


@pytest.mark.parametrize(
    ("annotation", "data", "message"),
    [
        (int, "3", "expected `int`, got `str`"),
        (int, True, "got `bool`"),
        (list[Note], [{"path": 3}], r"`\$\[0\]\.path`"),
        (Note, {"path": "a", "wrods": 3}, "did you mean `words`"),
        (Note, {}, "without `path`"),
        (Share, {"value": 2}, "a share is at most 1"),
        (bytes, "é", "base64"),
        (Color, "x", "RED, PAIR"),
        (dict[str, int], [1], "expected `dict"),
        (list[int], "12", "expected `list"),
        (Any, (1,), "declare a return type"),
    ],
    ids=same_everywhere,
)
def test_data_that_is_no_such_value_says_where_and_why(annotation: Any, data: Any, message: str) -> None:
    """M10."""
    with pytest.raises(CodecError, match=message):
        Codecs().codec(annotation).from_builtins(data)


def test_the_schema_names_classes_once_and_goes_in_circles() -> None:
    """M10."""
    schema = Codecs().codec(dict[str, Note | None] | list[Note]).schema()
    note = {
        "title": "Note",
        "description": "A note.",
        "type": "object",
        "properties": {
            "path": {"type": "string", "format": "path"},
            "words": {"type": "integer"},
            "later": {"type": "array", "items": {"$ref": "#/$defs/Note"}},
        },
        "required": ["path"],
    }
    assert schema["$defs"] == {"Note": note}
    assert json.dumps(schema)


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (int, {"type": "integer"}),
        (Any, {}),
        (Color, {"enum": ["r", "PAIR"], "title": "Color"}),
        (dt.datetime, {"type": "string", "format": "date-time"}),
        (dt.date, {"type": "string", "format": "date"}),
        (set[int], {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    ],
    ids=same_everywhere,
)
def test_the_schema_of_simple_types_is_the_usual_one(annotation: Any, schema: Any) -> None:
    """M10."""
    assert Codecs().codec(annotation).schema() == schema
