"""The row of a run, kept in the transaction of the facts that it is derived from; and derived anew from all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from stepwell.events import Event, EventKind, RunBlocked, RunFinished, RunResumed, RunStarted, StepReset
from stepwell.journal.done import fold_done, is_done
from stepwell.journal.sqlite.batch import Batch, Held
from stepwell.journal.sqlite.database import Statements
from stepwell.journal.sqlite.rows import COLUMNS, KINDS, STEP_ENDS, STEP_RESET, from_rows

_GO_ON = "UPDATE run SET seq = ?, updated_at = ?, done = done + ? WHERE run = ?"
_COUNTED = "UPDATE run SET done = ? WHERE run = ?"
_HISTORY = (
    f"SELECT {COLUMNS} FROM journal WHERE run = ? AND seq > ? AND kind IN "
    f"({', '.join(map(str, (*STEP_ENDS, STEP_RESET)))}) ORDER BY seq"
)
_SIMPLE = frozenset(STEP_ENDS) - {KINDS[EventKind.STEP_FAILED], KINDS[EventKind.STEP_CANCELLED]}
"""Ends of which the kind alone says that the step is done."""
_TURNS = (
    f"SELECT {COLUMNS} FROM journal WHERE run = ? AND kind IN "
    f"({', '.join(str(code) for kind, code in KINDS.items() if kind.value.startswith('RUN_'))}) ORDER BY seq"
)


def project(db: Statements, batches: Iterable[Batch]) -> None:
    """Bring the rows of these batches' runs up to date."""
    going: dict[int, tuple[int, float, int, int]] = {}
    recount: dict[int, Held] = {}
    for batch in batches:
        last = batch.rows[-1]
        number = batch.held.number
        before = going.get(number)
        going[number] = (last[1], last[3], batch.done + (before[2] if before else 0), number)
        for event in batch.turns or ():
            if isinstance(event, StepReset):
                recount[number] = batch.held
            else:
                _turn(db, number, event)
    if len(going) == 1:
        db.execute(_GO_ON, *going.values())
    else:
        db.executemany(_GO_ON, going.values())
    for number, held in recount.items():
        db.execute(_COUNTED, (_count(db, held), number))


def _turn(db: Statements, number: int, event: Event) -> None:
    """What a fact about the run itself says."""
    if isinstance(event, RunStarted):
        db.execute(
            "UPDATE run SET status = 'running', pipeline = coalesce(nullif(?, ''), pipeline), target = ?, "
            "started_at = ?, steps = ? WHERE run = ?",
            (event.pipeline, event.target, event.at, len(event.fingerprints), number),
        )
    elif isinstance(event, RunResumed):
        db.execute("UPDATE run SET status = 'running', reason = '', ended_at = NULL WHERE run = ?", (number,))
    elif isinstance(event, RunFinished):
        values = (event.status, event.reason, event.at, number)
        db.execute("UPDATE run SET status = ?, reason = ?, ended_at = ? WHERE run = ?", values)
    elif isinstance(event, RunBlocked):
        db.execute("UPDATE run SET status = 'blocked', reason = ? WHERE run = ?", (event.reason, number))


def _count(db: Statements, held: Held) -> int:
    """How many steps are done, read from the facts since the last such count."""
    rows = db.execute(_HISTORY, (held.number, held.counted)).fetchall()
    fold_done(held.ended, _history(held.lease.run_id, rows))
    held.counted = rows[-1][0] if rows else held.counted
    return len(held.ended)


def _history(run_id: str, rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        if row[1] in _SIMPLE:
            yield (row[3],)
            continue
        (event,) = from_rows(run_id, [row])
        if isinstance(event, StepReset):
            yield ("", *event.paths)
        elif is_done(event):
            yield (row[3],)


def rebuild(db: Statements) -> None:
    """Derive the row of every run from its journal anew; only what it was created with stays: id, pipeline, key."""
    for number, run_id in db.execute("SELECT run, run_id FROM run WHERE seq > 0").fetchall():
        tip = db.execute("SELECT seq, at FROM journal WHERE run = ? ORDER BY seq DESC LIMIT 1", (number,)).fetchall()
        seq, last = tip[0] if tip else (0, 0.0)
        db.execute(
            "UPDATE run SET target = '', status = '', reason = '', started_at = 0, updated_at = ?, ended_at = NULL, "
            "steps = 0, seq = ? WHERE run = ?",
            (last, seq, number),
        )
        for event in from_rows(run_id, db.execute(_TURNS, (number,)).fetchall()):
            _turn(db, number, event)
        rows = db.execute(_HISTORY, (number, 0)).fetchall()
        db.execute(_COUNTED, (len(fold_done(set(), _history(run_id, rows))), number))
