"""W2: one step, then many that may run at once, then one that waits for all of them."""

from __future__ import annotations

import asyncio

from benchmarks.timing import async_seconds
from stepwell import App, Pipeline


async def one() -> int:
    return 1


async def last() -> int:
    return 1


def stepwell(size: int) -> float:
    pipe = Pipeline("wide").add_step("first", one)
    middle = [f"s{number}" for number in range(size)]
    for name in middle:
        pipe.add_step(name, one, depends_on="first")
    pipe.add_step("last", last, depends_on=middle)
    pipe.compile()

    async def once() -> None:
        async with App() as app:
            (await app.run(pipe)).raise_for_status()

    return 1e6 * async_seconds(once) / size


def task_group(size: int) -> float:
    async def once() -> list[int]:
        await one()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one()) for _ in range(size)]
        await last()
        return [task.result() for task in tasks]

    return 1e6 * async_seconds(once) / size


SIDES = {"W2": {"stepwell": stepwell, "TaskGroup": task_group}}
