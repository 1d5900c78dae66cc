"""Burr: actions with transitions; durable means its SQLite persister, which saves the state after each action."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from pathlib import Path

from burr.core import Application, ApplicationBuilder, GraphBuilder, State, action
from burr.core.parallelism import MapStates, RunnableGraph
from burr.core.persistence import SQLitePersister

from benchmarks import disk
from benchmarks.starting import import_ms
from benchmarks.timing import answer, async_seconds, peak_bytes, seconds

PAUSE = 0.05
STEPS = 5


@action(reads=[], writes=["value"])
def step(state: State) -> State:
    return state.update(value=1)


@action(reads=[], writes=["value"])
def die(state: State) -> State:
    os._exit(7)


@action(reads=["item"], writes=["value"])
async def item_done(state: State) -> State:
    return state.update(value=state["item"])


@action(reads=["item"], writes=["value"])
async def pause(state: State) -> State:
    await asyncio.sleep(PAUSE)
    return state.update(value=state["item"])


def graph(size: int, dies_at: int | None = None) -> object:
    names = [f"s{number}" for number in range(size)]
    actions = {name: die if number == dies_at else step for number, name in enumerate(names)}
    transitions = list(pairwise(names))
    return GraphBuilder().with_actions(**actions).with_transitions(*transitions).build()


def application(built: object, **options: object) -> Application:
    builder = ApplicationBuilder().with_graph(built).with_entrypoint("s0").with_state(value=0)
    if "saver" in options:
        builder = builder.with_state_persister(options["saver"]).with_identifiers(app_id=str(options["name"]))
    return builder.build()


def run(size: int, built: object, **options: object) -> None:
    application(built, **options).run(halt_after=[f"s{size - 1}"])


def w1(size: int) -> float:
    built = graph(size)
    return 1e6 * seconds(lambda: run(size, built)) / size


def fan(items: list[int], call: Callable[[State], object]) -> Callable[[], object]:
    class Fan(MapStates):
        """One action over many states; all of them at once, since it has no bound."""

        def is_async(self) -> bool:
            return True

        async def states(self, state: State, context: object, inputs: dict[str, object]) -> AsyncIterator[State]:
            for item in items:
                yield state.update(item=item)

        def action(self, state: State, inputs: dict[str, object]) -> RunnableGraph:
            return RunnableGraph.create(call)

        async def reduce(self, state: State, states: AsyncIterator[State]) -> State:
            return state.update(results=[one["value"] async for one in states])

        @property
        def reads(self) -> list[str]:
            return []

        @property
        def writes(self) -> list[str]:
            return ["results"]

    async def once() -> None:
        app = ApplicationBuilder().with_actions(fan=Fan()).with_entrypoint("fan").with_state(value=0).build()
        _, _, state = await app.arun(halt_after=["fan"])
        assert len(state["results"]) == len(items)

    return once


def w2(size: int) -> float:
    return 1e6 * async_seconds(fan(list(range(size)), item_done)) / size


def w3(size: int) -> float:
    return size / async_seconds(fan(list(range(size)), item_done))


def w3_bytes(size: int) -> float:
    asyncio.run(fan([1, 2], item_done)())
    once = fan(list(range(size)), item_done)
    return peak_bytes(lambda: asyncio.run(once())) / size - 8


def w4(size: int) -> float:
    built = graph(STEPS)

    def once() -> None:
        for _ in range(size):
            run(STEPS, built)

    return size / seconds(once)


def saver_in(where: Path) -> SQLitePersister:
    saver = SQLitePersister.from_values(str(where / "runs.db"))
    saver.initialize()
    return saver


def names() -> Iterator[str]:
    number = 0
    while True:
        yield f"run {number}"
        number += 1


def w5(size: int) -> float:
    built, fresh = graph(size), names()
    with disk.folder() as where:
        saver = saver_in(where)
        return size / seconds(lambda: run(size, built, saver=saver, name=next(fresh)))


def w5_kill(size: int) -> float:
    with disk.folder() as where:
        disk.die(__spec__.name, size, where)
        with sqlite3.connect(where / "runs.db") as database:
            (found,) = database.execute("SELECT count(*) FROM burr_state WHERE status = 'completed'").fetchone()
        return 100 * found / (size // 2)


def w9(size: int) -> float:
    from burr.core.action import streaming_action

    @streaming_action(reads=[], writes=["value"])
    async def speak(state: State) -> AsyncIterator[tuple[dict[str, str], State | None]]:
        for _ in range(size):
            yield {"word": "word"}, None
        yield {"word": ""}, state.update(value=1)

    async def once() -> None:
        app = ApplicationBuilder().with_actions(s0=speak).with_entrypoint("s0").with_state(value=0).build()
        _, stream = await app.astream_result(halt_after=["s0"])
        heard = 0
        async for _ in stream:
            heard += 1
        assert heard >= size

    return size / async_seconds(once)


def w10(size: int) -> float:
    return 1e3 * (async_seconds(fan(list(range(size)), pause)) - PAUSE)


def w12(size: int) -> float:
    with disk.folder() as where:
        run(size, graph(size), saver=saver_in(where), name="one")
        return disk.bytes_in(where) / size


SIDES = {
    "W1": w1, "W2": w2, "W3": w3, "W3.bytes": w3_bytes, "W4": w4, "W5": w5, "W5.kill": w5_kill,
    "W8.import": lambda size: import_ms("from burr.core import ApplicationBuilder", size),
    "W9": w9, "W10": w10, "W12": w12,
    "W11.chain10": lambda size: w1(size) / w1(size // 10),
    "W11.build": lambda size: 1e3 * seconds(lambda: graph(size)),
}  # fmt: skip
CANNOT = {
    "W6.100": "an interrupted fan-out starts over",
    "W7": "an interrupted fan-out starts over",
    "W6.chains": "runs are synchronous here, see W5",
}

if __name__ == "__main__":
    if sys.argv[1] == "die":
        total = int(sys.argv[2])
        run(total, graph(total, dies_at=total // 2), saver=saver_in(Path(sys.argv[3])), name="one")
    answer(SIDES, CANNOT)
