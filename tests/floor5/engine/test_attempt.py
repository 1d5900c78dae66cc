"""What the function of an attempt raises, whatever it is and wherever it runs, is the failure of its step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from stepwell import App, Pipeline, RetryPolicy, Run, RunResult

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


class Shut(Exception):
    """Nothing of it can be had, not even its class, as of some proxies and mocks."""

    def __getattribute__(self, name: str) -> object:
        raise RuntimeError(f"nobody may see its {name}")


def function() -> int:
    raise Shut


async def coroutine() -> int:
    raise Shut


def generator() -> Iterator[int]:
    yield 1
    raise Shut


async def asynchronous() -> AsyncIterator[int]:
    yield 1
    raise Shut


def raising(place: str, **options: Any) -> Pipeline:
    """A pipeline whose step `shut` fails, or a map item, or the `when` of it."""
    pipe, (how, _, where) = Pipeline("shut"), place.partition(" ")
    body: Any = {"function": function, "coroutine": coroutine, "generator": generator, "async": asynchronous}[how]
    if where == "when":

        def guarded() -> int:
            return 1

        pipe.step("shut", when=body, **options)(guarded)
    elif where == "of an item":

        @pipe.step
        async def items() -> list[int]:
            return [1, 2]

        def of_item(item: int) -> int:
            return function()

        async def of_item_later(item: int) -> int:
            return await coroutine()

        pipe.map("shut", over=items, **options)(of_item if how == "function" else of_item_later)
    elif where == "inline":
        pipe.step("shut", runs_on="inline", **options)(body)
    else:
        pipe.step("shut", **options)(body)
    return pipe


PLACES = [
    "function", "function inline", "function of an item", "function when", "coroutine", "coroutine of an item",
    "coroutine when", "generator", "generator inline", "async",
]  # fmt: skip


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("retry", [None, RetryPolicy(2, delay=0, jitter=0, on=(OSError,))])
@pytest.mark.parametrize("place", PLACES)
async def test_an_exception_of_which_nothing_can_be_had_fails_its_step(
    place: str, retry: RetryPolicy | None, on_disk: bool, tmp_path: Path
) -> None:
    """E8, D14: who asks it for its class gets another exception; the run ends all the same, and others go on."""
    options: dict[str, Any] = {} if retry is None else {"retry": retry}
    async with App(tmp_path / "runs.db" if on_disk else None) as app:
        result = await asyncio.wait_for(result_of(app.run(raising(place, **options), run_timeout="60s")), BOUND)
        failure = result.failures[0]
        assert (result.status, failure.step, failure.kind, failure.type) == ("failed", "shut", "error", "Shut")
        assert "cannot be had" in failure.traceback or "Shut" in failure.traceback
        assert (await app.get("last")).status == "failed"
        with pytest.raises(Exception, match="shut"):
            result.raise_for_status()
