"""aiostream: streams of one loop; maps, and nothing that is called a step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiostream import pipe, stream

from benchmarks.starting import import_ms
from benchmarks.timing import answer, async_seconds, peak_bytes

PAUSE = 0.05


async def same(item: int) -> int:
    return item


async def mapped(items: list[int]) -> list[int]:
    return await (stream.iterate(items) | pipe.map(same, ordered=True, task_limit=100) | pipe.list())


def w3(size: int) -> float:
    items = list(range(size))

    async def once() -> None:
        assert len(await mapped(items)) == size

    return size / async_seconds(once)


def w3_bytes(size: int) -> float:
    items = list(range(size))
    asyncio.run(mapped([1, 2, 3]))
    return peak_bytes(lambda: asyncio.run(mapped(items))) / size - 8


def w9(size: int) -> float:
    async def speak() -> AsyncIterator[str]:
        for _ in range(size):
            yield "word"

    async def once() -> None:
        heard = 0
        async with (stream.iterate(speak()) | pipe.map(lambda word: word)).stream() as words:
            async for _ in words:
                heard += 1
        assert heard == size

    return size / async_seconds(once)


async def pause(item: int) -> int:
    await asyncio.sleep(PAUSE)
    return item


def w10(size: int) -> float:
    async def once() -> None:
        await (stream.range(size) | pipe.map(pause, task_limit=size) | pipe.list())

    return 1e3 * (async_seconds(once) - PAUSE)


SIDES = {
    "W3": w3,
    "W3.bytes": w3_bytes,
    "W8.import": lambda size: import_ms("from aiostream import stream, pipe", size),
    "W9": w9,
    "W10": w10,
    "W11.map10": lambda size: w3(size // 10) / w3(size),
}
NO_STEPS = "has streams, no graph of steps"
CANNOT = {
    **dict.fromkeys(("W1", "W2", "W4", "W11.build", "W11.chain10", "W11.chain100"), NO_STEPS),
    **dict.fromkeys(("W5", "W5.kill", "W6.100", "W6.1000", "W6.chains", "W7", "W12"), "nothing durable"),
}

if __name__ == "__main__":
    answer(SIDES, CANNOT)
