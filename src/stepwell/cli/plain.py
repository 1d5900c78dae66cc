"""Progress in plain lines: one a change, and a heartbeat where nothing changes; for logs, pipes and CI."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from stepwell.cli.streams import tell
from stepwell.cli.telling import ENDS, first_line, items_of, label_of, share_of, speed_of, state_of, warning_line
from stepwell.cli.terminal import STATUS_COLOURS, Terminal
from stepwell.views.progress import Progress
from stepwell.views.step_progress import Change, StepProgress
from stepwell.views.words import duration, reason

HEARTBEAT = 30.0
MAP_STEP, MAP_PAUSE = 10, 5.0
"""A map tells of each tenth of its items, though not more often than every five seconds."""
_ITEMS_TOLD = 5
"""So many failures and retries of a map's items are told one by one; the rest is counted."""
_STEPS_TOLD = 4


class PlainLines:
    """`[2/4] Measure... ok (3.1s)`."""

    def __init__(self, progress: Progress, terminal: Terminal, now: float) -> None:
        self._progress = progress
        self._terminal = terminal
        self._last = now
        self._told: Counter[str] = Counter()
        self._tenths: dict[str, tuple[int, float]] = {}
        """Of each map that runs: the last tenth that was told, and when."""

    def change(self, change: Change, now: float) -> None:
        """Tell of one."""
        line = self._line(change, now)
        if line:
            self.note(line, now)

    def note(self, text: str, now: float) -> None:
        """Tell something else."""
        tell(text)
        self._last = now

    def log(self, lines: Sequence[tuple[str, str]], now: float) -> None:
        """Tell what steps have printed or logged: where, and a line of it."""
        tell("\n".join(f"{path} | {text}" for path, text in lines))
        self._last = now

    def tick(self, now: float) -> None:
        """Time has passed."""
        for step in self._progress.active.values():
            if step.total and not step.grows:
                self._tell_tenth(step, step.total, now)
        if now - self._last >= HEARTBEAT and self._progress.active:
            self.note(f"{self._place()} still running: {self._running(now)}", now)

    def close(self) -> None:
        """Nothing was drawn, so nothing is to be taken back."""

    def _tell_tenth(self, step: StepProgress, total: int, now: float) -> None:
        tenth = step.ended_items * MAP_STEP // total
        before, at = self._tenths.setdefault(step.name, (tenth, now if step.started_at is None else step.started_at))
        if tenth < before:  # it runs again
            self._tenths[step.name] = (tenth, now)
        elif tenth > before and now - at >= MAP_PAUSE:
            self._tenths[step.name] = (tenth, now)
            said = [f"{share_of(step)} items", *([f"{len(step.failed):,} failed"] if step.failed else [])]
            self.note(f"{self._place()} {label_of(step)}... {', '.join([*said, *speed_of(step, now)])}", now)

    def _place(self) -> str:
        return f"[{self._progress.ended}/{len(self._progress.steps)}]"

    def _running(self, now: float) -> str:
        active = list(self._progress.active.values())
        shown = [f"{label_of(step)} ({', '.join(state_of(step, now))})" for step in active[:_STEPS_TOLD]]
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
        head = f"{self._place()} {label_of(step)}..."
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
        return f"{head} {change.path} failed" + (f": {failure.type}: {first_line(failure.message)}" if failure else "")

    def _end(self, step: StepProgress) -> str:
        word = ENDS.get(step.status, step.status)
        took = f" ({duration(step.seconds)})" if step.seconds is not None else ""
        items = items_of(step)
        said = f": {reason(step.reason)}" if step.reason and step.status != "completed" else ""
        if step.failure is not None and step.status in ("failed", "tolerated"):
            said = f": {step.failure.type}: {first_line(step.failure.message)}"
        word = self._terminal.paint(word, STATUS_COLOURS.get(step.status))
        return f"{word}{took}{f', {items}' if items else ''}{said}"


def _retry(change: Change, now: float) -> str:
    failure = change.failure
    why = f"{failure.type}: {first_line(failure.message)}" if failure else change.text or "it returned Retry"
    attempt = f"attempt {failure.attempt} failed: " if failure else ""
    return f"{attempt}{why}; tried again in {duration(max(0.0, (change.retry_at or now) - change.at))}"
