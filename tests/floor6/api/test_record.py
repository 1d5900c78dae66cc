"""A record that is folded for another pipeline than the one that makes it: also by one who only watches."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from stepwell import App, CodeChanged, Pipeline, Run, RunResult

BOUND = 10.0


async def result_of(run: Run) -> RunResult:
    return await run


def growing(go: asyncio.Event, *, more: bool, ends: bool = True) -> Pipeline:
    """A pipeline that waits in its first step; with `more`, it has a second one, which completes or fails."""
    pipe = Pipeline("grows", on_failure="finish")

    @pipe.step(version="1")
    async def first() -> int:
        await go.wait()
        return 1

    if more:

        @pipe.step(version="1", after=first, critical=False)
        async def second() -> int:
            if not ends:
                raise ValueError("no")
            return 2

    return pipe


@pytest.mark.parametrize("ends", [True, False])
async def test_a_watcher_whose_pipeline_lacks_a_step_is_told_so_or_passes_it_over(ends: bool, tmp_path: Path) -> None:
    """S8, S15: as a resume is: a result must not be lost in silence, anything else may."""
    store, go = tmp_path / "runs.db", asyncio.Event()
    async with App(store) as owner, App(store) as other:
        owned = owner.run(growing(go, more=True, ends=ends), key="k")
        async for _ in owned:
            break  # it has begun, and goes on
        watched = asyncio.ensure_future(result_of(other.run(growing(go, more=False), key="k")))
        async for fact in other.events(owned.id, follow=True):
            if fact.kind == "STEP_STARTED":
                break
        for _ in range(5):
            await asyncio.sleep(0)
        go.set()
        if ends:
            with pytest.raises(CodeChanged, match="has a result of step `second`, and pipeline `grows` has no such"):
                await asyncio.wait_for(watched, BOUND)
        else:
            result = await asyncio.wait_for(watched, BOUND)
            assert (result.status, list(result.steps)) == ("degraded", ["first"])
        assert (await owned).steps["first"].status == "completed"
