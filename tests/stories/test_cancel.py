"""The end from outside: cancel, closing, leaving, detaching."""

from __future__ import annotations

import asyncio

import pytest

from stepwell import Pipeline
from stepwell import events as ev
from stepwell.testing import Crashed

from .conftest import Play
from .doing import BOUND, awaited, begun
from .telling import tale, told


def endless() -> tuple[Pipeline, asyncio.Event]:
    """A step that never ends, and one after it."""
    pipe = Pipeline("endless")
    inside = asyncio.Event()

    @pipe.step
    async def wait() -> int:
        inside.set()
        await asyncio.Event().wait()
        return 1

    @pipe.step
    async def after(wait: int) -> int:
        return wait

    return pipe, inside


CANCELLED = """
    RUN_STARTED
    STEP_STARTED wait attempt=1
    RUN_CANCELLED {reason}
    STEP_CANCELLED wait attempt=1 cancelled
    RUN_FINISHED cancelled not_run=after
"""


async def test_a_cancel_is_recorded_first_and_then_ends_what_runs(play: Play) -> None:
    """E15, S10: never an error, and what had not started gets no record."""
    pipe, inside = endless()
    h = play(pipe)
    run = h.start()
    task = await begun(run, inside)
    await run.cancel("enough")
    result = await task
    assert (result.status, result.failures) == ("cancelled", ())
    assert told(h) == tale(CANCELLED.format(reason="enough"))


async def test_the_app_cancels_a_run_by_its_id(play: Play) -> None:
    """E15: whoever knows the run may end it."""
    pipe, inside = endless()
    h = play(pipe)
    task = await begun(h.start(), inside)
    await h.app.cancel(h.run_id, "from outside")
    assert (await task).status == "cancelled"
    assert told(h) == tale(CANCELLED.format(reason="from outside"))


async def test_a_run_that_has_ended_stays_as_it_is(play: Play) -> None:
    """S10: a result that was recorded before stands."""
    pipe = Pipeline("done")

    @pipe.step
    def one() -> int:
        return 1

    h = play(pipe)
    run = h.start()
    assert (await run).status == "completed"
    facts = len(h.events)
    await run.cancel("late")
    assert ((await run).status, len(h.events)) == ("completed", facts)


async def test_a_cancel_before_the_run_began_ends_it_before_any_step(play: Play) -> None:
    """E15: asked for while it starts."""
    pipe, _ = endless()
    h = play(pipe)
    run = h.start()
    run.request_cancel("at once")
    assert (await run).status == "cancelled"
    assert h.calls("after") == []


async def test_leaving_async_with_cancels_what_is_unfinished(play: Play) -> None:
    """E16: closing the run cancels it and records so."""
    pipe, inside = endless()
    h = play(pipe)
    async with h.start() as run:
        await inside.wait()
    assert (await run).status == "cancelled"
    assert told(h) == tale(CANCELLED.format(reason="closed"))


async def test_aclose_cancels_and_leaving_the_loop_does_not(play: Play) -> None:
    """E16, ruling 16: `break` neither stops nor cancels."""
    pipe = Pipeline("loops")
    gate = asyncio.Event()

    @pipe.step
    async def one() -> int:
        await gate.wait()
        return 1

    h = play(pipe)
    run = h.start()
    async for event in run:
        if event.kind is ev.EventKind.STEP_STARTED:
            break
    gate.set()
    assert (await run).output == 1

    gate.clear()
    run = h.start()
    async for event in run:
        if event.kind is ev.EventKind.STEP_STARTED:
            break
    await run.aclose()
    assert (await run).status == "cancelled"


async def test_a_detached_run_goes_on(play: Play) -> None:
    """E16: `detach=True` there, `run.detach()` here."""
    pipe = Pipeline("detached")
    gate = asyncio.Event()

    @pipe.step
    async def one() -> int:
        await gate.wait()
        return 1

    h = play(pipe)
    async with h.start() as run:
        run.detach()
    gate.set()
    assert (await run).output == 1


async def test_cancelling_the_task_that_awaits_a_run_cancels_the_run(play: Play) -> None:
    """E16, D13: and it is recorded before the task ends."""
    pipe, inside = endless()
    h = play(pipe)
    task = await begun(h.start(), inside)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told(h).splitlines()[-1] == "RUN_FINISHED cancelled not_run=after"


async def test_closing_the_app_cancels_its_runs(play: Play) -> None:
    """E16: `async with App()` is left."""
    pipe, inside = endless()
    h = play(pipe)
    task = await begun(h.start(), inside)
    await h.app.aclose()
    assert (await task).status == "cancelled"


async def test_a_cancel_right_after_the_start_is_not_lost(play: Play) -> None:
    """E15, E16: no turn of the loop lies between the two."""
    pipe, _ = endless()
    h = play(pipe)
    run = h.start()
    task = awaited(run)
    async with asyncio.timeout(BOUND):
        await run.cancel("at once")
        assert (await task).status == "cancelled"
    h.check()


async def test_leaving_async_with_at_once_cancels_the_run(play: Play) -> None:
    """E16: nothing is awaited in its body."""
    pipe, _ = endless()
    h = play(pipe)
    async with asyncio.timeout(BOUND):
        async with h.start() as run:
            pass
        assert (await run).status == "cancelled"


async def test_a_cancel_right_after_a_resume_comes_after_run_resumed_in_the_record(play: Play) -> None:
    """E15, S10: of a run whose process had died; RUN_CANCELLED is no fact of the stretch before."""
    pipe = Pipeline("resumed")

    @pipe.step
    async def first() -> int:
        return 1

    @pipe.step
    async def endless_one(first: int) -> int:
        await asyncio.Event().wait()
        return first

    h = play(pipe)
    h.crash_after("first")
    with pytest.raises(Crashed):
        await h.run()
    run = await h.start_resume()
    task = awaited(run)
    async with asyncio.timeout(BOUND):
        await run.cancel("at once")
        assert (await task).status == "cancelled"
    assert h.kinds().index("RUN_RESUMED") < h.kinds().index("RUN_CANCELLED")
    h.check()
