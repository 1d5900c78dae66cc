"""W9: a step yields tokens, and the caller of the run reads them as they come."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from benchmarks.timing import Cannot, async_seconds
from stepwell import App, DefinitionError, Pipeline


def stepwell(size: int) -> float:
    pipe = Pipeline("tokens")

    async def speak() -> AsyncIterator[str]:
        for _ in range(size):
            yield "word"

    try:
        pipe.add_step("speak", speak)
        pipe.compile()
    except DefinitionError as error:
        raise Cannot("not yet: a step cannot be a generator") from error

    async def once() -> None:
        heard = 0
        async with App() as app:
            async for event in app.run(pipe):
                heard += event.kind == "TOKEN"
        assert heard == size, f"{heard} of {size} tokens arrived"

    return size / async_seconds(once)


def deque_and_event(size: int) -> float:
    """The speaker fills a deque, and the listener empties it when it is woken."""

    async def once() -> None:
        waiting: deque[str | None] = deque()
        news = asyncio.Event()

        async def speak() -> None:
            for number in range(size):
                waiting.append("word")
                if number % 64 == 0:
                    news.set()
                    await asyncio.sleep(0)
            waiting.append(None)
            news.set()

        speaking = asyncio.create_task(speak())
        heard = 0
        while True:
            await news.wait()
            news.clear()
            while waiting:
                if waiting.popleft() is None:
                    await speaking
                    assert heard == size
                    return
                heard += 1

    return size / async_seconds(once)


def queue(size: int) -> float:
    async def once() -> None:
        waiting: asyncio.Queue[str | None] = asyncio.Queue(1024)

        async def speak() -> None:
            for _ in range(size):
                await waiting.put("word")
            await waiting.put(None)

        speaking = asyncio.create_task(speak())
        while await waiting.get() is not None:
            pass
        await speaking

    return size / async_seconds(once)


SIDES = {"W9": {"stepwell": stepwell, "deque + event": deque_and_event, "asyncio.Queue": queue}}
