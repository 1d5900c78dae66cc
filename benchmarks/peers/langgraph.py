"""LangGraph: compiled state graphs; durable means its SQLite checkpointer with `durability="sync"`."""

from __future__ import annotations

import asyncio
import json
import operator
import os
import sqlite3
import sys
import time
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Annotated, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from benchmarks import disk
from benchmarks.starting import import_ms
from benchmarks.timing import answer, async_seconds, awaited_seconds, peak_bytes, seconds

PAUSE = 0.05
STEPS = 5
CHAINS = 100


class Value(TypedDict):
    """What a chain hands on."""

    value: int


class Results(TypedDict):
    """What a fan-out gathers."""

    results: Annotated[list[int], operator.add]


async def step(state: Value) -> Value:
    return {"value": 1}


def sync_step(state: Value) -> Value:
    return {"value": 1}


def chain(size: int, call: Callable[[Value], object] = step, dies_at: int | None = None) -> StateGraph:
    def die(state: Value) -> Value:
        os._exit(7)

    graph = StateGraph(Value)
    names = [f"s{number}" for number in range(size)]
    for number, name in enumerate(names):
        graph.add_node(name, die if number == dies_at else call)
    for before, after in zip([START, *names], [*names, END], strict=True):
        graph.add_edge(before, after)
    return graph


def limit(size: int, **more: object) -> dict[str, object]:
    return {"recursion_limit": size + 10, **more}


def thread(size: int, name: object) -> dict[str, object]:
    return limit(size, configurable={"thread_id": str(name)})


def w1(size: int) -> float:
    graph = chain(size, sync_step).compile()
    return 1e6 * seconds(lambda: graph.invoke({"value": 0}, limit(size))) / size


async def one(state: Results) -> Results:
    return {"results": [1]}


async def pause(state: Results) -> Results:
    await asyncio.sleep(PAUSE)
    return {"results": [1]}


def wide(size: int, call: Callable[[Results], Awaitable[Results]]) -> StateGraph:
    graph = StateGraph(Results)
    middle = [f"s{number}" for number in range(size)]
    graph.add_node("first", one)
    graph.add_node("last", one)
    graph.add_edge(START, "first")
    for name in middle:
        graph.add_node(name, call)
        graph.add_edge("first", name)
    graph.add_edge(middle, "last")
    return graph


def w2(size: int) -> float:
    graph = wide(size, one).compile()
    return 1e6 * async_seconds(lambda: graph.ainvoke({"results": []}, limit(size))) / size


def w10(size: int) -> float:
    graph = wide(size, pause).compile()
    return 1e3 * (async_seconds(lambda: graph.ainvoke({"results": []}, limit(size))) - PAUSE)


def mapped(items: list[int], work: Callable[[int], object]) -> StateGraph:
    graph = StateGraph(Results)
    graph.add_node("work", work)
    graph.add_conditional_edges(START, lambda state: [Send("work", item) for item in items], ["work"])
    return graph


async def item_done(item: int) -> Results:
    return {"results": [item]}


def w3(size: int) -> float:
    graph = mapped(list(range(size)), item_done).compile()
    return size / async_seconds(lambda: graph.ainvoke({"results": []}, limit(size, max_concurrency=100)))


def w3_bytes(size: int) -> float:
    graph = mapped(list(range(size)), item_done).compile()

    async def once() -> None:
        await graph.ainvoke({"results": []}, limit(size, max_concurrency=100))

    asyncio.run(mapped([1, 2], item_done).compile().ainvoke({"results": []}))
    return peak_bytes(lambda: asyncio.run(once())) / size - 8


def w4(size: int) -> float:
    graph = chain(STEPS).compile()

    async def once() -> None:
        await asyncio.gather(*(graph.ainvoke({"value": 0}) for _ in range(size)))

    return size / async_seconds(once)


def w5(size: int) -> float:
    runs = count()
    with disk.folder() as where, SqliteSaver.from_conn_string(str(where / "runs.db")) as saver:
        graph = chain(size, sync_step).compile(checkpointer=saver)
        return size / seconds(lambda: graph.invoke({"value": 0}, thread(size, next(runs)), durability="sync"))


