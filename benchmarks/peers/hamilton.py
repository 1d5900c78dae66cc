"""Hamilton: a node is a function, its parameters are the nodes before it; the synchronous driver is its fast path."""

from __future__ import annotations

import asyncio
from types import ModuleType

from hamilton import async_driver, driver
from hamilton.ad_hoc_utils import create_temporary_module

from benchmarks.starting import import_ms
from benchmarks.timing import answer, async_seconds, seconds

PAUSE = 0.05
STEPS = 5


def module_of(source: list[str]) -> ModuleType:
    """A module with these functions, as a user would have written it."""
    space: dict[str, object] = {"asyncio": asyncio}
    exec("\n".join(source), space)
    functions = [value for name, value in space.items() if callable(value) and name.startswith("s")]
    return create_temporary_module(*functions)


def chain(size: int) -> ModuleType:
    source = ["def s0() -> int:\n    return 1"]
    source += [f"def s{number}(s{number - 1}: int) -> int:\n    return s{number - 1}" for number in range(1, size)]
    return module_of(source)


def sync_driver(module: ModuleType) -> driver.Driver:
    return driver.Builder().with_modules(module).build()


def w1(size: int) -> float:
    runs = sync_driver(chain(size))
    last = f"s{size - 1}"
    return 1e6 * seconds(lambda: runs.execute([last])) / size


def w2(size: int) -> float:
    middle = [f"s{number}" for number in range(1, size + 1)]
    source = ["def s0() -> int:\n    return 1"]
    source += [f"def {name}(s0: int) -> int:\n    return s0" for name in middle]
    source += [f"def slast({', '.join(f'{name}: int' for name in middle)}) -> int:\n    return 1"]
    runs = sync_driver(module_of(source))
    return 1e6 * seconds(lambda: runs.execute(["slast"])) / size


def w4(size: int) -> float:
    """Each run to its end before the next: that is what its fast driver does."""
    runs = sync_driver(chain(STEPS))

    def once() -> None:
        for _ in range(size):
            runs.execute([f"s{STEPS - 1}"])

    return size / seconds(once)


def w10(size: int) -> float:
    names = [f"s{number}" for number in range(size)]
    body = f"    await asyncio.sleep({PAUSE})\n    return 1"
    module = module_of([f"async def {name}() -> int:\n{body}" for name in names])

    async def once() -> None:
        runs = await async_driver.Builder().with_modules(module).build()
        await runs.execute(names)

    return 1e3 * (async_seconds(once) - PAUSE)


SIDES = {
    "W1": w1,
    "W2": w2,
    "W4": w4,
    "W8.import": lambda size: import_ms("from hamilton import driver", size),
    "W10": w10,
    "W11.chain10": lambda size: w1(size) / w1(size // 10),
    "W11.build": lambda size: 1e3 * seconds(lambda: sync_driver(chain(size))),
}
CANNOT = {
    "W3": "its dynamic execution is for few and large tasks",
    "W9": "a node cannot stream to the caller",
    **dict.fromkeys(("W5", "W5.kill", "W6.100", "W6.1000", "W6.chains", "W7", "W12"), "a cache, no durable runs"),
}

if __name__ == "__main__":
    answer(SIDES, CANNOT)
