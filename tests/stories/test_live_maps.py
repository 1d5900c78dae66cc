"""Maps over a generator: items start as they are yielded, recorded before that, bounded; the source ends with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Iterator

import pytest

from stepwell import Goto, Output, Pipeline, Raise, Retry, RetryPolicy, Skip, StepContext, Stop

from .conftest import Play
from .doing import awaited, until
from .telling import line, tale, told
from .test_streams import AHEAD, MODES, SMALL, held_up


def add_source(pipe: Pipeline, mode: str, numbers: Callable[[], Iterator[int]], **options: object) -> None:
    """A source `numbers` that yields these: on the loop, in line, in a thread."""

    async def on_loop() -> AsyncIterator[int]:
        for number in numbers():
            yield number

    def plainly() -> Iterator[int]:
        yield from numbers()

    if mode == "async":
        pipe.step(name="numbers", **options)(on_loop)  # type: ignore[call-overload]
    else:
        pipe.step(name="numbers", runs_on=mode, **options)(plainly)  # type: ignore[call-overload]


def squares(mode: str, count: int, **options: object) -> Pipeline:
    """So many numbers, yielded without a pause, their squares, and the sum of these."""
    pipe = Pipeline("live", **options)  # type: ignore[arg-type]
    add_source(pipe, mode, lambda: iter(range(count)))

    @pipe.map(over="numbers", concurrency=4)
    async def square(item: int) -> int:
        return item * item

    @pipe.step
    async def total(square: list[int], numbers: list[int]) -> list[int]:
        return [sum(square), len(numbers)]

    return pipe


async def test_items_start_while_their_source_still_yields(play: Play) -> None:
    """D5, S7: the first item starts at once, each is recorded before it starts, and the list is the source's output."""
    pipe = Pipeline("early")
    ended = [asyncio.Event() for _ in range(3)]

    @pipe.step
    async def numbers() -> AsyncIterator[int]:
        for number in range(3):
            yield number
            await ended[number].wait()

    @pipe.map(over=numbers)
    async def square(item: int) -> int:
        ended[item].set()
        return item * item

    @pipe.step
    async def total(square: list[int], numbers: list[int]) -> int:
        return sum(square) * len(numbers)

    h = play(pipe)
    assert (await h.run()).output == 15
    lines = [one for one in told(h).splitlines() if one != "MAP_EXPANDED square attempt=1 count=0 more"]
    assert (
        lines
        == tale("""
        RUN_STARTED
        STEP_STARTED numbers attempt=1
        STEP_STARTED square attempt=1
        MAP_EXPANDED square attempt=1 count=1 more
        ITEM_COMPLETED square[0] attempt=1 -> 0
        MAP_EXPANDED square attempt=1 count=1 more
        ITEM_COMPLETED square[1] attempt=1 -> 1
        MAP_EXPANDED square attempt=1 count=1 more
        ITEM_COMPLETED square[2] attempt=1 -> 4
        MAP_EXPANDED square attempt=1 count=0
        STEP_COMPLETED numbers attempt=1 -> [0, 1, 2]
        JOIN_WAITING total for=square
        STEP_COMPLETED square attempt=1
        JOIN_RELEASED total
        STEP_STARTED total attempt=1
        STEP_COMPLETED total attempt=1 -> 15
        RUN_FINISHED completed
    """).splitlines()
    )


@MODES
@pytest.mark.parametrize("count", [0, 1, 3, 1500])
async def test_a_map_over_a_generator_comes_to_what_one_over_a_list_does(play: Play, mode: str, count: int) -> None:
    """D5, D8, D9: also of nothing, and of more items than may wait."""
    h = play(squares(mode, count))
    result = await h.run()
    assert (result.status, result.output) == ("completed", [sum(n * n for n in range(count)), count])
    assert result.outputs["square"] == [n * n for n in range(count)]
    assert result.outputs["numbers"] == list(range(count))
    assert len(h.calls("square")) == count


