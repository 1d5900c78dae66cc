"""Events as rows: each comes back as it was, and takes no more room than it must."""

from __future__ import annotations

import re
from typing import Any

import apsw
import msgspec
import pytest

from stepwell import events as ev
from stepwell.errors import StoreError
from stepwell.events import ENDS, FACTS, Event, EventKind, Failure, Payload
from stepwell.journal.sqlite import schema
from stepwell.journal.sqlite.rows import KINDS, from_rows, to_row

FAILURE = Failure("m[k]", "m", "k", "error", "user", "boom", "ValueError", "no", "Traceback …", False, 2)

SAMPLES: dict[str, Any] = {
    "str": "text", "bool": True, "int": 7, "float": 1.25, "object": Payload(b"value"), "int | None": 3,
    "float | None": 2.5, "dict[str, str]": {"a": "x", "b": "y"}, "tuple[str, ...]": ("a", "b"),
    "tuple[str, ...] | None": ("k", "l"), "Failure | None": FAILURE, "tuple[Failure, ...]": (FAILURE, FAILURE),
    "tuple[tuple[int, int, int], ...]": ((0, 1, 2), (1, 2, 4)), "tuple[tuple[int, int], ...]": ((2, 1),),
    "dict[int, int]": {3: 2}, "bytes": b"12345678abcdefgh",
}  # fmt: skip


def full(cls: type[Event]) -> Event:
    """An event whose every field differs from its default."""
    own: dict[str, Any] = {name: SAMPLES[str(kind)] for name, kind in _own(cls)}
    if "kept" in own:
        own["kept"] = False  # its default is true
    return cls("R", 9, 1.5, "a/b[k]#2", 3, **own)


def _own(cls: type[Event]) -> list[tuple[str, str]]:
    common = {field.name for field in msgspec.structs.fields(Event)}
    return [(name, kind) for name, kind in cls.__annotations__.items() if name not in common]


def back(event: Event) -> Event:
    (read,) = from_rows(event.run_id, [to_row(5, event)[1:]])
    return read


@pytest.mark.parametrize("cls", FACTS.values(), ids=lambda cls: cls.__name__)
def test_every_fact_comes_back_as_it_was(cls: type[Event]) -> None:
    for event in (full(cls), cls("R", 1, 2.0), cls("R", 1, 2.0, "a", 1)):
        assert back(event) == event


@pytest.mark.parametrize("cls", FACTS.values(), ids=lambda cls: cls.__name__)
def test_a_fact_that_says_nothing_of_its_own_has_no_body(cls: type[Event]) -> None:
    assert to_row(5, cls("R", 1, 2.0, "a", 1))[6:] == (None, None, None, None)


def test_the_numbers_of_kinds_are_never_changed() -> None:
    assert {kind.value: number for kind, number in KINDS.items()} == {
        "RUN_STARTED": 1, "RUN_RESUMED": 2, "RUN_CANCELLED": 3, "RUN_TIMED_OUT": 4, "RUN_BLOCKED": 5,
        "RUN_FINISHED": 6, "STEP_STARTED": 7, "STEP_COMPLETED": 8, "STEP_RETRYING": 9, "STEP_FAILED": 10,
        "STEP_CANCELLED": 11, "STEP_SKIPPED": 12, "STEP_PRUNED": 13, "STEP_RESET": 14, "MAP_EXPANDED": 15,
        "ITEM_STARTED": 16, "ITEM_COMPLETED": 17, "ITEM_RETRYING": 18, "ITEM_FAILED": 19, "ITEM_CANCELLED": 20,
        "JOIN_WAITING": 21, "JOIN_RELEASED": 22, "BRANCH_CHOSEN": 23, "WARNING": 24, "JOIN_TIMED_OUT": 25,
    }  # fmt: skip
    assert set(FACTS) <= set(KINDS) <= set(EventKind)


def test_the_index_of_ends_has_exactly_the_terminal_kinds() -> None:
    match = re.search(r"journal_end .*kind IN \(([0-9, ]+)\)", schema.MIGRATIONS[0])
    assert match is not None
    assert {int(number) for number in match[1].split(",")} == {KINDS[kind] for kind in ENDS}


def test_a_value_outside_the_journal_is_told_by_digest_and_size() -> None:
    event = ev.StepCompleted("R", 1, 1.0, "a", 1, Payload(None, "ab" * 32, 70_000))
    assert back(event) == event


def test_what_is_only_told_live_is_refused() -> None:
    with pytest.raises(StoreError, match="never journaled"):
        to_row(1, ev.ItemStarted("R", 0, 1.0, "m[k]", 1))


def test_a_value_that_was_not_encoded_is_refused() -> None:
    with pytest.raises(StoreError, match=r"output of STEP_COMPLETED `a` is a dict"):
        to_row(1, ev.StepCompleted("R", 1, 1.0, "a", 1, {"x": 1}))


def test_a_kind_of_a_newer_version_is_refused_with_the_way_out() -> None:
    with pytest.raises(StoreError, match="pip install --upgrade stepwell"):
        from_rows("R", [(1, 99, 1.0, "", 0, None, None, None, None)])


@pytest.mark.parametrize("body", [b"\xc1", b"\x81\xa5stops\x05", b"\x81\xa5sto"])
def test_a_damaged_body_is_a_clear_error(body: bytes) -> None:
    with pytest.raises(StoreError, match=r"run R: fact 4 \(STEP_COMPLETED\) cannot be read"):
        from_rows("R", [(4, 8, 1.0, "a", 1, body, None, None, None)])


def test_a_field_of_a_newer_version_is_passed_over() -> None:
    body = msgspec.msgpack.encode({"stops": True, "added_later": [1, 2]})
    assert from_rows("R", [(1, 8, 1.0, "a", 1, body, None, None, None)]) == [
        ev.StepCompleted("R", 1, 1.0, "a", 1, None, stops=True)
    ]


def test_the_database_itself_keeps_keys_and_ends_unique() -> None:
    db = apsw.Connection(":memory:")
    db.execute(schema.MIGRATIONS[0])
    run = "INSERT INTO run (run_id, pipeline, key) VALUES (?, 'p', ?)"
    db.executemany(run, [("A", ""), ("B", ""), ("C", "k")])
    with pytest.raises(apsw.ConstraintError):
        db.execute(run, ("D", "k"))
    fact = "INSERT INTO journal (run, seq, kind, at, path, attempt) VALUES (1, ?, ?, 0.0, 'a', 1)"
    db.executemany(fact, [(1, 7), (2, 7), (3, 8)])
    with pytest.raises(apsw.ConstraintError):
        db.execute(fact, (4, 10))
    db.close()
