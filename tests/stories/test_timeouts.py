"""Time that is up: of an attempt on the loop, in a thread and inline, and of the whole run."""

from __future__ import annotations

import asyncio

from stepwell import Pipeline, RetryPolicy, StepContext
from stepwell.testing import Harness

from .conftest import Play
from .telling import tale, told


async def test_an_async_step_is_cancelled_when_its_time_is_up_and_tried_again(play: Play) -> None:
    """E13, E11: a timeout is per attempt, and its kind is `timeout`."""
    pipe = Pipeline("slow")

    @pipe.step(timeout="5s", retry=RetryPolicy(2, delay="1s", jitter=0))
    async def slow(ctx: StepContext) -> int:
        if ctx.attempt == 1:
            await asyncio.Event().wait()
        return 1

    h = play(pipe)
    before = h.clock.now()
    assert (await h.run()).output == 1
    assert h.clock.now() - before == 6
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED slow attempt=1
        STEP_RETRYING slow attempt=1 timeout:TimeoutError in=1s
        STEP_STARTED slow attempt=2
        STEP_COMPLETED slow attempt=2 -> 1
        RUN_FINISHED completed
    """)


async def test_an_item_has_its_own_timeout(play: Play) -> None:
    """D11: timeout per item and attempt."""
    pipe = Pipeline("items")

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1, 2]

    @pipe.map(over=numbers, timeout="5s", min_success=2)
    async def work(item: int) -> int:
        if item == 1:
            await asyncio.sleep(100)
        return item

    h = play(pipe)
    result = await h.run()
    assert (result.status, result.output) == ("degraded", [0, 2])
    assert [(one.path, one.kind) for one in result.failures] == [("work[1]", "timeout")]


async def test_a_timeout_error_of_the_step_itself_is_an_ordinary_failure(play: Play) -> None:
    """E13: what the function raises is its own."""
    pipe = Pipeline("own")

    @pipe.step(timeout="5s")
    async def own() -> int:
        raise TimeoutError("of mine")

    result = await play(pipe).run()
    assert [(one.kind, one.message) for one in result.failures] == [("error", "of mine")]


async def test_an_async_step_that_swallows_its_cancel_has_timed_out_all_the_same(play: Play) -> None:
    """E13: a result that comes after the time is refused."""
    pipe = Pipeline("stubborn")

    @pipe.step(timeout="5s")
    async def stubborn() -> int:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass
        return 1

    result = await play(pipe).run()
    assert [(one.kind, one.reason) for one in result.failures] == [("timeout", "attempt_timed_out")]
    assert result.outputs == {}


async def test_an_inline_step_that_took_too_long_has_timed_out(play: Play) -> None:
    """E13, D14: the wound was a timeout of 0.1 s on a sync step of 0.5 s that gave success."""
    pipe = Pipeline("inline")
    harness: list[Harness] = []

    @pipe.step(timeout="5s", runs_on="inline")
    def slow() -> int:
        harness[0].clock.advance("6s")
        return 1

    harness.append(play(pipe))
    result = await harness[0].run()
    assert result.status == "failed"
    assert [(one.kind, one.reason) for one in result.failures] == [("timeout", "attempt_timed_out")]


async def test_a_run_that_takes_too_long_times_out_and_ends_what_runs(play: Play) -> None:
    """E14: RUN_TIMED_OUT, then what runs is cancelled, then RUN_FINISHED."""
    pipe = Pipeline("long", run_timeout="1m")

    @pipe.step
    async def first() -> int:
        return 1

    @pipe.step
    async def second(first: int) -> int:
        await asyncio.Event().wait()
        return 2

    @pipe.step
    async def third(second: int) -> int:
        return 3

    h = play(pipe)
    result = await h.run()
    assert (result.status, result.duration) == ("timed_out", 60.0)
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED first attempt=1
        STEP_COMPLETED first attempt=1 -> 1
        STEP_STARTED second attempt=1
        RUN_TIMED_OUT
        STEP_CANCELLED second attempt=1 timed_out
        RUN_FINISHED timed_out not_run=third
    """)


async def test_a_run_times_out_also_while_a_retry_waits(play: Play) -> None:
    """E14: nothing runs, and the deadline counts."""
    pipe = Pipeline("waits")

    @pipe.step(retry=RetryPolicy(3, delay="10m", max_delay="1h", jitter=0))
    async def flaky() -> int:
        raise OSError

    h = play(pipe)
    result = await h.run(run_timeout="30s")
    assert (result.status, result.duration) == ("timed_out", 30.0)
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED flaky attempt=1
        STEP_RETRYING flaky attempt=1 error:OSError in=600s
        RUN_TIMED_OUT
        RUN_FINISHED timed_out not_run=flaky
    """)


async def test_a_run_that_ends_in_time_does_not_time_out(play: Play) -> None:
    """E14: the deadline is of the whole run, and of it alone."""
    pipe = Pipeline("in-time", run_timeout="30s")

    @pipe.step(retry=RetryPolicy(3, delay="10s", backoff=1.0, jitter=0))
    def flaky(ctx: StepContext) -> int:
        if ctx.attempt < 3:
            raise OSError
        return 1

    result = await play(pipe).run()
    assert (result.status, result.duration) == ("completed", 20.0)