@MODES
async def test_one_slot_is_enough_for_a_source_and_its_map(play: Play, mode: str) -> None:
    """D7, D15: a source holds no slot, else it would wait for the items that wait for it."""
    h = play(squares(mode, 1500, concurrency=1))
    assert (await asyncio.wait_for(h.run(), 20)).status == "completed"


async def test_a_source_emits_no_tokens(play: Play) -> None:
    """api.md 2: its values are the items of the map, its output is their list."""
    run = play(squares("async", 3)).start()
    lines = [line(event) async for event in run]
    assert [one for one in lines if one.startswith("TOKEN")] == []
    assert [one for one in lines if one.startswith("ITEM_STARTED")] == [
        f"ITEM_STARTED square[{n}] attempt=1" for n in range(3)
    ]


def blocked(mode: str, **options: object) -> tuple[Pipeline, Callable[[], int], asyncio.Event]:
    """A source of many numbers whose map does not go on before it is let."""
    pipe = Pipeline("blocked")
    free = asyncio.Event()
    made = 0

    def many() -> Iterator[int]:
        nonlocal made
        for number in range(1500):
            made = number + 1
            yield number

    add_source(pipe, mode, many, **options)

    @pipe.map(over="numbers", concurrency=2)
    async def work(item: int) -> int:
        await free.wait()
        return item

    return pipe, lambda: made, free


@MODES
async def test_a_source_waits_for_a_map_that_is_far_behind(play: Play, mode: str) -> None:
    """D5, D15: a bounded window; when the map goes on it yields on, and nothing is lost."""
    pipe, made, free = blocked(mode)
    task = awaited(play(pipe).start())
    assert AHEAD <= await held_up(made) <= AHEAD + SMALL
    free.set()
    assert (await task).output == list(range(1500))


@MODES
async def test_the_wait_of_a_source_for_its_map_counts_in_no_timeout(play: Play, mode: str) -> None:
    """D15, E13: an hour passes, and the source still has its ten seconds."""
    pipe, made, free = blocked(mode, timeout="10s")
    h = play(pipe, auto=False)
    task = awaited(h.start())
    await held_up(made)
    h.clock.advance("1h")
    free.set()
    result = await task
    assert (result.status, result.output) == ("completed", list(range(1500)))


@MODES
async def test_a_cancel_ends_a_source_that_waits_for_its_map(play: Play, mode: str) -> None:
    """E15, S10: the source, the items, then the map; the resume goes on with all of them."""
    pipe, made, free = blocked(mode)
    h = play(pipe, auto=False)
    run = h.start()
    task = awaited(run)
    await held_up(made)
    await asyncio.wait_for(run.cancel("enough"), 5)
    assert (await task).status == "cancelled"
    kinds = h.kinds(paths=True)
    assert kinds[-1] == "RUN_FINISHED"
    assert {"STEP_CANCELLED numbers", "STEP_CANCELLED work", "ITEM_CANCELLED work[0]"} <= set(kinds)
    free.set()
    result = await h.resume()
    assert (result.status, result.output) == ("completed", list(range(1500)))


async def test_two_maps_over_one_source_both_have_all_of_it(play: Play) -> None:
    """D5, D15: it waits for the slower one."""
    pipe = Pipeline("two")
    free = asyncio.Event()
    made = 0

    @pipe.step
    async def numbers() -> AsyncIterator[int]:
        nonlocal made
        for number in range(1500):
            made = number + 1
            yield number

    @pipe.map(over=numbers)
    async def quick(item: int) -> int:
        return item

    @pipe.map(over=numbers, key=lambda number: f"k{number}")
    async def slow(item: int) -> int:
        await free.wait()
        return -item

    h = play(pipe)
    task = awaited(h.start())
    assert await held_up(lambda: made) <= AHEAD + SMALL
    await until(lambda: len(h.calls("quick")) >= AHEAD)
    free.set()
    assert (await task).output == {"quick": list(range(1500)), "slow": [-number for number in range(1500)]}


