"""Who hears of a run as it goes on: iterators, told of what is live only; and how far a generator may be ahead of them.

A slow listener holds up nothing but a generator step, and that only while somebody may still read on: awaiting the
run, or dropping the iterator, lifts the wait.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from stepwell.events import Event

AHEAD = 1024
"""So many tokens a generator may be ahead of a listener."""


class Listener(Protocol):
    """One who is told."""

    def hear(self, event: Event) -> None:
        """Take an event; must not raise."""
        ...

    behind: int
    """How many tokens it has not read yet."""


class Audience:
    """The listeners of one run."""

    __slots__ = ("_lifted", "_room", "listeners")

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self._room: asyncio.Future[None] | None = None
        self._lifted = False

    def tell(self, event: Event) -> None:
        """Tell everybody."""
        for listener in self.listeners:
            listener.hear(event)

    @property
    def full(self) -> bool:
        """Whether somebody is so far behind that a generator is to wait."""
        for listener in self.listeners:
            if listener.behind >= AHEAD:
                return not self._lifted
        return False

    def room(self) -> asyncio.Future[None]:
        """Done when nobody is too far behind any more."""
        if self._room is None:
            self._room = asyncio.get_running_loop().create_future()
        return self._room

    def read(self) -> None:
        """Somebody has read down to half of that, or has gone."""
        if self._room is not None and not self.full:
            room, self._room = self._room, None
            if not room.done():
                room.set_result(None)

    def lift(self) -> None:
        """Nobody is waited for any more: the run is awaited to its end."""
        self._lifted = True
        self.read()
