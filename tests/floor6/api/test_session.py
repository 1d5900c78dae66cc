"""Going on with a run: what may have changed since, what each step receives, and what a refusal leaves behind."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from stepwell import App, CodeChanged, DefinitionError, Pipeline, Retry, RunResult
from stepwell.errors import RunBlocked, StoreError
from stepwell.testing import Crashed, Harness, VirtualClock


def two_steps(
    name: str = "two", *, first: str = "1", second: str = "1", also: str = "", fails: bool = True
) -> Pipeline:
    """A pipeline whose steps have these versions; its second one fails until it is told not to."""
    pipe = Pipeline(name, output="last")

    @pipe.step(version=first, name="first")
    async def begin() -> int:
        return 1

    @pipe.step(version=second)
    async def last(first: int) -> int:
        if fails:
            raise OSError("no")
        return first + 1

    if also:

        @pipe.step(name=also, version="1")
        async def more() -> int:
            if fails:
                raise OSError("no")
            return 3

    return pipe


async def ran(store: Path, pipe: Pipeline) -> RunResult:
    async with App(store) as app:
        return await app.run(pipe, on_failure="finish")


async def resumed(store: Path, pipe: Pipeline, on_change: str = "refuse") -> RunResult:
    async with App(store) as app:
        return await app.resume("last", pipe, on_change=on_change)


async def status(store: Path) -> tuple[str, str]:
    async with App(store) as app:
        row = await app.get("last")
        return row.status, row.reason


async def test_changed_code_of_a_recorded_step_blocks_until_it_is_kept(tmp_path: Path) -> None:
    """S8: refused by default, with the reason in the record; `keep` goes on with what is recorded."""
    store = tmp_path / "runs.db"
    await ran(store, two_steps())
    with pytest.raises(CodeChanged, match=r"`first`.*--on-change keep"):
        await resumed(store, two_steps(first="2", fails=False))
    assert await status(store) == ("blocked", "code_changed")
    result = await resumed(store, two_steps(first="2", fails=False), "keep")
    assert (result.status, result.output, result.steps["first"].attempts) == ("completed", 2, 1)


async def test_changed_code_of_a_step_without_a_record_blocks_nothing(tmp_path: Path) -> None:
    """S8: only unrecorded steps changed: go on, and say so."""
    store = tmp_path / "runs.db"
    await ran(store, two_steps())
    async with App(store) as app:
        run = app.resume("last", two_steps(second="2", fails=False))
        said = [event async for event in run if event.kind == "WARNING"]
        assert (await run).output == 2
    assert [getattr(one, "reason", "") for one in said] == ["code_changed"]


async def test_a_result_of_a_step_that_is_gone_blocks_until_it_is_put_back(tmp_path: Path) -> None:
    """S3, S8: what has completed is never silently lost; the refusal gives the run free again."""
    store = tmp_path / "runs.db"
    await ran(store, two_steps())
    other = Pipeline("two")

    @other.step(version="1")
    async def last() -> int:
        return 1

    for _ in range(2):
        with pytest.raises(CodeChanged, match=r"result of step `first`.*put it back"):
            await resumed(store, other, "keep")
    assert await status(store) == ("blocked", "step_gone")
    assert (await resumed(store, two_steps(fails=False))).output == 2


async def test_a_step_that_is_gone_and_never_had_a_result_is_passed_over(tmp_path: Path) -> None:
    """S8: only unrecorded steps changed."""
    store = tmp_path / "runs.db"
    failed = await ran(store, two_steps(also="extra"))
    assert {one.step for one in failed.failures} == {"last", "extra"}
    result = await resumed(store, two_steps(also="renamed", fails=False))
    assert (result.status, result.outputs) == ("completed", {"first": 1, "last": 2, "renamed": 3})


async def test_a_run_is_not_resumed_with_another_pipeline_unless_that_is_meant(tmp_path: Path) -> None:
    """S8: the names of both are told."""
    store = tmp_path / "runs.db"
    await ran(store, two_steps("mine"))
    with pytest.raises(CodeChanged, match="of pipeline `mine`, and this is `other`"):
        await resumed(store, two_steps("other", fails=False))
    assert (await resumed(store, two_steps("other", fails=False), "keep")).output == 2


async def test_a_process_that_dies_ten_times_in_a_row_blocks_the_run(tmp_path: Path) -> None:
    """S9: recoveries are counted apart from retries."""
    store = tmp_path / "runs.db"
    pipe = Pipeline("dies")

    @pipe.step(version="1")
    async def forever() -> int:
        return 1

    with Harness(pipe) as h:
        h.crash_at(2, durable=False)
        with pytest.raises(Crashed):
            await h.run()
        for _ in range(8):
            h.crash_at(2, durable=False)
            with pytest.raises(Crashed):
                await h.resume()
        h.crash_at(2, durable=False)
        with pytest.raises((Crashed, RunBlocked)):
            await h.resume()
        with pytest.raises(RunBlocked, match="10 times in a row"):
            await h.resume()
        assert (await h.resume()).output == 1
    assert not store.exists()


async def test_no_step_sees_what_another_does_to_a_value(tmp_path: Path) -> None:
    """D18, S3: with a store each has its own copy, so that a resume cannot come to another end."""
    pipe = Pipeline("copies", output="seen")
    attempts: list[list[int]] = []

    @pipe.step
    async def numbers(given: list[int]) -> list[list[int]]:
        given.append(9)
        return [[1], [2]]

    @pipe.step
    async def spoils(numbers: list[list[int]]) -> int:
        numbers.append([3])
        return len(numbers)

    @pipe.map(over=numbers, retry=2, after=spoils)
    async def work(item: list[int]) -> int | Retry:
        attempts.append(list(item))
        item.append(0)
        return len(item) if len(attempts) > 2 else Retry(after=0)

    @pipe.step(after=work)
    async def seen(numbers: list[list[int]], given: list[int]) -> list[object]:
        return [len(numbers), numbers[0], given]

    async with App(tmp_path / "runs.db") as app:
        result = await app.run(pipe, given=[1])
    assert result.outputs["seen"] == [2, [1], [1]]
    assert sorted(attempts) == [[1], [1], [2], [2]]


@pytest.mark.parametrize("error", [GeneratorExit("out"), SystemExit(3), BaseException("base")])
async def test_whatever_a_step_raises_is_its_failure(error: BaseException, tmp_path: Path) -> None:
    """E8: `await run` never raises for a step."""
    pipe = Pipeline("raises")

    @pipe.step
    async def work() -> int:
        raise error

    async with App(tmp_path / "runs.db") as app:
        result = await app.run(pipe)
    assert (result.status, result.failures[0].type) == ("failed", type(error).__name__)


async def test_a_keyboard_interrupt_of_a_thread_is_the_failure_of_its_step() -> None:
    """E8: nobody pressed a key; the loop's own thread would have heard of it."""
    pipe = Pipeline("raises")

    @pipe.step
    def work() -> int:
        raise KeyboardInterrupt

    assert (await pipe.run()).failures[0].type == "KeyboardInterrupt"


