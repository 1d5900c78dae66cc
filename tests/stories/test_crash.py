"""A process that dies: at every append, twice, while the run drains, again and again."""

from __future__ import annotations

import asyncio

import pytest

from stepwell import Pipeline, RetryPolicy, RunBlocked, RunNotFound, Stop
from stepwell.testing import Crashed

from .conftest import Play
from .everything import everything, executions


@pytest.mark.parametrize("durable", [True, False])
async def test_a_crash_at_any_append_changes_neither_the_output_nor_what_was_recorded(
    play: Play, durable: bool
) -> None:
    """F11, R3, S3, S4: at each append n in turn; each step executed at most once more than undisturbed."""
    h = play(everything())
    undisturbed = await h.run(n=4)
    expected, once = undisturbed.output, executions(h)
    assert undisturbed.status == "degraded"
    crashes = 0
    for append in range(1, 1000):
        h.crash_at(append, durable=durable)
        try:
            result = await h.run(n=4)
        except Crashed:
            crashes += 1
        else:
            break
        if append == 1 and not durable:
            with pytest.raises(RunNotFound):
                await h.resume()
            continue
        result = await h.resume()
        assert (result.output, result.status) == (expected, "degraded"), f"crash at append {append}"
        for path, count in executions(h).items():
            assert count <= once[path] + 1, f"{path} ran {count} times after a crash at append {append}"
    assert crashes > 10


@pytest.mark.parametrize("durable", [True, False])
async def test_a_second_crash_while_it_goes_on_changes_nothing_either(play: Play, durable: bool) -> None:
    """F11, R3: a crash at append n, then one at append m of the resume."""
    h = play(everything())
    expected, once = (await h.run(n=3)).output, executions(h)
    for first in range(2, 12, 3):
        for second in range(1, 8, 2):
            h.crash_at(first, durable=durable)
            with pytest.raises(Crashed):
                await h.run(n=3)
            h.crash_at(second, durable=durable)
            try:
                result = await h.resume()
            except Crashed:
                result = await h.resume()
            assert result.output == expected, f"crashes at {first} and {second}"
            assert all(count <= once[path] + 2 for path, count in executions(h).items())


async def test_a_crash_does_not_move_the_deadline_of_a_run(play: Play) -> None:
    """S9: deadlines are absolute and recorded."""
    pipe = Pipeline("deadline", run_timeout="1m")

    @pipe.step
    async def first() -> int:
        return 1

    @pipe.step
    async def waits(first: int) -> int:
        await asyncio.Event().wait()
        return 1

    h = play(pipe)
    h.crash_after("first")
    with pytest.raises(Crashed):
        await h.run()
    h.clock.advance("45s")
    before = h.clock.now()
    assert (await h.resume()).status == "timed_out"
    assert h.clock.now() == before + 15


async def test_a_run_whose_process_dies_again_and_again_is_blocked(play: Play) -> None:
    """S9: 10 recoveries without progress; then the resume says so, and the one after it tries again."""
    pipe = Pipeline("dies")

    @pipe.step
    async def first() -> int:
        return 1

    @pipe.step
    async def deadly(first: int) -> int:
        return first + 1

    h = play(pipe)
    h.crash_after("first")
    with pytest.raises(Crashed):
        await h.run()
    for _ in range(9):
        h.crash_at(1)
        with pytest.raises(Crashed):
            await h.resume()
    with pytest.raises(RunBlocked, match="10 times in a row"):
        await h.resume()
    assert h.kinds()[-1] == "RUN_BLOCKED"
    assert (await h.app.get(h.run_id)).status == "blocked"
    assert len(h.calls("deadly")) <= 10
    assert (await h.resume()).output == 2


