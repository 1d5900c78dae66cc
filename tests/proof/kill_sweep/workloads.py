"""The process that is killed: one pipeline, begun or gone on with, which leaves traces outside the store.

python workloads.py WORKLOAD FOLDER run|resume|cancel

The trace is a file to which each line is added by one write: what a step function begins and ends, and which facts
somebody was told of, in the order in which it happened.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from stepwell import App, Pipeline, Retry, RetryPolicy, RunNotFound, StepContext, Stop
from stepwell.errors import StoreError

KEY = "once"
ENDS = ("STEP_COMPLETED", "ITEM_COMPLETED")

FOLDER = Path(sys.argv[2]) if len(sys.argv) > 2 else Path()
STAGE = sys.argv[3] if len(sys.argv) > 3 else "run"

SOON = RetryPolicy(attempts=3, delay="20ms", jitter=0)


def trace(*words: object) -> None:
    """Add one line to the trace, with one write."""
    line = " ".join(map(str, words)) + "\n"
    file = os.open(FOLDER / "trace", os.O_APPEND | os.O_CREAT | os.O_WRONLY)
    os.write(file, line.encode())
    os.close(file)


def began(step: StepContext) -> None:
    """An attempt is being executed."""
    trace("start", step.path, step.attempt)


def chain() -> Pipeline:
    """Five steps in a row; a small value, a large one, threads and the loop."""
    pipe = Pipeline("chain")

    @pipe.step
    async def one(step: StepContext) -> int:
        began(step)
        return 1

    @pipe.step
    def two(one: int, step: StepContext) -> str:
        began(step)
        return "two" * 20_000 * one

    @pipe.step
    async def three(two: str, step: StepContext) -> int:
        began(step)
        return len(two)

    @pipe.step
    def four(three: int, step: StepContext) -> list[int]:
        began(step)
        return list(range(three - 20_000, three))

    @pipe.step
    async def five(four: list[int], step: StepContext) -> int:
        began(step)
        return sum(four)

    return pipe


def wide() -> Pipeline:
    """Eight steps side by side between two; three at a time."""
    pipe = Pipeline("wide", concurrency=3)

    @pipe.step
    async def seed(step: StepContext) -> int:
        began(step)
        return 7

    async def side(seed: int, add: int, step: StepContext) -> int:
        began(step)
        await asyncio.sleep(0.002 * (add % 3))
        return seed + add

    for number in range(8):
        pipe.add_step(f"side{number}", side, depends_on=["seed"], add=number)

    async def total(
        side0: int, side1: int, side2: int, side3: int, side4: int, side5: int, side6: int, side7: int,
        step: StepContext,
    ) -> int:  # fmt: skip
        began(step)
        return side0 + side1 + side2 + side3 + side4 + side5 + side6 + side7

    pipe.add_step("total", total, depends_on=[])
    return pipe


def map_() -> Pipeline:
    """Ten keyed items, some tried twice, some with a large output."""
    pipe = Pipeline("map")

    @pipe.step
    async def names(step: StepContext) -> list[str]:
        began(step)
        return ["a", "b/c", "d[1]", "e#2", "f g", "h%", "i", "j", "k", "l"]

    @pipe.map(over=names, key=str, concurrency=3, retry=SOON)
    async def measure(item: str, step: StepContext) -> str:
        began(step)
        await asyncio.sleep(0.001)
        if step.attempt == 1 and item in ("b/c", "i"):
            raise OSError(item)
        return item * (20_000 if item == "k" else 2)

    @pipe.step
    def together(measure: list[str], step: StepContext) -> str:
        began(step)
        return ",".join(text[:4] for text in measure)

    return pipe


def when() -> Pipeline:
    """Guards that say yes and no, and what follows from them."""
    pipe = Pipeline("when")

    @pipe.step
    async def rows(step: StepContext) -> int:
        began(step)
        return 3

    async def few(rows: int) -> bool:
        await asyncio.sleep(0.001)
        return rows < 10

    @pipe.step(when=few)
    async def quick(rows: int, step: StepContext) -> str:
        began(step)
        return f"quick {rows}"

    def many(rows: int) -> bool:
        return rows > 10

    @pipe.step(when=many)
    async def thorough(rows: int, step: StepContext) -> str:
        began(step)
        return f"thorough {rows}"

    @pipe.step
    async def needs(thorough: str, step: StepContext) -> str:
        began(step)
        return thorough

    @pipe.step
    async def report(quick: str, step: StepContext, thorough: str = "none") -> str:
        began(step)
        return f"{quick}, {thorough}"

    return pipe


def switch() -> Pipeline:
    """A choice, two branches, and where they meet again."""
    pipe = Pipeline("switch", output="end")

    @pipe.switch(to={"left": "left", "right": ["right", "far"]}, default="lost")
    async def fork(step: StepContext) -> str:
        began(step)
        return "right"

    @pipe.step
    async def left(step: StepContext) -> str:
        began(step)
        return "left"

    @pipe.step
    def right(step: StepContext) -> str:
        began(step)
        return "right"

    @pipe.step
    async def far(step: StepContext) -> str:
        began(step)
        return "far"

    @pipe.step
    async def lost(step: StepContext) -> str:
        began(step)
        return "lost"

    @pipe.step
    async def end(step: StepContext, left: str = "-", right: str = "-", far: str = "-", lost: str = "-") -> str:
        began(step)
        return left + right + far + lost

    return pipe


def join() -> Pipeline:
    """Joins of values, of order alone and of triggers."""
    pipe = Pipeline("join", output="last")

    @pipe.step
    async def a(step: StepContext) -> int:
        began(step)
        return 1

    @pipe.step
    def b(step: StepContext) -> int:
        began(step)
        return 2

    @pipe.step(to="d")
    async def c(a: int, b: int, step: StepContext) -> int:
        began(step)
        return a + b

    @pipe.step(after=[a, b])
    async def d(step: StepContext) -> int:
        began(step)
        return 10

    @pipe.step
    async def last(c: int, d: int, a: int, step: StepContext) -> int:
        began(step)
        return a + c + d

    return pipe


def retry() -> Pipeline:
    """Failures and `Retry`, each with a wait, beside a step that is tolerated."""
    pipe = Pipeline("retry", output="done")

    @pipe.step(retry=SOON)
    async def shaky(step: StepContext) -> str:
        began(step)
        if step.attempt < 3 and not marked(f"shaky{step.attempt}"):
            raise OSError("not yet")
        return "shaky"

    @pipe.step
    def later(step: StepContext) -> str | Retry:
        began(step)
        return "later" if step.attempt > 2 else Retry(after="10ms", reason="not yet")

    @pipe.step(critical=False, retry=RetryPolicy(attempts=2, delay=0))
    async def hopeless(step: StepContext) -> str:
        began(step)
        raise ValueError("never")

    @pipe.step(after=hopeless)
    async def done(shaky: str, later: str, step: StepContext) -> str:
        began(step)
        return shaky + later

    return pipe


def marked(_name: str) -> bool:
    """Whether something has happened already; nothing has."""
    return False


def stop() -> Pipeline:
    """`Stop` while something else runs that more would follow."""
    pipe = Pipeline("stop")

    @pipe.step
    async def enough(step: StepContext) -> Stop[str]:
        began(step)
        return Stop("enough")

    @pipe.step
    async def slow(step: StepContext) -> int:
        began(step)
        await asyncio.sleep(0.03)
        return 1

    @pipe.step
    async def more(slow: int, enough: str, step: StepContext) -> int:
        began(step)
        return slow

    return pipe


def cancel() -> Pipeline:
    """One step waits until somebody cancels the run: another process, or this one."""
    pipe = Pipeline("cancel", output="after")

    @pipe.step
    async def before(step: StepContext) -> int:
        began(step)
        return 1

    @pipe.map(over="numbers", concurrency=2)
    async def waits(item: int, before: int, step: StepContext) -> int:
        began(step)
        if STAGE == "run" and item > 0:
            await forever()
        return item + before

    @pipe.step
    async def numbers(step: StepContext) -> list[int]:
        began(step)
        return [0, 1, 2]

    @pipe.step
    async def after(waits: list[int], step: StepContext) -> list[int]:
        began(step)
        return waits

    return pipe


async def forever() -> None:
    """Nothing but a cancel ends this."""
    await asyncio.get_running_loop().create_future()


WORKLOADS: dict[str, Callable[[], Pipeline]] = {
    "chain": chain, "wide": wide, "map": map_, "when": when, "switch": switch, "join": join, "retry": retry,
    "stop": stop, "cancel": cancel, "cancel-own": cancel,
}  # fmt: skip


async def ask_for_cancel() -> None:
    """Have another process cancel the run; if that one is killed too, yet another."""
    env = dict(os.environ)
    for _ in range(2):
        command = (sys.executable, __file__, "cancel", str(FOLDER), "cancel")
        process = await asyncio.create_subprocess_exec(*command, env=env)
        if await process.wait() == 0:
            return
        trace("helper-killed")
        env.pop("STEPWELL_FAILPOINT", None)


async def go_on(app: App, workload: str) -> None:
    """Begin the run or go on with it, and write down what is told of it."""
    pipe = WORKLOADS[workload]()
    run = app.resume("last", pipe) if STAGE == "resume" else app.run(pipe, key=KEY)
    helper: asyncio.Task[object] | None = None
    waits = workload.startswith("cancel") and STAGE == "run"
    async for event in run:
        if event.seq:
            trace("told", event.seq, event.kind.value, event.path)
        if waits and event.kind.value == "ITEM_COMPLETED":
            waits = False
            helper = asyncio.create_task(ask_for_cancel() if workload == "cancel" else run.cancel("own"))
    result = await run
    if helper is not None:
        await helper
    trace("result", result.status)
    answer = {"status": result.status, "output": result.output if result.succeeded else None}
    (FOLDER / "result").write_text(json.dumps(answer))


async def main(workload: str) -> None:
    """One process."""
    async with App(FOLDER / "store.db") as app:
        if STAGE == "cancel":
            await app.cancel("last", "from another process")
            return
        try:
            await go_on(app, workload)
        except RunNotFound:
            trace("unborn")


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1]))
    except StoreError as error:
        trace("refused", type(error).__name__, error)
        raise