async def test_what_nobody_can_read_is_cut_and_spelled_out() -> None:
    """E8: a message is for people: its end is there, its control characters are seen and not obeyed."""
    pipe = Pipeline("long")

    @pipe.step
    async def work() -> int:
        raise ValueError("\x1b[31mred\x00" + "x" * 5_000_000 + "the end")

    failure = (await pipe.run()).failures[0]
    assert len(failure.message) < 11_000
    assert failure.message.startswith("\\x1b[31mred\\x00")
    assert failure.message.endswith("the end")
    assert "characters left out" in failure.message


async def test_a_task_that_heeds_no_cancel_does_not_keep_the_program(tmp_path: Path) -> None:
    """S10: its end is written down for it, and the end of the event loop does not wait for it."""
    pipe = Pipeline("stubborn")
    stop = asyncio.Event()

    @pipe.step
    async def work() -> int:
        while not stop.is_set():
            try:
                await stop.wait()
            except asyncio.CancelledError:
                continue
        return 1

    clock = VirtualClock(auto=False)
    async with App(tmp_path / "runs.db", clock=clock) as app:
        run = app.run(pipe)
        waiting = asyncio.ensure_future(_result(run))
        await asyncio.sleep(0)
        run.request_cancel("enough")
        while not waiting.done():
            clock.advance("1s")
            await asyncio.sleep(0)
        assert (await waiting).status == "cancelled"
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("stepwell")]
    stop.set()
    await asyncio.sleep(0)


async def _result(run: object) -> RunResult:
    return await run  # type: ignore[misc]


async def test_what_is_no_pipeline_is_told() -> None:
    async with App() as app:
        with pytest.raises(DefinitionError, match="takes a Pipeline"):
            app.run("p")  # type: ignore[arg-type]


async def test_a_run_whose_process_is_gone_can_be_cancelled_and_still_goes_on(tmp_path: Path) -> None:
    """E15, S10: a dead run is closed by whoever asks for it, and a resume starts what had begun."""
    pipe = two_steps(fails=False)
    store = tmp_path / "runs.db"
    program = (
        "import asyncio, os\n"
        "from stepwell import App, Pipeline\n"
        "pipe = Pipeline('two')\n"
        "@pipe.step(version='1')\n"
        "async def first() -> int: return 1\n"
        "@pipe.step(version='1')\n"
        "async def last(first: int) -> int: os._exit(9)\n"
        f"asyncio.run(App({str(store)!r}).run(pipe)._result())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert await process.wait() == 9
    async with App(store) as app:
        assert (await app.cancel("last", "not needed")).status == "interrupted"
        assert (await app.get("last")).status == "cancelled"
        result = await app.resume("last", pipe)
        assert (result.status, result.output, result.steps["first"].attempts) == ("completed", 2, 1)


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder; name the file"):
        App(tmp_path).find("last")


async def test_a_record_that_no_longer_fits_names_the_step_that_made_it(tmp_path: Path) -> None:
    """M10: not the step that was to receive it, which returned nothing yet."""
    store = tmp_path / "runs.db"
    await ran(store, two_steps())
    other = Pipeline("two")

    @other.step(version="1")
    async def first() -> str:
        return "1"

    @other.step(version="1")
    async def last(first: str) -> str:
        return first

    failure = (await resumed(store, other)).failures[0]
    assert failure.path == "last#2"
    assert failure.message.startswith("what is recorded of step `first` does not fit")
