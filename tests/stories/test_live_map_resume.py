"""Maps over a generator that go on: after a crash at every append, after a failure, with a source that has changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence

import pytest

from stepwell import CancelToken, Goto, Pipeline, RetryPolicy, StepContext
from stepwell.testing import Crashed, Harness

from .conftest import Play
from .crashing import executions, resumed_everywhere
from .telling import tale, told
from .test_live_maps import add_source
from .test_streams import MODES

KEYED = pytest.mark.parametrize("key", [None, lambda item: f"k{item}"], ids=["by place", "by key"])
Key = Callable[[object], object] | None


class Source:
    """What a source yields, which may change from one process to the next."""

    def __init__(self, items: Sequence[int]) -> None:
        self.items = items

    def __call__(self) -> Iterator[int]:
        yield from self.items


def live(items: Sequence[int], mode: str = "async", key: Key = None, **options: object) -> tuple[Pipeline, Source]:
    """A source, a map that takes its items as they come, and the sum."""
    pipe = Pipeline("live")
    source = Source(items)
    add_source(pipe, mode, source)

    @pipe.map(over="numbers", concurrency=1, key=key, **options)  # type: ignore[arg-type]
    async def work(item: int) -> int:
        return item * 10

    @pipe.step
    async def total(work: list[int]) -> int:
        return sum(work)

    return pipe, source


@pytest.mark.parametrize("durable", [True, False])
@KEYED
@MODES
async def test_a_crash_at_any_append_of_a_live_map_changes_nothing(
    play: Play, mode: str, key: Key, durable: bool
) -> None:
    """D5, F11, S3, S4, S7: equal to the undisturbed run; each item is executed at most once more."""
    pipe, _ = live(range(4), mode, key)
    h = play(pipe)
    result = await h.run()
    expected = result.outputs
    items = list(result.steps["work"].items)
    async for append, again in resumed_everywhere(h, durable=durable):
        assert (again.status, again.outputs) == ("completed", expected), f"crash at append {append}"
        assert list(again.steps["work"].items) == items
        assert max(executions(h).values()) <= 2, f"crash at append {append}"
        completed = [one for one in h.kinds(paths=True) if one.startswith("ITEM_COMPLETED")]
        assert len(completed) == len(set(completed)) == 4


@pytest.mark.parametrize("durable", [True, False])
async def test_a_second_crash_while_a_source_yields_again_changes_nothing_either(play: Play, durable: bool) -> None:
    """S7, F11: also a third one."""
    pipe, _ = live(range(3))
    h = play(pipe)
    expected = (await h.run()).output
    for first in range(3, 9):
        h.crash_at(first, durable=durable)
        with pytest.raises(Crashed):
            await h.run()
        for again in (2, 3, 4):
            h.crash_at(again, durable=durable)
            try:
                await h.resume()
            except Crashed:
                continue
            break
        result = await h.resume()
        assert (result.status, result.output) == ("completed", expected), f"first crash at append {first}"


@pytest.mark.parametrize("durable", [True, False])
async def test_a_crash_at_any_append_with_two_maps_and_a_retry_changes_nothing(play: Play, durable: bool) -> None:
    """S7, S9: one map by key with an item that is tried again, one by place that may lose an item."""
    pipe = Pipeline("two")

    @pipe.step
    async def numbers() -> AsyncIterator[int]:
        for number in range(3):
            yield number
            await asyncio.sleep(0)

    @pipe.map(over=numbers, key=str, retry=RetryPolicy(3, delay="2s", jitter=0))
    async def keyed(item: int, step: StepContext) -> int:
        if item == 1 and step.attempt == 1:
            raise OSError
        return item

    @pipe.map(over=numbers, concurrency=1, min_success=0.5)
    async def placed(item: int) -> int:
        if item == 2:
            raise ValueError
        return -item

    @pipe.step
    async def both(keyed: list[int], placed: list[int]) -> list[int]:
        return keyed + placed

    h = play(pipe)
    result = await h.run()
    assert (result.status, result.output) == ("degraded", [0, 1, 2, 0, -1])
    async for append, again in resumed_everywhere(h, durable=durable):
        assert (again.status, again.output) == ("degraded", [0, 1, 2, 0, -1]), f"crash at append {append}"


async def test_a_source_whose_process_died_yields_again_and_recorded_items_do_not_run_again(play: Play) -> None:
    """S7: the source is not recorded as complete, its first items are; the story of one resume."""
    pipe = Pipeline("story")
    done = [asyncio.Event() for _ in range(3)]

    @pipe.step
    async def numbers() -> AsyncIterator[int]:
        for number in range(3):
            yield number
            await done[number].wait()

    @pipe.map(over=numbers)
    async def work(item: int) -> int:
        done[item].set()
        return item * 10

    h = play(pipe)
    h.crash_after("work[1]")
    with pytest.raises(Crashed):
        await h.run()
    facts = len(h.events)
    assert (await h.resume()).output == [0, 10, 20]
    assert [call.path for call in h.calls("work")] == ["work[0]", "work[1]", "work[2]"]
    assert told(h, after=facts) == tale("""
        RUN_RESUMED recovered
        STEP_STARTED numbers attempt=2
        STEP_STARTED work attempt=2
        MAP_EXPANDED work attempt=2 count=1 more
        ITEM_COMPLETED work[2] attempt=1 -> 20
        MAP_EXPANDED work attempt=2 count=0
        STEP_COMPLETED numbers attempt=2 -> [0, 1, 2]
        STEP_COMPLETED work attempt=2
        RUN_FINISHED completed
    """)


class Held:
    """A source that waits after its third item until it is let go on; of one map, by key or by place."""

    def __init__(self, mode: str = "async", key: Key = None) -> None:
        self.items: Sequence[int] = [1, 2, 3, 4]
        self.free = False
        self.pipe = Pipeline("held")
        self.second = "work[1]" if key is None else "work[k2]"
        given, loop = asyncio.Event(), asyncio.get_running_loop()

        async def on_loop() -> AsyncIterator[int]:
            for place, number in enumerate(self.items):
                if place == 3:
                    given.set()
                if place == 3 and not self.free:
                    await asyncio.Event().wait()
                yield number

        def in_thread(token: CancelToken) -> Iterator[int]:
            for place, number in enumerate(self.items):
                if place == 3:
                    loop.call_soon_threadsafe(given.set)
                if place == 3 and not self.free:
                    token.wait(10)
                    token.check()
                yield number

        self.pipe.step(name="numbers")(on_loop if mode == "async" else in_thread)

        @self.pipe.map(over="numbers", concurrency=1, key=key)
        async def work(item: int) -> int:
            if item == 2:
                await given.wait()
            return item * 10

        @self.pipe.step
        async def total(work: list[int]) -> int:
            return sum(work)

    async def killed(self, h: Harness) -> None:
        """Die when three items are recorded and two have their ends; then the source would go on."""
        h.crash_after(self.second)
        with pytest.raises(Crashed):
            await h.run()
        assert [call.item for call in h.calls("work")] == [1, 2]
        self.free = True


CHANGED = pytest.mark.parametrize(
    ("then", "says", "says_by_key"),
    [
        ([9, 2, 3, 4], "item 0 is another one than the one that is recorded", "the item 'k1' is recorded"),
        ([1, 2, 9, 4], "item 2 is another one than the one that is recorded", "the item 'k3' is recorded"),
        ([1], "it gave 1 items, and 3 are recorded", "the item 'k2' is recorded and did not come"),
        ([], "it gave 0 items, and 3 are recorded", "3 are recorded"),
    ],
    ids=["first", "not begun", "fewer", "none"],
)


@KEYED
@pytest.mark.parametrize("mode", ["async", "thread"])
@CHANGED
async def test_a_source_that_has_changed_blocks_the_resume_and_nothing_is_mixed(
    play: Play, key: Key, mode: str, then: list[int], says: str, says_by_key: str
) -> None:
    """S7, S8: blocked with a reason and the way out; put back, it completes, with no item done twice."""
    source = Held(mode, key)
    h = play(source.pipe)
    await source.killed(h)
    source.items = then
    result = await asyncio.wait_for(h.resume(), 5)
    assert result.status == "blocked"
    last = h.events[-1]
    assert (last.kind, getattr(last, "reason", "")) == ("RUN_BLOCKED", "source_changed")
    for words in (says if key is None else says_by_key, "`numbers`", "`work`", "resume"):
        assert words in result.blocked_by
    assert 9 not in [call.item for call in h.calls("work")]
    assert (await h.app.get(h.run_id)).status == "blocked"
    source.items = [1, 2, 3, 4]
    result = await asyncio.wait_for(h.resume(), 5)
    assert (result.status, result.output) == ("completed", 100)
    items = [call.item for call in h.calls("work")]
    assert [items.count(item) for item in (1, 2, 4)] == [1, 1, 1]


async def test_items_that_come_again_in_another_order_are_known_by_their_keys(play: Play) -> None:
    """S7: matched by key; the results stay in the order that is recorded."""
    source = Held(key=lambda item: f"k{item}")
    h = play(source.pipe)
    await source.killed(h)
    source.items = [4, 3, 2, 1]
    result = await asyncio.wait_for(h.resume(), 5)
    assert (result.status, result.outputs["work"]) == ("completed", [10, 20, 30, 40])
    assert [call.item for call in h.calls("work")] == [1, 2, 3, 4]


async def test_items_that_come_again_in_another_order_without_keys_block_the_resume(play: Play) -> None:
    """S7: a place is all that they are known by."""
    source = Held()
    h = play(source.pipe)
    await source.killed(h)
    source.items = [2, 1, 3, 4]
    assert (await asyncio.wait_for(h.resume(), 5)).status == "blocked"


@pytest.mark.parametrize("count", [50, 5000])
async def test_a_source_of_keys_that_are_all_new_is_blocked_however_many_they_are(play: Play, count: int) -> None:
    """S7, S8, D15: nobody waits for what does not come, and none of the new ones is kept: put back, it completes."""
    source = Held(key=lambda item: f"k{item}")
    h = play(source.pipe)
    await source.killed(h)
    source.items = range(100, 100 + count)
    assert (await asyncio.wait_for(h.resume(), 5)).status == "blocked"
    source.items = [1, 2, 3, 4]
    result = await asyncio.wait_for(h.resume(), 5)
    assert (result.status, result.output) == ("completed", 100)


@KEYED
async def test_a_source_that_changed_and_stays_so_is_blocked_again(play: Play, key: Key) -> None:
    """S8: whoever resumes has decided nothing yet; nothing is mixed the second time either."""
    source = Held(key=key)
    h = play(source.pipe)
    await source.killed(h)
    source.items = [1, 9, 3, 4]
    for _ in range(3):
        assert (await asyncio.wait_for(h.resume(), 5)).status == "blocked"
    source.items = [1, 2, 3, 4]
    assert (await h.resume()).output == 100


@KEYED
async def test_a_source_that_gives_more_than_before_just_goes_on(play: Play, key: Key) -> None:
    """S7: it had not come to its end, so what is new is new."""
    source = Held(key=key)
    h = play(source.pipe)
    await source.killed(h)
    source.items = [1, 2, 3, 4, 5]
    result = await h.resume()
    assert (result.status, result.output) == ("completed", 150)


async def test_a_source_that_is_complete_does_not_yield_again(play: Play) -> None:
    """S3: its list is recorded with its end."""
    pipe, source = live([1, 2, 3, 4])
    h = play(pipe)
    h.crash_after("numbers")
    with pytest.raises(Crashed):
        await h.run()
    source.items = [7]
    assert (await h.resume()).output == 100
    assert len(h.calls("numbers")) == 1


@KEYED
async def test_an_item_that_failed_runs_again_and_the_others_stay(play: Play, key: Key) -> None:
    """D10, F6: the source was told to end, so it yields again; what is recorded is matched."""
    source = Held(key=key)
    h = play(source.pipe)
    h.mock("work", side_effect=[10, OSError("once"), 30, 40])
    assert (await asyncio.wait_for(h.run(), 5)).status == "failed"
    h.unmock()
    source.free = True
    result = await h.resume()
    assert (result.status, result.output) == ("completed", 100)
    items = [call.item for call in h.calls("work")]
    assert (items.count(1), items.count(2)) == (1, 2)


@KEYED
async def test_an_item_that_failed_and_a_source_that_has_changed_block_the_resume(play: Play, key: Key) -> None:
    """S7: after an end of the run as after a crash."""
    source = Held(key=key)
    h = play(source.pipe)
    h.mock("work", side_effect=[10, OSError("once")])
    assert (await asyncio.wait_for(h.run(), 5)).status == "failed"
    h.unmock()
    source.free, source.items = True, [5, 2, 3, 4]
    assert (await asyncio.wait_for(h.resume(), 5)).status == "blocked"
    source.items = [1, 2, 3, 4]
    result = await asyncio.wait_for(h.resume(), 5)
    assert (result.status, result.output) == ("completed", 100)


async def test_a_source_that_failed_for_good_is_mended_with_its_map(play: Play) -> None:
    """F6, S7: it goes on where the items that are recorded end."""
    pipe = Pipeline("mended")
    broken, done = True, asyncio.Event()

    @pipe.step
    async def numbers() -> AsyncIterator[int]:
        yield 1
        yield 2
        if broken:
            await done.wait()
            raise OSError("no more")
        yield 3

    @pipe.map(over=numbers, concurrency=1)
    async def work(item: int) -> int:
        if item == 2:
            done.set()
        return item * 10

    @pipe.step
    async def total(work: list[int]) -> int:
        return sum(work)

    h = play(pipe)
    assert (await h.run()).status == "failed"
    broken = False
    result = await h.resume()
    assert (result.status, result.output, result.failures) == ("completed", 60, ())
    assert [call.item for call in h.calls("work")] == [1, 2, 3]


@KEYED
async def test_a_source_that_completed_while_its_map_failed_gives_all_items_on_the_resume(play: Play, key: Key) -> None:
    """S7, D10: with another follower, so that it came to its end; no item after the recorded ones is lost."""
    pipe = Pipeline("completed-meanwhile", on_failure="finish")
    failed = asyncio.Event()

    @pipe.step
    async def numbers() -> AsyncIterator[int]:
        for number in range(1, 4):
            yield number
        await failed.wait()
        for _ in range(20):
            await asyncio.sleep(0)
        yield 4
        yield 5

    @pipe.map(over=numbers, concurrency=1, key=key)
    async def work(item: int) -> int:
        if item == 1 and not failed.is_set():
            failed.set()
            raise OSError("once")
        return item

    @pipe.step
    async def count(numbers: list[int]) -> int:
        return len(numbers)

    h = play(pipe)
    result = await h.run()
    assert (result.status, result.outputs) == ("failed", {"numbers": [1, 2, 3, 4, 5], "count": 5})
    result = await asyncio.wait_for(h.resume(), 5)
    assert (result.status, result.outputs["work"]) == ("completed", [1, 2, 3, 4, 5])
    assert len(h.calls("numbers")) == 1


@pytest.mark.parametrize("durable", [True, False])
async def test_a_crash_at_any_append_of_a_loop_with_a_source_changes_nothing(play: Play, durable: bool) -> None:
    """B11, S7, F11: source and map in two visits."""
    pipe = Pipeline("loop")

    @pipe.step
    async def numbers(step: StepContext) -> AsyncIterator[int]:
        for number in range(2):
            yield number + (10 if "#" in step.path else 0)
            await asyncio.sleep(0)

    @pipe.map(over=numbers, concurrency=1, key=str)
    async def work(item: int) -> int:
        return item

    @pipe.step(goto=[numbers])
    async def judge(work: list[int]) -> list[int] | Goto:
        return work if work[0] == 10 else Goto("numbers")

    h = play(pipe)
    assert (await h.run()).output == [10, 11]
    async for append, again in resumed_everywhere(h, durable=durable):
        assert (again.status, again.output) == ("completed", [10, 11]), f"crash at append {append}"
        assert max(executions(h).values()) <= 2


async def test_a_jump_to_a_map_alone_takes_the_list_of_its_source(play: Play) -> None:
    """B11, S7: the source has ended; the items of the new visit are all of them, once each."""
    pipe = Pipeline("map-alone")

    @pipe.step
    async def numbers() -> AsyncIterator[int]:
        for number in range(3):
            yield number
            await asyncio.sleep(0)

    @pipe.map(over=numbers, concurrency=1)
    async def work(item: int, step: StepContext) -> str:
        return f"{item}{step.path}"

    @pipe.step(goto=[work])
    async def judge(work: list[str], step: StepContext) -> list[str] | Goto:
        return work if "#" in step.path else Goto("work")

    h = play(pipe)
    result = await asyncio.wait_for(h.run(), 5)
    assert (result.status, result.output) == ("completed", ["0work[0]#2", "1work[1]#2", "2work[2]#2"])
    assert len(h.calls("numbers")) == 1


async def test_a_jump_to_a_map_whose_source_still_yields_gives_it_all_items(play: Play) -> None:
    """B11, S7: the judge jumps early (an any-join), the source goes on; the new visit has every item, in order."""
    pipe = Pipeline("map-early")
    jumped = asyncio.Event()

    @pipe.step
    async def numbers() -> AsyncIterator[int]:
        yield 0
        yield 1
        await jumped.wait()
        yield 2

    @pipe.step
    async def soon() -> int:
        return 1

    @pipe.map(over=numbers, concurrency=1)
    async def work(item: int, step: StepContext) -> str:
        if "#" in step.path:
            jumped.set()
        return f"{item}{step.path}"

    @pipe.step(join="any", after=["soon"], goto=[work])
    async def judge(step: StepContext, work: list[str] = []) -> int | Goto:  # noqa: B006
        return 1 if "#" in step.path else Goto("work")

    h = play(pipe)
    result = await asyncio.wait_for(h.run(), 5)
    assert (result.status, result.outputs["work"]) == ("completed", ["0work[0]#2", "1work[1]#2", "2work[2]#2"])
