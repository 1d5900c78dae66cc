"""Runs a pipeline in this terminal: signals, progress, the last lines, the output; for `run` and `resume` alike."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from stepwell.api.app import App
from stepwell.api.logs import newest_log
from stepwell.api.result import RunResult
from stepwell.api.run import Run
from stepwell.api.settings import Settings
from stepwell.api.stores import open_store
from stepwell.cli import exits
from stepwell.cli.closing import MANY, command, failure_lines, sorted_failures, step_lines, total_line, way_on
from stepwell.cli.options import open_app
from stepwell.cli.plain import PlainLines
from stepwell.cli.signals import Interrupts
from stepwell.cli.streams import Output, tell
from stepwell.cli.terminal import Terminal, look
from stepwell.cli.watch import Display, Watch
from stepwell.errors import StoreBusy, StoreError
from stepwell.journal.port import Sync
from stepwell.plan.plan import Plan
from stepwell.views.progress import Progress
from stepwell.views.words import plural


@dataclass(frozen=True, slots=True)
class Manner:
    """How a run is shown and judged."""

    json: bool = False
    quiet: bool = False
    strict: bool = False
    store: str | None = None
    """As it was typed, for the commands that are told."""
    kept: bool = True
    """The run outlives this process."""
    progress: str = "auto"
    """How the progress is shown: `auto`, `live`, `plain` or `none`."""
    sync: Sync = "full"
    """What the records of the run survive."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that is about to begin or to go on."""

    app: App
    run: Run
    plan: Plan


def manner_of(
    settings: Settings,
    strict: bool | None,
    quiet: bool | None,
    progress: str | None,
    sync: Sync | None,
    *,
    json: bool,
    store: str | None,
    kept: bool = True,
) -> Manner:
    """The manner that the options ask for, and the settings where they say nothing."""
    return Manner(
        json=json,
        quiet=settings.quiet if quiet is None else quiet,
        strict=settings.strict if strict is None else strict,
        store=store,
        kept=kept,
        progress=progress or settings.progress,
        sync=sync or settings.sync,
    )


def drive(
    place: Path | str | None, begin: Callable[[App], Begun], manner: Manner, out: Output, interrupts: Interrupts
) -> int:
    """Do all of it; gives the exit code."""
    return asyncio.run(_drive(place, begin, manner, out, interrupts))


async def _drive(
    place: Path | str | None, begin: Callable[[App], Begun], manner: Manner, out: Output, interrupts: Interrupts
) -> int:
    async with open_app(place, shown=not manner.quiet and manner.progress != "none", sync=manner.sync) as app:
        since = time.time()
        begun = begin(app)
        asked = begun.run.id
        interrupts.bind(asyncio.get_running_loop(), begun.run.request_cancel, _last_words(asked, manner))
        try:
            async with begun.run as run:
                if run.id != asked:
                    _say_known(app, run.id, manner)
                result = await _watched(begun, manner, interrupts, since)
        except StoreError as error:
            raise _with_way_on(error, place, begun.run.id, manner) from error
        if result is None:
            ends = command("cancel", run.id, manner.store)
            tell(f"run {run.id} goes on in the process that has it; `{ends}` ends it")
            return interrupts.code or exits.INTERRUPTED
        code = interrupts.code if result.status == "cancelled" and interrupts.code else None
        log = newest_log(app.store, result.run_id)
        _close(result, manner, out, log, interrupted=code is not None)
        return exits.of_status(result.status, strict=manner.strict) if code is None else code


def _with_way_on(error: StoreError, place: Path | str | None, run_id: str, manner: Manner) -> StoreError:
    """The store has failed under the run: what one can do with the run, if what is recorded of it is there."""
    if type(error) not in (StoreError, StoreBusy) or not isinstance(place, Path):
        return error
    with contextlib.suppress(StoreError):
        store = open_store(place)  # anew, for what this process has open may be there no longer
        try:
            row = store.get(run_id)
        finally:
            store.close()
        if row is not None:
            lines = (
                f"run {run_id} has stopped here, with {row.done:,} of {plural(row.steps, 'step')} recorded; then:",
            )
            return type(error)("\n".join([str(error), *lines, *way_on(run_id, "interrupted", manner.store)]))
    return error


