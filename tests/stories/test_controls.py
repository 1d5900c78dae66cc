"""`Stop` and `Skip`: what ends early, with success."""

from __future__ import annotations

import asyncio

from stepwell import Pipeline, Skip, Stop

from .conftest import Play
from .telling import tale, told


async def test_stop_ends_the_run_with_success_and_says_what_had_not_run(play: Play) -> None:
    """B2: status `stopped`, its value is the run's output."""
    pipe = Pipeline("stops")

    @pipe.step
    async def check(n: int) -> int | Stop[str]:
        return Stop("nothing to do") if n == 0 else n

    @pipe.step
    async def work(check: int) -> int:
        return check * 2

    h = play(pipe)
    result = await h.run(n=0)
    assert (result.status, result.succeeded, result.output) == ("stopped", True, "nothing to do")
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED check attempt=1
        STEP_COMPLETED check attempt=1 -> 'nothing to do' stops
        RUN_FINISHED stopped not_run=work
    """)
    assert (await h.run(n=2)).output == 4


async def test_stop_lets_what_runs_finish_and_starts_nothing_new(play: Play) -> None:
    """B2: rule of `Stop`: no new attempt; what runs finishes and is recorded."""
    pipe = Pipeline("drains")
    stopped = asyncio.Event()
    running = asyncio.Event()

    @pipe.step
    async def stop() -> Stop[int]:
        await running.wait()
        stopped.set()
        return Stop(7)

    @pipe.step
    async def other() -> int:
        running.set()
        await stopped.wait()
        await asyncio.sleep(0)
        return 1

    @pipe.step
    async def after(other: int) -> int:
        return other

    h = play(pipe)
    result = await h.run()
    assert (result.status, result.output, result.outputs["other"]) == ("stopped", 7, 1)
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED stop attempt=1
        STEP_STARTED other attempt=1
        STEP_COMPLETED stop attempt=1 -> 7 stops
        STEP_COMPLETED other attempt=1 -> 1
        RUN_FINISHED stopped not_run=after
    """)


async def test_stop_without_a_value_stops_with_none(play: Play) -> None:
    """B2: `Stop()`."""
    pipe = Pipeline("bare")

    @pipe.step
    def check() -> int | Stop[None]:
        return Stop()

    result = await play(pipe).run()
    assert (result.status, result.output) == ("stopped", None)


async def test_stop_in_an_item_ends_the_run(play: Play) -> None:
    """B2: items that had not started do not, the map is closed, the item's value is the run's output."""
    pipe = Pipeline("item-stops")

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1, 2]

    @pipe.map(over=numbers, concurrency=1)
    async def find(item: int) -> int | Stop[int]:
        return Stop(item * 100) if item == 1 else item

    @pipe.step
    async def after(find: list[int]) -> int:
        return len(find)

    h = play(pipe)
    result = await h.run()
    assert (result.status, result.output) == ("stopped", 100)
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED numbers attempt=1
        STEP_COMPLETED numbers attempt=1 -> [0, 1, 2]
        STEP_STARTED find attempt=1
        MAP_EXPANDED find attempt=1 count=3
        ITEM_COMPLETED find[0] attempt=1 -> 0
        ITEM_COMPLETED find[1] attempt=1 -> 100 stops
        STEP_CANCELLED find attempt=1 run_stopped
        RUN_FINISHED stopped not_run=after
    """)
    assert [call.item for call in h.calls("find")] == [0, 1]


async def test_stop_in_the_last_item_also_stops_the_run(play: Play) -> None:
    """B2: the map is complete, and the run is stopped before what follows it."""
    pipe = Pipeline("last-item")

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1]

    @pipe.map(over=numbers, concurrency=1)
    async def find(item: int) -> int | Stop[int]:
        return Stop(item * 100) if item == 1 else item

    @pipe.step
    async def after(find: list[int]) -> int:
        return len(find)

    h = play(pipe)
    result = await h.run()
    assert (result.status, result.output, h.calls("after")) == ("stopped", 100, [])


async def test_a_failure_while_a_stop_drains_fails_the_run(play: Play) -> None:
    """E18: a critical failure counts more than a `Stop`."""
    pipe = Pipeline("both")
    stopped, running = asyncio.Event(), asyncio.Event()

    @pipe.step
    async def stop() -> Stop[int]:
        await running.wait()
        stopped.set()
        return Stop(7)

    @pipe.step
    async def other() -> int:
        running.set()
        await stopped.wait()
        await asyncio.sleep(0)
        raise ValueError

    result = await play(pipe).run()
    assert result.status == "failed"


async def test_a_run_that_was_stopped_is_a_success_and_resume_leaves_it(play: Play) -> None:
    """B2, F6: nothing runs again."""
    pipe = Pipeline("stays")

    @pipe.step
    async def check() -> Stop[str]:
        return Stop("done")

    @pipe.step
    async def work(check: str) -> str:
        return check

    h = play(pipe)
    await h.run()
    facts = len(h.events)
    result = await h.resume()
    assert (result.status, result.output, len(h.events), len(h.calls("check"))) == ("stopped", "done", facts, 1)


async def test_a_step_may_skip_in_every_item(play: Play) -> None:
    """B5: the list is empty, and the run is completed."""
    pipe = Pipeline("all-skip")

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1]

    @pipe.map(over=numbers)
    async def work(item: int) -> int | Skip:
        return Skip("no")

    result = await play(pipe).run()
    assert (result.status, result.output) == ("completed", [])