async def test_a_map_over_a_map_over_a_generator_waits_for_its_list(play: Play) -> None:
    """D5: the second one runs over results."""
    pipe = squares("async", 3)

    @pipe.map(over="square")
    async def negative(item: int) -> int:
        return -item

    h = play(pipe)
    assert (await h.run()).outputs["negative"] == [0, -1, -4]
    assert "MAP_EXPANDED negative attempt=1 count=3" in told(h).splitlines()


async def test_a_map_that_also_needs_what_follows_the_source_waits_for_its_end(play: Play) -> None:
    """D5: it could not start before; it runs over the list."""
    pipe = Pipeline("needs-more")

    @pipe.step
    async def numbers() -> AsyncIterator[int]:
        yield 1
        yield 2

    @pipe.step
    async def most(numbers: list[int]) -> int:
        return max(numbers)

    @pipe.map(over=numbers)
    async def share(item: int, most: int) -> float:
        return item / most

    h = play(pipe)
    assert (await h.run()).output == [0.5, 1.0]
    lines = told(h).splitlines()
    assert "MAP_EXPANDED share attempt=1 count=2" in lines
    assert lines.index("STEP_STARTED share attempt=1") > lines.index("STEP_COMPLETED most attempt=1 -> 2")


async def test_a_map_that_also_needs_something_else_takes_what_came_before_it_began(play: Play) -> None:
    """D5, D15: the source yields on meanwhile, as far as it may."""
    pipe = Pipeline("late")
    free = asyncio.Event()
    made = 0

    @pipe.step
    async def numbers() -> AsyncIterator[int]:
        nonlocal made
        for number in range(1500):
            made = number + 1
            yield number

    @pipe.step
    async def factor() -> int:
        await free.wait()
        return 10

    @pipe.map(over=numbers)
    async def work(item: int, factor: int) -> int:
        return item * factor

    h = play(pipe)
    task = awaited(h.start())
    assert AHEAD <= await held_up(lambda: made) <= AHEAD + SMALL
    assert h.calls("work") == []
    free.set()
    assert (await task).output == [number * 10 for number in range(1500)]


# Keys.


async def test_items_of_a_source_are_known_by_their_keys(play: Play) -> None:
    """S6, S7: recorded with each part."""
    pipe = Pipeline("keys")
    ended = [asyncio.Event() for _ in range(2)]

    @pipe.step
    async def names() -> AsyncIterator[str]:
        for place, name in enumerate(["x", "y/z"]):
            yield name
            await ended[place].wait()

    @pipe.map(over=names, key=str.upper)
    async def work(item: str) -> str:
        ended[0 if item == "x" else 1].set()
        return item * 2

    h = play(pipe)
    result = await h.run()
    assert (result.output, list(result.steps["work"].items)) == (["xx", "y/zy/z"], ["X", "Y/Z"])
    lines = told(h).splitlines()
    assert "MAP_EXPANDED work attempt=1 count=1 keys=X more" in lines
    assert "MAP_EXPANDED work attempt=1 count=1 keys=Y/Z more" in lines
    assert [call.path for call in h.calls("work")] == ["work[X]", "work[Y%2FZ]"]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (lambda number: number % 3, "key= gave '0' for two items"),
        (lambda number: "" if number == 2 else number, "key= gave '' for item 2; every item needs a key of its own"),
        (lambda number: 1 // (2 - number), "integer division or modulo by zero"),
    ],
)
async def test_items_whose_keys_are_of_no_use_fail_their_source(
    play: Play, key: Callable[[int], object], says: str
) -> None:
    """S7: at expansion, as soon as they come; the map that asked for them is named."""
    pipe = Pipeline("double")
    made = 0

    @pipe.step
    async def numbers() -> AsyncIterator[int]:
        nonlocal made
        while True:
            yield made
            made += 1
            await asyncio.sleep(0)

    @pipe.map(over=numbers, key=key)
    async def work(item: int) -> int:
        return item

    h = play(pipe)
    result = await asyncio.wait_for(h.run(), 5)
    assert result.status == "failed"
    first = result.failures[0]
    assert (first.step, first.kind, first.reason) == ("numbers", "input", "items_not_usable")
    assert says in first.message
    assert "`work`" in first.message + first.traceback
    assert (result.steps["work"].status, result.steps["work"].reason) == ("failed", "source_failed")


