"""The harness: mocks as an overlay, calls, facts, planned crashes; and nothing left behind (R1-R3)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from unittest.mock import AsyncMock, Mock

import pytest

from stepwell import DefinitionError, Pipeline, Retry, Skip, StepContext, StepwellError, StoreError
from stepwell.testing import Call, Crashed, Harness


def words() -> Pipeline:
    """A list, a map over it, and a sum."""
    pipe = Pipeline("words")

    @pipe.step
    def fetch(url: str, *, limit: int = 3) -> list[str]:
        return [url] * limit

    @pipe.map(over=fetch, concurrency=1, retry=2)
    async def measure(word: str, fetch: list[str]) -> int:
        return len(word) * len(fetch)

    @pipe.step
    def total(measure: list[int]) -> int:
        return sum(measure)

    return pipe


async def test_real_steps_are_called_and_their_calls_are_kept() -> None:
    with Harness(words()) as h:
        assert (await h.run(url="ab")).output == 18
        assert h.calls("fetch") == [Call("fetch", "fetch", 1, {"url": "ab", "limit": 3})]
        assert [call.args for call in h.calls("measure")] == [{"word": "ab", "fetch": ["ab"] * 3}] * 3
        assert [(call.item, call.key, call.path) for call in h.calls("measure")][2] == ("ab", "2", "measure[2]")


async def test_a_mock_returns_raises_or_does_what_it_is_told() -> None:
    with Harness(words()) as h:
        h.mock("fetch", returns=["x", "yy"])
        assert (await h.run(url="")).outputs["measure"] == [2, 4]
        h.mock("fetch", raises=OSError("down"))
        assert (await h.run(url="")).failures[0].message == "down"
        h.mock("fetch", raises=OSError)
        assert (await h.run(url="")).failures[0].type == "OSError"
        h.mock("fetch", side_effect=lambda limit: ["z"] * limit)
        assert (await h.run(url="")).outputs["measure"] == [3, 3, 3]
        h.mock("fetch")
        assert (await h.run(url="")).failures[0].kind == "codec"


async def test_a_list_of_side_effects_is_taken_one_per_call() -> None:
    with Harness(words()) as h:
        h.mock("fetch", returns=["a", "b", "c"])
        h.mock("measure", side_effect=[1, OSError(), Retry(), lambda word: len(word), _async_two])
        assert (await h.run(url="")).outputs["measure"] == [1, 1, 2]
        assert [call.key for call in h.calls("measure")] == ["0", "1", "2", "1", "2"]
        h.mock("measure", side_effect=[1, Skip(), 9])
        assert (await h.run(url="")).outputs["measure"] == [1, 9]


async def _async_two(word: str) -> int:
    await asyncio.sleep(0)
    return 2


async def test_a_list_that_is_used_up_says_so() -> None:
    with Harness(words()) as h:
        h.mock("fetch", side_effect=[])
        assert "0 side effects" in (await h.run(url="")).failures[0].message


@pytest.mark.parametrize(
    "effect", [lambda: ["q"], lambda **all: [all["url"]], lambda *all: [all[0]], lambda u, n: [u], _async_two]
)
async def test_a_side_effect_receives_what_it_asks_for(effect: object) -> None:
    with Harness(words()) as h:
        if effect is _async_two:
            h.mock("measure", side_effect=effect)
            assert (await h.run(url="q", limit=1)).output == 2
        else:
            h.mock("fetch", side_effect=effect)
            assert (await h.run(url="q")).output == 1


async def test_mocks_of_the_standard_library_work_as_side_effects() -> None:
    with Harness(words()) as h:
        fetch, measure = Mock(return_value=["x"]), AsyncMock(return_value=5)
        h.mock("fetch", side_effect=fetch)
        h.mock("measure", side_effect=measure)
        assert (await h.run(url="u")).output == 5
        fetch.assert_called_once_with(url="u", limit=3)
        measure.assert_awaited_once_with(word="x", fetch=["x"])


async def test_retries_and_timeouts_apply_to_mocks() -> None:
    pipe = Pipeline("policies")

    @pipe.step(retry=2, timeout="5s")
    def work(ctx: StepContext) -> int:
        return 1

    with Harness(pipe) as h:
        h.mock(work, side_effect=[_never, 2])
        assert (await h.run()).output == 2
        assert [call.attempt for call in h.calls(work)] == [1, 2]
        assert h.kinds(paths=True)[2] == "STEP_RETRYING work"


async def _never() -> None:
    await asyncio.Event().wait()


async def test_a_side_effect_that_gives_a_coroutine_to_a_thread_is_told_what_to_do() -> None:
    with Harness(words()) as h:
        h.mock("fetch", side_effect=lambda: _async_two("x"))
        assert "make the mock an async function" in (await h.run(url="x")).failures[0].message


async def test_the_pipeline_itself_is_never_changed() -> None:
    pipe = words()
    plan = pipe.compile()
    functions = [step.function for step in plan.steps]
    with Harness(pipe) as h:
        h.mock("fetch", returns=[])
        await h.run(url="x")
    assert [step.function for step in pipe.compile().steps] == functions
    assert (await pipe.run(url="ab")).output == 18


async def test_two_harnesses_of_one_pipeline_do_not_meet() -> None:
    pipe = words()
    with Harness(pipe) as one, Harness(pipe) as two:
        one.mock("total", returns=1)
        two.mock("total", returns=2)
        first, second = await asyncio.gather(one.run(url="a"), two.run(url="b"))
        assert (first.output, second.output) == (1, 2)
        assert [call.args["url"] for call in one.calls("fetch")] == ["a"]


async def test_unmock_gives_the_step_its_function_back() -> None:
    with Harness(words()) as h:
        h.mock("total", returns=1)
        h.mock("fetch", returns=["x"])
        h.unmock("total")
        assert (await h.run(url="")).output == 1
        h.unmock()
        assert (await h.run(url="ab")).output == 18


@pytest.mark.parametrize("ask", ["mock", "calls", "crash_after", "unmock"])
async def test_an_unknown_step_is_an_error_that_names_the_nearest(ask: str) -> None:
    with Harness(words()) as h:
        await h.run(url="x")
        with pytest.raises(DefinitionError, match="did you mean `measure`"):
            getattr(h, ask)("mesure")


def test_a_mock_takes_one_thing_to_do() -> None:
    with Harness(words()) as h:
        with pytest.raises(TypeError, match="one of"):
            h.mock("fetch", returns=1, raises=OSError)
        with pytest.raises(TypeError, match="exception"):
            h.mock("fetch", raises="down")
        with pytest.raises(TypeError, match="function or a list"):
            h.mock("fetch", side_effect=3)


async def test_after_a_crash_nothing_more_is_recorded_and_resume_goes_on() -> None:
    with Harness(words()) as h:
        h.crash_after("fetch")
        with pytest.raises(Crashed) as caught:
            await h.run(url="ab")
        assert isinstance(caught.value, StepwellError)
        assert not isinstance(caught.value, StoreError)
        facts = h.kinds()
        assert facts == ["RUN_STARTED", "STEP_STARTED", "STEP_COMPLETED", "STEP_STARTED"]
        await asyncio.sleep(0.01)
        assert h.kinds() == facts
        assert (await h.resume()).output == 18
        assert len(h.calls("fetch")) == 1


async def test_a_crash_while_steps_run_leaves_no_task_behind() -> None:
    pipe = Pipeline("tasks")
    gate = asyncio.Event()

    @pipe.step
    async def waits() -> None:
        await gate.wait()

    @pipe.step
    async def ends() -> int:
        return 1

    with Harness(pipe) as h:
        h.crash_after(ends)
        with pytest.raises(Crashed):
            await h.run()
        gate.set()
        assert (await h.resume()).outputs == {"waits": None, "ends": 1}


async def test_a_crash_that_is_planned_too_late_does_not_happen_and_is_forgotten() -> None:
    with Harness(words()) as h:
        h.crash_at(1000)
        assert (await h.run(url="ab")).output == 18
        assert (await h.run(url="ab")).output == 18
        with pytest.raises(ValueError, match="from 1"):
            h.crash_at(0)


def test_tests_that_are_not_async_use_run_sync() -> None:
    with Harness(words()) as h:
        h.crash_after("measure[1]")
        with pytest.raises(Crashed):
            h.run_sync(url="ab")
        assert h.resume_sync().output == 18


async def test_run_sync_works_while_a_loop_runs() -> None:
    with Harness(words()) as h:
        assert h.run_sync(url="ab").output == 18


async def test_values_in_memory_are_checked_as_on_disk() -> None:
    pipe = Pipeline("undeclared")

    @pipe.step
    def work():  # type: ignore[no-untyped-def]
        return object()

    with Harness(pipe) as h:
        assert (await h.run()).failures[0].kind == "codec"


async def test_a_store_on_disk_can_be_asked_for(tmp_path: Path) -> None:
    async with Harness(words(), store=tmp_path / "runs.db") as h:
        await h.run(url="ab")
    assert (tmp_path / "runs.db").exists()


async def test_asking_before_anything_ran_says_what_to_do() -> None:
    with Harness(words()) as h, pytest.raises(StepwellError, match="nothing was run yet"):
        _ = h.events


async def test_leaving_async_with_ends_a_run_that_goes_on() -> None:
    pipe = Pipeline("endless")
    inside = asyncio.Event()

    @pipe.step
    async def waits() -> None:
        inside.set()
        await asyncio.Event().wait()

    async with Harness(pipe) as h:
        run = h.start()
        task = asyncio.ensure_future(_result(run))
        await inside.wait()
    assert await task == "cancelled"


async def _result(run: object) -> str:
    result = await run  # type: ignore[misc]
    return str(result.status)
