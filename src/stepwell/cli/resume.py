"""`stepwell resume RUN`: go on with a run."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from stepwell.api.app import App
from stepwell.api.settings import find_store, load_settings
from stepwell.api.targets import load_target
from stepwell.cli.closing import command
from stepwell.cli.drive import Begun, drive, manner_of
from stepwell.cli.options import Json, ProgressKind, Quiet, RunId, Store, Strict, SyncLevel, find
from stepwell.cli.signals import Interrupts
from stepwell.cli.streams import guarded
from stepwell.errors import InputError, TargetError
from stepwell.journal.port import RunRow


def resume(
    run: RunId,
    /,
    *,
    on_change: Annotated[
        Literal["refuse", "keep"],
        Parameter(help="When steps that have a record have other code now: refuse, or keep what is recorded."),
    ] = "refuse",
    target: Annotated[
        str | None, Parameter(metavar="TARGET", help="The pipeline, where the run does not know it or it has moved.")
    ] = None,
    strict: Strict = None,
    quiet: Quiet = None,
    progress: ProgressKind = None,
    sync: SyncLevel = None,
    json: Json = False,
    store: Store = None,
) -> int:
    """Go on with a run: what has no end runs, what failed runs again, what is done stays.

    Of a run that has succeeded it prints the output once more.
    """
    settings = load_settings()
    place = find_store(store, settings=settings)
    if place is None:
        raise InputError("resume: a store in memory is gone with the process that had it; name a file with --store")
    manner = manner_of(settings, strict, quiet, progress, sync, json=json, store=store)

    def begin(app: App) -> Begun:
        row = find(app, run)
        pipeline = load_target(target or kept_target(row, store))
        return Begun(app, app.resume(row.run_id, pipeline, on_change=on_change), pipeline.compile())

    with guarded() as out, Interrupts() as interrupts:
        return drive(place, begin, manner, out, interrupts)


def kept_target(row: RunRow, store: str | None) -> str:
    """The target that the run was started from; raises TargetError where there was none."""
    if not row.target:
        raise TargetError(
            f"run {row.run_id} of pipeline `{row.pipeline}` was started in a program, not from a target; say where the "
            f"pipeline is: {command('resume', row.run_id, store)} --target file.py"
        )
    return row.target
