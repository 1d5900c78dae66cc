"""The sink of a generator whose values are told as they come: TOKEN events for those who listen."""

from __future__ import annotations

import asyncio

from stepwell.clock import Clock
from stepwell.engine.audience import Audience
from stepwell.events import Token


class Tokens:
    """Keeps the values for the output, and tells them. A generator that nobody listens to is never held up."""

    __slots__ = ("_attempt", "_audience", "_clock", "_path", "_run_id", "values")

    def __init__(self, audience: Audience, clock: Clock, run_id: str, path: str, attempt: int) -> None:
        self.values: list[object] = []
        self._audience = audience
        self._clock = clock
        self._run_id = run_id
        self._path = path
        self._attempt = attempt

    def take(self, value: object) -> bool:
        """The next token; whether a listener is too far behind now."""
        self.values.append(value)
        audience = self._audience
        if not audience.listeners:
            return False
        audience.tell(Token(self._run_id, 0, self._clock.now(), self._path, self._attempt, value))
        return audience.full

    @property
    def full(self) -> bool:
        """Whether a listener is too far behind."""
        return self._audience.full

    def room(self) -> asyncio.Future[None]:
        """Done when none is."""
        return self._audience.room()

    def finish(self) -> None:
        """There are no more."""
