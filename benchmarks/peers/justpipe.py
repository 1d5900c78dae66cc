"""justpipe: events are read as they come; durable means `persist=True` with each event flushed."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from justpipe import EventType, Pipe

from benchmarks import disk
from benchmarks.starting import import_ms
from benchmarks.timing import answer, async_seconds, peak_bytes, seconds

PAUSE = 0.05
STEPS = 5


def step() -> Callable[[], Awaitable[None]]:
    async def nothing() -> None:
        pass

    return nothing


def chain(size: int, dies_at: int | None = None, **options: object) -> Pipe:
    async def die() -> None:
        os._exit(7)

    pipe = Pipe(name="chain", **options)
    names = [f"s{number}" for number in range(size)]
    for number, name in enumerate(names):
        to = names[number + 1] if number + 1 < size else None
        pipe.step(name, to=to)(die if number == dies_at else step())
    pipe.validate()
    return pipe


async def drained(pipe: Pipe) -> None:
    finished = False
    async for event in pipe.run(None):
        finished = event.type == EventType.FINISH
        if finished:
            assert event.payload.status.value == "success", event.payload
    assert finished


def w1(size: int) -> float:
    pipe = chain(size)
    return 1e6 * async_seconds(lambda: drained(pipe)) / size


def w2(size: int) -> float:
    pipe = Pipe(name="wide")
    names = [f"s{number}" for number in range(size)]
    pipe.step("first", to=names)(step())
    for name in names:
        pipe.step(name, to="last")(step())
    pipe.step("last")(step())
    return 1e6 * async_seconds(lambda: drained(pipe)) / size


def mapped(items: list[int]) -> Pipe:
    # With the queue of 1,000 events that it has by default, a map of some hundred items waits for itself for ever.
    pipe = Pipe(name="mapped", queue_size=10 * len(items) + 1000)

    async def work(item: int) -> None:
        pass

    async def source() -> list[int]:
        return items

    pipe.step("work")(work)
    pipe.map("source", each="work", max_concurrency=100)(source)
    return pipe


def w3(size: int) -> float:
    pipe = mapped(list(range(size)))
    return size / async_seconds(lambda: drained(pipe))


def w3_bytes(size: int) -> float:
    pipe = mapped(list(range(size)))
    asyncio.run(drained(mapped([1, 2, 3])))
    return peak_bytes(lambda: asyncio.run(drained(pipe))) / size


def w4(size: int) -> float:
    pipe = chain(STEPS)

    async def once() -> None:
        await asyncio.gather(*(drained(pipe) for _ in range(size)))

    return size / async_seconds(once)


def durable(size: int, where: Path, dies_at: int | None = None) -> Pipe:
    os.environ["JUSTPIPE_STORAGE_PATH"] = str(where)
    return chain(size, dies_at, persist=True, flush_interval=1)


def w5(size: int) -> float:
    with disk.folder() as where:
        pipe = durable(size, where)
        return size / async_seconds(lambda: drained(pipe))


def w5_kill(size: int) -> float:
    with disk.folder() as where:
        disk.die(__spec__.name, size, where)
        return 100 * sum(_steps_in(file) for file in where.rglob("*.db")) / (size // 2)


def _steps_in(file: Path) -> int:
    with sqlite3.connect(file) as database:
        rows = database.execute("SELECT data FROM events").fetchall()
    return sum(json.loads(row[0])["type"] == "step_end" for row in rows)


def w9(size: int) -> float:
    pipe = Pipe(name="tokens")

    async def speak() -> AsyncIterator[str]:
        for _ in range(size):
            yield "word"

    pipe.step("speak")(speak)

    async def once() -> None:
        heard = 0
        async for event in pipe.run(None):
            heard += event.type == EventType.TOKEN
        assert heard == size

    return size / async_seconds(once)


def w10(size: int) -> float:
    pipe = Pipe(name="sleeps")
    names = [f"s{number}" for number in range(size)]
    pipe.step("first", to=names)(step())

    async def pause() -> None:
        await asyncio.sleep(PAUSE)

    for name in names:
        pipe.step(name)(pause)
    return 1e3 * (async_seconds(lambda: drained(pipe)) - PAUSE)


def w12(size: int) -> float:
    with disk.folder() as where:
        asyncio.run(drained(durable(size, where)))
        return disk.bytes_in(where) / size


SIDES = {
    "W1": w1, "W2": w2, "W3": w3, "W3.bytes": w3_bytes, "W4": w4, "W5": w5, "W5.kill": w5_kill,
    "W8.import": lambda size: import_ms("from justpipe import Pipe", size),
    "W9": w9, "W10": w10, "W12": w12,
    "W11.build": lambda size: 1e3 * seconds(lambda: chain(size)),
    "W11.chain10": lambda size: w1(size) / w1(size // 10),
}  # fmt: skip
CANNOT = {"W7": "a run cannot be resumed", "W6.100": "a run cannot be resumed", "W6.chains": "see W5"}


if __name__ == "__main__":
    if sys.argv[1] == "die":
        asyncio.run(drained(durable(int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[2]) // 2)))
    answer(SIDES, CANNOT)
