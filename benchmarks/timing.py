"""How a side is timed, and how its script answers; the standard library alone, since peers import it too."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import statistics
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Mapping

BUDGET = float(os.environ.get("BENCHMARK_SECONDS", "1.0"))
"""Seconds that one sample may spend on repeating itself."""
BEST = "BENCHMARK_BEST" in os.environ
"""Take the best repeat, not the middle one: what else runs on the machine can only make one slower."""

clock = time.process_time if "BENCHMARK_CPU" in os.environ else time.perf_counter
"""What times a repeat: for work that waits for nothing, the processor's own time leaves out what else runs."""

NOTHING = "nothing like it"
"""What is said of a row for which a side gives no reason."""

Side = Callable[[int], float]
"""Runs a workload at a size and gives the figure, in the unit of its row."""


class Cannot(Exception):
    """This side has nothing that does this workload; the message says why."""


def settled(times: list[float]) -> float:
    """The median of repeated timings, or the best; the first is for warming up, where there is another."""
    return min(times) if BEST else statistics.median(times[1:] or times)


def seconds(once: Callable[[], object]) -> float:
    """Seconds that one call takes: repeated until the budget is used up."""
    times: list[float] = []
    began = time.perf_counter()
    while time.perf_counter() - began < BUDGET or not times:
        gc.collect()
        start = clock()
        once()
        times.append(clock() - start)
    return settled(times)


async def awaited_seconds(once: Callable[[], Awaitable[object]]) -> float:
    """The same for what is awaited."""
    times: list[float] = []
    began = time.perf_counter()
    while time.perf_counter() - began < BUDGET or not times:
        gc.collect()
        start = clock()
        await once()
        times.append(clock() - start)
    return settled(times)


def async_seconds(once: Callable[[], Awaitable[object]]) -> float:
    """The same, all calls on one event loop of their own."""
    return asyncio.run(awaited_seconds(once))


def peak_bytes(once: Callable[[], object]) -> int:
    """Bytes that Python objects took at the peak of one call, beyond what there was before it."""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        once()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def answer(sides: Mapping[str, Side], cannot: Mapping[str, str] | None = None) -> None:
    """The main of a side's script: takes a row and a size from the command line, prints one JSON document.

    The document is the last line, since a library may print what it likes before it.
    """
    row, size = sys.argv[1], int(sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("cut off"))  # so that a server that it has started is stopped
    try:
        if row not in sides:
            raise Cannot((cannot or {}).get(row, NOTHING))
        said: dict[str, object] = {"value": sides[row](size)}
    except Cannot as reason:
        said = {"cannot": str(reason)}
    except (Exception, RecursionError) as error:
        said = {"failed": f"{type(error).__name__}: {error}"[:300]}
    sys.stdout.write("\n" + json.dumps(said) + "\n")
    sys.stdout.flush()
    os._exit(0)  # some libraries leave threads that would keep the process
