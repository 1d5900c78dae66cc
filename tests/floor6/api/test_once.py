"""A key stands for one run: what is recorded of its inputs is read before anything else is done with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from stepwell import App, KeyConflict, Pipeline, Run, RunResult, StoreError
from stepwell import events as ev
from stepwell.journal.memory import MemoryStore
from stepwell.journal.port import Wanted

BOUND = 10.0


class Headless(MemoryStore):
    """A store that somebody else wrote: it has lost the first fact, or all, and does not see that itself."""

    lost: Sequence[int] = ()

    def read(
        self, run_id: str, after: int = 0, limit: int = 1000, wanted: Wanted | None = None, *, latest: bool = False
    ) -> Sequence[ev.Event]:
        facts = super().read(run_id, after, limit, wanted, latest=latest)
        return [fact for fact in facts if fact.seq not in self.lost]


def pipe(ran: list[int], *, fails: bool = False) -> Pipeline:
    one = Pipeline("one")

    @one.step(version="1")
    async def work(n: int) -> int:
        ran.append(n)
        if fails:
            raise OSError("no")
        return n

    return one


async def result_of(run: Run) -> RunResult:
    return await asyncio.wait_for(_awaited(run), BOUND)


async def _awaited(run: Run) -> RunResult:
    return await run


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("lost", [[1], range(100)])
async def test_a_key_whose_run_has_lost_its_first_fact_starts_nothing_over(lost: Sequence[int], fails: bool) -> None:
    """S15, S3: nobody knows any more which inputs it has, so neither is it looked at nor begun anew."""
    store, ran = Headless(), list[int]()
    async with App(store) as app:
        first = await app.run(pipe(ran, fails=fails), key="k", n=1)
        facts, store.lost = len(store.read(first.run_id)), lost
        with pytest.raises(StoreError, match=f"run {first.run_id}: {facts} facts were recorded, and the first is gone"):
            await result_of(app.run(pipe(ran), key="k", n=1))
        assert (ran, [row.run_id for row in await app.runs()]) == ([1], [first.run_id])
        store.lost = ()
        with pytest.raises(KeyConflict, match="which has other inputs"):
            await result_of(app.run(pipe(ran), key="k", n=2))
        assert (await result_of(app.run(pipe(ran), key="k", n=1))).run_id == first.run_id
