"""In which order the runner does things while its store is slow: nothing is told that a crash could take back (S1)."""

from __future__ import annotations

import asyncio

from stepwell import App, Pipeline, RetryPolicy, Run, StepContext
from stepwell import events as ev
from stepwell.testing.clock import VirtualClock
from stepwell.testing.invariants import check_invariants

from .plans import HeldStore, turns, until

PATIENCE = 10.0


async def test_a_retry_that_falls_due_while_its_failure_is_being_written_is_made() -> None:
    """S9: a disk that takes longer than the wait must not make the run wait for ever."""
    store, clock = HeldStore(), VirtualClock(auto=False)
    pipe = Pipeline("retry")

    @pipe.step(retry=RetryPolicy(attempts=2, delay="1s", jitter=0))
    async def shaky(step: StepContext) -> int:
        if step.attempt == 1:
            store.holds = True
            raise OSError("no")
        return 1

    async with App(store, clock=clock) as app:
        run = asyncio.ensure_future(_result(app.run(pipe)))
        await until(lambda: store.held)
        clock.advance("5s")
        store.let_go()
        assert await asyncio.wait_for(run, PATIENCE) == "completed"


async def test_an_item_is_not_tried_again_before_its_failure_is_durable() -> None:
    """S1, S4: a crash now would execute the item once more than retries and crashes allow."""
    store, clock = HeldStore(), VirtualClock(auto=False)
    begun: list[tuple[int, int]] = []
    go = asyncio.Event()
    pipe = Pipeline("items")

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1]

    @pipe.map(over=numbers, retry=RetryPolicy(attempts=2, delay="1s", jitter=0))
    async def shaky(item: int, step: StepContext) -> int:
        begun.append((item, step.attempt))
        if step.attempt == 1:
            if item == 1:
                await go.wait()
            raise OSError("no")
        return item

    async with App(store, clock=clock) as app:
        run = app.run(pipe)
        result = asyncio.ensure_future(_result(run))
        await until(lambda: any(fact.kind is ev.EventKind.ITEM_RETRYING for fact in store.read(run.id)))
        clock.advance("500ms")
        store.holds = True
        go.set()
        await until(lambda: store.held)
        clock.advance("2s")  # both are due; the failure of item 1 is not durable yet
        await turns()
        too_early = (1, 2) in begun
        store.let_go()
        assert not too_early, "it is tried again although a crash would take its failure back"
        assert await asyncio.wait_for(result, PATIENCE) == "completed"
        assert sorted(begun) == [(0, 1), (0, 2), (1, 1), (1, 2)]


async def test_a_map_that_goes_on_and_is_cancelled_at_once_ends_after_its_items() -> None:
    """S2, S10: children first, and one end for the map."""
    store, clock = HeldStore(), VirtualClock(auto=False)
    waits = True
    pipe = Pipeline("again")

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1]

    @pipe.map(over=numbers)
    async def slow(item: int) -> int:
        if waits:
            await asyncio.get_running_loop().create_future()
        return item

    async with App(store, clock=clock) as app:
        run = app.run(pipe)
        first = asyncio.ensure_future(_result(run))
        await until(lambda: any(fact.kind is ev.EventKind.MAP_EXPANDED for fact in store.read(run.id)))
        await turns()
        run.request_cancel("one")
        assert await asyncio.wait_for(first, PATIENCE) == "cancelled"
        store.holds = True
        again = app.resume(run.id, pipe)
        second = asyncio.ensure_future(_result(again))
        await until(lambda: store.held)
        again.request_cancel("two")
        store.let_go()
        assert await asyncio.wait_for(second, PATIENCE) == "cancelled"
        check_invariants(store.read(run.id))
        waits = False
        last = app.resume(run.id, pipe)
        assert await asyncio.wait_for(_result(last), PATIENCE) == "completed"
        check_invariants(store.read(run.id))


async def test_no_step_begins_before_the_end_of_the_one_before_it_is_durable() -> None:
    """S1: acknowledged means told to anyone, the next step too."""
    store, clock = HeldStore(), VirtualClock(auto=False)
    begun: list[str] = []
    pipe = Pipeline("chain")

    @pipe.step
    async def one() -> int:
        store.holds = True
        return 1

    def may(one: int) -> bool:
        begun.append("when")
        return one > 0

    @pipe.step(when=may)
    async def two(one: int) -> int:
        begun.append("two")
        return one

    async with App(store, clock=clock) as app:
        run = asyncio.ensure_future(_result(app.run(pipe)))
        await until(lambda: store.held)
        await turns()
        too_early = list(begun)
        store.let_go()
        assert too_early == []
        assert await asyncio.wait_for(run, PATIENCE) == "completed"
        assert begun == ["when", "two"]


async def _result(run: Run) -> str:
    return (await run).status
