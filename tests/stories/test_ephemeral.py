"""Steps of which nothing is kept: shared as they are, never recorded, run again on a resume where they are needed."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TextIO

import pytest

from stepwell import Goto, PayloadLost, Pipeline, StepContext
from stepwell.testing import Crashed, Harness, VirtualClock

from .conftest import Play
from .crashing import executions, resumed_everywhere
from .telling import tale, told

MARK = "this-is-nowhere-on-the-disk"


def client() -> Pipeline:
    """An ephemeral step, one that uses it, one that uses that."""
    pipe = Pipeline("client")

    @pipe.step(durability="ephemeral")
    async def connect() -> object:
        return threading.Lock()

    @pipe.step
    async def fetch(connect: object) -> str:
        return type(connect).__name__

    @pipe.step
    async def report(fetch: str) -> str:
        return f"by {fetch}"

    return pipe


async def test_an_ephemeral_output_may_be_anything_and_is_shared_as_it_is(play: Play) -> None:
    """api.md durability: a lock cannot be recorded and need not be; its end says that it was not kept."""
    pipe = client()
    seen: list[object] = []

    @pipe.step
    async def same(connect: object) -> bool:
        seen.append(connect)
        return True

    @pipe.step(after=same)
    async def again(connect: object) -> bool:
        return seen[0] is connect

    h = play(pipe)
    result = await h.run()
    assert result.outputs["again"] is True
    assert "STEP_COMPLETED connect attempt=1 not_kept" in told(h)
    assert result.outputs["connect"] is seen[0]


async def test_an_open_file_reaches_the_step_that_writes_to_it(play: Play, tmp_path: Path) -> None:
    """api.md durability."""
    pipe = Pipeline("file")

    @pipe.step(durability="ephemeral")
    def opened() -> TextIO:
        return (tmp_path / "out.txt").open("w")

    @pipe.step
    def write(opened: TextIO) -> int:
        with opened:
            return opened.write("text")

    assert (await play(pipe).run()).output == 4
    assert (tmp_path / "out.txt").read_text() == "text"


def test_nothing_of_an_ephemeral_output_is_in_the_store(tmp_path: Path) -> None:
    """S1: it keeps no output: looked for in every byte on the disk."""
    pipe = Pipeline("bytes")

    @pipe.step(durability="ephemeral")
    async def secret() -> str:
        return MARK

    @pipe.step(durability="ephemeral")
    async def letters(secret: str) -> list[str]:
        return [secret, secret * 5000]

    @pipe.step
    async def length(letters: list[str]) -> int:
        return len(letters)

    with Harness(pipe, store=tmp_path / "runs.db", clock=VirtualClock()) as h:
        assert h.run_sync().output == 2
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert (tmp_path / "runs.db") in files
    assert [path for path in files if MARK.encode() in path.read_bytes()] == []


async def test_an_ephemeral_step_runs_again_on_a_resume_that_needs_it(play: Play) -> None:
    """S1, S3: in a new visit; what is recorded does not run again."""
    h = play(client())
    h.crash_after("connect")
    with pytest.raises(Crashed):
        await h.run()
    facts = len(h.events)
    assert (await h.resume()).output == "by lock"
    assert told(h, after=facts) == tale("""
        RUN_RESUMED recovered
        STEP_RESET connect resume
        STEP_STARTED connect#2 attempt=1
        STEP_COMPLETED connect#2 attempt=1 not_kept
        STEP_STARTED fetch attempt=2
        STEP_COMPLETED fetch attempt=2 -> 'lock'
        STEP_STARTED report attempt=1
        STEP_COMPLETED report attempt=1 -> 'by lock'
        RUN_FINISHED completed
    """)


async def test_an_ephemeral_step_that_nobody_needs_any_more_does_not_run_again(play: Play) -> None:
    """S1: only if an unfinished step needs it; its output cannot be had then, and that is said when it is asked for."""
    h = play(client())
    h.crash_after("fetch")
    with pytest.raises(Crashed):
        await h.run()
    result = await h.resume()
    assert (result.output, len(h.calls("connect"))) == ("by lock", 1)
    assert result.outputs == {"fetch": "lock", "report": "by lock"}
    assert result.steps["connect"].status == "completed"


def chain() -> Pipeline:
    """Two ephemeral steps in a row, the second with another source, and a step that uses the second."""
    pipe = Pipeline("chain")

    @pipe.step
    async def base() -> int:
        return 1

    @pipe.step(durability="ephemeral")
    async def one(base: int) -> int:
        return base + 1

    @pipe.step(durability="ephemeral")
    async def two(one: int) -> int:
        return one + 1

    @pipe.step
    async def use(two: int) -> int:
        return two + 1

    @pipe.step
    async def last(use: int) -> int:
        return use + 1

    return pipe


async def test_a_chain_of_ephemeral_steps_runs_again_as_a_whole(play: Play) -> None:
    """S1: what an ephemeral step needs that is ephemeral too; the durable source before them does not run again."""
    h = play(chain())
    h.crash_after("two")
    with pytest.raises(Crashed):
        await h.run()
    assert (await h.resume()).output == 5
    assert [len(h.calls(name)) for name in ("base", "one", "two", "use")] == [1, 2, 2, 1]
    assert "STEP_RESET one,two resume" in told(h)


@pytest.mark.parametrize("durable", [True, False])
async def test_a_crash_at_any_append_runs_ephemeral_steps_again_where_needed(play: Play, durable: bool) -> None:
    """S1, S3, S4, F11: durable steps keep to the law; ephemeral ones run at most once more a crash."""
    h = play(chain())
    expected = (await h.run()).output
    async for append, result in resumed_everywhere(h, durable=durable):
        assert (result.output, result.status) == (expected, "completed"), f"crash at append {append}"
        assert max(executions(h).values()) <= 2
        assert len(h.calls("base")) + len(h.calls("use")) + len(h.calls("last")) <= 4


async def test_a_pipeline_may_be_ephemeral_but_for_some_steps(play: Play) -> None:
    """api.md 2: `Pipeline(durability=)` is the default of its steps."""
    pipe = Pipeline("mostly", durability="ephemeral")

    @pipe.step
    async def loose() -> object:
        return object()

    @pipe.step(durability="strict")
    async def kept(loose: object) -> int:
        return 1

    h = play(pipe)
    assert (await h.run()).output == 1
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED loose attempt=1
        STEP_COMPLETED loose attempt=1 not_kept
        STEP_STARTED kept attempt=1
        STEP_COMPLETED kept attempt=1 -> 1
        RUN_FINISHED completed
    """)


