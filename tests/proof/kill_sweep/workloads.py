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
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from stepwell import App, Goto, Output, Pipeline, Retry, RetryPolicy, RunNotFound, StepContext, Stop
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


def loop() -> Pipeline:
    """A draft that is written again until it is good; a map in the loop, and a loop in the loop."""
    pipe = Pipeline("loop", output="done")

    @pipe.step
    async def topic(step: StepContext) -> int:
        began(step)
        return 3

    @pipe.step
    async def draft(topic: int, step: StepContext) -> list[str]:
        began(step)
        return [f"{topic}-{visit(step)}-{number}" for number in range(3)]

    @pipe.map(over=draft, concurrency=2)
    async def improve(item: str, step: StepContext) -> str:
        began(step)
        await asyncio.sleep(0)
        return item + "!"

    @pipe.step(goto=["polish"], max_visits=9)
    def polish(improve: list[str], step: StepContext) -> str | Goto:
        began(step)
        return ",".join(improve) if visit(step) % 2 == 0 else Goto("polish")

    @pipe.step(goto=["draft"], max_visits=3)
    async def judge(polish: str, step: StepContext) -> str | Goto:
        began(step)
        return Goto("draft", best=f"best {polish}")

    @pipe.step
    async def done(judge: str, topic: int, step: StepContext) -> str:
        began(step)
        return f"{topic} {judge}"

    return pipe


def visit(step: StepContext) -> int:
    """Which visit of its step an attempt is in."""
    return int(step.path.partition("#")[2] or 1)


def race() -> Pipeline:
    """The first of two to end is enough; another join loses its patience; a loop goes back over what still runs."""
    pipe = Pipeline("race", output="last")

    @pipe.step
    async def quick(step: StepContext) -> str:
        began(step)
        return "quick"

    @pipe.step
    async def other(step: StepContext) -> str:
        began(step)
        return "other"

    @pipe.step
    async def slow(step: StepContext) -> str:
        began(step)
        await asyncio.sleep(0.06)
        return "slow"

    @pipe.step
    async def side(quick: str, step: StepContext) -> str:
        began(step)
        await asyncio.sleep(0.02 if visit(step) == 1 else 0)
        return quick

    @pipe.step(join="any", after=["quick", "side"], goto=["quick"])
    async def first(step: StepContext) -> str | Goto:
        began(step)
        return Goto("quick") if visit(step) == 1 else "first"

    @pipe.step(join=2, after=["other", "slow"], join_timeout="15ms", critical=False)
    async def never(step: StepContext) -> str:
        began(step)
        return "never"

    @pipe.step(after=["never", "slow"])
    async def last(first: str, side: str, step: StepContext) -> str:
        began(step)
        return first + side

    return pipe


def ephemeral() -> Pipeline:
    """Outputs that are not kept: of a step, of a map, and of what is made of them."""
    pipe = Pipeline("ephemeral", output="report")

    @pipe.step(durability="ephemeral")
    async def open_it(step: StepContext) -> object:
        began(step)
        return Handle(5)

    @pipe.step
    async def names(step: StepContext) -> list[int]:
        began(step)
        return [1, 2, 3]

    @pipe.map(over=names, concurrency=2, durability="ephemeral")
    async def weigh(item: int, open_it: object, step: StepContext) -> object:
        began(step)
        await asyncio.sleep(0)
        return Handle(item * handled(open_it))

    @pipe.step
    def sums(weigh: list[object], step: StepContext) -> int:
        began(step)
        return sum(map(handled, weigh))

    @pipe.step(retry=SOON)
    async def report(open_it: object, weigh: list[object], sums: int, step: StepContext) -> int:
        began(step)
        if step.attempt == 1:
            raise OSError("not yet")
        return handled(open_it) + len(weigh) + sums

    return pipe


class Handle:
    """What cannot be recorded: it belongs to this process."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.process = os.getpid()


def handled(given: object) -> int:
    """The number in a handle of this process, and of no other."""
    assert isinstance(given, Handle)
    assert given.process == os.getpid(), "handed out after its process has died"
    return given.number


def live() -> Pipeline:
    """A map takes the items of an async generator as they come, by their places."""
    pipe = Pipeline("live", output="total")

    @pipe.step
    async def rows(step: StepContext) -> AsyncIterator[int]:
        began(step)
        for number in range(12):
            if number % 3 == 0:
                await asyncio.sleep(0.001)
            yield number

    @pipe.map(over=rows, concurrency=3, retry=SOON)
    async def square(item: int, step: StepContext) -> int:
        began(step)
        if item == 4 and step.attempt == 1:
            raise OSError("not yet")
        await asyncio.sleep(0.0005)
        return item * item

    @pipe.step
    async def total(square: list[int], rows: list[int], step: StepContext) -> list[int]:
        began(step)
        return [*square, len(rows)]

    return pipe


def live_thread() -> Pipeline:
    """Two maps over one generator in a thread, one of them by keys; a slot for one attempt at a time."""
    pipe = Pipeline("live-thread", output="total", concurrency=1)

    @pipe.step(retry=SOON)
    def names(step: StepContext) -> Iterator[str]:
        began(step)
        for number, name in enumerate(("a", "b/c", "d[1]", "e#2", "f g")):
            if number == 3 and step.attempt == 1:
                raise OSError("half way")
            yield name

    @pipe.map(over=names, key=str, concurrency=2)
    def upper(item: str, step: StepContext) -> str:
        began(step)
        return item.upper()

    @pipe.map(over=names, concurrency=2)
    async def long(item: str, step: StepContext) -> str:
        began(step)
        return item * 20_000

    @pipe.step
    def total(upper: list[str], long: list[str], step: StepContext) -> list[object]:
        began(step)
        return [*upper, sum(map(len, long))]

    return pipe


def stream() -> Pipeline:
    """Generators whose values are told as they come, in a thread and on the loop."""
    pipe = Pipeline("stream", output="words")

    @pipe.step
    async def letters(step: StepContext) -> AsyncIterator[str]:
        began(step)
        for letter in "abcdef":
            yield letter

    @pipe.step
    def words(letters: str, step: StepContext) -> Iterator[int | Output[str]]:
        began(step)
        yield from range(5)
        yield Output(letters + str(len(letters)))

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
    "stop": stop, "cancel": cancel, "cancel-own": cancel, "loop": loop, "race": race, "ephemeral": ephemeral,
    "live": live, "live-thread": live_thread, "stream": stream,
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
    async with App(FOLDER / "store.db", sync="process" if os.environ.get("SYNC") == "process" else "full") as app:
        if STAGE == "cancel":
            await app.cancel("last", "from another process")
            trace("asked")
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
