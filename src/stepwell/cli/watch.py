"""Follows a run's record in a thread of its own and shows it: the engine is never held up by it, nor it by a step."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Protocol, Self

from stepwell.cli.streams import tell
from stepwell.cli.telling import spoken_line
from stepwell.errors import StepwellError
from stepwell.events import LogLine
from stepwell.journal.port import Store
from stepwell.views.progress import Progress
from stepwell.views.step_progress import Change

_EVERY = 0.1
_PAGE = 1000
_MOST_LINES = 1000
"""So many lines of steps are shown at once; of a flood the rest is counted."""


class Display(Protocol):
    """One way of showing progress."""

    def change(self, change: Change, now: float) -> None:
        """Something has happened."""
        ...

    def note(self, text: str, now: float) -> None:
        """Something is to be said."""
        ...

    def log(self, lines: Sequence[tuple[str, str]], now: float) -> None:
        """Steps have printed or logged these: where, and a line of it."""
        ...

    def tick(self, now: float) -> None:
        """Time has passed."""
        ...

    def close(self) -> None:
        """No more will come."""
        ...


class Watch:
    """From `with` on, the progress of a run is shown; leaving it shows the rest of it.

    Facts older than `since` are folded and not told: a run that goes on does not tell its past. `interrupted` gives the
    reason once somebody has asked for the end: it is told at once, also while a step keeps the event loop busy.
    """

    def __init__(
        self,
        store: Store,
        run_id: str,
        progress: Progress,
        display: Display | None,
        *,
        since: float,
        interrupted: Callable[[], str],
    ) -> None:
        self._store = store
        self._run_id = run_id
        self._progress = progress
        self._display = display
        self._since = since
        self._interrupted = interrupted
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._said = ""
        self._lines: deque[LogLine] = deque()
        self._left_out = 0
        self._thread = threading.Thread(target=self._follow, name="stepwell-progress", daemon=True)

    def __enter__(self) -> Self:
        if self._display is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._display is None:
            return
        self._thread.join()
        try:
            with self._lock:
                self._catch_up(self._display)
        except StepwellError as problem:
            tell(f"stepwell: the progress cannot be shown: {problem}")
        finally:
            self._display.close()

    def hear(self, line: LogLine) -> None:
        """Show what a step or item has printed or logged; from any thread, at no cost to it."""
        if len(self._lines) < _MOST_LINES:
            self._lines.append(line)
        else:
            self._left_out += 1

    def say_interrupted(self) -> None:
        """Tell, once, that the run is asked to end."""
        with self._lock:
            reason = self._interrupted()
            if not reason or self._said:
                return
            self._said = reason
            text = f"{reason}; what runs is being ended. Once more kills it at once"
            if self._display is None:
                tell(text)
            else:
                self._display.note(text, time.time())

    def _follow(self) -> None:
        display = self._display
        while display is not None and not self._over.wait(_EVERY):
            self.say_interrupted()
            try:
                with self._lock:
                    self._catch_up(display)
                    display.tick(time.time())
            except (StepwellError, OSError, ValueError):
                return  # the run itself meets what is wrong, and tells it better

    def _catch_up(self, display: Display) -> None:
        while page := self._store.read(self._run_id, self._progress.seq, _PAGE):
            for fact in page:
                change = self._progress.apply(fact)
                if (
                    change is None
                    or fact.at < self._since
                    or (change.what == "cancelling" and change.text == self._said)
                ):
                    continue
                self._show_lines(display, fact.at)
                display.change(change, time.time())
        self._show_lines(display, float("inf"))

    def _show_lines(self, display: Display, until: float) -> None:
        """What steps have said up to this time: before the end of the step that said it."""
        lines: list[tuple[str, str]] = []
        while self._lines and self._lines[0].at <= until:
            line = self._lines.popleft()
            lines += [(line.path, one) for one in spoken_line(line).split("\n")]
        if lines:
            display.log(lines, time.time())
        if self._left_out and not self._lines:
            count, self._left_out = self._left_out, 0
            display.note(f"{count:,} more lines were printed; `stepwell logs` has what is kept", time.time())
