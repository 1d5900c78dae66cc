"""Timeouts of steps in threads, which nobody can stop: abandoned, told of, refused."""

from __future__ import annotations

import asyncio
import threading

from stepwell import CancelToken, Pipeline, RetryPolicy, StepContext
from stepwell import events as ev

from .conftest import Play
from .doing import awaited, until
from .telling import told


async def test_a_thread_that_outlives_its_time_is_abandoned_and_its_late_result_refused(
    play: Play, gate: threading.Event
) -> None:
    """E13, D14, S10: the step fails at once where it is not tried again, and somebody is told of the thread."""
    pipe = Pipeline("thread", on_failure="finish")
    inside = threading.Event()
    ended = threading.Event()

    @pipe.step(timeout="5s")
    def blocked() -> int:
        inside.set()
        gate.wait(10)
        ended.set()
        return 1

    @pipe.step
    async def other() -> int:
        await until(inside)
        return 2

    h = play(pipe, auto=False)
    run = h.start()
    waiting = awaited(run)
    await until(inside)
    h.clock.advance("5s")
    result = await waiting
    assert result.status == "failed"
    assert [(one.kind, one.reason) for one in result.failures] == [("timeout", "attempt_timed_out")]
    assert "WARNING blocked thread_abandoned" in told(h)
    gate.set()
    await until(ended)
    h.check()
    assert h.events[-1].kind is ev.EventKind.RUN_FINISHED


async def test_no_retry_starts_before_the_thread_of_the_last_attempt_has_ended(
    play: Play, gate: threading.Event
) -> None:
    """E13: timeout of a thread: no two attempts of one step at once."""
    pipe = Pipeline("one-by-one")
    inside = threading.Event()

    @pipe.step(timeout="5s", retry=RetryPolicy(2, delay="1s", jitter=0))
    def slow(ctx: StepContext) -> int:
        if ctx.attempt == 1:
            inside.set()
            gate.wait(10)
        return ctx.attempt

    h = play(pipe, auto=False)
    run = h.start()
    waiting = awaited(run)
    await until(inside)
    h.clock.advance("10s")
    for _ in range(20):
        await asyncio.sleep(0)
    assert "STEP_RETRYING" not in h.kinds()
    gate.set()
    await until(lambda: "STEP_RETRYING" in h.kinds())
    h.clock.advance("1s")
    assert (await waiting).output == 2
    assert len(h.calls("slow")) == 2


async def test_a_thread_that_does_not_end_within_its_grace_fails_the_step_for_good(
    play: Play, gate: threading.Event
) -> None:
    """E13: after `grace`, 30 s, also where retries are left."""
    pipe = Pipeline("for-good")
    inside = threading.Event()

    @pipe.step(timeout="5s", retry=3)
    def slow() -> int:
        inside.set()
        gate.wait(10)
        return 1

    h = play(pipe, auto=False)
    waiting = awaited(h.start())
    await until(inside)
    h.clock.advance("5s")
    for _ in range(20):
        await asyncio.sleep(0)
    assert not waiting.done()
    h.clock.advance("30s")
    result = await waiting
    assert [(one.kind, one.reason) for one in result.failures] == [("timeout", "thread_abandoned")]
    assert len(h.calls("slow")) == 1
    assert "WARNING slow thread_abandoned" in told(h)


async def test_an_abandoned_thread_keeps_its_slot(play: Play, gate: threading.Event) -> None:
    """E13: it is abandoned, keeps its slot."""
    pipe = Pipeline("slot", concurrency=1, on_failure="finish")
    inside, running = threading.Event(), []

    @pipe.step(timeout="5s")
    def blocked() -> int:
        inside.set()
        gate.wait(10)
        return 1

    @pipe.step
    async def other() -> int:
        running.append(gate.is_set())
        return 2

    h = play(pipe, auto=False)
    waiting = awaited(h.start())
    await until(inside)
    h.clock.advance("5s")
    await until(lambda: "WARNING" in h.kinds())
    assert running == []
    gate.set()
    result = await waiting
    assert (result.status, running) == ("failed", [True])


async def test_a_thread_hears_of_its_timeout_by_its_token(play: Play) -> None:
    """E15, E13: a step in a thread that asks ends in time, and is tried again."""
    pipe = Pipeline("token")
    inside = threading.Event()

    @pipe.step(timeout="5s", retry=RetryPolicy(2, delay="1s", jitter=0))
    def polite(token: CancelToken, ctx: StepContext) -> int:
        if ctx.attempt == 1:
            inside.set()
            assert token.wait(10)
            token.check()
        return ctx.attempt

    h = play(pipe, auto=False)
    waiting = awaited(h.start())
    await until(inside)
    h.clock.advance("5s")
    await until(lambda: "STEP_RETRYING" in h.kinds())
    h.clock.advance("1s")
    assert (await waiting).output == 2
    assert "timeout:TimeoutError" in told(h)
