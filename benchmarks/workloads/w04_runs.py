"""W4: many runs of a small pipeline on one event loop, as a web server would have them."""

from __future__ import annotations

import asyncio

from benchmarks.timing import async_seconds
from benchmarks.workloads.w01_chain import chain, nothing
from stepwell import App

STEPS = 5


def stepwell(size: int) -> float:
    pipe = chain(STEPS)

    async def once() -> None:
        async with App() as app:
            results = await asyncio.gather(*(app.run(pipe) for _ in range(size)))
        assert all(result.status == "completed" for result in results)

    return size / async_seconds(once)


def a_task_a_run(size: int) -> float:
    async def run() -> None:
        for _ in range(STEPS):
            await nothing()

    async def once() -> None:
        await asyncio.gather(*(run() for _ in range(size)))

    return size / async_seconds(once)


SIDES = {"W4": {"stepwell": stepwell, "a task a run": a_task_a_run}}
