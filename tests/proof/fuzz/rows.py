"""Rows that say what they never should: altered by SQL, so that the file itself is whole."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import apsw
import msgspec

from stepwell.journal.sqlite.rows import COLUMNS

from .stores import Kit

_BAD_BYTES = (b"", b"\xc1", b"\x80\x80", b"\x93\x01", b"\xdd\xff\xff\xff\xff", b"\x91" * 5_000, b"not msgpack")
_BAD_TEXT = ("", "nowhere", "note", "note[", "note]", "note[no 99]", "note[no 1]#7", "a/b", "\0", "\ud800", "#")
_BAD_NUMBERS = (-1, 0, 2**31, 2**53, 2**63 - 1, -(2**63))
_BAD_TIMES = (-1.0, 0.0, 1e308, -1e308, float("inf"), float("-inf"), 253402300800.0)
_JOURNAL = ("seq", "kind", "at", "path", "attempt", "body", "value", "digest", "size")


def alter(kit: Kit, store: Path, chance: random.Random) -> str:
    """One to three changes."""
    db = apsw.Connection(str(store))
    db.execute("PRAGMA ignore_check_constraints = ON")
    told: list[str] = []
    try:
        for _ in range(chance.choice([1, 1, 1, 2, 3])):
            way = chance.choice(WAYS)
            try:
                told.append(way(db, chance))
            except (apsw.Error, OverflowError, UnicodeEncodeError, IndexError) as error:
                told.append(f"({way.__name__} was refused: {error})")
    finally:
        db.close()
    return "; ".join(told)


def forge(kit: Kit, store: Path, chance: random.Random) -> str:
    """The same by somebody who knows of checksums: so that what reads the facts is tried with what none would write."""
    told = alter(kit, store, chance)
    db = apsw.Connection(str(store))
    try:
        for run, seed in db.execute("SELECT run, run_id FROM run").fetchall():
            for row in db.execute(f"SELECT {COLUMNS} FROM journal WHERE run = ?", (run,)).fetchall():
                crc = crc32(msgspec.msgpack.encode(row[:-1]), crc32(seed.encode()))
                db.execute("UPDATE journal SET crc = ? WHERE run = ? AND seq = ?", (crc, run, row[0]))
    except (apsw.Error, UnicodeDecodeError) as error:
        told += f"; ({error})"
    finally:
        db.close()
    return told


def _row(db: apsw.Connection, chance: random.Random) -> tuple[int, int]:
    rows = db.execute("SELECT run, seq FROM journal ORDER BY run, seq").fetchall()
    return chance.choice(rows) if rows else (0, 0)


def _cell(db: apsw.Connection, chance: random.Random) -> str:
    run, seq = _row(db, chance)
    column = chance.choice(_JOURNAL)
    values: dict[str, Sequence[object]] = {
        "seq": _BAD_NUMBERS,
        "kind": (*range(28), 999, -1),
        "at": _BAD_TIMES,
        "path": _BAD_TEXT,
        "attempt": _BAD_NUMBERS,
        "size": (*_BAD_NUMBERS, None),
    }
    value: Any = chance.choice(values.get(column, (*_BAD_BYTES, None, chance.randbytes(32))))
    db.execute(f"UPDATE journal SET {column} = ? WHERE run = ? AND seq = ?", (value, run, seq))
    return f"run {run} fact {seq}: {column} = {value!r:.60}"


def _field(db: apsw.Connection, chance: random.Random) -> str:
    """A body that can be read, with one field of another type or value."""
    rows = db.execute("SELECT run, seq, body FROM journal WHERE body IS NOT NULL ORDER BY run, seq").fetchall()
    run, seq, body = chance.choice(rows)
    fields = msgspec.msgpack.decode(body)
    name = chance.choice(sorted(fields))
    odd: list[Any] = [None, -1, 2**40, "", "nowhere", [], {}, {"note": 1}, [[9, 9, 9]], 1e308, [["x"]], True, ["note"]]
    fields[name] = chance.choice([one for one in odd if name != "count" or one != 2**40])  # that many want a TB
    db.execute("UPDATE journal SET body = ? WHERE run = ? AND seq = ?", (msgspec.msgpack.encode(fields), run, seq))
    return f"run {run} fact {seq}: {name} = {fields[name]!r}"


def _gone(db: apsw.Connection, chance: random.Random) -> str:
    run, seq = _row(db, chance)
    db.execute("DELETE FROM journal WHERE run = ? AND seq = ?", (run, seq))
    return f"run {run}: fact {seq} gone"


def _tail_gone(db: apsw.Connection, chance: random.Random) -> str:
    run, seq = _row(db, chance)
    db.execute("DELETE FROM journal WHERE run = ? AND seq >= ?", (run, seq))
    return f"run {run}: facts from {seq} on gone"


def _swapped(db: apsw.Connection, chance: random.Random) -> str:
    run, one = _row(db, chance)
    two = one + chance.choice([1, 2])
    for old, new in ((one, -5), (two, one), (-5, two)):
        db.execute("UPDATE journal SET seq = ? WHERE run = ? AND seq = ?", (new, run, old))
    return f"run {run}: facts {one} and {two} swapped"


def _twice(db: apsw.Connection, chance: random.Random) -> str:
    run, seq = _row(db, chance)
    db.execute("DROP INDEX IF EXISTS journal_end")
    (last,) = db.execute("SELECT max(seq) FROM journal WHERE run = ?", (run,)).fetchall()[0]
    db.execute(
        "INSERT INTO journal SELECT run, ?, kind, at, path, attempt, body, value, digest, size, crc FROM journal "
        "WHERE run = ? AND seq = ?", (last + 1, run, seq),
    )  # fmt: skip
    db.execute("UPDATE run SET seq = ? WHERE run = ?", (last + 1, run))
    return f"run {run}: fact {seq} once more at the end"


def _other_runs(db: apsw.Connection, chance: random.Random) -> str:
    run, seq = _row(db, chance)
    other = chance.choice([one for one in (1, 2, 3) if one != run])
    db.execute("DROP INDEX IF EXISTS journal_end")
    db.execute("DELETE FROM journal WHERE run = ? AND seq = ?", (other, seq))
    db.execute("UPDATE journal SET run = ? WHERE run = ? AND seq = ?", (other, run, seq))
    return f"run {run}: fact {seq} is run {other}'s"


def _all_of_another(db: apsw.Connection, chance: random.Random) -> str:
    one, two = chance.sample([1, 2, 3], 2)
    db.execute("DROP INDEX IF EXISTS journal_end")
    for old, new in ((one, 9), (two, one), (9, two)):
        db.execute("UPDATE journal SET run = ? WHERE run = ?", (new, old))
    return f"all facts of runs {one} and {two} swapped"


def _run_row(db: apsw.Connection, chance: random.Random) -> str:
    run = chance.choice([1, 2, 3])
    values: dict[str, Sequence[object]] = {
        "seq": (*_BAD_NUMBERS, 3, 999),
        "status": ("", "running", "completed", "nonsense", "failed", "blocked", "cancelled"),
        "started_at": _BAD_TIMES,
        "updated_at": _BAD_TIMES,
        "ended_at": (*_BAD_TIMES, None),
        "steps": _BAD_NUMBERS,
        "done": _BAD_NUMBERS,
        "pipeline": _BAD_TEXT,
        "key": _BAD_TEXT,
        "run_id": _BAD_TEXT,
        "target": ("", "nowhere.py", "\0", "-", "stepwell.api:app", "../../x.py:y"),
        "reason": _BAD_TEXT,
        "run": (77, -3),
    }
    column = chance.choice(sorted(values))
    value: Any = chance.choice(values[column])
    db.execute(f"UPDATE run SET {column} = ? WHERE run = ?", (value, run))
    return f"the row of run {run}: {column} = {value!r}"


def _lease(db: apsw.Connection, chance: random.Random) -> str:
    run = chance.choice([1, 2, 3])
    column = chance.choice(["owner", "epoch", "gone"])
    if column == "gone":
        db.execute("DELETE FROM lease WHERE run = ?", (run,))
        return f"run {run} has no lease"
    odd: Sequence[Any] = _BAD_NUMBERS if column == "epoch" else (*_BAD_TEXT, "../../../etc/passwd", "a/b", "1-1")
    value = chance.choice(odd)
    db.execute(f"UPDATE lease SET {column} = ? WHERE run = ?", (value, run))
    return f"the lease of run {run}: {column} = {value!r}"


def _inbox(db: apsw.Connection, chance: random.Random) -> str:
    kind, at = chance.choice(["cancel", "nonsense", ""]), chance.choice(_BAD_TIMES)
    run = chance.choice([1, 2, 3, 99])
    db.execute("INSERT INTO inbox VALUES (?, ?, ?, ?, 'because', 0)", (str(chance.random()), run, kind, at))
    return f"a request {kind!r} of {at} for run {run}"


def _schema(db: apsw.Connection, chance: random.Random) -> str:
    sql = chance.choice([
        "DROP TABLE journal", "DROP TABLE run", "DROP TABLE lease", "DROP TABLE inbox", "DROP INDEX journal_end",
        "PRAGMA user_version = 99", "PRAGMA user_version = 0", "PRAGMA user_version = -1", "PRAGMA application_id = 7",
        "ALTER TABLE journal RENAME COLUMN body TO wrong", "ALTER TABLE run DROP COLUMN reason",
        "DELETE FROM run", "DELETE FROM journal", "DELETE FROM lease",
    ])  # fmt: skip
    db.execute(sql)
    return sql


WAYS = (
    _cell, _cell, _cell, _cell, _field, _field, _field, _gone, _tail_gone, _swapped, _twice, _other_runs,
    _all_of_another, _run_row, _run_row, _lease, _inbox, _schema,
)  # fmt: skip
