"""What a resume would do, foretold: it says what then happens, and leaves the record as it was (N5, F6, F18)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from stepwell import App, Pipeline, Run, RunResult, Stop
from stepwell import events as ev
from stepwell.api.preview import Preview, preview
from stepwell.api.record import fold
from stepwell.api.recovery import Changes, refusal
from stepwell.journal.memory import MemoryStore
from stepwell.journal.port import Request, RunRow, Store
from stepwell.testing import Crashed, Harness


def broken(*, fails: bool = True, version: str = "1", needs: str = "") -> Pipeline:
    pipe = Pipeline("broken")

    @pipe.step(version=version)
    async def items() -> list[int]:
        return [0, 1, 2, 3]

    @pipe.map(over=items, concurrency=1, version="1")
    async def each(item: int) -> int:
        if fails and item == 2:
            raise OSError("no")
        return item

    @pipe.step(version="1")
    async def total(each: list[int]) -> int:
        return sum(each)

    if needs:

        @pipe.step(version="1")
        async def more(wanted: int) -> int:
            return wanted

    return pipe


async def foretold(store: Path, begun: Pipeline, now: Pipeline, on_change: str = "refuse") -> tuple[Preview, int]:
    """The preview after a run, and how many facts were written for it."""
    async with App(store) as app:
        run = await app.run(begun)
        before = (await app.get("last")).seq
        row = await app.get(run.run_id)
        found = preview(app.store, now.compile(), row, row.updated_at, on_change=on_change)
        return found, (await app.get("last")).seq - before


async def test_it_foretells_what_the_resume_then_does(tmp_path: Path) -> None:
    """F6: kept, again, new; the two items without an end are the two that then run."""
    found, written = await foretold(tmp_path / "s.db", broken(), broken(fails=False))
    assert (found.verdict, written) == ("goes_on", 0)
    assert [(one.name, one.fate, one.left) for one in found.steps] == [
        ("items", "kept", None), ("each", "again", 2), ("total", "new", None),
    ]  # fmt: skip
    async with App(tmp_path / "s.db") as app:
        seq = (await app.get("last")).seq
        assert (await app.resume("last", broken(fails=False))).output == 6
        ended = [event.path async for event in app.events("last", after=seq) if event.kind.value == "ITEM_COMPLETED"]
    assert sorted(ended) == ["each[2]#2", "each[3]"]


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (lambda: broken(version="2"), "code_changed"),
        (lambda: broken(needs="wanted"), "inputs"),
        (lambda: Pipeline("broken").add_step("other", lambda: None), "step_gone"),
    ],
)
async def test_a_refusal_is_foretold_with_its_reason(tmp_path: Path, now: Callable[[], Pipeline], reason: str) -> None:
    """F18: and nothing is recorded of it."""
    found, written = await foretold(tmp_path / "s.db", broken(), now())
    assert (found.verdict, found.reason, written) == ("refused", reason, 0)
    assert found.message


async def test_of_a_success_all_is_kept(tmp_path: Path) -> None:
    found, _ = await foretold(tmp_path / "s.db", broken(fails=False), broken(fails=False, version="2"))
    assert (found.verdict, found.changed.names) == ("nothing", ())
    assert {one.fate for one in found.steps} == {"kept"}


async def test_after_a_stop_a_failed_run_ends_without_running_anything(tmp_path: Path) -> None:
    """The `Stop` stands, so the resume ends the run `stopped`."""
    pipe = Pipeline("stops", on_failure="finish")

    @pipe.step(version="1")
    async def stops() -> int | Stop[int]:
        return Stop(1)

    @pipe.step(version="1")
    async def fails() -> int:
        raise OSError("no")

    found, _ = await foretold(tmp_path / "s.db", pipe, pipe)
    assert (found.verdict, found.reason) == ("ends", "stopped")


async def test_a_run_that_goes_on_somewhere_is_live(tmp_path: Path) -> None:
    """Even so it is told what is left to it."""
    begun, end = asyncio.Event(), asyncio.Event()
    pipe = Pipeline("waits")

    @pipe.step(version="1")
    async def wait() -> int:
        begun.set()
        await end.wait()
        return 1

    async with App(tmp_path / "s.db") as app:
        run = app.run(pipe)
        ended = asyncio.ensure_future(_result(run))
        await begun.wait()
        row = await app.get("last")
        found = preview(app.store, pipe.compile(), row, row.updated_at)
        end.set()
        assert (await ended).output == 1
    assert (found.verdict, found.reason) == ("live", "running")


async def _result(run: Run) -> RunResult:
    return await run


async def crashed(**options: object) -> tuple[Store, RunRow, Pipeline]:
    """The store of a run whose process died after its first step."""
    pipe, store = broken(fails=False), MemoryStore()
    with Harness(pipe, store=store) as harness:
        harness.crash_after("items")
        with pytest.raises(Crashed):
            await harness.run(**options)
        row = store.get(harness.run_id)
        assert row is not None
        return store, structs.replace(row, status="interrupted"), pipe


async def test_a_run_whose_time_is_up_meanwhile_would_end_at_once() -> None:
    store, row, pipe = await crashed(run_timeout="1h")
    soon = preview(store, pipe.compile(), row, row.updated_at)
    assert soon.verdict == "goes_on"
    late = preview(store, pipe.compile(), row, row.updated_at + 7200)
    assert (late.verdict, late.reason) == ("ends", "timed_out")
    assert [one.fate for one in late.steps] == ["kept", "off", "off"]


async def test_a_run_that_somebody_wants_to_end_would_end_at_once() -> None:
    store, row, pipe = await crashed()
    store.ask(Request("q1", row.run_id, "cancel", row.updated_at))
    found = preview(store, pipe.compile(), row, row.updated_at)
    assert (found.verdict, found.reason) == ("ends", "cancelled")


async def test_a_cancel_that_its_process_had_recorded_before_it_died_has_its_end_before_a_resume_goes_on() -> None:
    """S10, N5: that stretch of the run ends as cancelled, which is recorded; then the resume goes on."""
    store, pipe = MemoryStore(), broken(fails=False)

    with Harness(pipe, store=store) as harness:
        harness.crash_after("items")
        with pytest.raises(Crashed):
            await harness.run()
        row = store.get(harness.run_id)
        assert row is not None
        lease = store.claim(row.run_id)
        store.append(lease, [ev.RunCancelled(row.run_id, row.seq + 1, row.updated_at, "", 0, "enough")])
        store.release(lease)
        row = structs.replace(row, status="interrupted", seq=row.seq + 1)
        found = preview(store, pipe.compile(), row, row.updated_at)
        assert found.verdict == "goes_on"
        assert next(one.fate for one in found.steps) == "kept"
        result = await harness.resume()
        kinds = [fact.kind.value for fact in store.read(row.run_id, row.seq)]
        assert (result.status, kinds[:2]) == ("completed", ["RUN_FINISHED", "RUN_RESUMED"])
        assert "RUN_CANCELLED" not in kinds


async def test_a_run_that_dies_again_and_again_waits_for_somebody() -> None:
    """S9: after ten deaths without progress it would be refused."""
    store, row, pipe = await crashed()
    plan = pipe.compile()
    started, _, state = fold(store, plan, row.run_id)
    state.recoveries = 9
    no = refusal(plan, state, started, Changes(), "refuse")
    assert no is not None
    assert no.reason == "no_progress"
    assert "10 times in a row" in no.message
