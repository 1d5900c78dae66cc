"""Where two things meet: a crash while a run drains, control values in odd places, exceptions of odd kinds."""

from __future__ import annotations

import asyncio

from stepwell import Pipeline, Raise, Retry, Skip, Stop
from stepwell import events as ev

from .conftest import Play
from .telling import tale, told


async def test_an_async_step_that_never_heeds_its_timeout_does_not_hold_up_the_run(play: Play) -> None:
    """E13, S10: it fails for good, somebody is told, and a late result is refused."""
    pipe = Pipeline("deaf")
    free, gone = asyncio.Event(), asyncio.Event()

    @pipe.step(timeout="5s", retry=3)
    async def deaf() -> int:
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                continue
        gone.set()
        return 1

    h = play(pipe)
    result = await h.run()
    assert [one.kind for one in result.failures] == ["timeout"]
    assert len(h.calls("deaf")) == 1
    assert "WARNING deaf task_abandoned" in told(h)
    free.set()
    await gone.wait()


async def test_control_values_of_a_switch_act_as_in_a_step(play: Play) -> None:
    """B2, B4, B5, B7: Stop, Skip, Retry and Raise instead of a route."""
    pipe = Pipeline("switch")

    @pipe.switch(to={"a": "left"}, default="right")
    async def way() -> str:
        return "a"

    @pipe.step
    async def left() -> str:
        return "left"

    @pipe.step
    async def right() -> str:
        return "right"

    h = play(pipe)
    h.mock("way", returns=Stop("x"))
    result = await h.run()
    assert (result.status, result.output) == ("stopped", "x")
    h.mock("way", returns=Skip())
    assert {one.status for one in (await h.run()).steps.values()} == {"pruned"}
    h.mock("way", side_effect=[Retry(), "b"])
    assert (await h.run()).outputs == {"way": "b", "right": "right"}
    h.mock("way", returns=Raise(OSError("no")))
    assert (await h.run()).failures[0].message == "no"


async def test_control_values_of_an_item_act_for_the_item(play: Play) -> None:
    """B4, B5, B6: Retry, Skip and Raise."""
    pipe = Pipeline("items")

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1, 2]

    @pipe.map(over=numbers, min_success=1, concurrency=1)
    async def work(item: int) -> int:
        return item

    h = play(pipe)
    h.mock("work", side_effect=[Raise(OSError("no")), Skip(), Retry(after="5s"), 9])
    result = await h.run()
    assert (result.status, result.output) == ("degraded", [9])
    assert [one.path for one in result.failures] == ["work[0]"]


async def test_whoever_iterates_sees_every_fact_once_and_items_as_they_start(play: Play) -> None:
    """K1, S17: facts by cursor, gapless; ITEM_STARTED live only."""
    pipe = Pipeline("watched")

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1]

    @pipe.map(over=numbers, concurrency=1)
    async def work(item: int) -> int:
        return item

    h = play(pipe)
    run = h.start()
    seen = [event async for event in run]
    assert [event.seq for event in seen if event.seq] == [event.seq for event in h.events]
    sparks = [event.path for event in seen if event.kind is ev.EventKind.ITEM_STARTED]
    assert sparks == ["work[0]", "work[1]"]
    again = [event async for event in run]
    assert [event.seq for event in again] == [event.seq for event in h.events]


async def test_two_runs_of_one_pipeline_at_once_do_not_meet(play: Play) -> None:
    """E15: state, cancel and limits belong to a run."""
    pipe = Pipeline("twins")
    inside = asyncio.Event()

    @pipe.step
    async def work(n: int) -> int:
        if n == 1:
            inside.set()
            await asyncio.Event().wait()
        await inside.wait()
        return n

    h = play(pipe)
    one, two = h.start(n=1), h.start(n=2)

    async def first() -> str:
        return (await one).status

    task = asyncio.ensure_future(first())
    assert (await two).output == 2
    await one.cancel("only this one")
    assert await task == "cancelled"


async def test_resuming_what_timed_out_in_a_step_tries_it_again(play: Play) -> None:
    """F6, E13: a timeout is a failure like another."""
    pipe = Pipeline("again")
    free = asyncio.Event()

    @pipe.step(timeout="5s")
    async def slow() -> int:
        await free.wait()
        return 1

    h = play(pipe)
    await h.run()
    first = len(h.events)
    free.set()
    assert (await h.resume()).output == 1
    assert told(h, after=first) == tale("""
        RUN_RESUMED
        STEP_RESET slow resume
        STEP_STARTED slow#2 attempt=1
        STEP_COMPLETED slow#2 attempt=1 -> 1
        RUN_FINISHED completed
    """)
