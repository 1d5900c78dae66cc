"""How fast the items of a map come to an end, and when the last of them will: out of how many had ended when."""

from __future__ import annotations

from collections import deque

_WINDOW = 30.0
"""Seconds that count as "of late"."""
_ENOUGH = 10
"""Where fewer items than this ended of late, the time before counts too."""
_GRAIN = 0.5
"""Seconds between two marks: a quick map has as few of them as a slow one."""
_MARKS = 128
_FEWEST, _SOONEST = 5, 3.0
"""Fewer items, or less time, say nothing about the rest."""


class Pace:
    """Marks how many items had ended at which time (in seconds, by one clock); asked with the time as an argument.

    >>> pace = Pace()
    >>> pace.begin(0.0, 0)
    >>> for second in range(1, 11):
    ...     pace.note(float(second), 20 * second)
    >>> pace.rate(200, 10.0), pace.left(100, 200, 10.0)
    (20.0, 5.0)
    """

    __slots__ = ("_marks", "due")

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque(maxlen=_MARKS)
        self.due = 0.0
        """Before this time nothing need be noted."""

    def begin(self, at: float, ended: int) -> None:
        """From here on; what ended before, say before a resume, says nothing about now."""
        self._marks.clear()
        self._mark(at, ended)

    def note(self, at: float, ended: int) -> None:
        """So many have ended."""
        if at >= self.due:
            self._mark(at, ended)

    def _mark(self, at: float, ended: int) -> None:
        self._marks.append((at, ended))
        self.due = at + _GRAIN

    def rate(self, ended: int, now: float) -> float | None:
        """Items a second, of late; None while too little is known."""
        if not self._marks:
            return None
        since, before = self._marks[0]
        for at, count in reversed(self._marks):
            if now - at >= _WINDOW and ended - count >= _ENOUGH:
                since, before = at, count
                break
        passed, items = now - since, ended - before
        return items / passed if passed >= _SOONEST and items >= _FEWEST else None

    def left(self, open_items: int, ended: int, now: float) -> float | None:
        """Seconds until the items that are left have ended, at this rate; None while too little is known."""
        rate = self.rate(ended, now)
        return None if rate is None else open_items / rate
