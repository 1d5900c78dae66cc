"""W1: a chain of async steps in memory; all events are made and kept."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from time import time

import msgspec

from benchmarks.timing import async_seconds
from stepwell import App, Pipeline


async def nothing() -> None:
    pass


def chain(size: int) -> Pipeline:
    pipe = Pipeline("chain")
    for number in range(size):
        pipe.add_step(f"s{number}", nothing)
    pipe.compile()
    return pipe


def stepwell_seconds(size: int) -> float:
    pipe = chain(size)

    async def once() -> None:
        async with App() as app:
            (await app.run(pipe)).raise_for_status()

    return async_seconds(once)


def stepwell(size: int) -> float:
    return 1e6 * stepwell_seconds(size) / size


def plain_await(size: int) -> float:
    async def once() -> None:
        for _ in range(size):
            await nothing()

    return 1e6 * async_seconds(once) / size


class Happened(msgspec.Struct, frozen=True):
    """An event, as lean as one can be that says when and where."""

    run: str
    seq: int
    at: float
    step: str
    output: object = None


def await_with_events(size: int) -> float:
    """What nobody can do without: two events, the clock, a context and the result."""
    current: ContextVar[str] = ContextVar("current")
    names = [f"s{number}" for number in range(size)]

    async def once() -> None:
        events: list[Happened] = []
        results: dict[str, object] = {}
        for name in names:
            events.append(Happened("run", len(events), time(), name))
            mark = current.set(name)
            results[name] = output = await nothing()
            current.reset(mark)
            events.append(Happened("run", len(events), time(), name, output))

    return 1e6 * async_seconds(once) / size


def a_task_a_step(size: int) -> float:
    async def once() -> None:
        for _ in range(size):
            await asyncio.create_task(nothing())

    return 1e6 * async_seconds(once) / size


SIDES = {
    "W1": {
        "stepwell": stepwell,
        "await + events": await_with_events,
        "plain await": plain_await,
        "a task a step": a_task_a_step,
    }
}