async def test_progress_starts_the_count_of_deaths_anew(play: Play) -> None:
    """S9: an item that ends is progress."""
    pipe = Pipeline("slowly")

    @pipe.step
    async def numbers() -> list[int]:
        return list(range(15))

    @pipe.map(over=numbers, concurrency=1)
    async def work(item: int) -> int:
        return item

    h = play(pipe)
    h.crash_after("work[0]")
    with pytest.raises(Crashed):
        await h.run()
    for item in range(1, 14):
        h.crash_after(f"work[{item}]")
        with pytest.raises(Crashed):
            await h.resume()
    assert (await h.resume()).output == list(range(15))
    assert len(h.calls("work")) == 15


def draining() -> tuple[Pipeline, asyncio.Event]:
    """One step that says `Stop` while another one runs, and one that must not run any more."""
    pipe = Pipeline("draining")
    free = asyncio.Event()
    running = asyncio.Event()

    @pipe.step
    async def stop() -> Stop[int]:
        await running.wait()
        return Stop(7)

    @pipe.step
    async def other() -> int:
        running.set()
        await free.wait()
        return 1

    @pipe.step
    async def after_stop(stop: int) -> int:
        return stop

    @pipe.step
    async def after(other: int) -> int:
        return other

    return pipe, free


async def test_a_stop_that_is_recorded_holds_after_a_crash(play: Play) -> None:
    """B2, S3: `Stop` ends the run; a process that dies while the others finish does not take it back."""
    pipe, free = draining()
    h = play(pipe)
    h.crash_after("stop")
    with pytest.raises(Crashed):
        await h.run()
    free.set()
    result = await h.resume()
    assert (h.calls("after_stop"), h.calls("after")) == ([], [])
    assert (result.status, result.output) == ("stopped", 7)


async def test_a_stop_of_an_item_that_is_recorded_holds_after_a_crash(play: Play) -> None:
    """B2, S3: the same in a map."""
    pipe = Pipeline("item-stop")
    free, running = asyncio.Event(), asyncio.Event()

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1, 2, 3]

    @pipe.map(over=numbers, concurrency=2)
    async def find(item: int) -> int | Stop[int]:
        if item == 0:
            running.set()
            await free.wait()
            return 0
        await running.wait()
        return Stop(100)

    @pipe.step
    async def after(find: list[int]) -> int:
        return len(find)

    h = play(pipe)
    h.crash_after("find[1]")
    with pytest.raises(Crashed):
        await h.run()
    free.set()
    result = await h.resume()
    assert (result.status, result.output, h.calls("after")) == ("stopped", 100, [])
    assert {call.item for call in h.calls("find")} == {0, 1}


@pytest.mark.parametrize("policy", ["stop", "cancel", "finish"])
async def test_a_crash_at_any_append_of_a_run_that_fails_ends_as_it_does_undisturbed(play: Play, policy: str) -> None:
    """F11, E1, R3: failing is durable too."""
    pipe = Pipeline("fails")

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1, 2]

    @pipe.map(over=numbers, concurrency=2)
    async def work(item: int) -> int:
        if item == 1:
            raise ValueError
        return item

    @pipe.step(retry=RetryPolicy(2, jitter=0))
    async def side() -> int:
        raise OSError

    @pipe.step
    async def both(work: list[int], side: int) -> int:
        return side

    h = play(pipe)
    expected = {name: one.status for name, one in (await h.run(on_failure=policy)).steps.items()}
    for append in range(1, 100):
        h.crash_at(append)
        try:
            await h.run(on_failure=policy)
        except Crashed:
            result = await h.resume()
        else:
            break
        assert result.status == "failed", f"crash at append {append}"
        if policy == "finish":
            assert {name: one.status for name, one in result.steps.items()} == expected
        assert h.calls("both") == []


async def test_a_large_output_survives_a_crash(play: Play) -> None:
    """S5, S21: payloads that lie outside the journal."""
    pipe = Pipeline("large")

    @pipe.step
    async def big() -> list[str]:
        return [f"{number:>100}" for number in range(2000)]

    @pipe.step
    async def size(big: list[str]) -> int:
        return sum(map(len, big))

    h = play(pipe)
    h.crash_after("big")
    with pytest.raises(Crashed):
        await h.run()
    assert (await h.resume()).output == 200_000
    assert len(h.calls("big")) == 1
