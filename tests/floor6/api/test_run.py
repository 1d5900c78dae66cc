"""A run as its caller holds it: cancels that are not heeded, keys asked for at once, runs of another process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from stepwell import App, KeyConflict, Pipeline, RetryPolicy, Run, RunResult, StepContext


async def result_of(run: Run) -> RunResult:
    return await run


def sums() -> Pipeline:
    pipe = Pipeline("sums")

    @pipe.step
    async def add(a: int, b: int = 1) -> int:
        await asyncio.sleep(0)
        return a + b

    return pipe


@pytest.mark.parametrize("on_disk", [False, True])
async def test_one_key_asked_for_twice_at_once_is_one_run(tmp_path: Path, on_disk: bool) -> None:
    """S15: a live one is attached to, also one that has only just been asked for."""
    async with App(tmp_path / "runs.db" if on_disk else None) as app:
        first, second = app.run(sums(), a=1, key="k"), app.run(sums(), a=1, key="k")
        results = await asyncio.gather(result_of(first), result_of(second))
        assert [result.output for result in results] == [2, 2]
        assert results[0].run_id == results[1].run_id
        assert len(await app.runs()) == 1


async def test_one_key_with_other_inputs_is_refused_also_before_it_ran() -> None:
    """S15: same key and other inputs are an error."""
    async with App() as app:
        first = app.run(sums(), a=1, key="k")
        with pytest.raises(KeyConflict, match="other inputs"):
            app.run(sums(), a=2, key="k")
        assert (await first).output == 2


async def test_a_run_that_has_succeeded_is_looked_at_by_its_key_without_an_app(tmp_path: Path) -> None:
    """S15: the same call again gives the record, and its facts can be iterated."""
    pipe, store = sums(), tmp_path / "runs.db"
    first = await pipe.run(store=store, key="k", a=1)
    again = pipe.run(store=store, key="k", a=1)
    kinds = [event.kind.value async for event in again]
    assert kinds == ["RUN_STARTED", "STEP_STARTED", "STEP_COMPLETED", "RUN_FINISHED"]
    assert (await pipe.run(store=store, key="k", a=1)).run_id == first.run_id


async def test_a_run_of_another_app_is_followed_to_its_end(tmp_path: Path) -> None:
    """S15, S17: no fact is lost and none comes twice, for whoever attaches to it."""
    pipe, store, go = Pipeline("slow"), tmp_path / "runs.db", asyncio.Event()

    @pipe.step(version="1")
    async def wait() -> int:
        await go.wait()
        return 1

    async with App(store) as owner, App(store) as other:
        owned = owner.run(pipe, key="k")
        async for _ in owned:
            break  # it has begun, and goes on
        heard: list[str] = []
        async for event in other.run(pipe, key="k"):
            heard.append(event.kind.value)
            if event.kind == "STEP_STARTED":
                go.set()
        assert heard == ["RUN_STARTED", "STEP_STARTED", "STEP_COMPLETED", "RUN_FINISHED"]
        assert (await owned).output == 1


async def test_a_cancel_that_a_step_swallowed_does_not_hit_the_next_attempt() -> None:
    """S9: the attempt timed out and returned all the same; what is awaited after that is not cancelled."""
    pipe = Pipeline("swallows")
    gone = asyncio.get_running_loop().create_future()
    gone.cancel()

    @pipe.step(timeout="10ms", retry=RetryPolicy(2, delay=0, jitter=0))
    async def stubborn(step: StepContext) -> int:
        if step.attempt == 1:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return 1
        return 2

    @pipe.step(critical=False)
    async def awaits_what_is_cancelled(stubborn: int) -> int:
        return stubborn + await gone

    @pipe.step(after=awaits_what_is_cancelled)
    async def last(stubborn: int) -> int:
        await asyncio.sleep(0)
        return stubborn

    result = await pipe.run()
    assert (result.status, result.outputs) == ("degraded", {"stubborn": 2, "last": 2})
    assert result.failures[0].kind == "cancelled"


async def test_a_step_may_cancel_its_own_run() -> None:
    """S10: a result that was there stands, and the run ends."""
    pipe = Pipeline("own")
    runs: list[Run] = []

    @pipe.step
    async def ends() -> int:
        runs[0].request_cancel("enough")
        return 1

    @pipe.step
    async def beside() -> int:
        return 2

    @pipe.step
    async def after(ends: int) -> int:
        return ends

    runs.append(pipe.run())
    result = await asyncio.wait_for(result_of(runs[0]), 10)
    assert result.status == "cancelled"
    assert "after" not in result.outputs


@pytest.mark.parametrize("where", ["when", "key"])
async def test_whatever_a_guard_or_a_key_raises_fails_its_step(where: str) -> None:
    """E8: also what is no Exception."""
    pipe = Pipeline("raises")

    def stop(numbers: list[int] | int) -> bool:
        raise BaseException("stop")

    @pipe.step
    async def numbers() -> list[int]:
        return [1]

    if where == "when":

        @pipe.step(when=stop)
        async def guarded(numbers: list[int]) -> int:
            return 1
    else:

        @pipe.map(over=numbers, key=stop)
        async def keyed(item: int) -> int:
            return item

    result = await asyncio.wait_for(result_of(pipe.run()), 10)
    assert (result.status, result.failures[0].message) == ("failed", "stop")


async def test_a_map_runs_over_the_items_that_there_were() -> None:
    """S7: in memory another step may change the list; it changes no map that has begun."""
    pipe, begun = Pipeline("shared"), asyncio.Event()

    @pipe.step
    async def numbers() -> list[int]:
        return [0, 1, 2, 3]

    @pipe.map(over=numbers, concurrency=1)
    async def work(item: int) -> int:
        begun.set()
        await asyncio.sleep(0)
        return item

    @pipe.step
    async def spoils(numbers: list[int]) -> int:
        await begun.wait()
        numbers.reverse()
        return len(numbers)

    assert (await pipe.run()).outputs["work"] == [0, 1, 2, 3]


async def test_a_cancel_that_meets_news_of_a_watched_run_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E16: `asyncio.wait_for` of Python 3.11 forgets a cancel that comes in the same turn as what it waits for."""
    pipe, go = Pipeline("slow"), asyncio.Event()

    @pipe.step(version="1")
    async def wait() -> int:
        await go.wait()
        return 1

    async with App(tmp_path / "runs.db") as owner, App(tmp_path / "runs.db") as other:
        owned = owner.run(pipe, key="k")
        async for _ in owned:
            break  # it has begun, and goes on
        told: list[Callable[[], None]] = []
        follow = other.store.follow

        def hear(run_id: str, call: Callable[[], None]) -> Callable[[], None]:
            told.append(call)
            return follow(run_id, call)

        monkeypatch.setattr(other.store, "follow", hear)
        watcher = asyncio.ensure_future(result_of(other.run(pipe, key="k")))
        for _ in range(5):
            await asyncio.sleep(0)
        told[-1]()
        await asyncio.sleep(0)
        watcher.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(asyncio.shield(watcher), 5)
        go.set()
        assert (await owned).output == 1
