"""A clock for tests: time stands still while something goes on, and jumps to the next timer when nothing else can.

something happens ──► stir ──► a few turns of the loop and a blink without anything ──► what is under way?
    nothing, or steps that wait for each other ──► jump to the next timer
    a thread, a store that writes, an async step that awaits something real ──► real time, until the timer is due
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Generator
from heapq import heappop, heappush
from itertools import count

from stepwell.clock import Duration, seconds
from stepwell.testing.waiting import waiting

START = 1_767_225_600.0
"""The first of January 2026, 00:00 UTC."""
_TURNS = 16
"""So many turns of the loop in which nothing happens: whatever was about to happen has happened."""
_BLINK = 0.001
"""Seconds that are really waited before a jump, for what comes from outside the loop."""
_LOOK_AGAIN = 0.05
"""Seconds after which an async step that awaits something real is looked at again."""


class VirtualTimer:
    """A call that was set for later."""

    __slots__ = ("call", "set_at", "when")

    def __init__(self, when: float, call: Callable[[], None]) -> None:
        self.when = when
        self.call: Callable[[], None] | None = call
        self.set_at = time.monotonic()

    def cancel(self) -> None:
        """Call it off."""
        self.call = None

    def run(self) -> None:
        """Make the call, unless it was called off meanwhile."""
        call, self.call = self.call, None
        if call is not None:
            call()


class VirtualClock:
    """Time for tests: waits for retries, timeouts and deadlines pass at once, and no work is timed out falsely.

    Time stands still, and jumps to the next timer when nothing else can happen. What really works is given real time:
    while a thread works, a store writes or an async step awaits something that the clock cannot see through (a socket,
    a subprocess, another thread), a timer fires only after as many real seconds as it was set for. So a thread that
    blocks for ever is timed out too, after its timeout in real time; use a short one, or `advance`.

    An async step that waits for an `asyncio.Event`, `Queue`, `Lock` or `Condition` waits for somebody else: after
    `patience` real seconds in which nothing happens, time jumps. `asyncio.sleep` takes real time, as everywhere, unless
    a timer would end the sleep before its time: a sleep of an hour with a timeout of a second is over at once.

    With `auto=False` time passes by `advance` alone, which may also be called with `auto=True`, also in a step, and
    from any thread. Only a `Harness` tells the clock of threads and async steps; give `auto=False` to use it elsewhere.

    >>> clock = VirtualClock(start=100.0, auto=False)
    >>> clock.advance("10m")
    >>> clock.now()
    700.0
    """

    def __init__(self, start: float = START, *, auto: bool = True, patience: float = 0.05) -> None:
        self.auto = auto
        self.patience = patience
        self._now = start
        self._changed = time.monotonic()
        self._timers: list[tuple[float, int, VirtualTimer]] = []
        self._order = count()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handle: asyncio.Handle | None = None
        self._long = False
        """The handle is one to be waited for in real time; what happens meanwhile shortens it."""
        self._turn = 0
        self._stirred_at = 0.0
        self._working = 0
        self._awaited: dict[int, object] = {}

    # --- the port -----------------------------------------------------------------------------------------------------

    def now(self) -> float:
        """Seconds since the epoch; the same until time jumps."""
        return self._now

    def call_at(self, when: float, call: Callable[[], None]) -> VirtualTimer:
        """Make this call on the running loop when time has come to `when`."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self.clear()  # timers of a loop that ran before
            self._loop = loop
        timer = VirtualTimer(when, call)
        if when <= self._now:
            loop.call_soon(timer.run)
        else:
            heappush(self._timers, (when, next(self._order), timer))
        self.stir()
        return timer

    # --- by hand ------------------------------------------------------------------------------------------------------

    def advance(self, duration: Duration) -> None:
        """Let so much time pass in one leap; what is due by then is called on its loop, in the order of its times."""
        self._now += seconds(duration, "the time to advance")
        self._changed = time.monotonic()
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed, and its timers with it
                self._loop.call_soon_threadsafe(self._fire)

    def clear(self) -> None:
        """Forget all timers; nothing of the clock is left in any loop."""
        self._timers.clear()
        self._disarm()

    # --- what goes on -------------------------------------------------------------------------------------------------

    def stir(self) -> None:
        """Something happens: time stands still for the moment."""
        self._stirred_at = time.monotonic()
        self._turn = 0
        if self._handle is None or self._long:
            self._arm()

    def work_begins(self) -> None:
        """Something is under way outside the loop: real time from here on."""
        self._working += 1
        self.stir()

    def work_ends(self) -> None:
        """It is done."""
        self._working -= 1
        self.stir()

    @contextlib.contextmanager
    def awaiting(self, awaited: object) -> Generator[None]:
        """An async step is under way: look what it waits for."""
        self._awaited[id(awaited)] = awaited
        self.stir()
        try:
            yield
        finally:
            del self._awaited[id(awaited)]
            self.stir()

    # --- looking whether anything can happen --------------------------------------------------------------------------

    def _arm(self, delay: float | None = None) -> None:
        """Look again: at the loop's next turn, or after real seconds."""
        self._disarm()
        loop = self._loop
        if not self.auto or not self._timers or loop is None or loop.is_closed():
            return
        self._long = delay is not None
        self._handle = loop.call_soon(self._look) if delay is None else loop.call_later(delay, self._look)

    def _disarm(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _look(self) -> None:
        """Jump if nothing has happened for a while and nothing can; else look again later."""
        self._handle = None
        timer = self._next()
        if timer is None:
            return
        self._turn += 1
        if self._turn < _TURNS:
            self._arm()
        elif self._turn == _TURNS:
            self._arm(_BLINK)
        elif (delay := self._patience_left(timer)) > 0:
            self._arm(delay)
        else:
            self._now = max(self._now, timer.when)
            self._changed = time.monotonic()
            self._fire()

    def _next(self) -> VirtualTimer | None:
        """The timer that is due first."""
        while self._timers and self._timers[0][2].call is None:
            heappop(self._timers)
        return self._timers[0][2] if self._timers else None

    def _patience_left(self, timer: VirtualTimer) -> float:
        """Real seconds after which to look again; none where time may jump to this timer."""
        real = time.monotonic()
        due = max(self._changed, timer.set_at) + timer.when - self._now - real
        if due <= 0:
            return 0.0
        if self._working:
            return due
        delay = 0.0
        for awaited in self._awaited.values():
            found = waiting(awaited)
            if found.real:
                delay = max(delay, _LOOK_AGAIN)
            elif found.until is not None and self._loop is not None:
                sleeps = found.until - self._loop.time()
                delay = max(delay, max(sleeps, 0.0) + _BLINK if sleeps < due else 0.0)
            else:
                delay = max(delay, self._stirred_at + self.patience - real)
        return min(delay, due)

    def _fire(self) -> None:
        """Have the calls made that are due; those of one instant in the order in which they were set."""
        loop = self._loop
        while self._timers and self._timers[0][0] <= self._now and loop is not None:
            loop.call_soon(heappop(self._timers)[2].run)
        self.stir()
