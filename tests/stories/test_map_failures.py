"""Items that fail: the map that fails with them, the share that may, and what is left for a resume."""

from __future__ import annotations

import asyncio

import pytest

from stepwell import Pipeline, RetryPolicy, StepContext, StepError

from .conftest import Play
from .doing import awaited, until
from .telling import tale, told
from .test_maps import squares


async def test_an_item_that_fails_for_good_fails_the_map_and_no_further_item_starts(play: Play) -> None:
    """D10, E25: min_success=None."""
    h = play(squares(4))
    h.mock("square", side_effect=[0, ValueError("one"), 4, 9])
    result = await h.run()
    assert result.status == "failed"
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED numbers attempt=1
        STEP_COMPLETED numbers attempt=1 -> [0, 1, 2, 3]
        STEP_STARTED square attempt=1
        MAP_EXPANDED square attempt=1 count=4
        ITEM_COMPLETED square[0] attempt=1 -> 0
        ITEM_FAILED square[1] attempt=1 error:ValueError
        STEP_FAILED square attempt=1 error:ItemsFailed
        RUN_FINISHED failed not_run=total
    """)
    assert next((one.path, one.item, one.type) for one in result.failures) == ("square[1]", "1", "ValueError")
    with pytest.raises(StepError) as caught:
        result.raise_for_status()
    assert isinstance(caught.value.__cause__, ValueError)


async def test_items_that_run_when_another_one_fails_end_and_are_recorded(play: Play) -> None:
    """D10, E25: what runs finishes."""
    pipe = Pipeline("drain")
    failed = asyncio.Event()

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1, 2]

    @pipe.map(over=numbers, concurrency=2)
    async def work(item: int) -> int:
        if item == 1:
            failed.set()
            raise ValueError
        await failed.wait()
        return item

    h = play(pipe)
    assert (await h.run()).status == "failed"
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED numbers attempt=1
        STEP_COMPLETED numbers attempt=1 -> [0, 1, 2]
        STEP_STARTED work attempt=1
        MAP_EXPANDED work attempt=1 count=3
        ITEM_FAILED work[1] attempt=1 error:ValueError
        ITEM_COMPLETED work[0] attempt=1 -> 0
        STEP_FAILED work attempt=1 error:ItemsFailed
        RUN_FINISHED failed
    """)


@pytest.mark.parametrize(("wanted", "status"), [(3, "degraded"), (0.75, "degraded"), (4, "failed"), (0.8, "failed")])
async def test_a_map_may_do_with_a_number_or_a_share_of_its_items(play: Play, wanted: float, status: str) -> None:
    """D10, E2: failures are collected, the output holds the successes, and below so many the step fails."""
    h = play(squares(4, min_success=wanted))
    h.mock("square", side_effect=[0, ValueError("one"), 4, 9])
    result = await h.run()
    assert result.status == status
    assert [one.path for one in result.failures if one.item is not None] == ["square[1]"]
    if status == "degraded":
        assert result.outputs["square"] == [0, 4, 9]
        assert result.output == 13
        assert "STEP_COMPLETED square attempt=1 degraded" in told(h)
    else:
        assert "STEP_FAILED square attempt=1 error:ItemsFailed" in told(h)
    assert len(h.calls("square")) == 4


async def test_two_items_of_one_key_are_an_error_at_expansion(play: Play) -> None:
    """S7: before any item runs."""
    h = play(squares(4, key=lambda number: number % 3))
    result = await h.run()
    assert result.status == "failed"
    failure = result.failures[0]
    assert (failure.path, failure.kind) == ("square", "input")
    assert "'0'" in failure.message
    assert h.calls("square") == []


async def test_a_map_over_what_is_no_list_fails_without_running(play: Play) -> None:
    """D9: its source must give a list."""
    pipe = Pipeline("text")

    @pipe.step
    def source(text: object) -> object:
        return text

    @pipe.map(over=source)
    def work(item: object) -> None: ...

    h = play(pipe)
    result = await h.run(text="abc")
    assert [(one.path, one.kind, one.type) for one in result.failures] == [("work", "input", "TypeError")]


async def test_a_map_that_is_not_critical_is_tolerated(play: Play) -> None:
    """D10, E2: critical=False on a map."""
    pipe = Pipeline("optional")

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1]

    @pipe.map(over=numbers, critical=False)
    async def work(item: int) -> int:
        raise OSError

    @pipe.step
    async def after(work: list[int] = []) -> int:  # noqa: B006
        return len(work)

    result = await play(pipe).run()
    assert (result.status, result.output, result.steps["work"].status) == ("degraded", 0, "tolerated")


async def test_a_cancel_while_items_wait_for_their_retries_closes_the_map(play: Play) -> None:
    """E15: and the resume goes on with those items alone."""
    pipe = Pipeline("waiting")

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1]

    @pipe.map(over=numbers, retry=RetryPolicy(5, delay="1h", max_delay="1h", jitter=0))
    async def work(item: int, ctx: StepContext) -> int:
        if item == 1 and ctx.attempt == 1:
            raise OSError
        return item

    h = play(pipe, auto=False)
    run = h.start()

    task = awaited(run)
    await until(lambda: {"ITEM_RETRYING", "ITEM_COMPLETED"} <= set(h.kinds()))
    await run.cancel("enough")
    assert (await task).status == "cancelled"
    h.clock.auto = True
    assert (await asyncio.wait_for(h.resume(), 5)).output == [0, 1]
    assert [call.item for call in h.calls("work")].count(0) == 1


async def test_a_map_that_failed_while_an_item_waited_for_its_retry_goes_on_with_both(play: Play) -> None:
    """D10, F6: the item that failed and the one that was to be tried again."""
    pipe = Pipeline("both-items")
    waits = asyncio.Event()

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1]

    @pipe.map(over=numbers, retry=RetryPolicy(2, delay="1h", max_delay="1h", jitter=0, on=(OSError,)))
    async def work(item: int, ctx: StepContext) -> int:
        if ctx.path == "work[1]" and ctx.attempt == 1:
            waits.set()
            raise OSError
        if ctx.path == "work[0]":
            await waits.wait()
            await asyncio.sleep(0)
            raise ValueError
        return item

    h = play(pipe)
    assert (await h.run()).status == "failed"
    assert (await asyncio.wait_for(h.resume(), 5)).output == [0, 1]
