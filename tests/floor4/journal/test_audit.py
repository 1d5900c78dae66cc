"""Going through a whole store: what is right is said to be, each planted fault is found and named, nothing changes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

import apsw
import msgspec
import pytest

from stepwell import events as ev
from stepwell.errors import StoreError
from stepwell.events import Payload
from stepwell.journal.sqlite import SqliteStore, audit_runs, schema
from stepwell.journal.sqlite.audit import Audit, audit
from stepwell.journal.sqlite.rows import COLUMNS
from stepwell.testing.store_deeds import durable

from .conftest import Other

LARGE = b"x" * 20_000


async def filled(path: Path) -> None:
    """Three runs: one that ended, jumped and has a large value, one that goes on, one that was cancelled."""
    store = SqliteStore(path)
    for run_id in ("A", "B", "C"):
        lease = store.create(run_id, "p", f"key {run_id}")
        assert lease is not None
        started = ev.RunStarted(run_id, 1, 1.0, pipeline="p", fingerprints={"a": "f", "b": "f"})
        facts: list[ev.Event] = [
            started,
            ev.StepStarted(run_id, 2, 2.0, "a", 1),
            ev.StepCompleted(run_id, 3, 3.0, "a", 1, Payload(LARGE + run_id.encode())),
            ev.StepReset(run_id, 4, 3.0, "", 0, ("a",), "resume"),
            ev.StepCompleted(run_id, 5, 4.0, "a#2", 1, Payload(b"1")),
        ]
        if run_id == "A":
            facts.append(ev.RunFinished("A", 6, 5.0, status="completed"))
        if run_id == "C":
            facts += [ev.RunFinished("C", 6, 5.0, status="cancelled", reason="enough"), ev.RunResumed("C", 7, 6.0)]
        await durable(store, lease, *facts)
    store.close()


def look(path: Path) -> Audit:
    return audit(path, lambda _: None)


def change(path: Path, sql: str) -> None:
    db = apsw.Connection(str(path))
    db.execute(sql)
    db.close()


def seal(path: Path) -> None:
    """Give every fact the checksum of what it says now."""
    db = apsw.Connection(str(path))
    for run, seed in ((1, b"A"), (2, b"B"), (3, b"C")):
        for row in db.execute(f"SELECT {COLUMNS} FROM journal WHERE run = ?", (run,)).fetchall():
            crc = crc32(msgspec.msgpack.encode(row[:-1]), crc32(seed))
            db.execute("UPDATE journal SET crc = ? WHERE run = ? AND seq = ?", (crc, run, row[0]))
    db.close()


def content(path: Path) -> bytes:
    return path.read_bytes()


def put(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def blobs(path: Path) -> list[Path]:
    return sorted(one for one in path.with_name("runs.db.blobs").rglob("*") if one.is_file())


def faults(found: Audit) -> dict[str, str]:
    assert found.runs is not None
    return dict(found.runs.faults)


async def test_a_store_without_faults_is_counted_and_left_as_it_is(path: Path) -> None:
    await filled(path)
    before = {one: one.read_bytes() for one in path.parent.rglob("*") if one.is_file()}
    found = look(path)
    assert found.is_ours
    assert (found.version, found.damage) == (schema.VERSION, [])
    assert found.runs is not None
    assert found.values is not None
    assert (found.runs.runs, found.runs.facts, found.runs.broken, found.runs.strays) == (3, 18, 0, 0)
    assert (found.values.files, found.values.bytes, found.values.lost) == (3, 3 * 20_001, 0)
    assert (found.values.orphans, found.values.unfinished, found.locks, found.unborn) == (0, 0, 0, 0)
    assert found.interrupted == ["B", "C"] or found.interrupted == []
    assert {one: one.read_bytes() for one in before} == before


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("DELETE FROM journal WHERE run = 2 AND seq = 3", "fact 3 is missing, 4 comes next"),
        ("DELETE FROM journal WHERE run = 2 AND seq = 5", "its facts end with 4, and 5 were recorded"),
        ("DELETE FROM journal WHERE run = 2 AND seq = 1", "fact 1 is missing"),
        ("DELETE FROM journal WHERE run = 2", "its facts end with 0"),
        ("UPDATE run SET status = 'completed' WHERE run = 2", "its row says status='completed', its facts 'running'"),
        ("UPDATE run SET done = 7 WHERE run = 2", "its row says done=7, its facts 1"),
        ("UPDATE run SET seq = 4 WHERE run = 2", "its row says seq=4, its facts 5"),
        ("UPDATE run SET seq = 0 WHERE run = 2", "its row says seq=0"),
        ("UPDATE journal SET kind = 99 WHERE run = 2 AND seq = 2", "kind (99)"),
        ("UPDATE journal SET body = x'ff' WHERE run = 2 AND seq = 4", "fact 4 (STEP_RESET) cannot be read"),
        ("UPDATE journal SET body = x'81a161' WHERE run = 2 AND seq = 1", "its facts cannot be folded"),
        (
            "UPDATE journal SET kind = 6, body = x'80' WHERE run = 2 AND seq = 4",
            "fact 5 comes after the end of the run",
        ),
        ("UPDATE journal SET kind = 1 WHERE run = 2 AND seq = 4", "fact 4 is a second RUN_STARTED"),
        ("DROP INDEX journal_end; UPDATE journal SET path = 'a' WHERE run = 2 AND seq = 5", "`a` has 2 ends"),
    ],
)
async def test_each_breach_of_a_law_is_found_in_its_run_and_in_no_other(path: Path, sql: str, told: str) -> None:
    """S2, S17: a number is missing, a path ends twice, a row is not the fold of the facts."""
    await filled(path)
    change(path, sql)
    seal(path)
    found = look(path)
    assert found.runs is not None
    assert told in " | ".join(fault for _, fault in found.runs.faults)
    assert (set(faults(found)), found.runs.broken) == ({"B"}, 1)
    assert found.runs.runs == 3


async def test_a_fact_that_is_not_as_it_was_written_is_found(path: Path) -> None:
    """S3: a bit that flips leaves a file that SQLite finds whole."""
    await filled(path)
    change(path, "UPDATE journal SET value = x'32' WHERE run = 2 AND seq = 5")
    found = look(path)
    assert found.damage == []
    assert "fact 5 is not as it was written (its checksum differs)" in faults(found)["B"]


async def test_facts_that_belong_to_no_run_are_counted(path: Path) -> None:
    await filled(path)
    change(path, "DELETE FROM run WHERE run = 2")
    found = look(path)
    assert found.runs is not None
    assert (found.runs.strays, found.runs.broken) == (1, 0)


@pytest.mark.parametrize("sql", ["DROP INDEX journal_end", "DROP INDEX run_key; CREATE INDEX run_key ON run (key)"])
async def test_an_index_that_was_taken_away_is_damage(path: Path, sql: str) -> None:
    """S2: the database enforces one end a path, so what enforces it must be there."""
    await filled(path)
    change(path, sql)
    (told,) = look(path).damage
    assert told in ("the index `journal_end` is missing", "the index `run_key` was altered")


async def test_a_table_that_is_missing_is_damage(path: Path) -> None:
    await filled(path)
    change(path, "DROP TABLE journal")
    found = look(path)
    assert "the table `journal` is missing" in found.damage
    assert any("no such table" in one for one in found.damage)


async def test_a_disk_without_room_for_looking_says_nothing_against_the_store(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(path)

    def full(*_: object) -> None:
        raise apsw.FullError("database or disk is full")

    monkeypatch.setattr(audit_runs, "from_rows", full)
    monkeypatch.setattr(audit_runs, "rebuild", full)
    with pytest.raises(StoreError, match="disk is full"):
        look(path)


@pytest.mark.parametrize("harm", ["gone", "cut", "flipped"])
async def test_a_value_that_is_lost_is_named_with_its_run_and_step(path: Path, harm: str) -> None:
    """S3, S21."""
    await filled(path)
    file = next(one for one in blobs(path) if one.read_bytes().endswith(b"B"))
    data = file.read_bytes()
    file.unlink()
    if harm != "gone":
        file.write_bytes(data[:100] if harm == "cut" else data[:50] + b"?" + data[51:])
    values = look(path).values
    assert values is not None
    assert (values.files, values.lost) == (3, 1)
    ((run_id, told),) = values.faults
    words = {"gone": "is gone", "cut": "damaged (100 bytes of 20,001)", "flipped": "damaged (other bytes)"}
    assert run_id == "B"
    assert told.startswith("the value of `a` (fact 3): ")
    assert told.endswith(words[harm])


async def test_files_that_no_fact_names_are_counted_unless_they_are_quite_new(path: Path) -> None:
    """A fact that names a new file may be on its way."""
    await filled(path)
    folder = path.with_name("runs.db.blobs") / "ab"
    folder.mkdir(exist_ok=True)
    (folder / hashlib.sha256(b"old").hexdigest()).write_bytes(b"old")
    (folder / "notes.txt").write_bytes(b"by somebody")
    for one in folder.iterdir():
        os.utime(one, (1.0, 1.0))
    (folder / hashlib.sha256(b"new").hexdigest()).write_bytes(b"new")
    values = look(path).values
    assert values is not None
    assert (values.orphans, values.orphan_bytes, values.lost) == (2, 14, 0)


async def test_what_the_dead_have_left_is_counted_and_stays(path: Path, other: Callable[..., Other]) -> None:
    died = other("chain", path, "R", 10, STEPWELL_FAILPOINT="blob.rename:before@1")
    died.hear_all()
    before = {one.name for one in path.with_name("runs.db.owners").iterdir()}
    found = look(path)
    assert found.values is not None
    assert (found.values.unfinished, found.values.unfinished_bytes) == (1, 20_000)
    assert (found.interrupted, found.live, found.locks) == (["R"], [], 1)
    assert {one.name for one in path.with_name("runs.db.owners").iterdir()} == before


async def test_a_store_in_use_is_looked_at_and_its_owner_told(path: Path, other: Callable[..., Other]) -> None:
    owner = other("hold", path, "R")
    owner.hear()
    found = look(path)
    assert [run_id for run_id, _ in found.live] == ["R"]
    assert found.live[0][1] == f"in process {owner.process.pid}"
    assert found.wal > 0
    owner.tell("write")
    assert owner.hear() == "wrote"
    again = look(path)
    assert again.runs is not None
    assert (again.runs.facts, again.runs.broken) == (2, 0)


async def test_a_run_without_a_fact_is_no_fault(path: Path, other: Callable[..., Other]) -> None:
    other("unborn", path, "key").hear()
    found = look(path)
    assert (found.unborn, faults(found)) == (1, {})


@pytest.mark.parametrize("keep", [0, 10, 100, 1024, 3000, 0.5, 0.9])
async def test_a_file_that_was_cut_is_told_and_never_a_traceback(path: Path, keep: float) -> None:
    await filled(path)
    data = content(path)
    put(path, data[: int(keep if keep > 1 or keep == 0 else keep * len(data))])
    found = look(path)
    assert found.damage
    assert all(found.damage)


async def test_a_file_with_flipped_bits_anywhere_is_told_or_whole_and_never_a_traceback(path: Path) -> None:
    await filled(path)
    data = content(path)
    noticed = 0
    for at in range(0, len(data), 151):
        put(path, data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
        try:
            found = look(path)
        except StoreError:
            noticed += 1
            continue
        runs = found.runs
        noticed += bool(found.damage or not found.is_ours or found.version != schema.VERSION)
        noticed += bool(not found.damage and runs is not None and runs.broken)
    assert noticed > 10


def test_what_is_no_store_is_told_apart(path: Path) -> None:
    path.write_bytes(b"to do: buy milk\n" * 100)
    assert "not an SQLite database" in look(path).damage[0]
    path.unlink()
    change(path, "CREATE TABLE t (x); PRAGMA application_id = 77")
    found = look(path)
    assert (found.is_ours, found.application, found.damage) == (False, 77, [])


async def test_a_store_of_another_version_is_not_gone_through(path: Path) -> None:
    await filled(path)
    change(path, f"PRAGMA user_version = {schema.VERSION + 1}")
    found = look(path)
    assert (found.version, found.runs, found.damage) == (schema.VERSION + 1, None, [])


def test_a_file_that_cannot_be_opened_is_an_error_with_the_way_out(path: Path) -> None:
    with pytest.raises(StoreError, match=r"runs\.db cannot be read"):
        look(path)
