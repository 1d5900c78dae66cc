"""DBOS: workflows and steps over its SQLite system database; it has no other way, so all its rows are durable."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dbos import DBOS

from benchmarks import disk
from benchmarks.starting import import_ms
from benchmarks.timing import answer, awaited_seconds, seconds

PAUSE = 0.05
CHAINS = 100
BEGAN: list[float] = []


@DBOS.step()
def step(number: int) -> int:
    return number


@DBOS.step()
async def async_step(number: int) -> int:
    return number


@DBOS.step()
async def pause(number: int) -> int:
    await asyncio.sleep(PAUSE)
    return number


@DBOS.step()
def die() -> int:
    os._exit(7)


@DBOS.step()
async def waiting(number: int, first: int, mode: str) -> int:
    if number >= first:
        if not BEGAN:
            BEGAN.append(time.perf_counter())
        if os.environ.get("DIES"):
            await asyncio.sleep(60)
    return number


@DBOS.workflow()
def chain(size: int, dies_at: int) -> int:
    for number in range(size):
        if number == dies_at:
            die()
        step(number)
    return size


@DBOS.workflow()
async def async_chain(size: int) -> int:
    for number in range(size):
        await async_step(number)
    return size


@DBOS.workflow()
async def fan(size: int) -> int:
    return len(await asyncio.gather(*(async_step(number) for number in range(size))))


@DBOS.workflow()
async def sleepers(size: int) -> int:
    return len(await asyncio.gather(*(pause(number) for number in range(size))))


@DBOS.workflow()
async def half(size: int) -> int:
    return len(await asyncio.gather(*(waiting(number, size // 2, "") for number in range(size))))


@contextmanager
def launched(where: Path) -> Iterator[None]:
    DBOS(config={
        "name": "bench", "system_database_url": f"sqlite:///{where / 'runs.db'}", "log_level": "ERROR",
        "application_version": "1",
    })  # fmt: skip
    DBOS.launch()
    try:
        yield
    finally:
        DBOS.destroy(workflow_completion_timeout_sec=0)


def of_async(workflow: Callable[[int], Awaitable[int]], size: int, times: int = 1) -> float:
    """Seconds of so many runs of an async workflow at once."""

    async def once() -> None:
        await asyncio.gather(*(workflow(size) for _ in range(times)))

    with disk.folder() as where:

        async def all_of_them() -> float:
            with launched(where):
                await workflow(1)
                return await awaited_seconds(once)

        return asyncio.run(all_of_them())


def w4(size: int) -> float:
    return size / of_async(async_chain, 5, times=size)


def w5(size: int) -> float:
    with disk.folder() as where, launched(where):
        chain(1, -1)
        return size / seconds(lambda: chain(size, -1))


def w5_kill(size: int) -> float:
    with disk.folder() as where:
        disk.die(__spec__.name, size, where)
        with sqlite3.connect(where / "runs.db") as database:
            (found,) = database.execute("SELECT count(*) FROM operation_outputs").fetchone()
        return 100 * found / (size // 2)


def die_in_map(size: int, where: Path) -> None:
    from threading import Thread

    os.environ["DIES"] = "1"

    def watch() -> None:
        while True:
            time.sleep(0.02)
            with sqlite3.connect(where / "runs.db") as database:
                (done,) = database.execute("SELECT count(*) FROM operation_outputs").fetchone()
            if done >= size // 2:
                os._exit(7)

    async def run() -> None:
        with launched(where):
            Thread(target=watch, daemon=True).start()
            await half(size)

    asyncio.run(run())


def w7(size: int) -> float:
    """Its own recovery finds the run when it is launched again."""
    with disk.folder() as where:
        disk.die(__spec__.name, size, where, what="die-in-map")
        start = time.perf_counter()
        with launched(where):
            while not BEGAN:
                time.sleep(0.001)
    return 1e3 * (BEGAN[0] - start)


def w12(size: int) -> float:
    with disk.folder() as where:
        with launched(where):
            before = disk.bytes_in(where)
            chain(size, -1)
        return (disk.bytes_in(where) - before) / size


SIDES = {
    "W2": lambda size: 1e6 * of_async(fan, size) / size,
    "W4": w4,
    "W5": w5,
    "W5.kill": w5_kill,
    "W6.100": lambda size: size / of_async(fan, size),
    "W6.chains": lambda size: size / of_async(async_chain, size // CHAINS, times=CHAINS),
    "W7": w7,
    "W8.import": lambda size: import_ms("from dbos import DBOS", size),
    "W10": lambda size: 1e3 * (of_async(sleepers, size) - PAUSE),
    "W12": w12,
}
CANNOT = {"W1": "always durable, see W5", "W3": "always durable, see W6", "W11.build": "has no graph"}

if __name__ == "__main__":
    if sys.argv[1] == "die":
        with launched(Path(sys.argv[3])):
            chain(int(sys.argv[2]), int(sys.argv[2]) // 2)
    if sys.argv[1] == "die-in-map":
        die_in_map(int(sys.argv[2]), Path(sys.argv[3]))
    answer(SIDES, CANNOT)
