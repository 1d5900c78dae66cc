"""`stepwell show RUN`: a run and its steps, out of its record alone; the pipeline's code is not needed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Annotated

from cyclopts import Parameter

from stepwell.api.glance import Glance, glance, whole
from stepwell.cli.closing import chief, done, failure_lines, sorted_failures, step_lines, way_on
from stepwell.cli.ls import document as run_document
from stepwell.cli.ls import took
from stepwell.cli.options import Json, RunId, Store, find, opened
from stepwell.cli.streams import output
from stepwell.cli.terminal import STATUS_COLOURS, Terminal, look
from stepwell.events import Failure
from stepwell.journal.port import RunRow
from stepwell.views.facts import brief
from stepwell.views.frames import own_frame
from stepwell.views.records import StepRecord
from stepwell.views.words import ago, duration, moment, plural

_FAILURES = 10
_LISTED = 1000
"""So many failures of the items of each map are in --json."""
_NOTES = 5
_MANY = 100


def show(
    run: RunId,
    /,
    *,
    items: Annotated[
        bool, Parameter(negative=(), show_default=False, help="List every step, and every item of every map.")
    ] = False,
    json: Json = False,
    store: Store = None,
) -> int:
    """Show a run: its steps with status, time and attempts, and what failed where.

    It works while the run is going on in another process, and without the code of the pipeline.
    """
    now = time.time()
    with opened(store, "show") as app:
        row = find(app, run)
        found = whole(app.store, row) if items else glance(app.store, row, _LISTED if json else _FAILURES)
    out = output()
    if json:
        out.versioned(_document(found, now, items=items))
    else:
        out.text("\n".join(_lines(found, look(out.stream), now, items=items, store=store)))
    return 0


# --- for people -------------------------------------------------------------------------------------------------------


def _lines(found: Glance, terminal: Terminal, now: float, *, items: bool, store: str | None) -> Iterator[str]:
    row, steps = found.row, found.steps
    status = terminal.paint(row.status, STATUS_COLOURS.get(row.status))
    yield f"run {row.run_id}  {row.pipeline}  {status}"
    yield terminal.fit(f"started  {moment(row.started_at)} ({ago(row.started_at, now)})")
    yield f"took     {duration(took(row, now))}, {done(steps)} of {plural(row.steps, 'step')}"
    yield from (terminal.fit(line) for line in _about(found))
    yield ""
    yield from _steps(steps, terminal, items=items)
    more = len(found.notes) - _NOTES
    told = found.notes[-_NOTES:]
    told += [f"and {plural(more, 'note')} more, in --json"] if more > 0 else []
    told += _why_interrupted(row)
    fatal, borne = sorted_failures(found.state.failures, steps)
    unread_fatal = sum(count for name, count in found.unread.items() if steps[name].status == "failed")
    unread_borne = sum(found.unread.values()) - unread_fatal
    failures = [
        *failure_lines(fatal, terminal, most=_FAILURES, unread=unread_fatal),
        *failure_lines(borne, terminal, tag="tolerated", most=_FAILURES, unread=unread_borne),
    ]
    if failures:
        yield ""
        yield from failures
    if told:
        yield ""
        yield from told
    if row.status not in ("completed", "stopped", "degraded", "running"):
        yield ""
        yield from list(way_on(row.run_id, row.status, store))[1:]


def _about(found: Glance) -> Iterator[str]:
    row = found.row
    if row.key:
        yield f"key      {row.key}"
    if row.target:
        yield f"target   {row.target}"
    given = [f"{name}={brief(value)}" for name, value in found.inputs.items()]
    if given:
        yield f"inputs   {' '.join(given)}"
    if row.reason:
        yield f"reason   {row.reason}"


def _why_interrupted(row: RunRow) -> Iterator[str]:
    if row.status == "interrupted":
        yield "its process is gone; what is recorded is safe"


def _steps(steps: Mapping[str, StepRecord], terminal: Terminal, *, items: bool) -> Iterator[str]:
    whole = items or len(steps) <= _MANY
    lines = step_lines(steps, terminal, whole=whole)
    if not whole:
        yield from lines
        yield "         (--items lists every step)"
        return
    for record, line in zip(steps.values(), lines, strict=True):
        yield line
        for key, item in record.items.items() if items else ():
            attempts = f"  {item.attempts} attempts" if item.attempts > 1 else ""
            words = terminal.paint(item.status, STATUS_COLOURS.get(item.status))
            yield f"         [{key}]  {words}{attempts}"


# --- for programs -----------------------------------------------------------------------------------------------------


def _document(found: Glance, now: float, *, items: bool) -> dict[str, object]:
    unread = sum(found.unread.values())
    return {
        **run_document(found.row, now),
        "inputs": dict(found.inputs),
        "notes": found.notes,
        "steps": [_step(name, record, items=items) for name, record in found.steps.items()],
        "failures": [_failure(one) for one in chief(found.state.failures)],
        **({"failures_left_out": unread} if unread else {}),
    }


def _step(name: str, record: StepRecord, *, items: bool) -> dict[str, object]:
    found: dict[str, object] = {
        "step": name,
        "path": record.path,
        "status": record.status,
        "reason": record.reason,
        "attempts": record.attempts,
        "visit": record.visit,
        "soft_failed": record.soft_failed,
        "started_at": record.started_at,
        "ended_at": record.ended_at,
        "duration": record.duration,
        "failure": None if record.failure is None else _failure(record.failure),
    }
    if record.counts:
        found["items"] = {"total": sum(record.counts.values()), **record.counts}
        listed = record.items if items else {key: one for key, one in record.items.items() if one.status == "failed"}
        found["listed"] = {key: {"status": one.status, "attempts": one.attempts} for key, one in listed.items()}
    return found


def _failure(failure: Failure) -> dict[str, object]:
    frame = own_frame(failure.traceback)
    return {
        "path": failure.path,
        "step": failure.step,
        "item": failure.item,
        "kind": failure.kind,
        "reason": failure.reason,
        "type": failure.type,
        "message": failure.message,
        "attempt": failure.attempt,
        "file": None if frame is None else frame.file,
        "line": None if frame is None else frame.line,
        "traceback": failure.traceback,
    }
