"""`stepwell cancel RUN`: end a run, in whichever process it lives."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

from cyclopts import Parameter

from stepwell.api.app import App
from stepwell.cli import exits
from stepwell.cli.closing import command
from stepwell.cli.options import Json, RunId, Store, find, opened, seconds_of
from stepwell.cli.streams import output, tell
from stepwell.journal.port import RunRow

_EVERY = 0.05


def cancel(
    run: RunId,
    /,
    *,
    reason: Annotated[str, Parameter(help="Why, for the record.")] = "cancelled from the command line",
    wait: Annotated[
        str, Parameter(metavar="DURATION", help="How long to wait until it has ended; 0 only asks.")
    ] = "30s",
    json: Json = False,
    store: Store = None,
) -> int:
    """Cancel a run: its process is asked, and this waits until the run has ended."""
    patience = seconds_of(wait, "--wait")
    with opened(store, "cancel") as app:
        before = find(app, run)
        row = before
        if before.status == "running":
            asyncio.run(app.cancel(before.run_id, reason))
            if not json and patience:
                tell(f"asked the process that runs {before.run_id} to end it; waiting up to {wait}")
            row = _wait(app, before, patience)
        elif before.status == "interrupted":
            asyncio.run(app.cancel(before.run_id, reason))
            row = app.store.get(before.run_id) or before
    code = _told(before, row, store, tell_people=not json)
    if json:
        found = {"run_id": row.run_id, "pipeline": row.pipeline, "before": before.status, "status": row.status}
        output().versioned(found)
    return code


def _wait(app: App, row: RunRow, patience: float) -> RunRow:
    """The run once it has ended, or as it is when the time is up."""
    give_up = time.monotonic() + patience
    while row.status == "running" and time.monotonic() < give_up:
        time.sleep(_EVERY)
        row = app.store.get(row.run_id) or row
    return row


def _told(before: RunRow, row: RunRow, store: str | None, *, tell_people: bool) -> int:
    """What came of it, in words and as an exit code."""
    if before.status not in ("running", "interrupted"):
        words, code = f"run {row.run_id} is {before.status}: there is nothing to end", exits.OK
    elif row.status == "running":
        words, code = (
            f"run {row.run_id} has been asked to end and still runs; `{command('show', row.run_id, store)}`",
            exits.BUSY,
        )
    elif row.status == "cancelled":
        words, code = (
            f"run {row.run_id} is cancelled; `{command('resume', row.run_id, store)}` would go on with it",
            exits.OK,
        )
    else:
        words, code = f"run {row.run_id} is {row.status}: it was quicker, or its process died", exits.OK
    if tell_people:
        tell(words)
    return code
