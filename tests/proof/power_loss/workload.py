"""What is going on when the power is cut: several runs of several kinds in one store, and whoever looks at them.

`work` begins, attaches to and resumes by keys, so that it can be given again as it stands after any cut.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from stepwell import App, Goto, Pipeline, RetryPolicy, StepContext
from stepwell.journal.port import Request
from stepwell.journal.sqlite.store import SqliteStore

STORE = "kept/store.db"
"""Where the store is in its folder: the folder between is made by the store."""

Note = Callable[..., None]
"""Says to the log what became known outside: `("began", run, path, attempt)`, `("told", run, seq)`,
`("result", run, key, output)`, `("asked", run, request)`."""

SOON = RetryPolicy(attempts=3, delay=0, jitter=0)
LARGE = 9_000


class Plant:
    """The pipelines of one session, whose steps say when they begin."""

    def __init__(self, note: Note, waits: bool) -> None:
        self._note = note
        self.waiting = asyncio.Event()
        self._waits = waits
        """Whether a step of `patient` waits for somebody to cancel its run."""

    def pipelines(self) -> dict[str, Pipeline]:
        """Each by its name."""
        return {pipe.name: pipe for pipe in (self.chain(), self.wide(), self.loop(), self.patient())}

    def began(self, step: StepContext) -> None:
        """An attempt is being executed."""
        self._note("began", step.run_id, step.path, step.attempt)

    def chain(self) -> Pipeline:
        """Small and large values one after the other; a step in a thread."""
        pipe = Pipeline("chain")

        @pipe.step
        async def one(word: str, step: StepContext) -> str:
            self.began(step)
            return word

        @pipe.step
        async def two(one: str, step: StepContext) -> str:
            self.began(step)
            return one * LARGE

        @pipe.step
        def three(two: str, step: StepContext) -> int:
            self.began(step)
            return len(two)

        @pipe.step(retry=SOON)
        async def four(three: int, one: str, step: StepContext) -> list[str]:
            self.began(step)
            if step.attempt == 1:
                raise OSError("not yet")
            return [one] * (three // 4)

        @pipe.step
        async def five(four: list[str], step: StepContext) -> int:
            self.began(step)
            return len(four)

        return pipe

    def wide(self) -> Pipeline:
        """A map with several items in flight, some of them large, one tried twice; its join."""
        pipe = Pipeline("wide")

        @pipe.step
        async def names(step: StepContext) -> list[str]:
            self.began(step)
            return ["a", "b/c", "d[1]", "e#2", "f", "g", "h"]

        @pipe.map(over=names, key=str, concurrency=3, retry=SOON)
        async def measure(item: str, step: StepContext) -> str:
            self.began(step)
            await asyncio.sleep(0)
            if item == "f" and step.attempt == 1:
                raise OSError("not yet")
            return item * (LARGE if item in ("d[1]", "g") else 2)

        @pipe.step
        async def total(measure: list[str], step: StepContext) -> int:
            self.began(step)
            return sum(map(len, measure))

        return pipe

    def loop(self) -> Pipeline:
        """A step that sends its run back twice."""
        pipe = Pipeline("loop", output="judge")

        @pipe.step
        async def draft(step: StepContext) -> str:
            self.began(step)
            return f"draft {visit(step)}"

        @pipe.step(goto=["draft"], max_visits=5)
        async def judge(draft: str, step: StepContext) -> str | Goto:
            self.began(step)
            return draft if visit(step) == 3 else Goto("draft")

        return pipe

    def patient(self) -> Pipeline:
        """Waits until it is cancelled; in a later session it does not."""
        pipe = Pipeline("patient")

        @pipe.step
        async def first(step: StepContext) -> str:
            self.began(step)
            return "patient" * 4_000

        @pipe.step
        async def second(first: str, step: StepContext) -> int:
            self.began(step)
            if self._waits:
                self.waiting.set()
                await asyncio.get_running_loop().create_future()
            return len(first)

        return pipe


def visit(step: StepContext) -> int:
    """Which visit of its step an attempt is in."""
    return int(step.path.partition("#")[2] or 1)


RUNS: dict[str, tuple[str, dict[str, object]]] = {
    "chain-a": ("chain", {"word": "abcd"}),
    "wide": ("wide", {}),
    "loop": ("loop", {}),
    "patient": ("patient", {}),
    "chain-b": ("chain", {"word": "efgh"}),
    "chain-c": ("chain", {"word": "abcd"}),
}
"""The key of each run, its pipeline and its inputs. Two have the same large values, and so the same files."""

OUTPUTS: dict[str, object] = {
    "chain-a": LARGE, "wide": 5 * LARGE + 18, "loop": "draft 3", "patient": 28_000,
    "chain-b": LARGE, "chain-c": LARGE,
}  # fmt: skip
"""What each run gives when nobody disturbs it."""


async def work(folder: Path, note: Note, *, sync: str, fresh: bool) -> None:
    """All runs to their ends, in one session, or in two where nothing is there yet."""
    if fresh:
        await _session(folder, note, sync, ("chain-a", "wide", "loop", "patient"), waits=True)
    await _session(folder, note, sync, tuple(RUNS), waits=False)


async def _session(folder: Path, note: Note, sync: str, keys: tuple[str, ...], *, waits: bool) -> None:
    """Some runs side by side, then the others one by one; one is cancelled by somebody who has its own store."""
    plant = Plant(note, waits)
    pipes = plant.pipelines()
    async with App(folder / STORE, sync=sync, capture="off") as app:
        side = [key for key in keys if key not in ("chain-b", "chain-c")]
        others = [_look(folder, note, sync, plant.waiting)] if waits else []
        await asyncio.gather(*(_run(app, key, pipes, note, cancelled=not waits) for key in side), *others)
        for key in keys[len(side) :]:
            await _run(app, key, pipes, note)


async def _run(app: App, key: str, pipes: dict[str, Pipeline], note: Note, *, cancelled: bool = False) -> None:
    name, inputs = RUNS[key]
    run = app.run(pipes[name], key=key, inputs=inputs)
    async for event in run:
        if event.seq:
            note("told", run.id, event.seq)
    result = await run
    note("result", run.id, key, result.output if result.succeeded else result.status)
    if result.status == "cancelled" and cancelled:  # by a request that was left before: now it is wanted again
        await _run(app, key, pipes, note)


async def _look(folder: Path, note: Note, sync: str, begun: asyncio.Event) -> None:
    """Follow `patient` from outside, and have it cancelled once it waits."""
    await begun.wait()
    store = SqliteStore(folder / STORE, sync=sync)
    async with App(store, capture="off") as app:
        row = store.with_key("patient", "patient")
        assert row is not None
        async with contextlib.aclosing(app.events(row.run_id, follow=True)) as events:
            async for event in events:
                note("told", row.run_id, event.seq)
                if event.kind.value == "STEP_STARTED" and event.path == "second":
                    request = Request(f"cancel {row.run_id}", row.run_id, "cancel", event.at, "from outside")
                    store.ask(request)
                    note("asked", row.run_id, request.id)
