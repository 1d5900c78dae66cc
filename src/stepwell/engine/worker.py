"""A worker: one asyncio task, what it is doing, and how that is told to end."""

from __future__ import annotations

import asyncio
from typing import Literal

from stepwell.clock import Timer
from stepwell.control import CancelToken
from stepwell.engine.commands import Guard, Start, StartItem

Signal = Literal["", "timeout", "cancel"]


class Worker:
    """What is known from outside of the attempt that a task is making at this moment."""

    __slots__ = ("abandoned", "act", "busy", "lost", "main", "reason", "signal", "task", "timer", "token", "told")

    def __init__(self, task: asyncio.Task[None], *, main: bool) -> None:
        self.task = task
        self.main = main
        """It is the main task of its run."""
        self.act: Start | StartItem | Guard | None = None
        self.busy = False
        """It is inside a function of the user."""
        self.lost = False
        """It did not heed a cancel; somebody else has written down its end, and its result is refused."""
        self.signal: Signal = ""
        self.reason = ""
        self.timer: Timer | None = None
        """Ends the patience with an attempt that was told to end."""
        self.token: CancelToken | None = None
        self.told = 0
        """How often its task was cancelled for the sake of the attempt."""
        self.abandoned: asyncio.Future[object] | None = None
        """A call in a thread that has outlived its attempt."""

    def begin(self) -> None:
        """An attempt begins."""
        self.busy = True
        self.signal = ""
        self.token = None

    def forget(self) -> None:
        """Nobody waits for this task any more: neither the end of the event loop, nor a complaint that it is pending.

        Source: https://docs.python.org/3/library/asyncio-extending.html#task-lifetime-support
        """
        unregister = getattr(asyncio.tasks, "_unregister_task")  # noqa: B009 - documented, but not in the type stubs
        unregister(self.task)
        setattr(self.task, "_log_destroy_pending", False)  # noqa: B010

    def leave(self) -> None:
        """The attempt is over."""
        self.busy = False
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def end(self, signal: Signal, reason: str) -> None:
        """Tell the attempt to end; a cancel counts more than a timeout, and nothing is said twice."""
        if not self.busy or self.signal == "cancel" or self.signal == signal:
            return
        self.signal = signal
        self.reason = reason
        if self.token is not None:
            self.token.cancel(reason)
        self.told += 1
        self.task.cancel()

    async def settle(self) -> None:
        """Take back the cancels of an attempt that is over, also those it did not heed: they must not hit the next."""
        try:
            await asyncio.sleep(0)  # one that has not been delivered yet is delivered here
        except asyncio.CancelledError:
            if self.task.cancelling() > self.told:
                raise  # somebody else cancels this task
        for _ in range(self.told):
            self.task.uncancel()
        self.told = 0
