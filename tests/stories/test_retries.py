"""Trying again: by policy, by control value, with waits that are recorded."""

from __future__ import annotations

import pytest

from stepwell import Pipeline, Retry, RetryPolicy, StepContext

from .conftest import Play
from .telling import tale, told


def flaky(policy: RetryPolicy | int) -> Pipeline:
    """One step to be mocked."""
    pipe = Pipeline("flaky")

    @pipe.step(retry=policy)
    def work() -> int:
        return 1

    return pipe


async def test_each_attempt_is_told_and_the_waits_grow(play: Play) -> None:
    """E9, E11: three attempts in all; delay, backoff; retry_at is recorded."""
    h = play(flaky(RetryPolicy(attempts=4, delay="2s", backoff=3.0, max_delay="10s", jitter=0)))
    h.mock("work", side_effect=[OSError(), TimeoutError(), OSError(), 7])
    before = h.clock.now()
    assert (await h.run()).output == 7
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED work attempt=1
        STEP_RETRYING work attempt=1 error:OSError in=2s
        STEP_STARTED work attempt=2
        STEP_RETRYING work attempt=2 error:TimeoutError in=6s
        STEP_STARTED work attempt=3
        STEP_RETRYING work attempt=3 error:OSError in=10s
        STEP_STARTED work attempt=4
        STEP_COMPLETED work attempt=4 -> 7
        RUN_FINISHED completed
    """)
    assert h.clock.now() - before == 18


async def test_an_attempt_never_starts_before_its_time(play: Play) -> None:
    """S9: retry_at is when the next attempt begins."""
    from stepwell import events as ev

    h = play(flaky(RetryPolicy(attempts=3, delay="7s", backoff=1.0, jitter=0)))
    h.mock("work", side_effect=[OSError(), OSError(), 1])
    await h.run()
    times = [one.retry_at for one in h.events if isinstance(one, ev.StepRetrying)]
    starts = [one.at for one in h.events if isinstance(one, ev.StepStarted)]
    assert starts[1:] == times


async def test_the_last_attempt_fails_the_step_for_good(play: Play) -> None:
    """E9: retry=3 is three attempts in all."""
    h = play(flaky(3))
    h.mock("work", raises=OSError("down"))
    result = await h.run()
    assert len(h.calls("work")) == 3
    assert [(one.attempt, one.message, one.retryable) for one in result.failures] == [(3, "down", False)]
    assert result.steps["work"].attempts == 3


@pytest.mark.parametrize(
    ("policy", "calls"),
    [
        (RetryPolicy(3, on=(OSError,)), 3),
        (RetryPolicy(3, on=(ValueError,)), 1),
        (RetryPolicy(3, unless=(FileNotFoundError,)), 1),
        (RetryPolicy(3, kinds=("timeout",)), 1),
        (RetryPolicy(3, kinds=("error",)), 3),
    ],
)
async def test_a_policy_says_what_is_tried_again(play: Play, policy: RetryPolicy, calls: int) -> None:
    """E10: by type and by kind, also for what was raised."""
    h = play(flaky(policy))
    h.mock("work", raises=FileNotFoundError)
    assert (await h.run()).status == "failed"
    assert len(h.calls("work")) == calls


async def test_a_returned_retry_waits_as_long_as_it_says(play: Play) -> None:
    """B4: Retry(after=), which counts as an attempt of the step's own policy."""
    h = play(flaky(RetryPolicy(attempts=3, delay="1s", jitter=0)))
    h.mock("work", side_effect=[Retry(after="30s", reason="busy"), Retry(), 5])
    assert (await h.run()).output == 5
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED work attempt=1
        STEP_RETRYING work attempt=1 busy in=30s
        STEP_STARTED work attempt=2
        STEP_RETRYING work attempt=2 in=2s
        STEP_STARTED work attempt=3
        STEP_COMPLETED work attempt=3 -> 5
        RUN_FINISHED completed
    """)


async def test_a_returned_retry_uses_up_declared_attempts(play: Play) -> None:
    """B4, E24: and the failure says so."""
    h = play(flaky(2))
    h.mock("work", returns=Retry(reason="not yet"))
    result = await h.run()
    assert len(h.calls("work")) == 2
    assert [(one.kind, one.reason) for one in result.failures] == [("error", "retries_used_up")]
    assert "not yet" in result.failures[0].message


async def test_a_step_without_a_policy_may_return_retry_a_hundred_times_in_all(play: Play) -> None:
    """B4, E24: up to 100 attempts where none are declared."""
    pipe = Pipeline("patient")

    @pipe.step
    async def work(until: int, ctx: StepContext) -> int | Retry:
        return ctx.attempt if ctx.attempt >= until else Retry()

    h = play(pipe)
    assert (await h.run(until=100)).output == 100
    result = await h.run(until=101)
    assert (result.status, len(h.calls("work"))) == ("failed", 100)
    assert result.failures[0].reason == "retries_used_up"


async def test_a_step_without_a_policy_that_raises_is_not_tried_again(play: Play) -> None:
    """E9: one attempt is the default; also after it returned Retry."""
    pipe = Pipeline("single")

    @pipe.step
    async def work(ctx: StepContext) -> int | Retry:
        if ctx.attempt == 1:
            return Retry()
        raise OSError

    h = play(pipe)
    assert (await h.run()).status == "failed"
    assert len(h.calls("work")) == 2


async def test_retries_of_a_pipeline_are_defaults_of_its_steps(play: Play) -> None:
    """E9: `Pipeline(retry=)`, which a step's own replaces."""
    pipe = Pipeline("defaults", retry=2, on_failure="finish")

    @pipe.step
    async def plain() -> int:
        raise OSError

    @pipe.step(retry=1)
    async def own() -> int:
        raise OSError

    h = play(pipe)
    await h.run()
    assert (len(h.calls("plain")), len(h.calls("own"))) == (2, 1)


async def test_other_steps_go_on_while_one_waits_for_its_retry(play: Play) -> None:
    """E9: a wait holds no slot."""
    pipe = Pipeline("meanwhile", concurrency=1)

    @pipe.step(retry=RetryPolicy(2, delay="1h", max_delay="1h", jitter=0))
    async def flaky(ctx: StepContext) -> int:
        if ctx.attempt == 1:
            raise OSError
        return 1

    @pipe.step
    async def other() -> int:
        return 2

    h = play(pipe)
    assert (await h.run()).output == {"flaky": 1, "other": 2}
    assert told(h).splitlines()[1:5] == [
        "STEP_STARTED flaky attempt=1",
        "STEP_RETRYING flaky attempt=1 error:OSError in=3600s",
        "STEP_STARTED other attempt=1",
        "STEP_COMPLETED other attempt=1 -> 2",
    ]


async def test_a_crash_neither_shortens_a_wait_nor_gives_attempts_back(play: Play) -> None:
    """S9: what is recorded of retries holds in the next process."""
    from stepwell import events as ev
    from stepwell.testing import Crashed

    h = play(flaky(RetryPolicy(attempts=3, delay="60s", backoff=1.0, jitter=0)))
    h.mock("work", raises=OSError)
    h.crash_at(2)
    with pytest.raises(Crashed):
        await h.run()
    h.clock.advance("20s")
    before = h.clock.now()
    result = await h.resume()
    assert result.status == "failed"
    assert len(h.calls("work")) == 3
    starts = [one.at for one in h.events if isinstance(one, ev.StepStarted)]
    assert starts[1] == before + 40
