"""The options that several commands have."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from stepwell.api.app import App
from stepwell.api.settings import FOLDER, find_store
from stepwell.cli import completions
from stepwell.clock import seconds
from stepwell.errors import InputError, RunNotFound, StoreError
from stepwell.journal.port import RunRow, Sync

Json = Annotated[
    bool, Parameter(name="--json", negative=(), show_default=False, help="Print one JSON document on stdout.")
]
FLAG = Parameter(negative=(), show_default=False)
Strict = Annotated[
    bool | None,
    Parameter(negative="--no-strict", show_default=False, help="Exit with 5 if the run ends degraded."),
]
Quiet = Annotated[
    bool | None,
    Parameter(name=("-q", "--quiet"), negative="--no-quiet", show_default=False, help="Tell only of failures."),
]
ProgressKind = Annotated[
    Literal["auto", "live", "plain", "none"] | None,
    Parameter(
        name="--progress", show_default=False,
        help="How to show progress: live on a terminal, in plain lines, or not at all [default: what suits].",
    ),
]  # fmt: skip
SyncLevel = Annotated[
    Literal["full", "process"] | None,
    Parameter(
        name="--sync", show_default=False,
        help="What a record survives: also a power cut (full), or only a killed process, which is quicker "
        "[default: full].",
    ),
]  # fmt: skip
Store = Annotated[
    str | None,
    Parameter(
        name="--store",
        metavar="FILE",
        help="The store [default: $STEPWELL_STORE, else .stepwell/stepwell.db of this folder or project].",
    ),
]
RunId = Annotated[
    str,
    Parameter(
        name="RUN",
        metavar="RUN",
        completer=completions.runs,
        help="A run's id, its first characters (four or more), or `last`.",
    ),
]


@contextmanager
def opened(store: str | None, what: str) -> Generator[App]:
    """The store that a command looks into."""
    place = find_store(store)
    if place is None:
        raise InputError(f"{what}: a store in memory is gone with the process that had it; name a file with --store")
    app = open_app(place)
    try:
        yield app
    finally:
        app.store.close()


def open_app(place: Path | str | None, *, shown: bool = True, sync: Sync = "full") -> App:
    """The store at a place; raises StoreError also where the folder is shut.

    `shown`: the words of steps are shown with the progress, and so go nowhere else.
    """
    try:
        _keep_out_of_git(place)
        return App(place, capture="only" if shown else "tee", sync=sync)
    except OSError as error:
        raise StoreError(
            f"the store {place} cannot be opened: {error.strerror}; give yourself the right to, or name another store "
            "with --store or STEPWELL_STORE"
        ) from None


def find(app: App, run: str) -> RunRow:
    """The run that is meant; where there is none, the message says which store was looked into."""
    try:
        return app.find(run)
    except RunNotFound as error:
        place = getattr(app.store, "path", None)
        where = "" if place is None else f" (the store is {nearby(place)})"
        raise RunNotFound(f"{error}{where}", run_id=error.run_id) from None


def nearby(path: Path) -> str:
    """A path as one would type it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def seconds_of(text: str, option: str) -> float:
    """A duration that somebody typed; a bare number is seconds. Raises InputError."""
    try:
        return seconds(float(text) if text.replace(".", "", 1).isdecimal() else text, option)
    except ValueError as error:
        raise InputError(str(error)) from None


def _keep_out_of_git(place: Path | str | None) -> None:
    """A store of the project's own is no part of the project; where there is none yet, none is made for it."""
    folder = Path(place).parent if place is not None else None
    if folder is not None and folder.name == FOLDER and folder.is_dir() and not (folder / ".gitignore").exists():
        with contextlib.suppress(OSError):  # a folder that cannot be written is still read
            (folder / ".gitignore").write_text("*\n", encoding="ascii")
