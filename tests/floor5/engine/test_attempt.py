"""Attempts in a thread: what the function raises, whatever it is, is the failure of its step."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from stepwell import Pipeline, Run, RunResult

BOUND = 10.0


async def result_of(run: Run) -> RunResult:
    return await run


@pytest.mark.parametrize("timeout", [None, "60s"])
@pytest.mark.parametrize("place", ["function", "generator", "item"])
async def test_a_generator_exit_that_a_thread_raises_fails_its_step(place: str, timeout: str | None) -> None:
    """E8, D14: nobody closes it, so it is an exception like any other; an `await` of it would never end."""
    pipe = Pipeline("exits")
    options: dict[str, Any] = {} if timeout is None else {"timeout": timeout}

    def function() -> int:
        raise GeneratorExit("out")

    def generator() -> Iterator[str]:
        yield "x"
        raise GeneratorExit("out")

    def items() -> list[int]:
        return [1]

    def of_item(item: int) -> int:
        raise GeneratorExit("out")

    if place == "item":
        pipe.step(items)
        pipe.map("exits", over=items, **options)(of_item)
    else:
        pipe.step("exits", **options)(function if place == "function" else generator)
    result = await asyncio.wait_for(result_of(pipe.run()), BOUND)
    failure = result.failures[0]
    assert (result.status, failure.step, failure.kind) == ("failed", "exits", "error")
    assert "GeneratorExit" in failure.message + failure.type
