"""Fan-out: items recorded by themselves, in order, with retries, failures, keys and shares."""

from __future__ import annotations

import asyncio

from stepwell import Pipeline, Retry, RetryPolicy, Skip, StepContext
from stepwell.testing import Harness

from .conftest import Play
from .telling import tale, told

ONE_BY_ONE = RetryPolicy(attempts=2, delay="4s", jitter=0)


def squares(count: int, **options: object) -> Pipeline:
    """Numbers, their squares, one after the other, and the sum."""
    pipe = Pipeline("squares")

    @pipe.step
    async def numbers() -> list[int]:
        return list(range(count))

    @pipe.map(over=numbers, concurrency=1, **options)  # type: ignore[arg-type]
    async def square(item: int) -> int:
        return item * item

    @pipe.step
    async def total(square: list[int]) -> int:
        return sum(square)

    return pipe


async def test_each_item_is_recorded_by_itself_and_the_results_are_in_order(play: Play) -> None:
    """D5, D9: the keys first, then each item, then the whole."""
    h = play(squares(3))
    assert (await h.run()).output == 5
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED numbers attempt=1
        STEP_COMPLETED numbers attempt=1 -> [0, 1, 2]
        STEP_STARTED square attempt=1
        MAP_EXPANDED square attempt=1 count=3
        ITEM_COMPLETED square[0] attempt=1 -> 0
        ITEM_COMPLETED square[1] attempt=1 -> 1
        ITEM_COMPLETED square[2] attempt=1 -> 4
        STEP_COMPLETED square attempt=1
        STEP_STARTED total attempt=1
        STEP_COMPLETED total attempt=1 -> 5
        RUN_FINISHED completed
    """)


async def test_results_stand_in_the_order_of_items_however_they_end(play: Play) -> None:
    """D9: the last item ends first."""
    pipe = Pipeline("order")
    turns = [asyncio.Event() for _ in range(4)]
    turns[3].set()

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1, 2]

    @pipe.map(over=numbers)
    async def square(item: int) -> int:
        await turns[item + 1].wait()
        turns[item].set()
        return item * item

    h = play(pipe)
    assert (await h.run()).output == [0, 1, 4]
    ends = [one for one in h.kinds(paths=True) if one.startswith("ITEM_COMPLETED")]
    assert ends == ["ITEM_COMPLETED square[2]", "ITEM_COMPLETED square[1]", "ITEM_COMPLETED square[0]"]


async def test_a_map_over_nothing_completes_with_nothing(play: Play) -> None:
    """D8: zero items."""
    h = play(squares(0))
    assert (await h.run()).output == 0
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED numbers attempt=1
        STEP_COMPLETED numbers attempt=1 -> []
        STEP_STARTED square attempt=1
        MAP_EXPANDED square attempt=1 count=0
        STEP_COMPLETED square attempt=1
        STEP_STARTED total attempt=1
        STEP_COMPLETED total attempt=1 -> 0
        RUN_FINISHED completed
    """)
    assert h.calls("square") == []


