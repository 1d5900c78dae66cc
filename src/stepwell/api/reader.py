"""One iteration over a run: its facts by cursor, and between them, in their place, what is live only."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator

from stepwell import events as ev
from stepwell.engine.audience import AHEAD, Audience
from stepwell.engine.ledger import Ledger

_SPARKS = 10_000
"""So many live events wait for a slow reader at most, and what comes then is not told; tokens and facts always are."""


class Reader:
    """What has come and was not read yet; a listener of the run's audience."""

    __slots__ = ("_audience", "_ledger", "_news", "_sparks", "behind")

    def __init__(self, audience: Audience, ledger: Ledger, news: asyncio.Event) -> None:
        self.behind = 0
        """So many tokens were not read yet."""
        self._audience = audience
        self._ledger = ledger
        self._news = news
        self._sparks: deque[tuple[int, ev.Event]] = deque()
        """With the number of the last fact before each."""
        audience.listeners.append(self)

    def hear(self, event: ev.Event) -> None:
        """Take a live event."""
        if event.__class__ is ev.Token:
            self.behind += 1
        elif len(self._sparks) >= _SPARKS:
            return
        self._sparks.append((self._ledger.seq, event))
        self._news.set()

    def until(self, seq: int) -> Iterator[ev.Event]:
        """What was heard after no later fact than this one."""
        sparks = self._sparks
        while sparks and sparks[0][0] <= seq:
            event = sparks.popleft()[1]
            if event.__class__ is ev.Token:
                self.behind -= 1
                if self.behind == AHEAD // 2:
                    self._audience.read()
            yield event

    def close(self) -> None:
        """Nobody reads any more."""
        self._audience.listeners.remove(self)
        self._audience.read()
