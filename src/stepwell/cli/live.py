"""Progress on a terminal: a view that is drawn anew a few times a second and gone when the run is over."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from stepwell.cli.telling import ENDS, first_line, items_of, label_of, share_of, waits_of, warning_line
from stepwell.cli.terminal import STATUS_COLOURS, Colour, Terminal, cells, cut, padded
from stepwell.views.progress import Progress
from stepwell.views.step_progress import Change, StepProgress
from stepwell.views.words import about, duration, per, reason

_BAR, _SHORTEST_BAR, _NARROW_LABEL, _SHORTEST_SENTENCE = 24, 8, 18, 12
_LEAST_LABEL = 5
_URGENT, _GIVES_BAR, _SENTENCE = 2, 4, 9
"""Which parts of a line come before the label, are the bar, and a sentence that still says something when cut."""
_LABELS, _LABELS_WIDE = 16, 28
"""Columns that labels take at least and at most, where there is room."""
_ROOMY = 56
_FEW = 14
"""A pipeline of so many steps is shown whole, if it fits."""
_LAST_ENDED = 3
_MARKS = {"completed": "✓", "failed": "✗", "tolerated": "!", "waiting": "↻", "cancelled": "■", "pending": "·"}
_ASCII = {"completed": "+", "failed": "x", "tolerated": "!", "waiting": "~", "cancelled": "#", "pending": "."}
_SPINNER, _ASCII_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\"
_STYLES = {"blue": "cyan", "dim": "bright_black"}
_COUNTED = {
    "completed": "done", "failed": "failed", "tolerated": "tolerated", "skipped": "skipped", "pruned": "not run",
    "cancelled": "cancelled", "pending": "pending",
}  # fmt: skip


class Part(NamedTuple):
    """Something that a line may say. Where the room is short, those with the highest `gives_way` leave first."""

    text: str
    gives_way: int
    colour: Colour | None = None


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
        self._column = _LABELS
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

    def log(self, lines: Sequence[tuple[str, str]], now: float) -> None:
        """Show, above the view, what steps have printed or logged; colours are kept, other control codes are not."""
        style = self._style("dim")
        texts = [Text(f"{path} | ", style=style).append_text(Text.from_ansi(line)) for path, line in lines]
        self._console.print(Text("\n").join(texts))

    def tick(self, now: float) -> None:
        """Draw it anew."""
        self._now = now
        room = max(2, self._console.size.height - 2)
        lines = list(self._lines(room))
        self._live.update(Group(*lines[:room]), refresh=True)

    def close(self) -> None:
        """Take it back."""
        self._live.update(Text(""))
        self._live.stop()

    # --- lines --------------------------------------------------------------------------------------------------------

    def _lines(self, room: int) -> Iterator[Text]:
        progress = self._progress
        yield self._head()
        if len(progress.steps) <= min(_FEW, room - 1):
            yield from self._table(list(progress.steps.values()))
            return
        active = list(progress.active.values())
        ended = list(progress.last_ended)[-min(_LAST_ENDED, max(0, room - 4)) :] if room > 4 else []
        shown = active[: max(1, room - len(ended) - 3)]
        yield from self._table([*ended, *shown])
        if len(active) > len(shown) and room > 2:
            yield self._line([Part(f"  and {len(active) - len(shown):,} more that run or wait", 0, "dim")])
        if room > 3:
            yield self._line([Part(f"  {self._counts()}", 0, "dim")])

    def _head(self) -> Text:
        progress = self._progress
        started = self._now if progress.started_at is None else progress.started_at
        parts = [
            Part(f"{progress.ended:,}/{len(progress.steps):,} steps", 0),
            Part(duration(self._now - started), 1),
        ]
        if failed := progress.counts["failed"]:
            parts.insert(1, Part(f"{failed:,} failed", 2, "red"))
        if self._width >= _ROOMY:
            parts.insert(0, Part(progress.run_id, 3, "dim"))
        return self._line([Part(progress.pipeline, 0, "bold")], self._fitting(parts, 8, least=4))

    def _table(self, steps: Sequence[StepProgress]) -> Iterator[Text]:
        longest = max((cells(label_of(step)) for step in steps), default=0)
        self._column = min(max(longest, _LABELS), max(_LABELS, min(_LABELS_WIDE, self._width // 3)))
        for step in steps:
            yield self._step(step)

    def _step(self, step: StepProgress) -> Text:
        label, pale = label_of(step), step.status in ("pending", "skipped", "pruned")
        mark = Part(f"  {self._mark(step)} ", 0, STATUS_COLOURS.get(step.status))
        taken = 4 + (self._column if self._width >= _ROOMY else min(cells(label), _NARROW_LABEL))
        parts = self._fitting(list(self._details(step)), taken, least=4 + min(cells(label), _LEAST_LABEL))
        if parts and parts[0].gives_way == _GIVES_BAR:
            spare = self._width - 1 - taken - sum(2 + cells(part.text) for part in parts)
            parts[0] = parts[0]._replace(text=self._bar(step, min(_BAR, _SHORTEST_BAR + spare)))
        if parts and self._width >= _ROOMY:
            label = padded(label, self._column)
        return self._line([mark, Part(label, 0, "dim" if pale else None)], parts)

    def _details(self, step: StepProgress) -> Iterator[Part]:
        """What is said of a step after its label."""
        now, running = self._now, step.status in ("running", "waiting")
        if running and step.total:
            if not step.grows:
                yield Part(self._bar(step, _SHORTEST_BAR), _GIVES_BAR, "blue")
            yield Part(share_of(step), 0)
            if step.failed:
                yield Part(f"{len(step.failed):,} failed", 1, "red")
            if step.waiting:
                yield Part(f"{len(step.waiting):,} to retry", 6, "yellow")
            if (rate := step.rate(now)) is not None:
                yield Part(per(rate), 3)
            if (left := step.left(now)) is not None:
                yield Part(f"{about(left)} left", 2)
        elif items := items_of(step):
            yield Part(items, 1)
        if step.started_at is not None and step.status != "pending":
            end = step.ended_at if step.ended_at is not None and not running else now
            yield Part(duration(end - step.started_at), 5, "dim")
        retry_at = step.next_retry(now) if running else None
        if retry_at is not None:
            yield Part(f"again in {duration(max(0.0, retry_at - now))}", 1, "yellow")
        if step.failure is not None and step.status in ("waiting", "failed", "tolerated"):
            yield Part(first_line(f"{step.failure.type}: {step.failure.message}"), _SENTENCE, "dim")
        elif step.status in ("skipped", "pruned"):
            yield Part(ENDS.get(step.status, step.status) + f": {reason(step.reason)}", _SENTENCE, "dim")
        elif step.status == "pending" and step.waits_for:
            yield Part(waits_of(step), _SENTENCE, "dim")

    def _mark(self, step: StepProgress) -> str:
        unicode = self._terminal.unicode
        if step.status == "running":
            frames = _SPINNER if unicode else _ASCII_SPINNER
            return frames[int(self._now * 8) % len(frames)]
        return (_MARKS if unicode else _ASCII).get(step.status, "-")

    def _bar(self, step: StepProgress, length: int) -> str:
        full = step.ended_items * length // (step.total or 1)
        if self._terminal.unicode:
            return "━" * full + "╌" * (length - full)
        return "#" * full + "-" * (length - full)

    def _counts(self) -> str:
        counts = self._progress.counts
        return ", ".join(f"{counts[status]:,} {word}" for status, word in _COUNTED.items() if counts[status])

    # --- fitting ------------------------------------------------------------------------------------------------------

    @property
    def _width(self) -> int:
        return self._console.size.width

    def _fitting(self, parts: Sequence[Part], taken: int, *, least: int) -> list[Part]:
        """Those for which there is room beside what is taken, in their order; a sentence is cut to come in.

        For what is urgent the label before them gives way too, down to `least`.
        """
        room, urgent = self._width - 1 - taken, taken - least
        kept: dict[int, Part] = {}
        for at in sorted(range(len(parts)), key=lambda at: parts[at].gives_way):
            part = parts[at]
            need = 2 + cells(part.text)
            if need > room and part.gives_way == _SENTENCE and room > _SHORTEST_SENTENCE:
                part = part._replace(text=cut(part.text, room - 2, unicode=self._terminal.unicode))
                need = room
            if need <= room + (urgent if part.gives_way <= _URGENT else 0):
                kept[at] = part
                room -= need
        return [kept[at] for at in sorted(kept)]

    def _line(self, heads: Sequence[Part], parts: Sequence[Part] = ()) -> Text:
        """Heads, of which the last is cut where that must be, and what is said after them."""
        # One column stays free: a line that fills the terminal exactly wraps on some of them.
        room = self._width - 1 - sum(2 + cells(part.text) for part in parts)
        line = Text(no_wrap=True, overflow="crop")
        for head in heads:
            text = cut(head.text, max(1, room), unicode=self._terminal.unicode)
            room -= cells(text)
            line.append(text, style=self._style(head.colour))
        for part in parts:
            line.append(f"  {part.text}", style=self._style(part.colour))
        return line

    def _style(self, colour: str | None) -> str:
        return _STYLES.get(colour, colour) if self._terminal.colour and colour else ""
