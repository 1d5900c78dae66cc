"""Prefect: flows and tasks over the server that it starts by itself, with SQLite; so all its rows are durable."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import disk
from benchmarks.starting import import_ms
from benchmarks.timing import answer, awaited_seconds, seconds

if TYPE_CHECKING:
    from prefect.server.api.server import SubprocessASGIServer

PAUSE = 0.05


def at_home(where: Path) -> None:
    """Where it keeps its database; it reads this when it is imported."""
    os.environ.update({
        "PREFECT_HOME": str(where), "PREFECT_SERVER_EPHEMERAL_ENABLED": "true", "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "60", "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    })  # fmt: skip


def servers() -> list[SubprocessASGIServer]:
    """The servers that it has started; they outlive the process."""
    from prefect.server.api.server import SubprocessASGIServer

    return list(SubprocessASGIServer._instances.values())


@contextmanager
def home() -> Iterator[Path]:
    """A folder for its database, until its server has been stopped."""
    with disk.folder() as where:
        at_home(where)
        try:
            yield where
        finally:
            for server in servers():
                server.stop()


def chain(size: int, dies_at: int | None = None) -> Callable[[], object]:
    from prefect import flow, task

    @task
    def step(number: int) -> int:
        if number == dies_at:
            time.sleep(2)  # so that what it sends from other threads has time to arrive
            server = servers()[0].server_process
            Path(os.environ["PREFECT_HOME"], "server.pid").write_text(str(server.pid if server else 0))
            os._exit(7)
        return number

    @flow
    def chained() -> int:
        for number in range(size):
            step(number)
        return size

    return chained


def fan(size: int, pause: float) -> Callable[[], Awaitable[object]]:
    from prefect import flow, task

    @task
    async def step(number: int) -> int:
        if pause:
            await asyncio.sleep(pause)
        return number

    @flow
    async def fanned() -> int:
        return len(await asyncio.gather(*(step(number) for number in range(size))))

    return fanned


def of_sync(size: int, made: Callable[[int], Callable[[], object]]) -> float:
    with home():
        made(1)()  # starts the server
        return seconds(made(size))


def of_async(size: int, pause: float) -> float:
    with home():

        async def all_of_them() -> float:
            await fan(1, 0)()
            return await awaited_seconds(fan(size, pause))

        return asyncio.run(all_of_them())


def w4(size: int) -> float:
    def runs(times: int) -> Callable[[], object]:
        run = chain(5)
        return lambda: [run() for _ in range(times)]

    return size / of_sync(size, runs)


def w5_kill(size: int) -> float:
    with disk.folder() as where:
        disk.die(__spec__.name, size, where)
        os.kill(int((where / "server.pid").read_text()), signal.SIGKILL)
        with sqlite3.connect(where / "prefect.db") as database:
            (found,) = database.execute("SELECT count(*) FROM task_run WHERE state_type = 'COMPLETED'").fetchone()
        return 100 * found / (size // 2)


def w12(size: int) -> float:
    """What the second run adds; the first has made the tables."""
    with home() as where:
        chain(1)()
        time.sleep(2)
        before = disk.bytes_in(where)
        chain(size)()
        time.sleep(2)  # the server writes what it was told a little later
        return (disk.bytes_in(where) - before) / size


SIDES = {
    "W2": lambda size: 1e6 * of_async(size, 0) / size,
    "W4": w4,
    "W5": lambda size: size / of_sync(size, chain),
    "W5.kill": w5_kill,
    "W8.import": lambda size: import_ms("from prefect import flow, task", size),
    "W10": lambda size: 1e3 * (of_async(size, PAUSE) - PAUSE),
    "W12": w12,
}
CANNOT = {
    "W1": "always over its server, see W5",
    "W3": "always over its server, see W2",
    "W6.100": "see W2: a task is a row of the server",
    "W7": "goes on from cached results, not from a recorded run",
    "W9": "a task cannot stream to the caller",
    "W11.build": "has no graph",
}

if __name__ == "__main__":
    if sys.argv[1] == "die":
        at_home(Path(sys.argv[3]))
        chain(int(sys.argv[2]), int(sys.argv[2]) // 2)()
    answer(SIDES, CANNOT)
