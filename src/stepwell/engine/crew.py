"""The workers of one run and what they have to do; with as few asyncio tasks as it can.

A worker is a task that makes one attempt after the other. A second worker stands by only while there is a second thing
to do, and begins when the first really suspends; so a chain runs in one task, and steps that never suspend run in few.
The first worker is the run's main task, the only one that waits when there is nothing to do.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from stepwell.engine.commands import Guard, Start, StartItem
from stepwell.engine.worker import Worker

Act = Start | StartItem | Guard

_TURNS = 64
"""Each time so many acts are done the event loop gets its turn, even if none of them has suspended."""


async def _idle(worker: Worker, act: Act) -> None:
    """Nothing is performed any more."""


def _nothing() -> None:
    """Nothing comes of it."""


def _unheard(error: BaseException) -> None:
    """Nobody is told any more."""


class Crew:
    """Takes acts in order and has each performed by some worker, which then commits what came of it.

    `commit` gives what to wait for before the worker takes its next act, or None.
    """

    __slots__ = ("_commit", "_failed", "_idle", "_name", "_perform", "_standing_by", "_turn", "over", "todo", "workers")

    def __init__(
        self,
        name: str,
        perform: Callable[[Worker, Act], Awaitable[None]],
        commit: Callable[[], Awaitable[None] | None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._name = name
        self._perform = perform
        self._commit = commit
        self._failed = failed
        self.todo: deque[Act] = deque()
        self.workers: dict[Worker, None] = {}
        """In the order in which they began."""
        self.over = False
        """There will be nothing more to do."""
        self._standing_by: asyncio.Task[None] | None = None
        """A worker that has not begun yet."""
        self._idle: asyncio.Future[None] | None = None
        self._turn = 0

    async def work(self, task: asyncio.Task[None], *, main: bool) -> None:
        """Perform acts until there are none; the main worker waits for more until all is over."""
        worker = Worker(task, main=main)
        self.workers[worker] = None
        todo = self.todo
        try:
            while not worker.lost:
                if todo:
                    act = todo.popleft()
                    if todo:
                        self.stand_by()
                    self._turn += 1
                    if self._turn % _TURNS == 0:
                        await asyncio.sleep(0)
                        if self.over:
                            return
                    await self._perform(worker, act)
                    if not worker.lost and not self.over and (wait := self._commit()) is not None:
                        await wait
                elif self.over or not main:
                    return
                else:
                    self._idle = asyncio.get_running_loop().create_future()
                    await self._idle
        finally:
            del self.workers[worker]

    def stand_by(self) -> None:
        """See to it that somebody takes the next act: the main worker if it is idle, else another one."""
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)
        elif self._standing_by is None:
            self._standing_by = asyncio.get_running_loop().create_task(self._second(), name=self._name)

    async def _second(self) -> None:
        task, self._standing_by = self._standing_by, None
        if task is None or self.over:
            return
        try:
            await self.work(task, main=False)
        except Exception as error:
            self._failed(error)
        except GeneratorExit:
            raise  # the task is thrown away with its loop
        except BaseException as error:
            self._failed(error)
            raise

    def finish(self) -> None:
        """All is over: nobody begins anything more."""
        self.over = True
        self.todo.clear()
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def dismiss(self) -> None:
        """Nobody will ever ask for anything again."""
        self._perform, self._commit, self._failed = _idle, _nothing, _unheard

    async def leave(self, within: float) -> None:
        """Wait for the other workers; those that were lost are waited for no more."""
        here = asyncio.current_task()
        others = [worker.task for worker in self.workers if worker.task is not here and not worker.lost]
        if self._standing_by is not None:
            others.append(self._standing_by)
        if others:
            await asyncio.wait(others, timeout=within)
