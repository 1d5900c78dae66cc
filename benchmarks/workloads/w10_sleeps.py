"""W10: steps that all wait for the same 0.05 s at once; what the run takes beyond that."""

from __future__ import annotations

import asyncio

from benchmarks.timing import async_seconds
from stepwell import App, Pipeline

PAUSE = 0.05


async def pause() -> None:
    await asyncio.sleep(PAUSE)


def stepwell(size: int) -> float:
    pipe = Pipeline("sleeps")
    for number in range(size):
        pipe.add_step(f"s{number}", pause, depends_on=[])
    pipe.compile()

    async def once() -> None:
        async with App() as app:
            (await app.run(pipe)).raise_for_status()

    return 1e3 * (async_seconds(once) - PAUSE)


def task_group(size: int) -> float:
    async def once() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(size):
                group.create_task(pause())

    return 1e3 * (async_seconds(once) - PAUSE)


SIDES = {"W10": {"stepwell": stepwell, "TaskGroup": task_group}}
