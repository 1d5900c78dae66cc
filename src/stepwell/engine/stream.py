"""A generator step, run to its end: each value goes to a sink, and the last control value decides what comes of it.

An async generator runs on the loop, a sync one in a thread, from where a bridge carries its values over:

    thread: next(generator) ──► Bridge ──► loop: sink.take(value) ──► tokens of listeners, or items of a map
                     ▲                          │
                     └──── waits while ◄────────┘ the sink is full
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from typing import Protocol, cast

from msgspec import Struct

from stepwell.control import Cancelled, Control, Output
from stepwell.engine.patience import Patience
from stepwell.plan.plan import UNSET, PlanStep

_FIRST, _TURNS = 4, 1024
"""After each of the first values, and then after so many without a pause, the event loop gets its turn."""


_UNDER_WAY = 64
"""So many values may be on their way from a thread to the loop."""


class Sink(Protocol):
    """Where the values of a generator go; used on the event loop only."""

    values: list[object]
    """All that were taken."""

    def take(self, value: object) -> bool:
        """The next value; whether the generator is to wait now. Raises where the value is of no use."""
        ...

    @property
    def full(self) -> bool:
        """Whether the generator is to wait."""
        ...

    def room(self) -> asyncio.Future[None]:
        """Done when it is not full any more."""
        ...

    def finish(self) -> None:
        """There are no more values."""
        ...


class Ended(Struct, frozen=True):
    """What a generator said besides its values: the last control value that it yielded, and what it returned."""

    control: object
    returned: object = None


async def wait_for_room(sink: Sink, patience: Patience | None) -> None:
    """Wait until the sink is not full; that is nobody's fault, so it counts in no timeout."""
    if patience is not None:
        patience.pause()
    try:
        while sink.full:
            await asyncio.shield(sink.room())
    finally:
        if patience is not None:
            patience.go_on()


async def run_async(generator: AsyncGenerator[object], sink: Sink, patience: Patience | None) -> Ended:
    """Run an async generator to its end."""
    control: object = UNSET
    turn = 0
    try:
        async for value in generator:
            if isinstance(value, Control):
                control = cast("object", value)
                continue
            turn += 1
            if sink.take(value):
                await wait_for_room(sink, patience)
            elif turn <= _FIRST or turn % _TURNS == 0:
                await asyncio.sleep(0)
    finally:
        await generator.aclose()
    return Ended(control)


async def run_inline(generator: Generator[object, None, object], sink: Sink, patience: Patience | None) -> Ended:
    """Run a sync generator on the loop."""
    control: object = UNSET
    turn = 0
    try:
        while True:
            try:
                value = next(generator)
            except StopIteration as stop:
                return Ended(control, stop.value)
            if isinstance(value, Control):
                control = cast("object", value)
                continue
            turn += 1
            if sink.take(value):
                await wait_for_room(sink, patience)
            elif turn <= _FIRST or turn % _TURNS == 0:
                await asyncio.sleep(0)
    finally:
        generator.close()


class Bridge:
    """Carries what a sync generator yields from its thread to the loop; waits there while the sink is full."""

    def __init__(self, sink: Sink, patience: Patience | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._sink = sink
        self._patience = patience
        self._under_way: deque[object] = deque()
        self._scheduled = False
        self._paused = False
        self._closed = False
        self._error: BaseException | None = None
        self._open = threading.Event()

    def drive(self, function: Callable[..., object], args: Sequence[object], kwargs: Mapping[str, object]) -> Ended:
        """Run the generator to its end; in the thread."""
        generator = cast("Generator[object, None, object]", function(*args, **kwargs))
        control: object = UNSET
        try:
            while True:
                try:
                    value = next(generator)
                except StopIteration as stop:
                    return Ended(control, stop.value)
                if isinstance(value, Control):
                    control = cast("object", value)
                else:
                    self._put(value)
        finally:
            generator.close()

    def _put(self, value: object) -> None:
        self._under_way.append(value)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon_threadsafe(self._carry)
        if self._crowded():
            self._open.clear()
            if self._crowded() and not self._closed:  # unless it was carried over just now
                self._open.wait()
        if self._closed:
            raise Cancelled("nobody takes what this generator yields any more")

    def _crowded(self) -> bool:
        """Whether the thread is to wait until what it has put is taken."""
        return self._paused or len(self._under_way) >= _UNDER_WAY

    def _carry(self, _: object = None) -> None:
        """On the loop: hand over what has come."""
        self._scheduled = False
        if self._closed:
            return
        try:
            full = self._sink.full
            while self._under_way and not full:
                full = self._sink.take(self._under_way.popleft())
        except BaseException as error:
            self._error = error
            self.close()
            return
        if full:
            self._pause()
            return
        if self._paused:
            self._paused = False
            if self._patience is not None:
                self._patience.go_on()
        self._open.set()

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            if self._patience is not None:
                self._patience.pause()
        self._scheduled = True
        self._sink.room().add_done_callback(self._carry)

    async def finish(self) -> None:
        """Hand over what is still under way; the generator has come to its end.

        One that was told to end meanwhile is waited for no more, but what it gave is part of its output.
        """
        while self._under_way and self._error is None:
            if self._closed:
                self._sink.take(self._under_way.popleft())
            else:
                await wait_for_room(self._sink, self._patience)
                self._carry()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Take nothing more: the generator ends at its next value."""
        self._closed = True
        self._open.set()


def output_of(step: PlanStep, values: list[object], ended: Ended) -> object:
    """What a generator comes to: what its last control value says, else what it returned, else all that it yielded.

    Text is joined, anything else is a list. Over the yields of a source runs a map: they are its output.
    """
    if step.yields is not None:
        if isinstance(ended.control, Output) or ended.returned is not None:
            raise TypeError("a map runs over what it yields, so it gives no other output; leave Output, or return, out")
        return values if ended.control is UNSET else ended.control
    if ended.control is not UNSET:
        return ended.control
    if ended.returned is not None:
        return ended.returned
    declared = step.codec.annotation
    if values or declared is str:
        return "".join(cast("list[str]", values)) if all(isinstance(one, str) for one in values) else values
    return values