# A source that fails.


@pytest.mark.parametrize("critical", [True, False])
@pytest.mark.parametrize("first", [True, False])
async def test_a_source_that_fails_for_good_fails_its_map(play: Play, critical: bool, first: bool) -> None:
    """D5, api.md 2: before its first item, or after; though it is tolerated, its map has not all of its items."""
    pipe = Pipeline("broken", on_failure="finish")
    done = asyncio.Event()

    @pipe.step(critical=critical)
    async def numbers() -> AsyncIterator[int]:
        if not first:
            yield 1
            await done.wait()
        raise OSError("no more")

    @pipe.map(over=numbers)
    async def work(item: int) -> int:
        done.set()
        return item

    @pipe.step
    async def after(work: list[int]) -> int:
        return len(work)

    h = play(pipe)
    result = await h.run()
    assert result.status == "failed"
    failure = next(one for one in result.failures if one.path == "work")
    assert (failure.source, failure.reason) == ("dependency", "source_failed")
    assert "`numbers`" in failure.message
    assert (result.steps["numbers"].status, result.steps["after"].status) == (
        "failed" if critical else "tolerated", "pruned",
    )  # fmt: skip
    assert len(h.calls("work")) == (0 if first else 1)


async def test_a_map_that_is_not_critical_is_tolerated_with_its_source(play: Play) -> None:
    """E2: and the run goes on, degraded."""
    pipe = Pipeline("both-tolerated")

    @pipe.step(critical=False)
    async def numbers() -> AsyncIterator[int]:
        yield 1
        raise OSError("no more")

    @pipe.map(over=numbers, critical=False)
    async def work(item: int) -> int:
        return item

    @pipe.step
    async def after(work: list[int] = []) -> int:  # noqa: B006
        return len(work)

    result = await play(pipe).run()
    assert (result.status, result.output, result.steps["work"].status) == ("degraded", 0, "tolerated")


async def test_a_source_that_is_tried_again_gives_its_first_items_again_and_none_runs_twice(play: Play) -> None:
    """S7, E11: matched by place and digest, then it goes on."""
    pipe = Pipeline("retried")
    done = asyncio.Event()

    @pipe.step(retry=RetryPolicy(3, delay="5s", jitter=0))
    async def numbers(step: StepContext) -> AsyncIterator[int]:
        yield 0
        yield 1
        if step.attempt == 1:
            await done.wait()
            raise OSError("half way")
        yield 2

    @pipe.map(over=numbers, concurrency=1)
    async def work(item: int) -> int:
        if item == 1:
            done.set()
        return item * 10

    h = play(pipe)
    result = await h.run()
    assert (result.status, result.output) == ("completed", [0, 10, 20])
    assert [call.path for call in h.calls("work")] == ["work[0]", "work[1]", "work[2]"]
    assert "STEP_RETRYING numbers attempt=1 error:OSError in=5s" in told(h)


async def test_a_source_that_fails_before_its_first_item_may_be_tried_again(play: Play) -> None:
    """E9: the map just waits."""
    pipe = Pipeline("retried-at-once")

    @pipe.step(retry=2)
    async def numbers(step: StepContext) -> AsyncIterator[int]:
        if step.attempt == 1:
            raise OSError("not yet")
        yield 1

    @pipe.map(over=numbers)
    async def work(item: int) -> int:
        return item

    assert (await play(pipe).run()).output == [1]


