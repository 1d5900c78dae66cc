"""What the processes of one group do: one runs the map, the other runs, looks and cancels beside it.

Each run has a trace of its own, FOLDER/RUN.trace; `judge` says what is in it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from pathlib import Path

from stepwell import App, Pipeline, RetryPolicy, StepContext

FOLDER = Path()
ITEMS = 1_000
SOON = RetryPolicy(attempts=3, delay="5ms", jitter=0)
PAUSES = (0.0, 0.0, 0.001, 0.0, 0.003, 0.002, 0.006)
"""Seconds that items take, one after the other."""
LARGE = 20_000
"""Bytes, so that a value becomes a file."""


def trace(run: str, *words: object) -> None:
    """Add one line to a run's trace, with one write."""
    line = " ".join(map(str, words)) + "\n"
    file = os.open(FOLDER / f"{run}.trace", os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(file, line.encode())
    os.close(file)


def began(step: StepContext) -> None:
    """An attempt is being executed."""
    trace(step.run_id, "start", step.path, step.attempt)


def place(item: str) -> int:
    """The number that a key begins with."""
    return int(item.partition(" ")[0])


def many() -> Pipeline:
    """A thousand keyed items beside forty in threads and a chain; some are tried twice, some give large values."""
    pipe = Pipeline("many", output="report")

    @pipe.step
    def names(step: StepContext) -> list[str]:
        began(step)
        return [f"{number} [#%/ä" if number % 10 == 0 else f"{number} " for number in range(ITEMS)]

    @pipe.map(over=names, key=str, concurrency=50, retry=SOON)
    async def measure(item: str, step: StepContext) -> str:
        began(step)
        number = place(item)
        await asyncio.sleep(PAUSES[number % len(PAUSES)])
        if number % 97 == 5 and step.attempt == 1:
            raise OSError(item)
        return f"{number % 200}," * LARGE if number % 50 == 3 else item

    @pipe.step
    async def few(step: StepContext) -> list[int]:
        began(step)
        return list(range(40))

    @pipe.map(over=few, concurrency=4)
    def weigh(item: int, step: StepContext) -> int:
        began(step)
        time.sleep(PAUSES[item % len(PAUSES)])
        return item * item

    @pipe.step
    def first(step: StepContext) -> str:
        began(step)
        return "first" * LARGE

    @pipe.step
    async def second(first: str, step: StepContext) -> int:
        began(step)
        await asyncio.sleep(0.02)
        return len(first)

    @pipe.step
    def report(names: list[str], measure: list[str], weigh: list[int], second: int, step: StepContext) -> list[str]:
        began(step)
        short = [value for value in measure if len(value) < LARGE]
        digest = hashlib.sha256("\n".join(measure).encode()).hexdigest()
        return [str(len(names)), digest, *short[:9], str(sum(weigh)), str(second)]

    return pipe


def beside() -> Pipeline:
    """What another process runs meanwhile: a chain, a map, and a value that `many` makes too."""
    pipe = Pipeline("beside", output="total")

    @pipe.step
    async def numbers(step: StepContext) -> list[int]:
        began(step)
        return list(range(60))

    @pipe.map(over=numbers, concurrency=5)
    async def halve(item: int, step: StepContext) -> float:
        began(step)
        await asyncio.sleep(PAUSES[item % len(PAUSES)])
        return item / 2

    @pipe.step
    def same(numbers: list[int], step: StepContext) -> str:
        began(step)
        return f"{len(numbers) - 57}," * LARGE

    @pipe.step
    async def total(halve: list[float], same: str, step: StepContext) -> float:
        began(step)
        return sum(halve) + len(same)

    return pipe


def patient() -> Pipeline:
    """One step that only a cancel ends."""
    pipe = Pipeline("patient")

    @pipe.step
    async def waits(step: StepContext) -> None:
        began(step)
        await asyncio.get_running_loop().create_future()

    return pipe


async def go_on(app: App, pipe: Pipeline, name: str) -> None:
    """Begin the run of this name or go on with it, and write down what is told of it."""
    run = app.run(pipe, key=name, run_id=name)
    async for event in run:
        if event.seq:
            trace(name, "told", event.seq, event.kind.value, event.path)
    result = await run
    answer = {"status": result.status, "output": result.output if result.succeeded else None}
    (FOLDER / f"{name}.result").write_text(json.dumps(answer), encoding="utf-8")


async def wait_for_cancel(app: App) -> None:
    """Run `patient` until it has ended; where a process dies before that, what goes on with it is cancelled anew."""
    if not any(row.ended_at for row in await app.runs(pipeline="patient")):
        await go_on(app, patient(), "patient")


async def lead(folder: Path, stage: int) -> None:
    """The process that runs the map."""
    async with App(folder / "store.db") as app:
        await asyncio.gather(go_on(app, many(), "many"), wait_for_cancel(app))


async def accompany(folder: Path, stage: int) -> None:
    """The process beside it: goes on with what it began in earlier stages, begins one run more, lists and cancels."""
    async with App(folder / "store.db") as app:
        runs = [go_on(app, beside(), f"beside{number}") for number in range(stage + 1)]
        await asyncio.gather(look_around(app), *runs)


async def look_around(app: App) -> None:
    """List the runs; ask for the end of `patient` when it runs and `many` has come some way; until both end."""
    asked = False
    while True:
        rows = {row.run_id: row for row in await app.runs()}
        both = {"many", "patient"} <= rows.keys()
        if both and not asked and rows["many"].seq > 400 and rows["patient"].status == "running":
            await app.cancel("patient", "many has come some way")
            trace("patient", "asked")
            asked = True
        if both and all(rows[one].ended_at for one in ("many", "patient")):
            return
        await asyncio.sleep(0.005)