async def test_an_item_is_retried_by_itself(play: Play) -> None:
    """D11: the policy applies to each item; the wait is recorded, and others go on meanwhile."""
    h = play(squares(3, retry=ONE_BY_ONE))
    h.mock("square", side_effect=[0, OSError("once"), 4, 1])
    assert (await h.run()).output == 5
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED numbers attempt=1
        STEP_COMPLETED numbers attempt=1 -> [0, 1, 2]
        STEP_STARTED square attempt=1
        MAP_EXPANDED square attempt=1 count=3
        ITEM_COMPLETED square[0] attempt=1 -> 0
        ITEM_RETRYING square[1] attempt=1 error:OSError in=4s
        ITEM_COMPLETED square[2] attempt=1 -> 4
        ITEM_COMPLETED square[1] attempt=2 -> 1
        STEP_COMPLETED square attempt=1
        STEP_STARTED total attempt=1
        STEP_COMPLETED total attempt=1 -> 5
        RUN_FINISHED completed
    """)


async def test_items_are_known_by_their_keys(play: Play) -> None:
    """S6: keys are recorded with the expansion, and escaped in paths."""
    h = play(squares(3, key=lambda number: f"k/{number}"))
    result = await h.run()
    assert "MAP_EXPANDED square attempt=1 count=3 keys=k/0,k/1,k/2" in told(h)
    assert list(result.steps["square"].items) == ["k/0", "k/1", "k/2"]
    assert [call.path for call in h.calls("square")] == ["square[k%2F0]", "square[k%2F1]", "square[k%2F2]"]


async def test_a_map_runs_over_the_value_of_a_switch(play: Play) -> None:
    """B7: what a switch returns chooses its branch and is its output like any other."""
    pipe = Pipeline("switched")

    @pipe.switch(to={"ab": "letters"})
    async def which() -> str:
        return "ab"

    @pipe.step
    async def letters(which: str) -> list[str]:
        return list(which)

    @pipe.map(over=letters, concurrency=1)
    async def upper(item: str) -> str:
        return item.upper()

    h = play(pipe)
    assert (await h.run()).output == ["A", "B"]
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED which attempt=1
        BRANCH_CHOSEN which attempt=1 ab -> letters
        STEP_COMPLETED which attempt=1 -> 'ab'
        STEP_STARTED letters attempt=1
        STEP_COMPLETED letters attempt=1 -> ['a', 'b']
        STEP_STARTED upper attempt=1
        MAP_EXPANDED upper attempt=1 count=2
        ITEM_COMPLETED upper[0] attempt=1 -> 'A'
        ITEM_COMPLETED upper[1] attempt=1 -> 'B'
        STEP_COMPLETED upper attempt=1
        RUN_FINISHED completed
    """)


async def test_a_map_of_a_branch_that_was_not_taken_is_pruned(play: Play) -> None:
    """B7: its source gave nothing."""
    pipe = Pipeline("untaken")

    @pipe.switch(to={"many": "several", "none": "nothing"})
    async def which() -> str:
        return "none"

    @pipe.step
    async def several() -> list[int]:
        return [1]

    @pipe.step
    async def nothing() -> int:
        return 0

    @pipe.map(over=several)
    async def work(item: int) -> int:
        return item

    h = play(pipe)
    result = await h.run()
    assert result.status == "completed"
    assert {name: record.status for name, record in result.steps.items()} == {
        "which": "completed", "several": "pruned", "nothing": "completed", "work": "pruned",
    }  # fmt: skip


async def test_an_item_that_returns_skip_leaves_no_place_in_the_results(play: Play) -> None:
    """B5: Skip in an item."""
    h = play(squares(3))
    h.mock("square", side_effect=[0, Skip("odd"), 4])
    result = await h.run()
    assert (result.status, result.outputs["square"]) == ("completed", [0, 4])
    assert "ITEM_COMPLETED square[1] attempt=1 skipped" in told(h)


async def test_fifty_one_items_may_each_return_retry_once(play: Play) -> None:
    """B4: attempts are counted for each item, not for the step: its wound was that 51 items failed."""
    pipe = Pipeline("many-retries")

    @pipe.step
    async def numbers() -> list[int]:
        return list(range(150))

    @pipe.map(over=numbers)
    async def work(item: int, ctx: StepContext) -> int | Retry:
        return Retry() if ctx.attempt == 1 else item

    h = play(pipe)
    assert (await h.run()).output == list(range(150))
    assert h.kinds().count("ITEM_RETRYING") == 150


async def test_more_items_than_any_queue_are_no_deadlock(play: Play) -> None:
    """D5, D15: 1,000 items hung for ever there."""
    h: Harness = play(squares(1200))
    h.unmock()
    assert (await h.run()).output == sum(n * n for n in range(1200))
