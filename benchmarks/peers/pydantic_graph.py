"""pydantic-graph: the builder, without instrumentation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pydantic_graph import Graph, GraphBuilder, StepContext, reduce_list_append, reduce_null

from benchmarks.starting import import_ms
from benchmarks.timing import answer, async_seconds, peak_bytes, seconds

PAUSE = 0.05
STEPS = 5
Context = StepContext[None, None, int]


async def same(ctx: Context) -> int:
    return ctx.inputs


async def pause(ctx: Context) -> int:
    await asyncio.sleep(PAUSE)
    return ctx.inputs


def builder() -> GraphBuilder[None, None, int, object]:
    return GraphBuilder(input_type=int, output_type=object, auto_instrument=False)


def chain(size: int) -> Graph[None, None, int, object]:
    g = builder()
    steps = [g.step(same, node_id=f"s{number}") for number in range(size)]
    g.add(*(g.edge_from(a).to(b) for a, b in zip([g.start_node, *steps], [*steps, g.end_node], strict=True)))
    return g.build()


def w1(size: int) -> float:
    graph = chain(size)
    return 1e6 * async_seconds(lambda: graph.run(inputs=1)) / size


def wide(size: int, call: Callable[[Context], Awaitable[int]]) -> Graph[None, None, int, object]:
    g = builder()
    first = g.step(same, node_id="first")
    middle = [g.step(call, node_id=f"s{number}") for number in range(size)]
    join = g.join(reduce_null, initial=None)
    g.add(g.edge_from(g.start_node).to(first), g.edge_from(first).to(*middle), g.edge_from(*middle).to(join))
    g.add(g.edge_from(join).to(g.end_node))
    return g.build()


def w2(size: int) -> float:
    graph = wide(size, same)
    return 1e6 * async_seconds(lambda: graph.run(inputs=1)) / size


def w10(size: int) -> float:
    graph = wide(size, pause)
    return 1e3 * (async_seconds(lambda: graph.run(inputs=1)) - PAUSE)


def mapped(items: list[int]) -> Graph[None, None, int, object]:
    async def source(ctx: Context) -> list[int]:
        return items

    g = builder()
    start, work = g.step(source, node_id="source"), g.step(same, node_id="work")
    join = g.join(reduce_list_append, initial_factory=list[int])
    g.add(g.edge_from(g.start_node).to(start), g.edge_from(start).map().to(work))
    g.add(g.edge_from(work).to(join), g.edge_from(join).to(g.end_node))
    return g.build()


def w3(size: int) -> float:
    """It has no bound for what runs at once, so all items do."""
    graph = mapped(list(range(size)))
    return size / async_seconds(lambda: graph.run(inputs=1))


def w3_bytes(size: int) -> float:
    graph = mapped(list(range(size)))
    asyncio.run(mapped([1, 2, 3]).run(inputs=1))
    return peak_bytes(lambda: asyncio.run(graph.run(inputs=1))) / size - 8


def w4(size: int) -> float:
    graph = chain(STEPS)

    async def once() -> None:
        await asyncio.gather(*(graph.run(inputs=1) for _ in range(size)))

    return size / async_seconds(once)


SIDES = {
    "W1": w1,
    "W2": w2,
    "W3": w3,
    "W3.bytes": w3_bytes,
    "W4": w4,
    "W8.import": lambda size: import_ms("from pydantic_graph import GraphBuilder", size),
    "W10": w10,
    "W11.chain10": lambda size: w1(size) / w1(size // 10),
    "W11.build": lambda size: 1e3 * seconds(lambda: chain(size)),
}
CANNOT = {
    "W9": "a stream goes to the next node, not to the caller",
    **dict.fromkeys(("W5", "W5.kill", "W6.100", "W6.1000", "W6.chains", "W7", "W12"), "nothing durable"),
}

if __name__ == "__main__":
    answer(SIDES, CANNOT)
