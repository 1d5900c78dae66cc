"""Events as rows: each comes back as it was, and takes no more room than it must."""

from __future__ import annotations

import re
from typing import Any
from zlib import crc32

import apsw
import msgspec
import pytest

from stepwell import events as ev
from stepwell.errors import StoreError
from stepwell.events import ENDS, FACTS, Event, EventKind, Failure, Payload
from stepwell.journal.sqlite import schema
from stepwell.journal.sqlite.rows import KINDS, from_rows, outside, seed_of, to_row

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


SEED = seed_of("R")


def back(event: Event) -> Event:
    (read,) = from_rows(event.run_id, [to_row(5, seed_of(event.run_id), event)[1:]])
    return read


def sealed(*said: object) -> tuple[object, ...]:
    """A row of run R with its right checksum, whatever it says."""
    return (*said, crc32(msgspec.msgpack.encode(said), crc32(b"R")))


@pytest.mark.parametrize("cls", FACTS.values(), ids=lambda cls: cls.__name__)
def test_every_fact_comes_back_as_it_was(cls: type[Event]) -> None:
    for event in (full(cls), cls("R", 1, 2.0), cls("R", 1, 2.0, "a", 1)):
        assert back(event) == event


@pytest.mark.parametrize("cls", FACTS.values(), ids=lambda cls: cls.__name__)
def test_a_fact_that_says_nothing_of_its_own_has_no_body(cls: type[Event]) -> None:
    assert to_row(5, SEED, cls("R", 1, 2.0, "a", 1))[6:10] == (None, None, None, None)


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
        to_row(1, SEED, ev.ItemStarted("R", 0, 1.0, "m[k]", 1))


def test_a_value_that_was_not_encoded_is_refused() -> None:
    with pytest.raises(StoreError, match=r"output of STEP_COMPLETED `a` is a dict"):
        to_row(1, SEED, ev.StepCompleted("R", 1, 1.0, "a", 1, {"x": 1}))


def test_a_kind_of_a_newer_version_is_refused_with_the_way_out() -> None:
    with pytest.raises(StoreError, match="pip install --upgrade stepwell"):
        from_rows("R", [sealed(1, 99, 1.0, "", 0, None, None, None, None)])


@pytest.mark.parametrize("body", [b"\xc1", b"\x81\xa5stops\x05", b"\x81\xa5sto"])
def test_a_damaged_body_is_a_clear_error(body: bytes) -> None:
    with pytest.raises(StoreError, match=r"run R: fact 4 \(STEP_COMPLETED\) cannot be read"):
        from_rows("R", [sealed(4, 8, 1.0, "a", 1, body, None, None, None)])


@pytest.mark.parametrize(
    "row",
    [
        (4, 7, 1.0, "a", 1, None, b"value", None, None),
        (4, 8, 1.0, "a", 1, b"\x81\xa4goto\xa1\xff", None, None, None),
        (4, 8, 1.0, "a", 1, None, None, "no bytes", 5),
        (4, 8, float("inf"), "a", 1, None, None, None, None),
        (4, 8, 1e300, "a", 1, None, None, None, None),
        (4, 8, -1.0, "a", 1, None, None, None, None),
    ],
)
def test_a_row_that_nobody_has_written_is_damage_and_nothing_else(row: tuple[object, ...]) -> None:
    with pytest.raises(StoreError, match=r"run R: fact 4 \(STEP_.*restore a backup"):
        from_rows("R", [sealed(*row)])


def test_whatever_is_altered_in_a_row_is_noticed() -> None:
    """S3: no other fact comes out of a damaged row; the checksum begins with the run's id, so it is that run's row."""
    row = to_row(5, SEED, ev.StepCompleted("R", 4, 1.5, "a", 1, Payload(b"value"), stops=True))[1:]
    others = (5, 7, 1.25, "b", 2, b"\x80", b"valve", b"\0" * 32, 5, row[-1] + 1)
    for place, other in enumerate(others):
        with pytest.raises(StoreError, match=r"run R: fact \d is not as it was written .*: restore a backup"):
            from_rows("R", [(*row[:place], other, *row[place + 1 :])])
    with pytest.raises(StoreError, match="run Q: fact 4 is not as it was written"):
        from_rows("Q", [row])
    assert len(from_rows("R", [row])) == 1


def test_where_one_field_ends_and_the_next_begins_is_part_of_the_checksum() -> None:
    row = to_row(5, SEED, ev.StepCompleted("R", 1, 2.0, "a", 1, Payload(b"value"), stops=True))[1:]
    assert row[5] is not None
    with pytest.raises(StoreError, match="not as it was written"):
        from_rows("R", [(*row[:5], row[5] + b"v", b"alue", *row[7:])])


def test_the_checksum_of_a_row_is_the_same_for_ever() -> None:
    """Stores everywhere hold it: what the row says is msgpack, each number in the fewest bytes, each time a float."""
    event = ev.StepCompleted("R", 70_000, 2, "a[ä]", 1, Payload(b"value"), stops=True)
    body, value = b"\x81\xa5stops\xc3", b"\xc4\x05value"
    said = (
        b"\x99\xce\x00\x01\x11\x70\x08\xcb\x40" + bytes(7) + b"\xa5a[\xc3\xa4]\x01\xc4\x08" + body + value + b"\xc0\xc0"
    )
    assert to_row(5, SEED, event)[-1] == crc32(b"R" + said) == 3_908_386_758


def test_a_large_value_gets_its_checksum_where_it_becomes_a_digest() -> None:
    """Nobody looks at the whole of it twice."""
    row = to_row(5, SEED, ev.StepCompleted("R", 1, 1.0, "a", 1, Payload(b"x" * 20_000)))
    assert row[-1] == 0
    assert from_rows("R", [outside(row, SEED, b"\xab" * 32)[1:]]) == [
        ev.StepCompleted("R", 1, 1.0, "a", 1, Payload(None, "ab" * 32, 20_000))
    ]


def test_a_field_of_a_newer_version_is_passed_over() -> None:
    body = msgspec.msgpack.encode({"stops": True, "added_later": [1, 2]})
    assert from_rows("R", [sealed(1, 8, 1.0, "a", 1, body, None, None, None)]) == [
        ev.StepCompleted("R", 1, 1.0, "a", 1, None, stops=True)
    ]


def test_the_database_itself_keeps_keys_and_ends_unique() -> None:
    db = apsw.Connection(":memory:")
    db.execute(schema.MIGRATIONS[0])
    run = "INSERT INTO run (run_id, pipeline, key) VALUES (?, 'p', ?)"
    db.executemany(run, [("A", ""), ("B", ""), ("C", "k")])
    with pytest.raises(apsw.ConstraintError):
        db.execute(run, ("D", "k"))
    fact = "INSERT INTO journal (run, seq, kind, at, path, attempt, crc) VALUES (1, ?, ?, 0.0, 'a', 1, 0)"
    db.executemany(fact, [(1, 7), (2, 7), (3, 8)])
    with pytest.raises(apsw.ConstraintError):
        db.execute(fact, (4, 10))
    db.close()
