"""How long an attempt may take: a time limit that can be paused while the attempt waits for us."""

from __future__ import annotations

from collections.abc import Callable

from stepwell.clock import Clock, Timer


class Patience:
    """Calls `run_out` once `seconds` have passed that were not paused; `end()` when it is no longer needed."""

    __slots__ = ("_clock", "_deadline", "_left", "_run_out", "_timer")

    def __init__(self, clock: Clock, seconds: float, run_out: Callable[[], None]) -> None:
        self._clock = clock
        self._run_out = run_out
        self._left = 0.0
        self._deadline = clock.now() + seconds
        self._timer: Timer | None = clock.call_at(self._deadline, run_out)

    @property
    def over(self) -> bool:
        """Whether the time is up, be it that nobody could be told yet."""
        return self._timer is not None and self._deadline <= self._clock.now()

    def pause(self) -> None:
        """The attempt waits for somebody else from here on."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._left = self._deadline - self._clock.now()

    def go_on(self) -> None:
        """It waits no more."""
        if self._timer is None:
            self._deadline = self._clock.now() + self._left
            self._timer = self._clock.call_at(self._deadline, self._run_out)

    def end(self) -> None:
        """The attempt is over."""
        if self._timer is not None:
            self._timer.cancel()