async def test_reading_an_output_that_was_not_kept_says_so(play: Play) -> None:
    """S3: PayloadLost, never a silent second run."""
    pipe = Pipeline("lost")

    @pipe.step(durability="ephemeral")
    async def gone() -> int:
        return 1

    h = play(pipe)
    assert (await h.run()).output == 1
    again = await h.resume()
    assert (again.status, again.outputs, len(h.calls("gone"))) == ("completed", {}, 1)
    with pytest.raises(PayloadLost, match="`gone` is ephemeral"):
        again.output  # noqa: B018 - reading it is what raises


async def test_a_failure_after_an_ephemeral_step_is_mended_with_it(play: Play) -> None:
    """F6, S1: a resume after a failure needs it as well."""
    h = play(client())
    h.mock("fetch", raises=OSError)
    assert (await h.run()).status == "failed"
    h.unmock()
    result = await h.resume()
    assert (result.status, result.output) == ("completed", "by lock")
    assert "STEP_RESET connect,fetch resume" in told(h)


async def test_a_when_that_needs_an_ephemeral_step_makes_it_run_again(play: Play) -> None:
    """S1: the parameters of `when` are needs, too."""
    pipe = Pipeline("when")

    @pipe.step(durability="ephemeral")
    async def flag() -> bool:
        return True

    @pipe.step(when=lambda flag: flag)
    async def guarded() -> int:
        return 1

    h = play(pipe)
    h.crash_after("flag")
    with pytest.raises(Crashed):
        await h.run()
    assert (await h.resume()).output == 1
    assert len(h.calls("flag")) == 2


async def test_an_ephemeral_map_runs_again_as_a_whole(play: Play) -> None:
    """S1, S7: of none of its items anything is recorded."""
    pipe = Pipeline("ephemeral-map")

    @pipe.step
    async def numbers() -> list[int]:
        return [1, 2]

    @pipe.map(over=numbers, concurrency=1, durability="ephemeral")
    async def locks(item: int) -> object:
        return [threading.Lock(), item]

    @pipe.step
    async def count(locks: list[list[object]]) -> list[object]:
        return [item for _, item in locks]

    h = play(pipe)
    h.crash_after("locks[0]")
    with pytest.raises(Crashed):
        await h.run()
    facts = len(h.events)
    assert (await h.resume()).output == [1, 2]
    assert [call.path for call in h.calls("locks")] == ["locks[0]", "locks[0]#2", "locks[1]#2"]
    assert told(h, after=facts).splitlines()[:4] == [
        "RUN_RESUMED recovered", "STEP_RESET locks resume whole=locks", "STEP_STARTED locks#2 attempt=1",
        "MAP_EXPANDED locks#2 attempt=1 count=2",
    ]  # fmt: skip


async def test_a_jump_runs_an_ephemeral_step_of_a_dead_process_again(play: Play) -> None:
    """B11, S1: before the target, used in each visit, and gone since the crash."""
    pipe = Pipeline("loop")

    @pipe.step(durability="ephemeral")
    async def tool() -> object:
        return object()

    @pipe.step
    async def draft(tool: object, step: StepContext) -> str:
        return step.path

    @pipe.step(goto=[draft])
    async def judge(draft: str) -> str | Goto:
        return Goto("draft") if draft == "draft" else draft

    h = play(pipe)
    h.crash_after("draft")
    with pytest.raises(Crashed):
        await h.run()
    result = await h.resume()
    assert (result.status, result.output) == ("completed", "draft#2")
    assert len(h.calls("tool")) == 2
    result = await h.run()
    assert (result.output, len(h.calls("tool"))) == ("draft#2", 1)


async def test_an_ephemeral_step_may_fail_and_be_tried_again(play: Play) -> None:
    """E9: retries, timeouts and tolerance are those of any step."""
    h = play(client())
    h.mock("connect", side_effect=[OSError("down")])
    result = await h.run()
    assert (result.status, result.failures[0].step) == ("failed", "connect")
    h.unmock()
    assert (await asyncio.wait_for(h.resume(), 5)).output == "by lock"
