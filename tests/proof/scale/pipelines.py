"""Pipelines of any size; as a program, one run of a map, with what it took of time and memory."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from stepwell import App, Pipeline

FAILS = 1000
"""One item of so many fails."""


def mapped(*, ephemeral: bool = False) -> Pipeline:
    """A list of numbers, each by itself, and a step that needs none of them."""
    pipe = Pipeline("mapped")

    @pipe.step
    async def numbers(count: int) -> list[int]:
        return list(range(count))

    @pipe.map(over=numbers, concurrency=100, min_success=1, durability="ephemeral" if ephemeral else "strict")
    async def measure(number: int) -> int:
        if number % FAILS == FAILS - 1:
            raise ValueError("no")
        return number

    @pipe.step(after=measure)
    async def last() -> str:
        return "done"

    return pipe


def chain(steps: int) -> Pipeline:
    """So many steps in a row."""
    pipe = Pipeline("chain")
    for number in range(steps):
        pipe.add_step(f"s{number}", one, after=f"s{number - 1}" if number else None)
    return pipe


def wide(steps: int) -> Pipeline:
    """One step, many at once, one step."""
    pipe = Pipeline("wide")
    middle = [f"s{number}" for number in range(steps - 2)]
    pipe.add_step("first", one)
    for name in middle:
        pipe.add_step(name, one, after="first")
    pipe.add_step("last", one, after=middle)
    return pipe


def passing_on(steps: int, size: int) -> Pipeline:
    """A chain, each step of which gives so many bytes to the next."""
    pipe = Pipeline("passing_on")

    async def first() -> bytes:
        return bytes(size)

    async def again(before: bytes) -> bytes:
        return bytes(len(before))

    pipe.add_step("s0", first)
    for number in range(1, steps):
        pipe.add_step(f"s{number}", again, inputs={"before": f"s{number - 1}"})
    pipe.add_step("last", len, inputs={"obj": f"s{steps - 1}"})
    return pipe


async def one() -> int:
    """A step."""
    return 1


async def ran(pipe: Pipeline, store: str | Path | None, status: str, **inputs: object) -> None:
    """A run of the pipeline, by itself."""
    if store is None:
        result = await pipe.run(inputs=inputs)
    else:
        async with App(store, capture="off", sync="process") as app:
            result = await app.run(pipe, inputs=inputs)
    assert result.status == status


STATUS = Path("/proc/self/status")
"""Here Linux says what a process takes. (What `getrusage` says begins with what the parent took before the exec.)"""


def peak() -> int:
    """Bytes of memory that this process has had at most."""
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def measured(items: int, kind: str, store: str | None) -> dict[str, float]:
    """What a map of so many items takes, beside what one of a few does; in a process of its own."""
    pipe = mapped(ephemeral=kind == "ephemeral")
    asyncio.run(ran(pipe, store, "degraded", count=2 * FAILS))
    before, start = peak(), time.perf_counter()
    asyncio.run(ran(pipe, store, "degraded", count=items))
    return {"bytes": peak() - before, "seconds": time.perf_counter() - start}


if __name__ == "__main__":
    print(json.dumps(measured(int(sys.argv[1]), sys.argv[2], sys.argv[3] or None)))
