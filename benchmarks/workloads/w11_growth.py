"""W11: what a step costs in a chain or map that is 10 or 100 times as large, and what compiling a large graph costs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from graphlib import TopologicalSorter

from benchmarks.timing import clock, seconds, settled
from benchmarks.workloads import w01_chain, w03_map
from stepwell import Pipeline

COMPILES = 4


def growth(cost: Callable[[int], float], times: int, size: int) -> float:
    """The cost of a unit at this size over that at a size so many times smaller."""
    return cost(size) / cost(max(1, size // times))


def cost_of_item(size: int) -> float:
    return 1 / w03_map.stepwell(size)


async def nothing() -> None:
    pass


def define(size: int) -> Pipeline:
    """A graph in which each step follows the one before it and the one ten before that."""
    pipe = Pipeline("large")
    for number in range(size):
        before = [f"s{other}" for other in (number - 10, number - 1) if other >= 0]
        pipe.add_step(f"s{number}", nothing, depends_on=before)
    return pipe


def build(size: int) -> float:
    return 1e3 * seconds(lambda: define(size).compile())


def compile_alone(size: int) -> float:
    """A plan is kept until a step is added, so each compile gets a pipeline of its own."""
    times: list[float] = []
    for _ in range(COMPILES):
        pipe = define(size)
        start = clock()
        pipe.compile()
        times.append(clock() - start)
    return 1e3 * settled(times)


def graphlib(size: int) -> float:
    def once() -> None:
        sorter: TopologicalSorter[int] = TopologicalSorter()
        for number in range(size):
            sorter.add(number, *(other for other in (number - 10, number - 1) if other >= 0))
        assert len(list(sorter.static_order())) == size

    return 1e3 * seconds(once)


SIDES = {
    "W11.chain10": {"stepwell": partial(growth, w01_chain.stepwell, 10)},
    "W11.chain100": {"stepwell": partial(growth, w01_chain.stepwell, 100)},
    "W11.map10": {"stepwell": partial(growth, cost_of_item, 10)},
    "W11.map100": {"stepwell": partial(growth, cost_of_item, 100)},
    "W11.compile": {"stepwell": compile_alone, "graphlib": graphlib},
    "W11.build": {"stepwell": build, "graphlib": graphlib},
}
