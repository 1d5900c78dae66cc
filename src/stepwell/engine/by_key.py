"""The items of a live source by their keys: whatever the order in which they come again, each is in its place."""

from __future__ import annotations

from stepwell.plan.plan import UNSET
from stepwell.state.items import MapState


class ByKey:
    """The values of a map's items where they stand by their keys, in whichever order they come again."""

    def __init__(self, items: MapState) -> None:
        self._items = items
        self._recorded = items.total
        self._come: set[str] = set()
        """The keys that have come in this attempt."""
        self._seen = 0
        self._new: list[tuple[str, object]] = []
        self.values: list[object] = [UNSET] * items.total

    def put(self, key: str, value: object) -> None:
        """The value of an item; raises ValueError for a key that has come before."""
        if key in self._come:
            raise ValueError(f"key= gave {key!r} for two items; it must tell each item from all others")
        place = self._items.find(key)
        self._come.add(key)
        if place is None:
            self._new.append((key, value))
        else:
            self.values[place] = value

    def new_keys(self) -> tuple[str, ...]:
        """The keys to be recorded; none before all that are recorded have come, for that they will is not certain."""
        if self.missing():
            return ()
        new, self._new = self._new, []
        self.values.extend(value for _, value in new)
        return tuple(key for key, _ in new)

    @property
    def held(self) -> int:
        """How many new ones are held back."""
        return len(self._new)

    def seen(self) -> int:
        """How many items have their values, from the first on without a gap."""
        while self._seen < len(self.values) and self.values[self._seen] is not UNSET:
            self._seen += 1
        return self._seen

    def missing(self) -> str:
        """The key of a recorded item that has not come again; empty where all have."""
        seen = self.seen()
        return self._items.key(seen) if seen < self._recorded else ""