def _say_known(app: App, run_id: str, manner: Manner) -> None:
    """A start key was used before: that run is meant."""
    row = app.store.get(run_id)
    if not manner.quiet and row is not None:
        tell(f"the key {row.key!r} stands for run {run_id}, which is {row.status}")


async def _watched(begun: Begun, manner: Manner, interrupts: Interrupts, since: float) -> RunResult | None:
    """The result, with progress shown on the way; None where the run lives elsewhere and is only left alone."""
    app, run = begun.app, begun.run
    progress = Progress({step.name: step.label for step in begun.plan.steps})
    display = None if manner.quiet else _display(progress, look(sys.stderr), manner.progress)
    waiting = asyncio.ensure_future(_result(run))
    with Watch(app.store, run.id, progress, display, since=since, interrupted=lambda: interrupts.reason) as watch:

        def ask(reason: str) -> None:
            run.request_cancel(reason)
            watch.say_interrupted()
            waiting.cancel()

        interrupts.bind(asyncio.get_running_loop(), ask, _last_words(run.id, manner))
        if display is not None:
            run.ears.append(watch.hear)
        await asyncio.sleep(0)  # `waiting` begins: a run of ours then takes its cancel with it, and waits for its end
        if interrupts.code:  # while the run was being opened
            ask(interrupts.reason)
        try:
            return await waiting
        except asyncio.CancelledError:
            row = app.store.get(run.id)
            if not interrupts.code:
                raise
            if row is not None and row.status == "running":
                run.detach()  # another process has it: to leave it is not to end it, nor to wait for its end
                return None
            return await run


def _last_words(run_id: str, manner: Manner) -> str:
    return f"`{command('resume', run_id, manner.store)}` goes on with it" if manner.kept else "it was not kept"


async def _result(run: Run) -> RunResult:
    return await run


def _display(progress: Progress, terminal: Terminal, kind: str) -> Display | None:
    if kind == "none":
        return None
    if kind == "plain" or not (terminal.is_terminal if kind == "live" else terminal.live):
        return PlainLines(progress, terminal, time.time())
    from stepwell.cli.live import LiveView

    return LiveView(progress, terminal)


# --- the end ----------------------------------------------------------------------------------------------------------


def _close(result: RunResult, manner: Manner, out: Output, log: Path | None, *, interrupted: bool) -> None:
    """The last lines on stderr, then the output on stdout."""
    terminal = look(sys.stderr)
    steps = result.steps
    if not manner.quiet:
        _tell(step_lines(steps, terminal))
    total = total_line(result.run_id, result.status, result.duration, steps)
    fatal, borne = sorted_failures(result.failures, steps)
    if not result.succeeded:
        _tell(failure_lines(fatal, terminal))
        if result.blocked_by:
            tell(result.blocked_by)
        tell(total)
        if interrupted and manner.kept:
            tell(f"go on with: {command('resume', result.run_id, manner.store)}")
        elif manner.kept:
            _tell(way_on(result.run_id, result.status, manner.store, log))
    elif not manner.quiet:
        _tell(failure_lines(borne, terminal, tag="tolerated"))
        tell(total)
        if borne and manner.kept:
            tell(f"  {command('show', result.run_id, manner.store)}")
    _print(result, manner, out)


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        tell(line)


def _print(result: RunResult, manner: Manner, out: Output) -> None:
    """The data: a text as it is, anything else as JSON, or one document about the run."""
    if manner.json:
        out.versioned(document(result))
        return
    if not result.succeeded:
        return
    output = result.output
    if isinstance(output, str):
        out.text(output)
    elif output is not None:
        out.document(result.show(output))


def document(result: RunResult) -> dict[str, object]:
    """What `--json` prints of a run that was driven here; of many steps those with nothing to say are left out."""
    steps = result.steps
    few = len(steps) <= MANY
    return {
        **result.to_dict(),
        "started_at": result.started_at,
        "steps": {
            name: {"status": record.status, "duration": record.duration, "attempts": record.attempts}
            for name, record in steps.items()
            if few or record.status != "completed"
        },
    }
