"""What a cancel does to the steps that run: on the loop, in threads, in maps, between attempts."""

from __future__ import annotations

import asyncio
import threading

import pytest

from stepwell import CancelToken, Pipeline
from stepwell.testing import Crashed

from .conftest import Play
from .doing import awaited, begun, until
from .telling import tale, told


async def test_a_thread_that_hears_its_token_ends_as_cancelled(play: Play) -> None:
    """E15: cooperative cancellation of a step in a thread."""
    pipe = Pipeline("token")
    inside = threading.Event()

    @pipe.step
    def wait(token: CancelToken) -> int:
        inside.set()
        token.wait(10)
        token.check()
        return 1

    h = play(pipe)
    run = h.start()
    task = awaited(run)
    await until(inside)
    await run.cancel("enough")
    assert (await task).status == "cancelled"
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED wait attempt=1
        RUN_CANCELLED enough
        STEP_CANCELLED wait attempt=1 cancelled
        RUN_FINISHED cancelled
    """)


async def test_a_result_within_the_grace_of_a_cancel_stands(play: Play) -> None:
    """S10: a thread that ends well after the cancel has completed its step."""
    pipe = Pipeline("grace")
    inside = threading.Event()

    @pipe.step
    def work(token: CancelToken) -> int:
        inside.set()
        assert token.wait(10)
        return 42

    h = play(pipe)
    run = h.start()
    task = awaited(run)
    await until(inside)
    await run.cancel("enough")
    result = await task
    assert (result.status, result.outputs) == ("cancelled", {"work": 42})
    assert told(h).splitlines()[2:] == [
        "RUN_CANCELLED enough", "STEP_COMPLETED work attempt=1 -> 42", "RUN_FINISHED cancelled",
    ]  # fmt: skip


async def test_an_async_result_within_the_grace_of_a_cancel_stands(play: Play) -> None:
    """S10: an async step that cleans up and returns a value after its cancel has completed, too."""
    pipe = Pipeline("async-grace")
    inside = asyncio.Event()

    @pipe.step
    async def work() -> int:
        inside.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
        return 42

    h = play(pipe)
    run = h.start()
    task = await begun(run, inside)
    await run.cancel("enough")
    result = await task
    assert (result.status, result.outputs) == ("cancelled", {"work": 42})


async def test_a_thread_that_does_not_heed_its_cancel_is_abandoned(
    play: Play,
    gate: threading.Event,
) -> None:
    """S10: after its grace the run ends without it, and somebody is told."""
    pipe = Pipeline("deaf")
    inside = threading.Event()

    @pipe.step
    def wait() -> int:
        inside.set()
        gate.wait(10)
        return 1

    h = play(pipe, auto=False)
    run = h.start()
    task = awaited(run)
    await until(inside)
    cancelling = asyncio.ensure_future(run.cancel("enough"))
    await until(lambda: "RUN_CANCELLED" in h.kinds())
    for _ in range(20):
        await asyncio.sleep(0)
    h.clock.advance("5s")
    await cancelling
    assert (await task).status == "cancelled"
    assert "WARNING wait thread_abandoned" in told(h)


async def test_an_async_step_that_swallows_its_cancel_for_ever_does_not_hold_up_the_end(play: Play) -> None:
    """S10: the run ends without it in bounded time."""
    pipe = Pipeline("swallows")
    inside, free, gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @pipe.step
    async def wait() -> int:
        inside.set()
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                continue
        gone.set()
        return 1

    h = play(pipe)
    run = h.start()
    task = await begun(run, inside)
    await run.cancel("enough")
    assert (await task).status == "cancelled"
    assert "WARNING wait task_abandoned" in told(h)
    facts = len(h.events)
    free.set()
    await gone.wait()
    assert len(h.events) == facts


async def test_a_cancel_while_a_when_is_asked_gives_its_step_no_record(play: Play) -> None:
    """S10: steps that had not started get no terminal record."""
    pipe = Pipeline("when")
    inside = asyncio.Event()

    async def asks() -> bool:
        inside.set()
        await asyncio.Event().wait()
        return True

    @pipe.step(when=asks)
    async def work() -> int:
        return 1

    h = play(pipe)
    run = h.start()
    task = await begun(run, inside)
    await run.cancel("enough")
    await task
    assert told(h) == tale("""
        RUN_STARTED
        RUN_CANCELLED enough
        RUN_FINISHED cancelled not_run=work
    """)


async def test_a_cancel_while_a_retry_waits_ends_the_run_at_once(play: Play) -> None:
    """E15: checked before every attempt."""
    pipe = Pipeline("waiting")

    @pipe.step(retry=3)
    async def work() -> int:
        raise OSError

    h = play(pipe, auto=False)
    run = h.start()
    task = awaited(run)
    await until(lambda: h.calls("work") and "STEP_RETRYING" in h.kinds())
    await run.cancel("enough")
    assert (await task).status == "cancelled"
    assert told(h).splitlines()[-2:] == ["RUN_CANCELLED enough", "RUN_FINISHED cancelled not_run=work"]


async def test_a_cancel_ends_the_items_that_run_and_starts_no_other(play: Play) -> None:
    """E15, S10: children first, then the map."""
    pipe = Pipeline("items")
    inside = asyncio.Event()

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1, 2, 3]

    @pipe.map(over=numbers, concurrency=2)
    async def work(item: int) -> int:
        if item == 0:
            return 0
        if item == 2:
            inside.set()
        await asyncio.Event().wait()
        return item

    h = play(pipe)
    run = h.start()
    task = await begun(run, inside)
    await run.cancel("enough")
    await task
    lines = told(h).splitlines()[5:]
    assert lines[:2] == ["ITEM_COMPLETED work[0] attempt=1 -> 0", "RUN_CANCELLED enough"]
    assert sorted(lines[2:4]) == [f"ITEM_CANCELLED work[{item}] attempt=1 cancelled" for item in (1, 2)]
    assert lines[4:] == ["STEP_CANCELLED work attempt=1 run_cancelled", "RUN_FINISHED cancelled"]


async def test_a_map_that_goes_on_ends_after_its_items_when_it_is_cancelled_at_once(play: Play) -> None:
    """S10: children first, also while the facts of the resume are on their way to the disk."""
    pipe = Pipeline("children")

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1, 2, 3]

    @pipe.map(over=numbers, concurrency=2)
    async def work(item: int) -> int:
        if item:
            await asyncio.Event().wait()
        return item

    h = play(pipe)
    h.crash_after("work[0]")
    with pytest.raises(Crashed):
        await h.run()
    run = await h.start_resume()
    task = awaited(run)
    for _ in range(3):
        await asyncio.sleep(0)
    await run.cancel("enough")
    assert (await task).status == "cancelled"
    h.check()
    assert h.kinds(paths=True)[-2:] == ["STEP_CANCELLED work", "RUN_FINISHED"]
