"""The laws of the journal, looked at for every run: numbers without a gap, one end a path, a row that is the fold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import apsw

from stepwell.errors import StoreError
from stepwell.events import EventKind
from stepwell.journal.sqlite.database import Database, one
from stepwell.journal.sqlite.projection import rebuild
from stepwell.journal.sqlite.rows import COLUMNS, ENDS_IN_SQL, KINDS, from_rows

MOST = 100
"""So many faults are told in words; all of them are counted."""
NOT_ITS_FAULT = (apsw.FullError, apsw.NoMemError, apsw.BusyError, apsw.InterruptError)
"""What says nothing about the store: no room for what is looked up, say."""
_RUNS = 200
_FACTS = 1000
_STARTED, _FINISHED = KINDS[EventKind.RUN_STARTED], KINDS[EventKind.RUN_FINISHED]
_RESUMED = KINDS[EventKind.RUN_RESUMED]

_PAGE = "SELECT run, run_id, seq FROM main.run WHERE run > ? ORDER BY run LIMIT ?"
_READ = f"SELECT {COLUMNS} FROM journal WHERE run = ? AND seq > ? ORDER BY seq LIMIT ?"
_DOUBLES = (  # in the order of the index of ends, if it is there: nothing is sorted, and nothing is held
    f"SELECT path, count(*) FROM journal WHERE run = ? AND kind IN ({ENDS_IN_SQL}) "
    "GROUP BY run, path HAVING count(*) > 1 LIMIT 3"
)
_STRAYS = """
WITH RECURSIVE each (run) AS (
    SELECT min(run) FROM journal
    UNION ALL SELECT (SELECT min(run) FROM journal WHERE run > each.run) FROM each WHERE each.run IS NOT NULL
) SELECT count(*) FROM each WHERE run IS NOT NULL AND run NOT IN (SELECT run FROM main.run)
"""
_NAMED = (
    "CREATE TEMP TABLE named (digest BLOB PRIMARY KEY, size INTEGER, run_id TEXT, seq INTEGER, path TEXT) WITHOUT ROWID"
)


@dataclass(slots=True)
class RunsAudit:
    """How many runs and facts there are, and which runs break a law."""

    runs: int = 0
    facts: int = 0
    broken: int = 0
    """Runs with a fault."""
    faults: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Run and what is wrong with it, the first of them."""
    strays: int = 0
    """Numbers of runs under which there are facts, and no run."""

    def note(self, run_id: str, faults: list[str]) -> None:
        """A run has these faults."""
        if faults:
            self.broken += 1
            room = max(0, MOST - len(self.faults))
            self.faults += [(run_id, fault) for fault in faults[:room]]


def audit_runs(db: Database, progress: Callable[[str], None]) -> RunsAudit:
    """Look at every run; the files that facts name are left in the table `temp.named` of this connection."""
    found = RunsAudit()
    columns = [row[1] for row in db.execute("PRAGMA main.table_info (run)").fetchall()]
    db.execute("PRAGMA temp.cache_size = -65536")  # kB; the disk may be full, so no temporary file before that
    # A table of this name in front of the store's own: what derives the rows anew writes there, and reads the facts.
    db.execute(f"CREATE TEMP TABLE run (run INTEGER PRIMARY KEY, {', '.join(columns[1:])}); {_NAMED}")
    total = one(db, "SELECT count(*) FROM main.run")
    last = 0
    while page := db.execute(_PAGE, (last, _RUNS)).fetchall():
        progress(f"{found.runs:,} of {total:,} runs")
        differing = _differing(db, columns, [number for number, *_ in page])
        for number, run_id, seq in page:
            faults = list(_facts(db, number, run_id, seq, found))
            faults += differing.get(number, [])
            found.runs += 1
            found.note(run_id, faults)
        last = page[-1][0]
    found.strays = one(db, _STRAYS)
    db.execute("DROP TABLE temp.run")
    return found


def _differing(db: Database, columns: list[str], numbers: list[int]) -> dict[int, list[str]]:
    """What the rows of these runs say else than their facts; where some cannot be folded, each is tried by itself."""
    try:
        return _compared(db, columns, numbers)
    except NOT_ITS_FAULT:
        raise
    except (apsw.Error, StoreError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        if len(numbers) == 1:
            return {numbers[0]: [f"its facts cannot be folded: {error}"]}
    found: dict[int, list[str]] = {}
    for number in numbers:
        found.update(_differing(db, columns, [number]))
    return found


def _compared(db: Database, columns: list[str], numbers: list[int]) -> dict[int, list[str]]:
    among = f"run BETWEEN {numbers[0]} AND {numbers[-1]}"
    db.execute("BEGIN")  # both are of one moment, whoever writes
    try:
        db.execute(f"DELETE FROM temp.run; INSERT INTO temp.run SELECT * FROM main.run WHERE {among}")
        rebuild(db)
        kept, derived = (
            db.execute(f"SELECT {', '.join(columns)} FROM {table}.run WHERE {among} ORDER BY run").fetchall()
            for table in ("main", "temp")
        )
    finally:
        db.execute("COMMIT" if db.in_transaction else "SELECT 1")
    found: dict[int, list[str]] = {}
    for row, anew in zip(kept, derived, strict=True):
        found[row[0]] = [
            f"its row says {name}={said!r}, its facts {fact!r}"
            for name, said, fact in zip(columns, row, anew, strict=True)
            if said != fact
        ]
    return found


def _facts(db: Database, number: int, run_id: str, tip: int, found: RunsAudit) -> Iterator[str]:
    """What is wrong with the facts of one run, each read and decoded."""
    seq, end = 0, False
    try:
        while rows := db.execute(_READ, (number, seq, _FACTS)).fetchall():
            found.facts += len(rows)
            yield from _unreadable(run_id, rows)
            named: list[tuple[Any, ...]] = []
            for at, kind, _, path, _, _, _, digest, size, _ in rows:
                if at != seq + 1:
                    yield f"fact {seq + 1} is missing, {at} comes next" if at > seq else f"fact {at} is out of order"
                seq = at
                if (kind == _STARTED) != (at == 1):
                    yield f"fact {at} is {'a second RUN_STARTED' if kind == _STARTED else 'no RUN_STARTED'}"
                if end and kind != _RESUMED:
                    yield f"fact {at} comes after the end of the run"
                end = kind == _FINISHED
                if digest is not None:
                    named.append((digest, size, run_id, at, path))
            if named:
                db.executemany("INSERT OR IGNORE INTO temp.named VALUES (?, ?, ?, ?, ?)", named)
        if seq < tip:
            yield f"its facts end with {seq}, and {tip} were recorded"
        if seq and not tip and not one(db, "SELECT seq FROM main.run WHERE run = ?", (number,)):
            yield f"its row says seq=0, and it has {seq} facts"
        for path, count in db.execute(_DOUBLES, (number,)).fetchall():
            yield f"`{path}` has {count} ends"
    except NOT_ITS_FAULT:
        raise
    except (apsw.Error, UnicodeDecodeError) as error:
        yield f"its facts after {seq} cannot be read: {error}"


def _unreadable(run_id: str, rows: list[tuple[Any, ...]]) -> Iterator[str]:
    """Facts that do not decode."""
    try:
        from_rows(run_id, rows)
    except Exception:  # whatever bytes can do: each row by itself says which
        for row in rows:
            try:
                from_rows(run_id, [row])
            except Exception as error:
                yield str(error).removeprefix(f"run {run_id}: ")
