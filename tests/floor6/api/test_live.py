"""The runs that live here hear what others ask of them, also where it could not be read at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from stepwell import App, Pipeline, StoreError
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


async def _result(app: App, pipe: Pipeline) -> str:
    return (await app.run(pipe)).status
