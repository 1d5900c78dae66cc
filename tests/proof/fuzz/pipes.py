"""The pipelines whose stores are damaged, as a target of the command too; and the process that is killed in one.

python pipes.py STORE PIPELINE KEY [PATH-AT-WHICH-TO-DIE]

What a step function is called with is added to the file that STEPWELL_WITNESS names.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from stepwell import App, Goto, Pipeline, RetryPolicy, StepContext

KEY = "once"
WITNESS = "STEPWELL_WITNESS"
_DIE_AT: list[str] = []


def began(step: StepContext) -> None:
    """An attempt is being executed; the last one for some."""
    with Path(os.environ[WITNESS]).open("a", encoding="utf-8") as file:
        file.write(f"{step.path}\n")
    if step.path in _DIE_AT:
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Note:
    text: str
    words: int


many = Pipeline("many")


@many.step
def numbers(step: StepContext, upto: int = 6) -> list[int]:
    began(step)
    return list(range(upto))


@many.step
def large(numbers: list[int], step: StepContext) -> bytes:
    began(step)
    return bytes(numbers) * 4_000


@many.map(over=numbers, key=lambda item: f"no {item}", concurrency=1)
def note(item: int, step: StepContext) -> Note:
    began(step)
    return Note("word " * item, item)


@many.step
def told(note: list[Note], large: bytes, step: StepContext) -> dict[str, int]:
    began(step)
    return {one.text: one.words * len(large) for one in note}


broken = Pipeline("broken", on_failure="finish")


@broken.step
async def draft(step: StepContext) -> str:
    began(step)
    return step.path


@broken.step(goto=["draft"])
async def check(draft: str, step: StepContext) -> str | Goto:
    began(step)
    return draft if draft.endswith("#2") else Goto("draft")


@broken.switch(after=["check"], to={"long": "print_it", "short": "leave_it"})
async def length(check: str, step: StepContext) -> str:
    began(step)
    return "long"


@broken.step(critical=False, retry=RetryPolicy(attempts=2, delay="1ms", jitter=0))
async def spell(check: str, step: StepContext) -> int:
    began(step)
    raise ValueError(f"cannot spell {check!r}")


@broken.step
async def print_it(check: str, step: StepContext, spell: int | None = None) -> str:
    began(step)
    raise OSError("no paper")


@broken.step
async def leave_it(step: StepContext) -> None:
    began(step)


def main() -> None:
    """Run one of them in this process, which dies where it is told to."""
    store, name, key, *_DIE_AT[:] = sys.argv[1:]
    pipe = {"many": many, "broken": broken}[name]

    async def run() -> None:
        async with App(store) as app:
            await app.run(pipe, key=key)

    asyncio.run(run())


if __name__ == "__main__":
    main()
