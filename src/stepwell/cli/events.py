"""`stepwell events RUN`: the facts of a run, as they were recorded and, with `-f`, as they are."""

from __future__ import annotations

import asyncio
import json as json_text
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from cyclopts import Parameter

from stepwell.api.app import App
from stepwell.cli import exits
from stepwell.cli.closing import command
from stepwell.cli.options import FLAG, RunId, Store, find, opened
from stepwell.cli.streams import SCHEMA_VERSION, Output, is_unicode, output, tell
from stepwell.cli.terminal import Colour, Terminal, cut, look, padded
from stepwell.definition.suggest import did_you_mean
from stepwell.errors import InputError
from stepwell.events import FACTS, Event, EventKind, RunStarted
from stepwell.ids import step_of
from stepwell.journal.port import RunRow, Wanted
from stepwell.views.facts import document, told

_PAGE = 1000
_NARROW, _ROOMY = 60, 110
_KIND_WIDTH = max(len(kind) for kind in FACTS)
_PATH_WIDTH = 24
_ENDINGS: tuple[tuple[str, Colour], ...] = (
    ("FAILED", "red"), ("BLOCKED", "red"), ("CANCELLED", "red"), ("TIMED_OUT", "red"), ("RETRYING", "yellow"),
    ("WARNING", "yellow"), ("COMPLETED", "green"), ("SKIPPED", "dim"), ("PRUNED", "dim"),
)  # fmt: skip
Follow = Annotated[bool, FLAG, Parameter(name=("-f", "--follow"), help="Go on with what is recorded until it ends.")]
After = Annotated[int, Parameter(metavar="SEQ", help="Only facts after the one of this number.")]
Last = Annotated[
    int | None, Parameter(name=("-n", "--last"), metavar="N", help="Only the last N of them, and with -f what comes.")
]
Kinds = Annotated[
    tuple[str, ...],
    Parameter(
        name=("-k", "--kind"), negative=(), metavar="KIND", show_default=False, consume_multiple=False,
        help="Only this kind, such as step_failed. Can be repeated.",
    ),
]  # fmt: skip
Step = Annotated[
    str,
    Parameter(
        name=("-s", "--step"), metavar="PATH", show_default=False, help="Only this step, or one item: `measure[key]`."
    ),
]
NdJson = Annotated[bool, FLAG, Parameter(name="--json", help="Print one JSON object a line, one for each fact.")]


def events(
    run: RunId,
    /,
    *,
    follow: Follow = False,
    after: After = 0,
    last: Last = None,
    kind: Kinds = (),
    step: Step = "",
    json: NdJson = False,
    store: Store = None,
) -> int:
    """Print what happened in a run, fact by fact; the code of the pipeline is not needed.

    Each has a number: `--after` goes on behind it. Of values only those are shown that are small.
    """
    if after < 0:
        raise InputError(f"--after is the number of a fact, 0 or more, not {after}")
    if last is not None and last < 0:
        raise InputError(f"--last is how many facts, 0 or more, not {last}")
    wanted = Wanted(frozenset(_kind(text) for text in kind), step)
    out = output()
    with opened(store, "events") as app:
        row = find(app, run)
        steps = _steps(app, row)
        if step and step_of(step.rpartition("/")[2]) not in steps and step_of(step) not in steps:
            known = did_you_mean(step, steps, what="steps")
            raise InputError(f"--step {step}: run {row.run_id} has no such step{known}")
        printer = _Printer(out, look(out.stream), wanted, json=json, path_width=_path_width(steps))
        printer.last = after
        try:
            for page in _pages(app, row, wanted, after, last):
                printer.print(page)
            if follow:
                asyncio.run(_follow(app, row, printer, max(row.seq, printer.last)))
        except KeyboardInterrupt:
            if not follow:
                raise
            goes_on = f"{command('events', row.run_id, store)} -f --after {printer.last}"
            tell(f"\nthe run is left alone; look on with: {goes_on}")
            return exits.INTERRUPTED
    return 0


