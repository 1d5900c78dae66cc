"""Progress on a terminal: a view that is drawn anew a few times a second and gone when the run is over."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from stepwell.cli.plain import ENDS, items_of, warning_line
from stepwell.cli.terminal import STATUS_COLOURS, Terminal
from stepwell.views.progress import Change, Progress, StepProgress
from stepwell.views.words import duration, reason

_BAR, _NARROW = 24, 56
_FEW = 14
"""A pipeline of so many steps is shown whole, if it fits."""
_LAST_ENDED = 3
_MARKS = {"completed": "✓", "failed": "✗", "tolerated": "!", "waiting": "↻", "cancelled": "■", "pending": "·"}
_ASCII = {"completed": "+", "failed": "x", "tolerated": "!", "waiting": "~", "cancelled": "#", "pending": "."}
_SPINNER, _ASCII_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\"
_STYLES = {"blue": "cyan", "dim": "bright_black"}


class LiveView:
    """Draws the progress; what steps print appears above it."""

    def __init__(self, progress: Progress, terminal: Terminal) -> None:
        self._progress = progress
        self._terminal = terminal
        self._console = Console(
            file=sys.stderr, force_terminal=True, no_color=not terminal.colour, highlight=False, soft_wrap=False
        )
        self._live = Live(console=self._console, auto_refresh=False, transient=True, vertical_overflow="crop")
        self._now = 0.0
        self._live.start()

    def change(self, change: Change, now: float) -> None:
        """Most changes are seen in the view; these also stay in the text above it."""
        if change.what == "warning":
            if line := warning_line(change):
                self.note(line, now)
        elif change.what == "cancelling":
            self.note(f"ending the run: {change.text}", now)

    def note(self, text: str, now: float) -> None:
        """Tell something, above the view."""
        self._console.print(Text(text))

    def tick(self, now: float) -> None:
        """Draw it anew."""
        self._now = now
        room = max(4, self._console.size.height - 2)
        lines = list(self._lines(room))
        self._live.update(Group(*lines[:room]), refresh=True)

    def close(self) -> None:
        """Take it back."""
        self._live.update(Text(""))
        self._live.stop()

    # --- lines --------------------------------------------------------------------------------------------------------

    def _lines(self, room: int) -> Iterator[Text]:
        progress = self._progress
        steps = list(progress.steps.values())
        yield self._head()
        if len(steps) <= min(_FEW, room - 1):
            for step in steps:
                yield self._step(step)
            return
        active = list(progress.active.values())
        ended = list(progress.last_ended)[-_LAST_ENDED:]
        shown = active[: max(1, room - len(ended) - 3)]
        for step in [*ended, *shown]:
            yield self._step(step)
        if len(active) > len(shown):
            yield self._fit(f"  and {len(active) - len(shown):,} more that run or wait", "dim")
        yield self._fit(f"  {self._counts()}", "dim")

    def _head(self) -> Text:
        progress = self._progress
        started = self._now if progress.started_at is None else progress.started_at
        time = duration(self._now - started)
        count = f"{progress.ended:,}/{len(progress.steps):,} steps"
        line = Text(progress.pipeline, style=self._style("bold"), no_wrap=True, overflow="ellipsis")
        if self._width >= _NARROW:
            line.append(f"  {progress.run_id}", style=self._style("dim"))
        line.append(f"  {count}  {time}", style="")
        return self._cut(line)

    def _step(self, step: StepProgress) -> Text:
        line = Text("  ", no_wrap=True, overflow="ellipsis")
        line.append(self._mark(step), style=self._style(STATUS_COLOURS.get(step.status)))
        pale = "dim" if step.status in ("pending", "skipped", "pruned") else None
        line.append(f" {step.label:<{self._label_width()}}", style=self._style(pale))
        for text, style in self._details(step):
            line.append(f"  {text}", style=style)
        return self._cut(line)

    def _label_width(self) -> int:
        return 16 if self._width >= _NARROW else 1

    def _details(self, step: StepProgress) -> Iterator[tuple[str, str]]:
        """What is said of a step after its label."""
        running = step.status in ("running", "waiting")
        if running and step.total:
            if self._width >= _NARROW:
                yield self._bar(step), self._style("blue")
            share = f"{step.done + len(step.failed):,}/{step.total:,}"
            yield share, ""
            if step.failed:
                yield f"{len(step.failed):,} failed", self._style("red")
        elif items := items_of(step):
            yield items, ""
        end = step.ended_at if step.ended_at is not None and not running else self._now
        if step.started_at is not None and step.status != "pending":
            yield duration(end - step.started_at), self._style("dim")
        retry_at = step.next_retry(self._now) if running else None
        if retry_at is not None:
            yield f"again in {duration(max(0.0, retry_at - self._now))}", self._style("yellow")
        if step.failure is not None and step.status in ("waiting", "failed", "tolerated"):
            yield f"{step.failure.type}: {step.failure.message}".partition("\n")[0], self._style("dim")
        elif step.status in ("skipped", "pruned"):
            yield ENDS.get(step.status, step.status) + f": {reason(step.reason)}", self._style("dim")

    def _mark(self, step: StepProgress) -> str:
        unicode = self._terminal.unicode
        if step.status == "running":
            frames = _SPINNER if unicode else _ASCII_SPINNER
            return frames[int(self._now * 8) % len(frames)]
        return (_MARKS if unicode else _ASCII).get(step.status, "-")

    def _bar(self, step: StepProgress) -> str:
        total = step.total or 1
        full = (step.done + len(step.failed)) * _BAR // total
        if self._terminal.unicode:
            return "━" * full + "╌" * (_BAR - full)
        return "#" * full + "-" * (_BAR - full)

    def _counts(self) -> str:
        counts = self._progress.counts
        words = {
            "completed": "done",
            "failed": "failed",
            "tolerated": "tolerated",
            "skipped": "skipped",
            "pruned": "not run",
            "cancelled": "cancelled",
            "pending": "pending",
        }
        return ", ".join(f"{counts[status]:,} {word}" for status, word in words.items() if counts[status])

    # --- fitting ------------------------------------------------------------------------------------------------------

    @property
    def _width(self) -> int:
        return self._console.size.width

    def _fit(self, text: str, colour: str) -> Text:
        return self._cut(Text(text, style=self._style(colour), no_wrap=True, overflow="ellipsis"))

    def _cut(self, line: Text) -> Text:
        # One column stays free: a line that fills the terminal exactly wraps on some of them.
        line.truncate(max(1, self._width - 1), overflow="ellipsis" if self._terminal.unicode else "crop")
        return line

    def _style(self, colour: str | None) -> str:
        return _STYLES.get(colour, colour) if self._terminal.colour and colour else ""