def die_in_chain(size: int, where: Path) -> None:
    with SqliteSaver.from_conn_string(str(where / "runs.db")) as saver:
        graph = chain(size, sync_step, dies_at=size // 2).compile(checkpointer=saver)
        graph.invoke({"value": 0}, thread(size, 1), durability="sync")


def w5_kill(size: int) -> float:
    with disk.folder() as where:
        disk.die(__spec__.name, size, where)
        with sqlite3.connect(where / "runs.db") as database:
            rows = database.execute("SELECT metadata FROM checkpoints").fetchall()
        return 100 * sum(json.loads(row[0])["step"] >= 1 for row in rows) / (size // 2)


def w6_100(size: int) -> float:
    runs = count()

    async def timed(where: Path) -> float:
        async with AsyncSqliteSaver.from_conn_string(str(where / "runs.db")) as saver:
            graph = mapped(list(range(size)), item_done).compile(checkpointer=saver)

            async def once() -> None:
                config = thread(size, next(runs)) | {"max_concurrency": 100}
                await graph.ainvoke({"results": []}, config, durability="sync")

            return await awaited_seconds(once)

    with disk.folder() as where:
        return size / asyncio.run(timed(where))


def w6_chains(size: int) -> float:
    runs = count()
    length = size // CHAINS

    async def timed(where: Path) -> float:
        async with AsyncSqliteSaver.from_conn_string(str(where / "runs.db")) as saver:
            graph = chain(length).compile(checkpointer=saver)

            async def once() -> None:
                configs = [thread(length, next(runs)) for _ in range(CHAINS)]
                await asyncio.gather(*(graph.ainvoke({"value": 0}, one, durability="sync") for one in configs))

            return await awaited_seconds(once)

    with disk.folder() as where:
        return size / asyncio.run(timed(where))


def half(size: int, began: list[float] | None) -> StateGraph:
    """Items of the second half end the process (once the others are on disk), or note when the first of them began."""

    def work(item: int) -> Results:
        if item >= size // 2:
            if began is None:
                time.sleep(60)
            else:
                began.append(time.perf_counter())
        return {"results": [item]}

    return mapped(list(range(size)), work)


def die_in_map(size: int, where: Path) -> None:
    from threading import Thread

    path = where / "runs.db"

    def watch() -> None:
        while True:
            time.sleep(0.02)
            with sqlite3.connect(path) as database:
                try:
                    (done,) = database.execute("SELECT count(DISTINCT task_id) FROM writes").fetchone()
                except sqlite3.OperationalError:
                    continue
            if done >= size // 2:
                os._exit(7)

    Thread(target=watch, daemon=True).start()
    with SqliteSaver.from_conn_string(str(path)) as saver:
        graph = half(size, None).compile(checkpointer=saver)
        graph.invoke({"results": []}, thread(size, 1) | {"max_concurrency": 100}, durability="sync")


def w7(size: int) -> float:
    began: list[float] = []
    with disk.folder() as where:
        disk.die(__spec__.name, size, where, what="die-in-map")
        start = time.perf_counter()
        with SqliteSaver.from_conn_string(str(where / "runs.db")) as saver:
            graph = half(size, began).compile(checkpointer=saver)
            graph.invoke(None, thread(size, 1) | {"max_concurrency": 100}, durability="sync")
    return 1e3 * (min(began) - start)


def w9(size: int) -> float:
    async def speak(state: Value) -> Value:
        write = get_stream_writer()
        for _ in range(size):
            write("word")
        return {"value": 1}

    graph = chain(1, speak).compile()

    async def once() -> None:
        heard = 0
        async for _ in graph.astream({"value": 0}, stream_mode="custom"):
            heard += 1
        assert heard == size

    return size / async_seconds(once)


def w12(size: int) -> float:
    with disk.folder() as where:
        with SqliteSaver.from_conn_string(str(where / "runs.db")) as saver:
            chain(size, sync_step).compile(checkpointer=saver).invoke({"value": 0}, thread(size, 1), durability="sync")
        return disk.bytes_in(where) / size


SIDES = {
    "W1": w1, "W2": w2, "W3": w3, "W3.bytes": w3_bytes, "W4": w4, "W5": w5, "W5.kill": w5_kill,
    "W6.100": w6_100, "W6.chains": w6_chains, "W7": w7,
    "W8.import": lambda size: import_ms("from langgraph.graph import StateGraph", size),
    "W9": w9, "W10": w10, "W12": w12,
    "W11.chain10": lambda size: w1(size) / w1(size // 10),
    "W11.build": lambda size: 1e3 * seconds(lambda: chain(size).compile()),
}  # fmt: skip

if __name__ == "__main__":
    if sys.argv[1] == "die":
        die_in_chain(int(sys.argv[2]), Path(sys.argv[3]))
    if sys.argv[1] == "die-in-map":
        die_in_map(int(sys.argv[2]), Path(sys.argv[3]))
    answer(SIDES)
