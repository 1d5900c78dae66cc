"""W3: a map of many items, 100 at once: its rate, its memory, and the first item of a source that still produces."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import msgspec

from benchmarks.timing import Cannot, async_seconds, peak_bytes
from stepwell import DefinitionError, Pipeline

AT_ONCE = 100
POINTER = 8
"""Bytes that one place in the list of results takes."""


async def same(item: int) -> int:
    return item


def mapped(items: list[int]) -> Pipeline:
    pipe = Pipeline("mapped")

    async def source() -> list[int]:
        return items

    pipe.add_step("source", source)
    pipe.add_step("work", same, over="source", concurrency=AT_ONCE)
    pipe.compile()
    return pipe


def run_of(items: list[int]) -> Callable[[], Awaitable[object]]:
    pipe = mapped(items)

    async def once() -> object:
        result = await pipe.run()
        return result.raise_for_status()

    return once


class Happened(msgspec.Struct, frozen=True):
    """An event of one item: it began, or it is done."""

    run: str
    seq: int
    at: float
    index: int
    output: object = None


async def workers_over_one_iterator(items: list[int]) -> list[int | None]:
    """As many workers as may be at once; each makes the events of its items, and yields to the loop now and then."""
    results: list[int | None] = [None] * len(items)
    numbered: Iterator[tuple[int, int]] = iter(enumerate(items))
    last: list[Happened | None] = [None]

    async def worker() -> None:
        for index, item in numbered:
            last[0] = Happened("run", 0, time.time(), index)
            results[index] = output = await same(item)
            last[0] = Happened("run", index, time.time(), index, output)
            if index % 64 == 0:
                await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(worker())
    return results


async def semaphore_and_task_group(items: list[int]) -> list[int]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def guarded(item: int) -> int:
        async with gate:
            return await same(item)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(guarded(item)) for item in items]
    return [task.result() for task in tasks]


def stepwell(size: int) -> float:
    return size / async_seconds(run_of(list(range(size))))


def workers(size: int) -> float:
    items = list(range(size))
    return size / async_seconds(lambda: workers_over_one_iterator(items))


def semaphore(size: int) -> float:
    items = list(range(size))
    return size / async_seconds(lambda: semaphore_and_task_group(items))


def bytes_of(once: Callable[[], Awaitable[object]], size: int) -> float:
    """Bytes an item at the peak, beyond the items, which were there, and the list of results."""

    async def awaited() -> None:
        await once()

    return max(0.0, peak_bytes(lambda: asyncio.run(awaited())) / size - POINTER)


def stepwell_bytes(size: int) -> float:
    asyncio.run(_warm())
    return bytes_of(run_of(list(range(size))), size)


async def _warm() -> None:
    """What is loaded and kept at the first run is no cost of an item."""
    await run_of([1, 2, 3])()


def workers_bytes(size: int) -> float:
    items = list(range(size))
    return bytes_of(lambda: workers_over_one_iterator(items), size)


def semaphore_bytes(size: int) -> float:
    items = list(range(size))
    return bytes_of(lambda: semaphore_and_task_group(items), size)


def stepwell_first(size: int) -> float:
    """Milliseconds from the start of the run to the first item, over a source that yields them one by one."""
    began: list[float] = []
    pipe = Pipeline("live")

    async def source() -> AsyncIterator[int]:
        for number in range(size):
            yield number
            if number % 64 == 0:
                await asyncio.sleep(0)

    async def work(item: int) -> int:
        if not began:
            began.append(time.perf_counter())
        return item

    try:
        pipe.add_step("source", source)
        pipe.add_step("work", work, over="source", concurrency=AT_ONCE)
        pipe.compile()
    except DefinitionError as error:
        raise Cannot("not yet: a generator cannot be the source of a map") from error

    async def until_first() -> float:
        await run_of([1, 2, 3])()
        start = time.perf_counter()
        (await pipe.run()).raise_for_status()
        return 1e3 * (began[0] - start)

    return asyncio.run(until_first())


def workers_first(size: int) -> float:
    async def until_first() -> float:
        began: list[float] = []
        numbers = iter(range(size))

        async def worker() -> None:
            for number in numbers:
                if not began:
                    began.append(time.perf_counter())
                await same(number)

        start = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(worker())
        return 1e3 * (began[0] - start)

    return asyncio.run(until_first())


RATES = {"stepwell": stepwell, "workers + events": workers, "semaphore + TaskGroup": semaphore}
SIDES = {
    "W3": RATES,
    "W3.million": RATES,
    "W3.bytes": {
        "stepwell": stepwell_bytes,
        "workers + events": workers_bytes,
        "semaphore + TaskGroup": semaphore_bytes,
    },
    "W3.first": {"stepwell": stepwell_first, "workers": workers_first},
}
