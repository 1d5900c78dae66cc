"""Processes that share one store: python sharing.py FOLDER work|wait|look."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from stepwell import App, Pipeline
from stepwell.views.records import records, replay

FOLDER = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()
ITEMS = 150


def work() -> Pipeline:
    """A chain and a map: a commit for each."""
    pipe = Pipeline("work")

    @pipe.step
    async def numbers() -> list[int]:
        return list(range(ITEMS))

    @pipe.map(over=numbers, concurrency=4)
    async def square(item: int) -> int:
        await asyncio.sleep(0)
        return item * item

    @pipe.step
    def total(square: list[int]) -> int:
        return sum(square)

    return pipe


def wait() -> Pipeline:
    """One step that only a cancel ends."""
    pipe = Pipeline("wait")

    @pipe.step
    async def first() -> int:
        return 1

    @pipe.step
    async def forever(first: int) -> int:
        await asyncio.get_running_loop().create_future()
        return first

    return pipe


async def run(pipe: Pipeline) -> None:
    """Run it to its end and say how it ended."""
    async with App(FOLDER / "store.db") as app:
        result = await app.run(pipe)
        say({"status": result.status, "output": result.output if result.succeeded else None})


async def look() -> None:
    """List and fold without a pause; cancel the run that waits once the others are seen; until all have ended."""
    looks, seen, cancelled = 0, set[str](), False
    async with App(FOLDER / "store.db") as app:
        while True:
            rows = await app.runs()
            seen |= {row.pipeline for row in rows}
            for row in rows:
                facts = [event async for event in app.events(row.run_id)]
                assert [fact.seq for fact in facts] == list(range(1, len(facts) + 1))
                steps = records(replay(facts))
                waits = "forever" in steps and steps["forever"].status == "running"
                if waits and not cancelled and "work" in seen:
                    await app.cancel(row.run_id, "seen")
                    cancelled = True
            looks += 1
            if seen == {"work", "wait"} and all(row.status not in ("running", "interrupted") for row in rows):
                say({"looks": looks, "runs": sorted((row.pipeline, row.status) for row in rows)})
                return
            await asyncio.sleep(0)


def say(what: object) -> None:
    """What the test reads."""
    sys.stdout.write(json.dumps(what))


if __name__ == "__main__":
    asyncio.run({"work": lambda: run(work()), "wait": lambda: run(wait()), "look": look}[sys.argv[2]]())
