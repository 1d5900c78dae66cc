"""W5: a durable chain, where each step is synced to disk before the next one starts; and what a killed one leaves."""

from __future__ import annotations

import asyncio
import os
import sys
from itertools import count
from pathlib import Path

from benchmarks import disk
from benchmarks.timing import awaited_seconds, seconds
from benchmarks.workloads import raw
from stepwell import App, EventKind, Pipeline


async def step() -> int:
    return 1


def chain(size: int, *, dies_at: int | None = None) -> Pipeline:
    """A chain of steps with a small output; the one at `dies_at` ends the process."""
    pipe = Pipeline("chain")

    async def die() -> int:
        os._exit(7)

    for number in range(size):
        pipe.add_step(f"s{number}", die if number == dies_at else step)
    pipe.compile()
    return pipe


def stepwell(size: int) -> float:
    pipe = chain(size)

    async def timed(where: Path) -> float:
        async with App(where / "runs.db") as app:

            async def once() -> None:
                (await app.run(pipe)).raise_for_status()

            return await awaited_seconds(once)

    with disk.folder() as where:
        return size / asyncio.run(timed(where))


def inline_commits(size: int) -> float:
    """One row a commit, synced, on the thread that waits for it."""
    runs = count()

    with disk.folder() as where:
        database = raw.database(where / "raw.db")

        def once() -> None:
            run = f"run {next(runs)}"
            for seq in range(size):
                raw.commit(database, [raw.record(seq, run)])

        taken = seconds(once)
        database.close()
    return size / taken


def killed(size: int) -> float:
    """Of the steps that had finished when the process was killed, per cent that are on disk."""
    with disk.folder() as where:
        disk.die(__name__, size, where)
        return 100 * asyncio.run(_found(where)) / (size // 2)


async def _found(where: Path) -> int:
    async with App(where / "runs.db") as app:
        (row,) = await app.runs()
        return sum([event.kind == EventKind.STEP_COMPLETED async for event in app.events(row.run_id)])


async def _die(size: int, where: Path) -> None:
    async with App(where / "runs.db") as app:
        await app.run(chain(size, dies_at=size // 2))


SIDES = {
    "W5": {"stepwell": stepwell, "inline commits": inline_commits},
    "W5.kill": {"stepwell": killed},
}

if __name__ == "__main__":
    asyncio.run(_die(int(sys.argv[2]), Path(sys.argv[3])))
