"""Progress in plain lines: one a change, and a heartbeat where nothing changes; for logs, pipes and CI."""

from __future__ import annotations

from collections import Counter

from stepwell.cli.streams import tell
from stepwell.cli.terminal import Terminal
from stepwell.views.progress import Change, Progress, StepProgress
from stepwell.views.words import duration, plural, reason

HEARTBEAT = 30.0
_ITEMS_TOLD = 5
"""So many failures and retries of a map's items are told one by one; the rest is counted."""
_STEPS_TOLD = 4
_WARNINGS_TOLD = 3
ENDS = {"completed": "ok", "tolerated": "failed, tolerated", "pruned": "not run"}


class PlainLines:
    """`[2/4] Measure... ok (3.1s)`."""

    def __init__(self, progress: Progress, terminal: Terminal, now: float) -> None:
        self._progress = progress
        self._terminal = terminal
        self._last = now
        self._told: Counter[str] = Counter()

    def change(self, change: Change, now: float) -> None:
        """Tell of one."""
        line = self._line(change, now)
        if line:
            self.note(line, now)

    def note(self, text: str, now: float) -> None:
        """Tell something else."""
        tell(text)
        self._last = now

    def tick(self, now: float) -> None:
        """Time has passed."""
        if now - self._last >= HEARTBEAT and self._progress.active:
            self.note(f"{self._place()} still running: {self._running(now)}", now)

    def close(self) -> None:
        """Nothing was drawn, so nothing is to be taken back."""

    def _place(self) -> str:
        return f"[{self._progress.ended}/{len(self._progress.steps)}]"

    def _running(self, now: float) -> str:
        active = list(self._progress.active.values())
        shown = [f"{step.label} ({', '.join(state_of(step, now))})" for step in active[:_STEPS_TOLD]]
        more = [f"{len(active) - _STEPS_TOLD} more"] if len(active) > _STEPS_TOLD else []
        return ", ".join([*shown, *more])

    def _line(self, change: Change, now: float) -> str:
        step = change.step
        if change.what == "warning":
            return warning_line(change)
        if change.what == "cancelling":
            return f"ending the run: {change.text}"
        if change.what == "resumed":
            return f"going on: {change.text}" if change.text else ""
        if step is None:
            return ""
        head = f"{self._place()} {step.label}..."
        if change.what == "ended":
            return f"{head} {self._end(step)}"
        if change.what == "retrying":
            return f"{head} {_retry(change, now)}"
        return self._item(change, step, head, now)

    def _item(self, change: Change, step: StepProgress, head: str, now: float) -> str:
        self._told[step.name] += 1
        if self._told[step.name] > _ITEMS_TOLD:
            return ""
        if self._told[step.name] == _ITEMS_TOLD:
            return f"{head} more of its items fail or are tried again; from here on they are only counted"
        if change.what == "item_retrying":
            return f"{head} {change.path}: {_retry(change, now)}"
        failure = change.failure
        return f"{head} {change.path} failed" + (f": {failure.type}: {_first_line(failure.message)}" if failure else "")

    def _end(self, step: StepProgress) -> str:
        word = ENDS.get(step.status, step.status)
        colour = {"completed": "green", "failed": "red", "tolerated": "yellow"}.get(step.status)
        took = f" ({duration(step.seconds)})" if step.seconds is not None else ""
        items = items_of(step)
        said = f": {reason(step.reason)}" if step.reason and step.status != "completed" else ""
        if step.failure is not None and step.status in ("failed", "tolerated"):
            said = f": {step.failure.type}: {_first_line(step.failure.message)}"
        return f"{self._terminal.paint(word, colour)}{took}{f', {items}' if items else ''}{said}"  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def items_of(step: StepProgress) -> str:
    """How far a map has come, in words; "" for a step that is none."""
    if step.total is None:
        return ""
    ended = step.status not in ("pending", "running", "waiting")
    count = plural(step.total, "item") if ended and step.done == step.total else f"{step.done:,}/{step.total:,} items"
    return f"{count}, {len(step.failed):,} failed" if step.failed else count


def state_of(step: StepProgress, now: float) -> list[str]:
    """What goes on in a step: how long, how many items, and when what waits is tried again."""
    parts = [duration(now - step.started_at)] if step.started_at is not None else []
    if items := items_of(step):
        parts.append(items)
    retry_at = step.next_retry(now)
    if retry_at is not None:
        parts.append(f"tried again in {duration(max(0.0, retry_at - now))}")
    return parts


def warning_line(change: Change) -> str:
    """A warning; of many for one reason the first few."""
    if change.alike > _WARNINGS_TOLD:
        return ""
    more = "; there are more like this, in `stepwell show`" if change.alike == _WARNINGS_TOLD else ""
    return f"warning: {change.text}{more}"


def _retry(change: Change, now: float) -> str:
    failure = change.failure
    why = f"{failure.type}: {_first_line(failure.message)}" if failure else change.text or "it returned Retry"
    attempt = f"attempt {failure.attempt} failed: " if failure else ""
    return f"{attempt}{why}; tried again in {duration(max(0.0, (change.retry_at or now) - change.at))}"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
