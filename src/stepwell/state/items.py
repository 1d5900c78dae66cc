"""The items of one map, as far as they are known: counted, so that a decision looks at none twice."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush

from stepwell.ids import escape

DIGEST = 8
"""Bytes by which an item of a live source is told from another one; for mistakes, not for enemies."""


class MapState:
    """The items of one map: what each has come to, by index. Those of a live source come in parts."""

    __slots__ = (
        "_indices", "attempts", "base", "cancelled", "closed", "cursor", "digests", "due", "ended", "failed", "keys",
        "known", "parts", "results", "running", "stages", "stopped_by", "timers", "total", "visits",
    )  # fmt: skip

    def __init__(self, base: int = 1) -> None:
        self.total = 0
        self.known = 0
        """So many of them have their values at hand; of those that have not none begins."""
        self.parts = False
        """They came in parts, from a live source."""
        self.closed = False
        """There will be no more."""
        self.keys: list[str] | None = None
        self.digests = bytearray()
        """Of the items of a live source that have no keys, DIGEST bytes each."""
        self.stages = bytearray()
        self.results: list[object] = []
        self.base = base
        """The visit in which items are that were not reset one by one."""
        self.cursor = 0
        """No item before this one is still to be started."""
        self.running = 0
        self.ended = 0
        self.failed = 0
        self.cancelled = 0
        self.stopped_by = -1
        """The item that returned `Stop`."""
        self.attempts: dict[int, int] = {}
        """Attempts that ended in a retry so far, of the items that have any."""
        self.due: dict[int, float] = {}
        """When the retries of those items begin that wait for one."""
        self.timers: list[tuple[float, int]] = []
        """The same as a heap of (time, item): the first is the next one, others may be no longer due."""
        self.visits: dict[int, int] = {}
        """Which visit an item is in, of those that were reset."""
        self._indices: dict[str, int] = {}

    def grow(self, count: int, keys: Iterable[str] | None, digests: bytes) -> None:
        """So many items more."""
        if keys is not None:
            self.keys = [] if self.keys is None else self.keys
            self.keys.extend(keys)
        self.digests += digests
        self.stages.extend(bytes(count))
        self.results.extend([None] * count)
        self.known += count if self.known == self.total else 0  # none before those that are to come again
        self.total += count

    def wait(self, index: int, until: float) -> None:
        """An item waits for its next attempt."""
        self.due[index] = until
        heappush(self.timers, (until, index))

    def wait_no_more(self, index: int) -> None:
        """It does not any longer."""
        timers, due = self.timers, self.due
        del due[index]
        while timers and due.get(timers[0][1]) != timers[0][0]:
            heappop(timers)

    def path(self, name: str, index: int) -> str:
        """The text of an item's path, in its present visit; `name` is the map's."""
        key = str(index) if self.keys is None else escape(self.keys[index])
        visit = self.visits.get(index, self.base) if self.visits else self.base
        return f"{name}[{key}]" if visit == 1 else f"{name}[{key}]#{visit}"

    def key(self, index: int) -> str:
        """The key of an item."""
        return str(index) if self.keys is None else self.keys[index]

    def find(self, key: str) -> int | None:
        """The index of the item that was given this key; None where there is none."""
        try:
            return None if self.keys is None else self.index(key)
        except KeyError:
            return None

    def index(self, key: str) -> int:
        """The index of the item with this key; raises KeyError where there is none."""
        if self.keys is None:
            return int(key)
        for index in range(len(self._indices), len(self.keys)):
            self._indices[self.keys[index]] = index
        return self._indices[key]
