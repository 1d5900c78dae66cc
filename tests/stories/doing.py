"""Waiting in a test for what happens in a run, without sleeping."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from stepwell import Run, RunResult

BOUND = 5.0
"""Seconds that nothing here takes unless it is broken."""


async def until(condition: threading.Event | Callable[[], object]) -> None:
    """Give the loop its turns until an event of another thread is set, or a function says yes."""
    done = condition.is_set if isinstance(condition, threading.Event) else condition
    async with asyncio.timeout(BOUND):
        while not done():  # noqa: ASYNC110 - the event is another thread's
            await asyncio.sleep(0.001)


def awaited(run: Run) -> asyncio.Task[RunResult]:
    """Await the run in a task of its own."""

    async def result() -> RunResult:
        return await run

    return asyncio.ensure_future(result())


async def begun(run: Run, inside: asyncio.Event) -> asyncio.Task[RunResult]:
    """The same, and go on when a step of it is under way."""
    task = awaited(run)
    async with asyncio.timeout(BOUND):
        await inside.wait()
    return task
