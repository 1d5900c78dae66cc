"""`stepwell logs RUN`: what the steps of a run printed and logged and, with `-f`, what they print and log."""

from __future__ import annotations

import json as json_text
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Annotated

from cyclopts import Parameter

from stepwell.api.app import App
from stepwell.api.logs import log_folder
from stepwell.cli.closing import command
from stepwell.cli.options import FLAG, RunId, Store, find, nearby, opened
from stepwell.cli.streams import SCHEMA_VERSION, Output, is_unicode, output, tell
from stepwell.cli.telling import spoken_line
from stepwell.cli.terminal import Colour, Terminal, look, padded
from stepwell.definition.suggest import did_you_mean
from stepwell.errors import InputError, StoreError
from stepwell.events import LogLine, RunStarted
from stepwell.ids import escape, parse_path
from stepwell.journal.port import RunRow
from stepwell.views.facts import document
from stepwell.workdir.reading import LogReader

_EVERY = 0.1
_PAGE = 1000
_PATH_WIDTH = 24
_COLOURS: dict[str, Colour] = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red", "DEBUG": "dim"}
Step = Annotated[
    str,
    Parameter(
        name="STEP", metavar="STEP", show_default=False,
        help="Only this step, or one item of it: `measure` or `measure[key]`.",
    ),
]  # fmt: skip
Item = Annotated[str | None, Parameter(metavar="KEY", help="Only the item of this key.")]
Attempt = Annotated[int | None, Parameter(metavar="N", help="Only this attempt; the first is 1.")]
Follow = Annotated[bool, FLAG, Parameter(name=("-f", "--follow"), help="Go on with what comes until the run ends.")]
NdJson = Annotated[bool, FLAG, Parameter(name="--json", help="Print one JSON object a line.")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines somebody asked for."""

    step: str
    item: str | None
    attempt: int | None

    def takes(self, line: LogLine) -> bool:
        """Whether this is one of them. What is said of the log itself always is."""
        if not line.path:
            return True
        if self.attempt is not None and line.attempt != self.attempt:
            return False
        return self._takes_path(line.path)

    def _takes_path(self, path: str) -> bool:
        step = self.step
        if step and path != step and not (path.startswith(step) and path[len(step)] in "[#/"):
            return False
        return self.item is None or f"[{escape(self.item)}]" in path


def logs(
    run: RunId,
    step: Step = "",
    /,
    *,
    item: Item = None,
    attempt: Attempt = None,
    follow: Follow = False,
    json: NdJson = False,
    store: Store = None,
) -> int:
    """Show what the steps of a run printed and logged, each line with its time and its step or item.

    It works while the run is going on in another process, and without the code of the pipeline.
    """
    out = output()
    with opened(store, "logs") as app:
        row = find(app, run)
        steps = _steps(app, row)
        _check(step, steps, row)
        folder = log_folder(app.store, row.run_id)
        if folder is None:
            raise StoreError("logs: a store that is in no file keeps no log files")
        reader = LogReader(folder, row.run_id)
        printer = Printer(out, look(out.stream), json=json, width=_width(steps))
        wanted = Wanted(step, item, attempt)
        try:
            while True:
                over = not follow or find(app, row.run_id).status != "running"
                printer.print(line for line in reader.read() if wanted.takes(line))
                if over:
                    break
                time.sleep(_EVERY)
        except KeyboardInterrupt:
            tell(f"\nthe run is left alone; `{command('logs', row.run_id, store)} -f` goes on with its log")
            raise
        except PermissionError as error:
            raise StoreError(f"{nearby(folder)} may not be read: {error.strerror}; ask whose run it is") from None
    if not printer.printed:
        what = "of this" if step or item is not None or attempt is not None else "that steps printed or logged"
        tell(f"run {row.run_id} has nothing {what} in its log")
    return 0


def _steps(app: App, row: RunRow) -> tuple[str, ...]:
    """The names of the run's steps, in their order."""
    first = next(iter(app.store.read(row.run_id, 0, 1)), None)
    return tuple(first.fingerprints) if isinstance(first, RunStarted) else ()


def _check(step: str, steps: tuple[str, ...], row: RunRow) -> None:
    """A step that the run has not is a mistake, not an empty log."""
    if not step:
        return
    try:
        name = parse_path(step)[0].name
    except ValueError as error:
        raise InputError(f"STEP: {error}") from None
    if name not in steps:
        raise InputError(f"run {row.run_id} has no step `{name}`{did_you_mean(name, steps, what='steps')}")


def _width(steps: tuple[str, ...]) -> int:
    return min(_PATH_WIDTH, max([len("measure[1]"), *(len(name) for name in steps)]))


@dataclass(slots=True)
class Printer:
    """Prints lines, for people or for programs."""

    out: Output
    terminal: Terminal
    json: bool
    width: int
    printed: bool = False

    def print(self, lines: Iterable[LogLine]) -> None:
        """All of them, many at once."""
        lines = iter(lines)
        while some := list(islice(lines, _PAGE)):
            self.out.text("\n".join(self._json(line) if self.json else "\n".join(self._rows(line)) for line in some))
            self.printed = True

    def _json(self, line: LogLine) -> str:
        found = {"schema_version": SCHEMA_VERSION, **document(line)}
        return json_text.dumps(found, ensure_ascii=not is_unicode(self.out.stream))

    def _rows(self, line: LogLine) -> Iterator[str]:
        """The line with its time and path; further lines of one log record stand below it."""
        paint = self.terminal.paint
        first, *more = spoken_line(line).split("\n")
        if line.stream == "log" and (colour := _COLOURS.get(line.level)):
            first = paint(line.level, colour) + first[len(line.level) :]
        again = f" (attempt {line.attempt})" if line.attempt > 1 else ""
        path = paint(padded(f"{line.path}{again}", self.width), "blue")
        yield f"{paint(self._time(line.at), 'dim')}  {path}  {first}"
        yield from (f"    {one}" for one in more)

    def _time(self, at: float) -> str:
        """When, in the zone of whoever reads it; whole where it goes into a file or a pipe."""
        moment = datetime.fromtimestamp(at).astimezone()
        return moment.strftime("%H:%M:%S") if self.out.is_terminal else moment.isoformat(" ", "milliseconds")[:23]
