"""One of several processes that run pipelines on one store at the same time; told by the tests how many runs."""

from __future__ import annotations

import asyncio
import json
import sys
import time

from stepwell import App, Pipeline

from .pipelines import chain

AT_ONCE = 50
STEPS = 5


def endless() -> Pipeline:
    """It goes on until somebody ends it."""
    pipe = Pipeline("endless")

    @pipe.step
    async def wait() -> None:
        await asyncio.Event().wait()

    return pipe


async def member(store: str, runs: int) -> dict[str, object]:
    """So many runs, some at a time, beside one that somebody else must cancel."""
    pipe, left = chain(STEPS), list(range(runs))
    async with App(store, capture="off") as app:
        waiting = asyncio.ensure_future(_awaited(app, endless()))
        start = time.perf_counter()

        async def work() -> None:
            while left:
                left.pop()
                (await app.run(pipe)).raise_for_status()

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "endless": await waiting}


async def _awaited(app: App, pipe: Pipeline) -> str:
    return (await app.run(pipe)).status


if __name__ == "__main__":
    print(json.dumps(asyncio.run(member(sys.argv[1], int(sys.argv[2])))))