async def test_a_source_that_gives_other_items_when_it_is_tried_again_blocks_the_run(play: Play) -> None:
    """S7: items of two attempts are never mixed."""
    pipe = Pipeline("unsteady")
    done = asyncio.Event()

    @pipe.step(retry=2)
    async def numbers(step: StepContext) -> AsyncIterator[int]:
        yield step.attempt
        await done.wait()
        if step.attempt == 1:
            raise OSError("half way")

    @pipe.map(over=numbers)
    async def work(item: int) -> int:
        done.set()
        return item

    h = play(pipe)
    result = await h.run()
    assert result.status == "blocked"
    assert h.kinds()[-1] == "RUN_BLOCKED"
    assert "item 0 is another one than the one that is recorded" in result.blocked_by
    assert [call.item for call in h.calls("work")] == [1]


# Control values of a source.


async def test_a_source_that_skips_prunes_its_map(play: Play) -> None:
    """B5: what depends on it alone."""
    pipe = Pipeline("skips")
    done = asyncio.Event()

    @pipe.step
    async def numbers() -> AsyncIterator[int | Skip]:
        yield 1
        await done.wait()
        yield Skip("boring")

    @pipe.map(over=numbers)
    async def work(item: int) -> int:
        done.set()
        return item

    @pipe.step
    async def after(work: list[int]) -> int:
        return len(work)

    h = play(pipe)
    result = await h.run()
    assert result.status == "completed"
    assert {name: one.status for name, one in result.steps.items()} == dict.fromkeys(
        ("numbers", "work", "after"), "pruned"
    )
    assert (result.steps["numbers"].reason, result.steps["work"].reason) == ("boring", "source_gave_nothing")


async def test_a_source_that_skips_at_once_prunes_its_map(play: Play) -> None:
    """B5: before any item."""
    pipe = Pipeline("skips-at-once")

    @pipe.step
    async def numbers() -> AsyncIterator[int | Skip]:
        yield Skip("boring")

    @pipe.map(over=numbers)
    async def work(item: int) -> int:
        return item

    h = play(pipe)
    result = await h.run()
    assert (result.status, result.output, result.steps["work"].status, h.calls("work")) == (
        "completed",
        None,
        "pruned",
        [],
    )


async def test_a_source_that_stops_ends_the_run(play: Play) -> None:
    """B2: its items that run finish; the map has no end of its own to tell."""
    pipe = Pipeline("stops")

    @pipe.step
    async def numbers() -> AsyncIterator[int | Stop[list[int]]]:
        yield 1
        yield Stop([7])

    @pipe.map(over=numbers)
    async def work(item: int) -> int:
        return item

    result = await play(pipe).run()
    assert (result.status, result.output) == ("stopped", [7])


async def test_a_source_gives_no_output_but_its_items(play: Play) -> None:
    """api.md 2: its output is the list, so `Output` or a returned value is a mistake that is told."""
    pipe = Pipeline("output", on_failure="finish")

    @pipe.step
    async def yields_it() -> AsyncIterator[int | Output[int]]:
        yield 1
        yield Output(2)

    @pipe.step
    def returns_it() -> Generator[int, None, int]:
        yield 1
        return 2

    @pipe.map(over=yields_it)
    async def one(item: int) -> int:
        return item

    @pipe.map(over=returns_it)
    async def two(item: int) -> int:
        return item

    result = await play(pipe).run()
    failed = {one.path: one.message for one in result.failures}
    assert set(failed) == {"yields_it", "returns_it", "one", "two"}
    assert "a map runs over what it yields" in failed["yields_it"]
    assert "a map runs over what it yields" in failed["returns_it"]


