"""What an async step waits for: a sleep of known length, somebody else in the same loop, or something real.

The chain of suspended coroutines tells it, by attributes that Python documents (`cr_await`, `ag_await`). Whatever
cannot be told counts as real: then the clock waits as long as a real clock would.
"""

from __future__ import annotations

import asyncio
import asyncio.locks
import asyncio.queues
import inspect
import sysconfig
from collections.abc import Sequence
from types import FrameType
from typing import NamedTuple, cast

_SLEEP = asyncio.sleep.__code__
_MEETINGS = frozenset({asyncio.locks.__file__, asyncio.queues.__file__})
"""Where a coroutine waits for another one of its loop: events, conditions, locks, queues."""
_LIBRARIES = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
"""A library that waits for an event may well wait for a socket: anyio does."""


class Waiting(NamedTuple):
    """`real`: it will go on by itself. Else it goes on at `until` (in the loop's time), or when somebody wakes it."""

    real: bool
    until: float | None = None


def waiting(awaited: object) -> Waiting:
    """What this awaitable, which is being awaited at this moment, waits for."""
    frames = _chain(awaited)
    if not frames:
        return Waiting(real=True)
    last = frames[-1]
    if last.f_code is _SLEEP:
        timer = last.f_locals.get("h")
        when = getattr(timer, "when", None)
        return Waiting(real=False, until=cast("float", when())) if callable(when) else Waiting(real=True)
    callers = [frame for frame in frames if frame.f_code.co_filename not in _MEETINGS]
    if last in callers:
        return Waiting(real=True)
    caller = callers[-1].f_code.co_filename if callers else ""
    return Waiting(real=caller.startswith(_LIBRARIES))


def _chain(awaited: object) -> Sequence[FrameType]:
    """The frames of the coroutines that wait for each other, the innermost last; empty where one cannot be seen."""
    frames: list[FrameType] = []
    here = awaited
    while True:
        frame: FrameType | None
        if inspect.iscoroutine(here):
            frame, here = here.cr_frame, here.cr_await
        elif inspect.isasyncgen(here):
            frame, here = here.ag_frame, here.ag_await
        elif inspect.isgenerator(here):
            frame, here = here.gi_frame, here.gi_yieldfrom
        else:
            return frames
        if frame is None or here is None:
            return ()  # it has not begun, has ended, or is about to go on
        frames.append(frame)
