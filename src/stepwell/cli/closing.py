"""The last lines, which are the answer: what became of each step, or what failed, where, and how to go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from stepwell.cli.terminal import Colour, Terminal, cut
from stepwell.cli.typed import typed
from stepwell.events import Failure
from stepwell.views.frames import own_frame
from stepwell.views.records import StepRecord
from stepwell.views.words import duration, plural, reason

MANY = 20
"""Of more steps than this only those are listed with which something is the matter."""
_TAGS: Mapping[str, tuple[str, Colour]] = {
    "completed": ("[OK]", "green"),
    "skipped": ("[SKIP]", "dim"),
    "pruned": ("[SKIP]", "dim"),
    "tolerated": ("[WARN]", "yellow"),
    "failed": ("[FAIL]", "red"),
    "cancelled": ("[STOP]", "red"),
    "running": ("[RUN]", "blue"),
    "waiting": ("[WAIT]", "yellow"),
    "pending": ("[ ]", "dim"),
}
_ENDED = frozenset(_TAGS) - {"running", "waiting", "pending"}
RESUMABLE = frozenset({"failed", "cancelled", "timed_out", "blocked", "interrupted"})


def step_lines(steps: Mapping[str, StepRecord], terminal: Terminal, *, whole: bool = False) -> Iterator[str]:
    """One line a step that has come to an end; of many, only those that did not simply complete, and counts.

    `whole`: all of them, also those that run or are still to come.
    """
    names = [name for name, record in steps.items() if whole or record.status in _ENDED]
    done = 0
    if len(names) > MANY and not whole:
        odd = [name for name in names if steps[name].status != "completed" or _marred(steps[name])]
        done, names, left = len(names) - len(odd), odd[:MANY], odd[MANY:]
    else:
        left = []
    width = max([16, *(len(name) for name in names)])
    for name in names:
        yield _step_line(name, steps[name], width, terminal)
    if left:
        yield f"       and {len(left):,} more that did not simply complete"
    if done:
        yield f"{terminal.paint('  [OK]', 'green')} {plural(done, 'step')}"


def _step_line(name: str, record: StepRecord, width: int, terminal: Terminal) -> str:
    kind = "tolerated" if record.status == "completed" and _marred(record) else record.status
    tag, colour = _TAGS.get(kind, (f"[{kind.upper()}]", "dim"))
    took = f" ({duration(record.duration)})" if record.duration is not None else ""
    details = _details(record)
    rest = f"{took}{f'  {details}' if details else ''}"
    line = f"{name:<{width}}{rest}".rstrip()
    if terminal.width is not None:
        room = terminal.width - 7
        line = cut(line if len(line) <= room else f"{name}{rest}", room, unicode=terminal.unicode)
    return f"{terminal.paint(f'{tag:>6}', colour)} {line}"


def _marred(record: StepRecord) -> bool:
    return record.counts.get("failed", 0) > 0


def _details(record: StepRecord) -> str:
    parts: list[str] = []
    if record.counts:
        failed = record.counts.get("failed", 0)
        done = record.counts.get("completed", 0) + record.counts.get("skipped", 0)
        total = sum(record.counts.values())
        parts.append(plural(total, "item") if done == total else f"{done:,} of {plural(total, 'item')}")
        if failed:
            parts.append(f"{failed:,} failed")
    if record.attempts > 1:
        parts.append(f"{record.attempts} attempts")
    if record.visits:
        parts.append(f"{len(record.visits) + 1} visits")
    if record.soft_failed:
        parts.append("its best, as no further visit is allowed")
    if record.failure is not None and record.status == "tolerated":
        parts.append(f"{record.failure.type}: {record.failure.message}".partition("\n")[0])
    elif record.reason and record.status in ("skipped", "pruned"):
        parts.append(reason(record.reason))
    return ", ".join(parts)


def chief(failures: Sequence[Failure]) -> list[Failure]:
    """The failures that tell what happened: a map that failed by its items, or its source, is left out for these."""
    items = {failure.step for failure in failures if failure.item is not None}
    own = [one for one in failures if one.item is not None or one.reason != "items_failed" or one.step not in items]
    return [one for one in own if one.reason != "source_failed"] or own


def sorted_failures(
    failures: Sequence[Failure], steps: Mapping[str, StepRecord]
) -> tuple[list[Failure], list[Failure]]:
    """Those that made the run fail, and those that it went on in spite of."""
    fatal: list[Failure] = []
    borne: list[Failure] = []
    for failure in chief(failures):
        record = steps.get(failure.step)
        (fatal if record is None or record.status == "failed" else borne).append(failure)
    return fatal, borne


def failure_lines(
    failures: Sequence[Failure], terminal: Terminal, *, tag: str = "failed", most: int = 3, unread: int = 0
) -> Iterator[str]:
    """What failed: step and item, exception and message, and the line of the user's own code.

    `unread`: so many there are beside these.
    """
    for failure in failures[:most]:
        attempt = f" in attempt {failure.attempt}" if failure.attempt > 1 else ""
        message = failure.message.strip() or "(no message)"
        head, *rest = f"{failure.path}: {failure.type}{attempt}: {message}".split("\n")
        yield f"{terminal.paint(*_TAGS[tag])} {head}"
        yield from (f"       {line}" for line in rest[:10])
        frame = own_frame(failure.traceback)
        if frame is not None:
            inside = f" in {frame.function}" if frame.function else ""
            yield f"       {_near(frame.file)}:{frame.line}{inside}"
            if frame.source:
                yield f"           {frame.source.strip()}"
    more = max(0, len(failures) - most) + unread
    if more:
        yield f"       and {more:,} more"


def _near(file: str) -> str:
    """A file as one would type it here, where that is shorter."""
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except ValueError:
        return file


def total_line(run_id: str, status: str, took: float | None, steps: Mapping[str, StepRecord]) -> str:
    """`run 01J… completed in 4.2s (9 of 9 steps)`."""
    time = f" in {duration(took)}" if took is not None else ""
    return f"run {run_id} {spoken(status)}{time} ({done(steps):,} of {plural(len(steps), 'step')})"


def done(steps: Mapping[str, StepRecord]) -> int:
    """How many steps are behind the run: a resume would leave them as they are."""
    return sum(record.status in ("completed", "skipped", "tolerated", "pruned") for record in steps.values())


def spoken(status: str) -> str:
    """A status as the end of a sentence."""
    return {"timed_out": "timed out", "blocked": "is blocked", "running": "is running"}.get(status, status)


def command(words: str, run_id: str, store: str | None) -> str:
    """A command to type, with the store if it was named."""
    place = f" --store {typed(store)}" if store is not None else ""
    return f"stepwell {words} {run_id}{place}"


def way_on(run_id: str, status: str, store: str | None, log: Path | None = None) -> Iterator[str]:
    """The commands with which one goes on; before them the log, where there is one."""
    if log is not None:
        yield f"  log: {_near(str(log))}"
    yield f"  {command('show', run_id, store)}"
    if log is not None:
        yield f"  {command('logs', run_id, store)}"
    if status in RESUMABLE:
        yield f"  {command('resume', run_id, store)}"
