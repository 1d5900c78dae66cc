"""What a failure does to the rest of the run, and how it is told."""

from __future__ import annotations

import asyncio

import pytest

from stepwell import DefinitionError, InputError, Pipeline, Raise, StepError

from .conftest import Play
from .telling import tale, told


def forked() -> tuple[Pipeline, asyncio.Event, asyncio.Event]:
    """One branch that fails, one that is under way when it does, and what follows each."""
    pipe = Pipeline("forked")
    started, failed = asyncio.Event(), asyncio.Event()

    @pipe.step
    async def bad() -> int:
        await started.wait()
        failed.set()
        raise ValueError("broken")

    @pipe.step
    async def good() -> int:
        started.set()
        await failed.wait()
        await asyncio.sleep(0)
        return 1

    @pipe.step
    async def after_bad(bad: int) -> int:
        return bad

    @pipe.step
    async def far(after_bad: int) -> int:
        return after_bad

    @pipe.step
    async def after_good(good: int) -> int:
        return good + 1

    @pipe.step
    async def both(after_bad: int, after_good: int) -> int:
        return after_bad + after_good

    return pipe, started, failed


async def test_stop_starts_nothing_new_and_lets_what_runs_be_recorded(play: Play) -> None:
    """E1: on_failure="stop", the default; successors of a failed step never run."""
    pipe, _, _ = forked()
    h = play(pipe)
    result = await h.run()
    assert (result.status, result.outputs) == ("failed", {"good": 1})
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED bad attempt=1
        STEP_STARTED good attempt=1
        STEP_FAILED bad attempt=1 error:ValueError
        STEP_COMPLETED good attempt=1 -> 1
        RUN_FINISHED failed not_run=after_bad,far,after_good,both
    """)


async def test_cancel_also_ends_what_runs(play: Play) -> None:
    """E1: on_failure="cancel"."""
    pipe = Pipeline("cancels", on_failure="cancel")
    started = asyncio.Event()

    @pipe.step
    async def bad() -> int:
        await started.wait()
        raise ValueError

    @pipe.step
    async def endless() -> int:
        started.set()
        await asyncio.Event().wait()
        return 1

    h = play(pipe)
    result = await h.run()
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED bad attempt=1
        STEP_STARTED endless attempt=1
        STEP_FAILED bad attempt=1 error:ValueError
        STEP_CANCELLED endless attempt=1 failed
        RUN_FINISHED failed
    """)
    assert result.steps["endless"].status == "cancelled"