def _kind(text: str) -> EventKind:
    word = text.upper().replace("-", "_")
    if word in FACTS:
        return EventKind(word)
    known = sorted(kind.value.lower() for kind in FACTS)
    raise InputError(f"--kind {text}: there is no such kind{did_you_mean(text, known, what='kinds', limit=40)}")


def _steps(app: App, row: RunRow) -> tuple[str, ...]:
    """The names of the run's steps, in their order."""
    first = next(iter(app.store.read(row.run_id, 0, 1)), None)
    return tuple(first.fingerprints) if isinstance(first, RunStarted) else ()


def _path_width(steps: tuple[str, ...]) -> int:
    return min(_PATH_WIDTH, max([len("measure[1]"), *(len(name) + 6 for name in steps)]))


def _pages(app: App, row: RunRow, wanted: Wanted, after: int, last: int | None) -> Iterator[Sequence[Event]]:
    """What there is of the wanted facts, page by page; of the last ones no more than these is read."""
    if last is not None:
        facts = app.store.read(row.run_id, after, last, wanted, latest=True) if last else ()
        yield from (facts[first : first + _PAGE] for first in range(0, len(facts), _PAGE))
        return
    while page := app.store.read(row.run_id, after, _PAGE, wanted):
        yield page
        after = page[-1].seq


async def _follow(app: App, row: RunRow, printer: _Printer, after: int) -> None:
    """What comes, wherever the run lives, until it ends."""
    async for fact in app.events(row.run_id, after=after, follow=True):
        printer.print((fact,))


@dataclass(slots=True)
class _Printer:
    """Prints the facts that are wanted, for people or for programs; `last` is the number of the last that it took."""

    out: Output
    terminal: Terminal
    wanted: Wanted
    json: bool
    path_width: int
    last: int = 0
    is_unicode: bool = True

    def __post_init__(self) -> None:
        self.is_unicode = is_unicode(self.out.stream)

    def print(self, facts: Sequence[Event]) -> None:
        """Those of these facts that are wanted, in one go."""
        lines = [self._json(fact) if self.json else self._line(fact) for fact in facts if self.wanted.takes(fact)]
        if lines:
            self.out.text("\n".join(lines))
        self.last = facts[-1].seq

    def _json(self, fact: Event) -> str:
        found = {"schema_version": SCHEMA_VERSION, **document(fact)}
        if self.is_unicode:
            with suppress(UnicodeEncodeError):  # half a character; the other way escapes it
                return msgspec.json.encode(found).decode()
        return json_text.dumps(found, default=str)

    def _line(self, fact: Event) -> str:
        width, kind = self.terminal.width, fact.kind.value
        parts = [f"{fact.seq:>6}"]
        if width is None or width >= _NARROW:
            parts.append(_time(fact.at, whole=width is None or width >= _ROOMY))
        head = "  ".join(parts)
        path = fact.path
        if path or width is None or width >= _NARROW:
            path = padded(path, self.path_width)
        rest = "  ".join(filter(None, [path, told(fact)])).rstrip()
        line = f"{head}  {padded(kind, _KIND_WIDTH)}  {rest}".rstrip()
        if width is not None:
            line = cut(line, width, unicode=self.terminal.unicode)
        if not self.terminal.colour:
            return line
        return line.replace(f"  {kind}", f"  {self.terminal.paint(kind, _colour(kind))}", 1)


def _time(at: float, *, whole: bool) -> str:
    """When, in the zone of whoever reads it; to the millisecond, with the day where there is room."""
    moment = datetime.fromtimestamp(at)  # noqa: DTZ006 - local time; `astimezone` would take half as long as the whole
    return moment.isoformat(" ", "milliseconds")[0 if whole else 11 :]


def _colour(kind: str) -> Colour | None:
    return next((colour for ending, colour in _ENDINGS if kind.endswith(ending)), None)