async def test_a_source_that_returns_retry_or_raises_is_tried_again_or_fails(play: Play) -> None:
    """B4, B6."""
    pipe = Pipeline("retry")

    @pipe.step
    async def numbers(step: StepContext) -> AsyncIterator[int | Retry]:
        yield 1
        if step.attempt == 1:
            yield Retry(after="3s")
        else:
            yield 2

    @pipe.map(over=numbers)
    async def work(item: int) -> int:
        return item

    h = play(pipe)
    assert (await h.run()).output == [1, 2]
    assert len(h.calls("work")) == 2
    other = Pipeline("raise")

    @other.step
    async def broken() -> AsyncIterator[int | Raise]:
        yield Raise(OSError("no"))

    @other.map(over=broken)
    async def each(item: int) -> int:
        return item

    result = await play(other).run()
    assert result.failures[0].type == "OSError"


async def test_an_item_that_cannot_be_recorded_fails_its_source(play: Play) -> None:
    """S21: kind codec, named."""
    pipe = Pipeline("codec")

    @pipe.step
    async def things() -> AsyncIterator[int]:
        yield 1
        yield "two"  # type: ignore[misc]

    @pipe.map(over=things)
    async def work(item: int) -> int:
        return item

    result = await play(pipe).run()
    failure = result.failures[0]
    assert (result.status, failure.step, failure.kind) == ("failed", "things", "codec")
    assert result.steps["work"].status == "failed"


# Items that fail or stop.


def endless(mode: str, **options: object) -> tuple[Pipeline, Callable[[], bool]]:
    """A source without an end; whether it was closed."""
    pipe = Pipeline("endless", **options)  # type: ignore[arg-type]
    closed = False

    def numbers() -> Iterator[int]:
        nonlocal closed
        number = 0
        try:
            while True:
                yield number
                number += 1
        finally:
            closed = True

    add_source(pipe, mode, numbers)
    return pipe, lambda: closed


@MODES
async def test_an_item_that_returns_stop_ends_an_endless_source(play: Play, mode: str) -> None:
    """B2: the run is `stopped` with the item's value, and its source ends, since nobody takes what it gives."""
    pipe, closed = endless(mode)

    @pipe.map(over="numbers", concurrency=1)
    async def find(item: int) -> int | Stop[str]:
        return Stop("found") if item == 5 else item

    h = play(pipe)
    result = await asyncio.wait_for(h.run(), 10)
    assert (result.status, result.output, closed()) == ("stopped", "found", True)
    assert len(h.calls("find")) == 6
    assert "STEP_CANCELLED numbers attempt=1 run_stopped" in told(h)
    assert "STEP_CANCELLED find attempt=1 run_stopped" in told(h)


@MODES
@pytest.mark.parametrize("policy", ["stop", "cancel", "finish"])
async def test_an_item_that_fails_ends_an_endless_source(play: Play, mode: str, policy: str) -> None:
    """D10, E1: whatever becomes of the other branches."""
    pipe, closed = endless(mode, on_failure=policy)

    @pipe.map(over="numbers", concurrency=1)
    async def work(item: int) -> int:
        if item == 5:
            raise ValueError("five")
        return item

    h = play(pipe)
    result = await asyncio.wait_for(h.run(), 10)
    assert (result.status, closed()) == ("failed", True)
    assert (result.steps["work"].status, result.steps["work"].reason) == ("failed", "items_failed")
    assert result.steps["numbers"].status == "cancelled"
    assert len(h.calls("work")) == 6


async def test_a_source_goes_on_for_the_other_map_where_one_has_failed(play: Play) -> None:
    """D10, E4: with on_failure="finish", the branches are independent."""
    pipe = Pipeline("one-fails", on_failure="finish")

    @pipe.step
    async def numbers() -> AsyncIterator[int]:
        for number in range(3):
            yield number
            await asyncio.sleep(0)

    @pipe.map(over=numbers, concurrency=1)
    async def bad(item: int) -> int:
        raise ValueError

    @pipe.map(over=numbers, concurrency=1)
    async def good(item: int) -> int:
        return item

    result = await play(pipe).run()
    assert (result.status, result.outputs) == ("failed", {"numbers": [0, 1, 2], "good": [0, 1, 2]})


