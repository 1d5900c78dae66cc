"""From what a person types to a value."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import math
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest

from stepwell.codecs.values import Codecs
from stepwell.errors import CodecError
from tests.floor2.codecs.ids import same_everywhere


class Color(enum.Enum):
    RED = "r"
    BLUE = 2


class Access(enum.Flag):
    READ = 1
    WRITE = 2


@dataclasses.dataclass
class Note:
    path: Path
    words: int = 0


GOOD: list[tuple[Any, Any, Any]] = [
    (int, "3", 3),
    (int, "-1_000", -1000),
    (float, "1e3", 1000.0),
    (float, "-inf", -math.inf),
    (float, "3", 3.0),
    *((bool, text, True) for text in ("yes", "True", "1", "on")),
    *((bool, text, False) for text in ("no", "FALSE", "0", "off")),
    (str, "null", "null"),
    (str, "", ""),
    (bytes, "é", "é".encode()),
    (Path, "a/b", Path("a/b")),
    (dt.datetime, "2026-11-21T09:00:00Z", dt.datetime(2026, 11, 21, 9, tzinfo=dt.UTC)),
    (dt.date, "2026-11-21", dt.date(2026, 11, 21)),
    (dt.time, "09:00", dt.time(9)),
    (dt.timedelta, "10m", dt.timedelta(minutes=10)),
    (dt.timedelta, "1.5", dt.timedelta(seconds=1.5)),
    (dt.timedelta, "PT1H", dt.timedelta(hours=1)),
    (Decimal, "1.50", Decimal("1.50")),
    (uuid.UUID, str(uuid.UUID(int=3)), uuid.UUID(int=3)),
    (complex, "1+2j", 1 + 2j),
    (Color, "RED", Color.RED),
    (Color, "blue", Color.BLUE),
    (Color, "r", Color.RED),
    (Color, "2", Color.BLUE),
    (Access, "READ|WRITE", Access.READ | Access.WRITE),
    (Access, "3", Access.READ | Access.WRITE),
    (Literal["a", 2, True], "2", 2),
    (Literal["a", 2, True], "yes", True),
    (int | None, "3", 3),
    (int | None, "none", None),
    (str | None, "none", "none"),
    (int | str, "3", 3),
    (int | str, "x", "x"),
    (int | bool, "1", 1),
    (list[int] | int, "1", 1),
    (list[int] | int, "[1]", [1]),
    (list[str] | None, "none", ["none"]),
    (int | bool, "yes", True),
    (dt.datetime | str, "soon", "soon"),
    (list[int], ["1", "2"], [1, 2]),
    (list[int], "[1, 2]", [1, 2]),
    (list[int], "1", [1]),
    (list[Path] | None, ["a", "b"], [Path("a"), Path("b")]),
    (set[str], ["a", "a"], {"a"}),
    (tuple[int, Path], ["1", "a"], (1, Path("a"))),
    (list[Note], '[{"path": "a"}]', [Note(Path("a"))]),
    (Note, '{"path": "a", "words": 3}', Note(Path("a"), 3)),
    (dict[int, Path], '{"1": "a"}', {1: Path("a")}),
    (dict[str, Any], '{"a": [1]}', {"a": [1]}),
    (Any, "3", "3"),
    (Any, '{"a": 1}', {"a": 1}),
    (Annotated[int, msgspec.Meta(ge=1)], "3", 3),
]

BAD: list[tuple[Any, Any, str]] = [
    (int, "x", "expected `int`, got 'x'"),
    (int, ["1", "2"], "give it once"),
    (bool, "2", "say yes or no"),
    (dt.date, "tomorrow", "such as 2026-11-21"),
    (dt.timedelta, "soon", "such as 90s"),
    (Color, "REDD", "did you mean RED"),
    (Literal["a"], "b", "none of a"),
    (list[int], ["1", "x"], r"`\$\[1\]`"),
    (tuple[int, int], ["1"], "2 texts"),
    (Note, "a", "give .* a mapping|as JSON"),
    (Note, "{", "as JSON"),
    (Note, '{"wrods": 3}', "did you mean `words`"),
    (Note, '{"words": 3}', "without `path`"),
    (int | None, "x", r"expected `int \| None`"),
    (Annotated[int, msgspec.Meta(ge=1)], "0", ">= 1"),
    (Any, "{", "JSON"),
]


@pytest.mark.parametrize(("annotation", "text", "value"), GOOD, ids=same_everywhere)
def test_a_text_becomes_a_value_of_the_declared_type(annotation: Any, text: Any, value: Any) -> None:
    """M10: a command-line option is typed by its annotation."""
    found = Codecs().codec(annotation).from_text(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(("annotation", "text", "message"), BAD, ids=same_everywhere)
def test_a_text_that_is_none_says_what_would_be(annotation: Any, text: Any, message: str) -> None:
    """M10."""
    with pytest.raises(CodecError, match=message):
        Codecs().codec(annotation).from_text(text)


def test_nan_is_a_number_that_can_be_typed() -> None:
    """M10."""
    found = Codecs().codec(float | None).from_text("nan")
    assert isinstance(found, float)
    assert math.isnan(found)
