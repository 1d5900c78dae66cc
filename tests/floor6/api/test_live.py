"""The runs that live here hear what others ask of them, also where it could not be read at once; each has its lease."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from stepwell import App, Pipeline, Run, RunLive, RunResult, StoreError
from stepwell.journal.port import Request


async def test_a_wish_that_could_not_be_read_at_once_is_read_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S24: one failed look for requests neither loses a cancel nor ends in a traceback."""
    pipe, loop, told = Pipeline("waits"), asyncio.get_running_loop(), list[object]()
    begun = asyncio.Event()

    @pipe.step
    async def wait() -> None:
        begun.set()
        await asyncio.Event().wait()

    pipe.compile()
    loop.set_exception_handler(lambda _, context: told.append(context))
    async with App(tmp_path / "runs.db") as owner, App(tmp_path / "runs.db") as other:
        run = asyncio.ensure_future(_result(owner, pipe))
        await asyncio.wait_for(begun.wait(), 10)
        read, failures = owner.store.requests, list[str]()

        def fail_once(run_id: str) -> Sequence[Request]:
            if not failures:
                failures.append(run_id)
                raise StoreError("it cannot be read at this moment")
            return read(run_id)

        monkeypatch.setattr(owner.store, "requests", fail_once)
        (row,) = await other.runs()
        await asyncio.wait_for(other.cancel(row.run_id), 10)
        assert await asyncio.wait_for(run, 10) == "cancelled"
        assert (failures, told) == ([row.run_id], [])


@pytest.mark.parametrize("on_disk", [False, True])
async def test_the_end_of_a_run_that_is_told_twice_gives_up_no_other_lease(on_disk: bool, tmp_path: Path) -> None:
    """S13: whoever resumes a run as soon as its events have ended keeps what he has just claimed."""
    store, begun, go = tmp_path / "runs.db", asyncio.Event(), asyncio.Event()
    pipe = Pipeline("again")

    @pipe.step(version="1")
    async def work() -> int:
        if not begun.is_set():
            begun.set()
            raise OSError("no")
        await go.wait()
        return 1

    async with App(store if on_disk else None) as app:
        old = app.run(pipe, run_id="twice")
        async for _ in old:
            pass
        new = app.resume("twice", pipe)
        async for event in new:
            if event.kind == "STEP_STARTED":
                break
        app._run_ended(old)  # pyright: ignore[reportPrivateUsage]
        assert (await app.get("twice")).status == "running"
        with pytest.raises(RunLive, match="running in this process already"):
            await app.resume("twice", pipe)
        go.set()
        result = await asyncio.wait_for(_result_of(new), 10)
        assert (result.status, result.output) == ("completed", 1)
        assert (await app.get("twice")).status == "completed"


async def _result_of(run: Run) -> RunResult:
    return await run


async def _result(app: App, pipe: Pipeline) -> str:
    return (await app.run(pipe)).status
