"""`stepwell ls`: the runs that there are."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from cyclopts import Parameter

from stepwell.cli.options import Json, Store, nearby, opened
from stepwell.cli.streams import output, tell
from stepwell.cli.terminal import STATUS_COLOURS, Column, Terminal, cells, look, table
from stepwell.errors import InputError
from stepwell.journal.port import RunRow
from stepwell.text import can_be_written
from stepwell.views.words import ago, duration, moment, plural

Status = Literal[
    "running", "interrupted", "completed", "stopped", "degraded", "failed", "cancelled", "timed_out", "blocked"
]
_COLUMNS = (
    Column("RUN"),
    Column("PIPELINE", shrinks=True),
    Column("STATUS"),
    Column("STARTED", gives_way=1),
    Column("TIME", right=True, gives_way=3),
    Column("STEPS", right=True, gives_way=2),
)
_SHORT_ID = 14
"""On a narrow terminal: the time to the millisecond and a little chance."""
_ROOMY = 80


def ls(
    *,
    status: Annotated[Status | None, Parameter(name=("-s", "--status"), help="Only runs of this status.")] = None,
    pipeline: Annotated[
        str, Parameter(name=("-p", "--pipeline"), show_default=False, help="Only this pipeline's.")
    ] = "",
    limit: Annotated[int, Parameter(name=("-n", "--limit"), help="At most so many, the latest first.")] = 20,
    json: Json = False,
    store: Store = None,
) -> int:
    """List the runs, the latest first."""
    if limit < 1:
        raise InputError(f"--limit must be at least 1, not {limit}")
    now = time.time()
    with opened(store, "ls") as app:
        rows = list(app.store.runs(status or "", pipeline, limit + 1)) if can_be_written(pipeline) else []
        place = getattr(app.store, "path", None)
    more, rows = len(rows) > limit, rows[:limit]
    out = output()
    if json:
        out.versioned({"runs": [document(row, now) for row in rows], "more": more})
        return 0
    if not rows:
        where = f" in {nearby(place)}" if place is not None else ""
        wanted = " like that" if status or pipeline else ""
        tell(f"no runs{wanted}{where}; `stepwell run FILE.py` makes one")
        return 0
    out.text("\n".join(_lines(rows, look(out.stream), now)))
    if more:
        tell(f"and more; `stepwell ls -n {limit * 5}` shows up to {plural(limit * 5, 'run')}")
    return 0


def document(row: RunRow, now: float) -> dict[str, object]:
    """A run as JSON has it; times in seconds since the epoch."""
    return {
        "run_id": row.run_id,
        "pipeline": row.pipeline,
        "status": row.status,
        "reason": row.reason,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "duration": took(row, now),
        "steps_total": row.steps,
        "steps_done": row.done,
        "key": row.key,
        "target": row.target,
    }


def took(row: RunRow, now: float) -> float:
    """Seconds from its start to its end, to now while it runs, to the last record of one whose process is gone."""
    if row.ended_at is not None:
        return row.ended_at - row.started_at
    return (now if row.status == "running" else row.updated_at) - row.started_at


def _lines(rows: list[RunRow], terminal: Terminal, now: float) -> list[str]:
    narrow = terminal.width is not None and terminal.width < _ROOMY
    cell_rows = [
        (
            row.run_id[:_SHORT_ID] if narrow else row.run_id,
            row.pipeline,
            row.status,
            ago(row.started_at, now) if terminal.is_terminal else moment(row.started_at),
            duration(took(row, now)),
            f"{row.done}/{row.steps}",
        )
        for row in rows
    ]
    lines, kept = table(_COLUMNS, cell_rows, terminal.width)
    if not terminal.colour or 2 not in kept:
        return lines
    painted = [_painted(line, row, terminal) for line, row in zip(lines[1:], rows, strict=True)]
    return [terminal.paint(lines[0], "dim"), *painted]


def _painted(line: str, row: RunRow, terminal: Terminal) -> str:
    """The line with its status in colour; the status stands after the id and the pipeline."""
    at = line.find(f"  {row.status}", cells(row.pipeline))
    head, word = line[: at + 2], line[at + 2 : at + 2 + len(row.status)]
    return f"{head}{terminal.paint(word, STATUS_COLOURS.get(row.status))}{line[at + 2 + len(row.status) :]}"
