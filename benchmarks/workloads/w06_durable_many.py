"""W6: a durable map, where each item is recorded before it counts, and a hundred durable chains on one store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from pathlib import Path

from benchmarks import disk
from benchmarks.timing import awaited_seconds, seconds
from benchmarks.workloads import raw
from benchmarks.workloads.w05_durable_chain import chain
from stepwell import App, Pipeline

CHAINS = 100


async def same(item: int) -> int:
    return item


def mapped(items: list[int], at_once: int, work: Callable[[int], Awaitable[int]] = same) -> Pipeline:
    pipe = Pipeline("mapped")

    async def source() -> list[int]:
        return items

    pipe.add_step("source", source)
    pipe.add_step("work", work, over="source", concurrency=at_once)
    pipe.compile()
    return pipe


def stepwell_map(at_once: int, size: int) -> float:
    pipe = mapped(list(range(size)), at_once)

    async def timed(where: Path) -> float:
        async with App(where / "runs.db") as app:

            async def once() -> None:
                (await app.run(pipe)).raise_for_status()

            return await awaited_seconds(once)

    with disk.folder() as where:
        return size / asyncio.run(timed(where))


def stepwell_chains(size: int) -> float:
    pipe = chain(size // CHAINS)

    async def timed(where: Path) -> float:
        async with App(where / "runs.db") as app:

            async def once() -> None:
                results = await asyncio.gather(*(app.run(pipe) for _ in range(CHAINS)))
                assert all(result.status == "completed" for result in results)

            return await awaited_seconds(once)

    with disk.folder() as where:
        return size / asyncio.run(timed(where))


def group_commit(at_once: int, size: int) -> float:
    """So many rows a transaction, and nothing else."""
    runs = count()
    with disk.folder() as where:
        database = raw.database(where / "raw.db")

        def once() -> None:
            run = f"run {next(runs)}"
            for first in range(0, size, at_once):
                raw.commit(database, [raw.record(seq, run) for seq in range(first, min(size, first + at_once))])

        taken = seconds(once)
        database.close()
    return size / taken


def writer_thread(at_once: int, size: int) -> float:
    """So many tasks, each of which waits until its row is synced by a writer thread before it goes on."""
    runs = count()

    async def timed(where: Path) -> float:
        writer = raw.WriterThread(where / "raw.db")

        async def once() -> None:
            run, numbers = f"run {next(runs)}", iter(range(size))

            async def worker() -> None:
                for seq in numbers:
                    await same(seq)
                    await writer.append(raw.record(seq, run))

            async with asyncio.TaskGroup() as group:
                for _ in range(at_once):
                    group.create_task(worker())

        taken = await awaited_seconds(once)
        writer.close()
        return taken

    with disk.folder() as where:
        return size / asyncio.run(timed(where))


def _sides(at_once: int) -> dict[str, Callable[[int], float]]:
    return {
        "stepwell": partial(stepwell_map, at_once),
        "writer thread": partial(writer_thread, at_once),
        "group commit": partial(group_commit, at_once),
    }


SIDES = {
    "W6.100": _sides(100),
    "W6.1000": _sides(1000),
    "W6.chains": {**_sides(CHAINS), "stepwell": stepwell_chains},
}