async def test_finish_runs_independent_branches_to_their_ends(play: Play) -> None:
    """E4: on_failure="finish"; what depends on the failed step is pruned, with its reason."""
    pipe, _, _ = forked()
    h = play(pipe)
    result = await h.run(on_failure="finish")
    assert (result.status, result.outputs) == ("failed", {"good": 1, "after_good": 2})
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED bad attempt=1
        STEP_STARTED good attempt=1
        STEP_FAILED bad attempt=1 error:ValueError
        STEP_PRUNED after_bad upstream_failed bad
        JOIN_WAITING both for=after_good
        STEP_PRUNED far upstream_failed bad
        STEP_COMPLETED good attempt=1 -> 1
        STEP_STARTED after_good attempt=1
        STEP_COMPLETED after_good attempt=1 -> 2
        JOIN_RELEASED both
        STEP_PRUNED both upstream_failed bad
        RUN_FINISHED failed
    """)
    assert result.steps["both"].reason == "upstream_failed: bad"


async def test_a_step_after_a_failed_one_does_not_run_even_where_it_waits_for_order_only(play: Play) -> None:
    """E1, rule 2: `after`, and a default, do not help."""
    pipe = Pipeline("ordered", on_failure="finish")

    @pipe.step
    async def bad() -> int:
        raise ValueError

    @pipe.step(after=bad)
    async def ordered() -> int:
        return 1

    @pipe.step
    async def with_default(bad: int = 3) -> int:
        return bad

    h = play(pipe)
    result = await h.run()
    assert {name: one.status for name, one in result.steps.items()} == {
        "bad": "failed", "ordered": "pruned", "with_default": "pruned",
    }  # fmt: skip


async def test_a_tolerated_failure_degrades_the_run_and_keeps_its_error(play: Play) -> None:
    """E2, E3, ruling 2: critical=False; order goes on, a default takes the place of its value, else prune."""
    pipe = Pipeline("tolerant")

    @pipe.step(critical=False)
    async def extra() -> int:
        raise OSError("no extra")

    @pipe.step(after=extra)
    async def then() -> str:
        return "then"

    @pipe.step
    async def wants(extra: int) -> int:
        return extra

    @pipe.step
    async def could(extra: int = 5) -> int:
        return extra

    h = play(pipe)
    result = await h.run()
    assert (result.status, result.succeeded) == ("degraded", True)
    assert result.outputs == {"then": "then", "could": 5}
    assert [(one.path, one.message) for one in result.failures] == [("extra", "no extra")]
    assert result.steps["extra"].status == "tolerated"
    result.raise_for_status()
    assert told(h).splitlines()[2:3] == ["STEP_FAILED extra attempt=1 error:OSError tolerated"]
    assert "STEP_PRUNED wants no_value" in told(h)
    assert told(h).splitlines()[-1] == "RUN_FINISHED degraded"


async def test_await_never_raises_for_a_step_and_raise_for_status_does(play: Play) -> None:
    """E8: the user's own exception is the cause, the step and the attempt are named."""
    pipe = Pipeline("raises")
    mine = KeyError("mine")

    @pipe.step
    def step() -> int:
        raise mine

    h = play(pipe)
    result = await h.run()
    assert result.status == "failed"
    with pytest.raises(StepError, match=r"step.*attempt 1") as caught:
        result.raise_for_status()
    assert caught.value.__cause__ is mine
    assert (caught.value.path, caught.value.attempt) == ("step", 1)
    with pytest.raises(StepError):
        _ = result.output
    failure = result.failures[0]
    assert (failure.kind, failure.source, failure.type, failure.retryable) == ("error", "user", "KeyError", False)
    assert "raise mine" in failure.traceback
    assert "engine" not in failure.traceback


async def test_the_end_of_the_run_carries_its_failures(play: Play) -> None:
    """K4: RUN_FINISHED says how the run ended, and why."""
    from stepwell import events as ev

    pipe = Pipeline("carries")

    @pipe.step
    def step() -> int:
        raise ValueError("why")

    h = play(pipe)
    await h.run()
    last = h.events[-1]
    assert isinstance(last, ev.RunFinished)
    assert [(one.path, one.message) for one in last.failures] == [("step", "why")]


async def test_a_returned_raise_is_as_if_raised(play: Play) -> None:
    """B6: with the retries of the step, and the exception as the cause."""
    pipe = Pipeline("returned")

    @pipe.step(retry=2)
    async def step(n: int) -> int | Raise:
        return Raise(ValueError(n))

    h = play(pipe)
    result = await h.run(n=4)
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED step attempt=1
        STEP_RETRYING step attempt=1 error:ValueError in=1s
        STEP_STARTED step attempt=2
        STEP_FAILED step attempt=2 error:ValueError
        RUN_FINISHED failed
    """)
    with pytest.raises(StepError) as caught:
        result.raise_for_status()
    assert isinstance(caught.value.__cause__, ValueError)


async def test_a_value_that_is_not_of_the_declared_type_fails_the_attempt(play: Play) -> None:
    """S21, E21: checked before it is recorded; nothing is kept of it."""
    pipe = Pipeline("typed")

    @pipe.step
    def step() -> int:
        return "no number"  # type: ignore[return-value]  # pyright: ignore[reportReturnType]

    result = await play(pipe).run()
    assert [(one.kind, one.reason) for one in result.failures] == [("codec", "value_not_recordable")]
    assert result.outputs == {}


async def test_mistakes_of_inputs_and_definitions_raise_before_anything_runs(play: Play) -> None:
    """Ruling 13, E23: also a pipeline without steps."""
    pipe = Pipeline("inputs")

    @pipe.step
    def step(n: int) -> int:
        return n

    with pytest.raises(InputError, match="n"):
        await play(pipe).run()
    with pytest.raises(DefinitionError, match="no steps"):
        await play(Pipeline("empty")).run()