async def test_a_map_over_a_generator_may_do_with_some_of_its_items(play: Play) -> None:
    """D10: `min_success` as a share is known at the end of the source only."""
    pipe = Pipeline("share")

    @pipe.step
    async def numbers() -> AsyncIterator[int]:
        for number in range(4):
            yield number
            await asyncio.sleep(0)

    @pipe.map(over=numbers, concurrency=1, min_success=0.75)
    async def work(item: int) -> int:
        if item == 1:
            raise ValueError
        return item

    result = await play(pipe).run()
    assert (result.status, result.output) == ("degraded", [0, 2, 3])


async def test_an_item_is_tried_again_by_itself_while_others_come(play: Play) -> None:
    """D11: its wait holds up neither the source nor the others."""
    pipe = Pipeline("retries")
    later = asyncio.Event()

    @pipe.step
    async def numbers() -> AsyncIterator[int]:
        yield 0
        await later.wait()
        yield 1

    @pipe.map(over=numbers, concurrency=1, retry=RetryPolicy(2, delay="4s", jitter=0))
    async def work(item: int, step: StepContext) -> int:
        if item == 0 and step.attempt == 1:
            later.set()
            raise OSError
        return item

    h = play(pipe)
    assert (await h.run()).output == [0, 1]
    ends = [one for one in told(h).splitlines() if one.startswith("ITEM_")]
    assert ends == [
        "ITEM_RETRYING work[0] attempt=1 error:OSError in=4s",
        "ITEM_COMPLETED work[1] attempt=1 -> 1",
        "ITEM_COMPLETED work[0] attempt=2 -> 0",
    ]


# In a loop.


async def test_a_jump_resets_a_source_and_its_map(play: Play) -> None:
    """B11, S7: new items in a new visit, of a source in a new visit."""
    pipe = Pipeline("loop")

    @pipe.step
    async def numbers(step: StepContext) -> AsyncIterator[int]:
        for number in range(2 if step.path == "numbers" else 1):
            yield number + (10 if "#" in step.path else 0)
            await asyncio.sleep(0)

    @pipe.map(over=numbers, concurrency=1)
    async def work(item: int) -> int:
        return item

    @pipe.step(goto=[numbers])
    async def judge(work: list[int]) -> list[int] | Goto:
        return work if work[0] == 10 else Goto("numbers")

    h = play(pipe)
    assert (await h.run()).output == [10]
    assert [call.path for call in h.calls("work")] == ["work[0]", "work[1]", "work[0]#2"]
    assert "STEP_RESET judge attempt=1 numbers,work,judge goto whole=work" in told(h)


async def test_a_jump_of_an_early_step_ends_a_source_that_still_yields(play: Play) -> None:
    """B11: what of the loop still runs is cancelled first, items and source."""
    pipe = Pipeline("early-jump")

    @pipe.step
    async def begin(step: StepContext) -> int:
        return int(step.path.partition("#")[2] or 1)

    @pipe.step
    async def numbers(begin: int) -> AsyncIterator[int]:
        number = 0
        while begin == 1 or number < 2:
            yield begin * 100 + number
            number += 1
            await asyncio.sleep(0)

    @pipe.map(over=numbers, concurrency=1)
    async def work(item: int) -> int:
        return item

    @pipe.step
    async def soon(begin: int) -> int:
        return begin

    @pipe.step(join="any", goto=[begin])
    async def judge(soon: int = 0, work: list[int] = []) -> int | Goto:  # noqa: B006
        return Goto("begin") if soon == 1 else soon

    h = play(pipe)
    result = await asyncio.wait_for(h.run(), 10)
    assert (result.status, result.outputs["work"]) == ("completed", [200, 201])
    assert "STEP_CANCELLED numbers attempt=1 goto" in told(h)
