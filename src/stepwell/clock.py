"""Time as an argument: the clock that a run is given, and durations as people write them."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

Duration = str | int | float | timedelta
"""`"250ms"`, `"30s"`, `"10m"`, `"24h"`, `"7d"`, a number of seconds, or a `timedelta`."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*\Z")


class Timer(Protocol):
    """A call that was set for later and can be called off."""

    def cancel(self) -> None:
        """Call it off; nothing happens where it has been made already."""
        ...


class Clock(Protocol):
    """What the engine knows of time; the real one here, a virtual one in `stepwell.testing`."""

    def now(self) -> float:
        """Seconds since the epoch, UTC."""
        ...

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        """Make this call on the running loop once `now()` has reached `when`."""
        ...


_TICK = max(time.get_clock_info(name).resolution for name in ("time", "monotonic"))
"""The seconds by which the machine's clocks advance at once: a nanosecond on most systems, 16 ms on many a Windows."""


class SystemClock:
    """The machine's own clock."""

    now = staticmethod(time.time)

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        """Set the call on the running event loop."""
        return asyncio.get_running_loop().call_later(delay(when, time.time(), _TICK), call)


def delay(when: float, now: float, tick: float) -> float:
    """Seconds to ask an event loop for: it takes what is due within one tick for due, and `now()` would not agree.

    >>> delay(10.0, 9.0, 0.25), delay(9.0, 10.0, 0.25)
    (1.25, 0.0)
    """
    return when - now + tick if when > now else 0.0


def seconds(duration: Duration, what: str = "a duration") -> float:
    """The duration in seconds; raises ValueError that says what a duration looks like.

    >>> seconds("250ms"), seconds("10m"), seconds(3)
    (0.25, 600.0, 3.0)
    """
    value: float | None = None
    if isinstance(duration, timedelta):
        value = duration.total_seconds()
    elif isinstance(duration, str):
        match = _DURATION.match(duration)
        value = float(match[1]) * _UNITS[match[2]] if match else None
    elif not isinstance(duration, bool) and isinstance(duration, (int, float)):  # pyright: ignore[reportUnnecessaryIsInstance]
        value = float(duration)
    if value is None or not math.isfinite(value) or value < 0:
        raise ValueError(
            f'{what} must be like "250ms", "30s", "10m", "24h", "7d", a number of seconds or a timedelta, '
            f"not {duration!r}"
        )
    return value
