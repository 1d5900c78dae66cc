"""What stands in for asyncio, for threads and for the user's functions; it moves only when the schedule says so."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from stepwell.engine.crew import Act
from stepwell.engine.feed import Feed
from stepwell.engine.outcome import Outcome


class Loop:
    """An event loop as far as a feed knows it; what is to be called soon is called by the schedule."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], None]] = []

    def call_soon(self, call: Callable[[], None]) -> None:
        """Keep the call."""
        self.soon.append(call)


class Never:
    """A timer that nobody waits for."""

    def cancel(self) -> None:
        """Nothing is to be called off."""


class Thread:
    """A call that outlives its attempt."""

    def __init__(self, *, of_source: bool) -> None:
        self.of_source = of_source
        """It is that of a generator, which held no slot before."""
        self._calls: list[Callable[[object], None]] = []

    def done(self) -> bool:
        """Not yet."""
        return False

    def add_done_callback(self, call: Callable[[object], None]) -> None:
        """Keep who is to be told."""
        self._calls.append(call)

    def end(self) -> None:
        """It ends at last."""
        for call in self._calls:
            call(self)


class Hand:
    """A worker, as far as a performer knows it."""

    def __init__(self) -> None:
        self.act: Act | None = None
        self.told = 0
        self.lost = self.busy = self.main = False
        self.abandoned: Thread | None = None
        self.signal = self.reason = ""
        self.timer: Never | None = None

    def end(self, signal: str, reason: str) -> None:
        """Somebody wants its attempt to end; the schedule knows when it does."""
        if not self.signal:
            self.signal, self.reason = signal, reason


class Pause:
    """An attempt is under way here, until the schedule says what it came to."""

    def __await__(self) -> Generator[None, Outcome, Outcome]:
        return (yield)


@dataclass(eq=False)
class Attempt:
    """One act under way."""

    act: Act
    hand: Hand
    feed: Feed | None = None
    """Of a generator whose items maps take as they come: where its values go."""
    gift: tuple[str, ...] = ()
    """Of any generator: all that it yields if it comes to its end."""
    left: list[str] = field(default_factory=list[str])
    """What it has still to yield."""
    came: Generator[None, Outcome, None] | None = None
    """What its performer waits in."""
