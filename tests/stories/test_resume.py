"""Going on: after a failure, a cancel, a timeout, and after a crash at every append of a run."""

from __future__ import annotations

import asyncio

import pytest

from stepwell import Pipeline
from stepwell.testing import Crashed

from .conftest import Play
from .everything import everything
from .telling import tale, told


async def test_what_had_no_end_runs_again_and_nothing_else_does(play: Play) -> None:
    """F6, F11: the outputs of the first process are those of the second."""
    pipe = Pipeline("middle")

    @pipe.step
    async def a() -> int:
        return 1

    @pipe.step
    async def b(a: int) -> int:
        return a + 1

    @pipe.step
    async def c(b: int) -> int:
        return b + 1

    h = play(pipe)
    h.crash_after(a)
    with pytest.raises(Crashed):
        await h.run()
    assert (await h.resume()).output == 3
    assert [len(h.calls(name)) for name in ("a", "b", "c")] == [1, 1, 1]
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED a attempt=1
        STEP_COMPLETED a attempt=1 -> 1
        STEP_STARTED b attempt=1
        RUN_RESUMED recovered
        STEP_STARTED b attempt=2
        STEP_COMPLETED b attempt=2 -> 2
        STEP_STARTED c attempt=1
        STEP_COMPLETED c attempt=1 -> 3
        RUN_FINISHED completed
    """)


async def test_a_map_goes_on_with_the_items_that_have_no_end(play: Play) -> None:
    """F11, S7: in the middle of a map; its source does not run again."""
    pipe = Pipeline("mid-map")

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1, 2, 3]

    @pipe.map(over=numbers, concurrency=1, key=lambda item: f"n{item}")
    async def work(item: int) -> int:
        return item * 10

    h = play(pipe)
    h.crash_after("work[n1]")
    with pytest.raises(Crashed):
        await h.run()
    assert (await h.resume()).output == [0, 10, 20, 30]
    assert [call.key for call in h.calls("work")] == ["n0", "n1", "n2", "n3"]
    assert len(h.calls("numbers")) == 1
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED numbers attempt=1
        STEP_COMPLETED numbers attempt=1 -> [0, 1, 2, 3]
        STEP_STARTED work attempt=1
        MAP_EXPANDED work attempt=1 count=4 keys=n0,n1,n2,n3
        ITEM_COMPLETED work[n0] attempt=1 -> 0
        ITEM_COMPLETED work[n1] attempt=1 -> 10
        RUN_RESUMED recovered
        STEP_STARTED work attempt=2
        ITEM_COMPLETED work[n2] attempt=1 -> 20
        ITEM_COMPLETED work[n3] attempt=1 -> 30
        STEP_COMPLETED work attempt=2
        RUN_FINISHED completed
    """)


async def test_what_failed_and_what_ended_because_of_it_is_reset_and_runs_again(play: Play) -> None:
    """F6: after a failure; independent branches keep their results, the visit grows."""
    pipe = Pipeline("repaired", on_failure="finish")

    @pipe.step
    async def good() -> int:
        return 1

    @pipe.step
    async def bad(good: int) -> int:
        return good + 1

    @pipe.step
    async def after(bad: int) -> int:
        return bad + 1

    @pipe.step
    async def side(good: int) -> int:
        return good * 10

    h = play(pipe)
    h.mock("bad", raises=OSError)
    assert (await h.run()).status == "failed"
    first = len(h.events)
    h.unmock("bad")
    result = await h.resume()
    assert (result.status, result.outputs) == ("completed", {"good": 1, "bad": 2, "after": 3, "side": 10})
    assert told(h, after=first) == tale("""
        RUN_RESUMED
        STEP_RESET bad,after resume
        STEP_STARTED bad#2 attempt=1
        STEP_COMPLETED bad#2 attempt=1 -> 2
        STEP_STARTED after#2 attempt=1
        STEP_COMPLETED after#2 attempt=1 -> 3
        RUN_FINISHED completed
    """)
    assert [len(h.calls(name)) for name in ("good", "bad", "after", "side")] == [1, 2, 1, 1]
    assert result.failures == ()


async def test_a_failed_map_runs_only_the_items_that_failed_again(play: Play) -> None:
    """D10, F6: the successes stay."""
    pipe = Pipeline("items")

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1, 2, 3]

    @pipe.map(over=numbers, concurrency=1)
    async def work(item: int) -> int:
        return item * 10

    h = play(pipe)
    h.mock("work", side_effect=[0, OSError("once"), 20, 30])
    assert (await h.run()).status == "failed"
    first = len(h.events)
    h.unmock()
    assert (await h.resume()).output == [0, 10, 20, 30]
    assert told(h, after=first) == tale("""
        RUN_RESUMED
        STEP_RESET work[1],work resume
        STEP_STARTED work#2 attempt=1
        ITEM_COMPLETED work[1]#2 attempt=1 -> 10
        ITEM_COMPLETED work[2] attempt=1 -> 20
        ITEM_COMPLETED work[3] attempt=1 -> 30
        STEP_COMPLETED work#2 attempt=1
        RUN_FINISHED completed
    """)


async def test_what_was_tolerated_stays_so_on_a_resume(play: Play) -> None:
    """api.md 3: resume leaves what was tolerated unless it is told otherwise."""
    pipe = Pipeline("tolerated")

    @pipe.step(critical=False)
    async def extra() -> int:
        raise OSError

    @pipe.step(after=extra)
    async def bad() -> int:
        return 1

    h = play(pipe)
    h.mock("bad", raises=ValueError)
    await h.run()
    h.unmock()
    result = await h.resume()
    assert (result.status, len(h.calls("extra"))) == ("degraded", 1)
    assert [one.path for one in result.failures] == ["extra"]


async def test_a_cancelled_run_goes_on_where_it_was(play: Play) -> None:
    """F6, E15: what was cancelled runs again, what had completed does not."""
    pipe = Pipeline("cancelled")
    inside, free = asyncio.Event(), asyncio.Event()

    @pipe.step
    async def first() -> int:
        return 1

    @pipe.step
    async def waits(first: int) -> int:
        inside.set()
        await free.wait()
        return first + 1

    h = play(pipe)
    async with h.start():
        await inside.wait()
    facts = len(h.events)
    free.set()
    assert (await h.resume()).output == 2
    assert len(h.calls("first")) == 1
    assert told(h, after=facts) == tale("""
        RUN_RESUMED
        STEP_RESET waits resume
        STEP_STARTED waits#2 attempt=1
        STEP_COMPLETED waits#2 attempt=1 -> 2
        RUN_FINISHED completed
    """)


async def test_a_run_that_timed_out_gets_its_time_anew(play: Play) -> None:
    """E14, F6: after a run timeout."""
    pipe = Pipeline("timed-out", run_timeout="1m")
    free = asyncio.Event()

    @pipe.step
    async def waits() -> int:
        await free.wait()
        return 1

    h = play(pipe)
    assert (await h.run()).status == "timed_out"
    free.set()
    assert (await h.resume()).output == 1


async def test_a_run_that_is_complete_is_only_opened(play: Play) -> None:
    """F6: a second resume runs nothing."""
    h = play(everything())
    first = await h.run(n=2)
    facts = len(h.events)
    again = await h.resume()
    assert (again.output, again.status, len(h.events)) == (first.output, first.status, facts)
    assert [one.path for one in again.failures] == ["extra"]
