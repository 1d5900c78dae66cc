"""Acts that are performed: slots that sources do not hold, records that are lost, keys that raise."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from stepwell import App, PayloadLost, Pipeline, Run, RunResult, StoreError
from stepwell.testing.invariants import check_invariants

from .plans import turns, until

BOUND = 10.0
BIG = "x" * 300_000
"""So long a text is no part of its row, but a file."""


async def result_of(run: Run) -> RunResult:
    return await asyncio.wait_for(_awaited(run), BOUND)


async def _awaited(run: Run) -> RunResult:
    return await run


# Slots.


async def test_a_source_lets_others_run_before_it_yields_anything() -> None:
    """D7, S14: it holds no slot; one that waits for what another step does would else wait for ever."""
    pipe, ran = Pipeline("slot", concurrency=1), asyncio.Event()

    @pipe.step
    async def source() -> AsyncIterator[int]:
        await ran.wait()
        yield 1

    @pipe.map(over=source)
    async def work(item: int) -> int:
        return item

    @pipe.step
    async def other() -> int:
        ran.set()
        return 2

    result = await result_of(pipe.run())
    assert (result.status, result.outputs) == ("completed", {"source": [1], "work": [1], "other": 2})


async def test_a_map_that_goes_on_after_its_source_has_ended_keeps_to_the_slots_of_the_run() -> None:
    """S14: nobody yields any more, so there is no slot to give to others."""
    pipe = Pipeline("again", concurrency=1, on_failure="finish")
    mended, at_once, most = False, 0, 0
    runs: list[Run] = []

    async with App() as app:

        def map_has_failed() -> bool:
            return any((fact.kind.value, fact.path) == ("STEP_FAILED", "work") for fact in app.store.read(runs[0].id))

        @pipe.step
        async def source() -> AsyncIterator[int]:
            yield 1
            yield 2
            if not mended:
                await until(map_has_failed)
            for number in range(3, 9):
                yield number

        @pipe.map(over=source)
        async def work(item: int) -> int:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await turns()
            at_once -= 1
            if not mended and item == 1:
                raise ValueError("no")
            return item

        @pipe.step
        async def whole(source: list[int]) -> int:
            return sum(source)

        runs.append(app.run(pipe))
        first = await result_of(runs[0])
        assert (first.status, first.steps["source"].status) == ("failed", "completed")
        mended, most = True, 0
        result = await result_of(app.resume(runs[0].id, pipe))
        assert (result.status, result.outputs["work"]) == ("completed", list(range(1, 9)))
        assert most == 1
        check_invariants(app.store.read(runs[0].id))


# Records that are lost.


class Losing:
    """A store whose files of big values can be hidden, and a switch that mends the pipeline."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "runs.db"
        self.mended = False
        self._blobs = folder / "runs.db.blobs"
        self._hidden = folder / "hidden"

    def lose(self) -> None:
        assert any(one.is_file() for one in self._blobs.rglob("*")), "nothing is in a file"
        self._blobs.rename(self._hidden)

    def restore(self) -> None:
        for one in self._hidden.rglob("*"):
            if one.is_file():
                place = self._blobs / one.relative_to(self._hidden)
                place.parent.mkdir(parents=True, exist_ok=True)
                one.replace(place)


def lost_to(where: str, losing: Losing) -> Pipeline:
    """A big text, or list of them, and a step that needs it only after a resume, in this place."""
    pipe = Pipeline("lost", on_failure="finish")

    def check() -> int:
        if not losing.mended:
            raise ValueError("not mended")
        return 1

    @pipe.step(version="1", runs_on="inline")
    def big() -> list[str]:
        return [BIG, BIG]

    if where == "an item":

        @pipe.map("user", over=big, version="1")
        async def of_item(item: str) -> int:
            return check() + len(item)

        return pipe

    @pipe.step(version="1", runs_on="inline")
    def gate() -> int:
        return check()

    if where == "the items of a map":

        @pipe.map("user", over=big, after=gate, version="1")
        async def of_map(item: str) -> int:
            return len(item)
    elif where == "a parameter":

        @pipe.step("user", after=gate, version="1", critical=False, retry=3)
        async def of_step(big: list[str]) -> int:
            return len(big)
    else:

        def is_long(big: list[str]) -> bool:
            return len(big) > 1

        @pipe.step("user", after=gate, version="1", when=is_long)
        async def of_guard() -> int:
            return 2

    return pipe


@pytest.mark.parametrize("where", ["a parameter", "a when", "the items of a map", "an item"])
async def test_a_recorded_value_that_is_lost_blocks_the_run_until_it_is_there_again(where: str, tmp_path: Path) -> None:
    """S3: never made anew in silence, no failure of the step that needs it, not tried again, no end of the process."""
    losing = Losing(tmp_path)
    pipe = lost_to(where, losing)
    async with App(losing.path) as app:
        run = app.run(pipe)
        assert (await result_of(run)).status == "failed"
    losing.mended = True
    losing.lose()
    for _ in range(2):
        async with App(losing.path) as app:
            result = await result_of(app.resume(run.id, pipe))
            row = await app.get(run.id)
            assert (result.status, result.failures) == ("blocked", ())
            assert re.match(r"what `\w+` gave is lost: the file .*(gone|damaged)", result.blocked_by)
            assert (row.status, row.reason) == ("blocked", "payload_lost")
            check_invariants(app.store.read(run.id))
    losing.restore()
    async with App(losing.path) as app:
        result = await result_of(app.resume(run.id, pipe))
        assert (result.status, result.steps["user"].status) == ("completed", "completed")
        check_invariants(app.store.read(run.id))


@pytest.mark.parametrize("where", ["a parameter", "a when", "the items of a map", "an item"])
async def test_a_recorded_value_that_cannot_be_read_now_stops_the_run_and_is_read_by_a_resume(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S24: no failure of the step, which would use up retries or be tolerated; nothing comes to another end."""
    losing = Losing(tmp_path)
    pipe = lost_to(where, losing)
    async with App(losing.path) as app:
        run = app.run(pipe)
        assert (await result_of(run)).status == "failed"
    losing.mended = True

    def denied(*_: object) -> bytes:
        raise StoreError("the file of a recorded value cannot be read (Permission denied)")

    async with App(losing.path) as app:
        with monkeypatch.context() as patch:
            patch.setattr("stepwell.journal.sqlite.blobs.BlobFolder.load", denied)
            with pytest.raises(StoreError, match="Permission denied"):
                await result_of(app.resume(run.id, pipe))
        result = await result_of(app.resume(run.id, pipe))
        assert (result.status, result.steps["user"].status) == ("completed", "completed")
        check_invariants(app.store.read(run.id))


async def test_what_a_step_itself_lost_is_its_own_failure() -> None:
    """E2, E8: it read the result of another run; nothing of this one is lost."""
    pipe = Pipeline("reads")

    @pipe.step(critical=False)
    async def reads() -> int:
        raise PayloadLost("of another run")

    @pipe.step
    async def after(reads: int = 0) -> int:
        return 1

    result = await result_of(pipe.run())
    assert (result.status, result.blocked_by, result.output) == ("degraded", "", 1)
    assert [(one.path, one.kind, one.type) for one in result.failures] == [("reads", "error", "PayloadLost")]


# Keys that raise.


def keyed(over: asyncio.Event, later: Callable[[int], object]) -> tuple[Pipeline, list[bool]]:
    """A map by keys over a source that ends before its last item fails; set the flag, and `later` gives the keys."""
    pipe, changed = Pipeline("keys", on_failure="finish"), [False]

    def key(item: int) -> object:
        return later(item) if changed[0] else item

    @pipe.step
    async def source() -> AsyncIterator[int]:
        for number in range(4):
            yield number

    @pipe.map(over=source, key=key)
    async def work(item: int) -> int:
        if item == 3 and not changed[0]:
            await over.wait()
            raise ValueError("no")
        return item

    @pipe.step
    async def whole(source: list[int]) -> int:
        over.set()
        return sum(source)

    return pipe, changed


def no_table(item: int) -> object:
    raise RuntimeError("no table")


class Shut(ValueError):
    """Nothing of it can be had, not even its class."""

    def __getattribute__(self, name: str) -> object:
        raise RuntimeError(f"nobody may see its {name}")


def no_disk(item: int) -> object:
    raise OSError("no disk")


def shut(item: int) -> object:
    raise Shut


LATER = pytest.mark.parametrize(
    ("later", "words"),
    [
        (no_table, "no table"),
        (no_disk, "no disk"),
        (shut, ""),
        (lambda item: item + 100, "the item '0' is recorded, and key= gives it to none any more"),
    ],
    ids=["raises", "another", "shut", "others"],
)


@LATER
async def test_a_key_that_is_of_no_use_after_a_resume_fails_its_map(later: Callable[[int], object], words: str) -> None:
    """S7, E8: it is the user's code, also where the source does not run again; `await run` never raises for it."""
    pipe, changed = keyed(asyncio.Event(), later)
    async with App() as app:
        run = app.run(pipe)
        first = await result_of(run)
        assert (first.status, first.steps["source"].status) == ("failed", "completed")
        changed[0] = True
        result = await result_of(app.resume(run.id, pipe))
        assert (result.status, (await app.get(run.id)).status) == ("failed", "failed")
        (failure,) = (one for one in result.failures if one.step == "work" and one.item is None)
        assert (failure.kind, failure.reason, failure.retryable) == ("input", "items_not_usable", False)
        assert words in failure.message


@LATER
async def test_no_item_runs_of_a_map_whose_key_is_of_no_use(later: Callable[[int], object], words: str) -> None:
    """S2, S7: a parent ends after its children; and an item must not run with the value of another."""
    pipe, changed = keyed(asyncio.Event(), later)
    async with App() as app:
        run = app.run(pipe)
        await result_of(run)
        changed[0] = True
        await result_of(app.resume(run.id, pipe))
        check_invariants(app.store.read(run.id))


@pytest.mark.parametrize("live", [False, True])
async def test_a_key_that_raises_what_cannot_be_looked_at_fails_its_map(live: bool) -> None:
    """E8: of the exception not even its class can be had; the run ends all the same."""
    pipe = Pipeline("shut")

    def key(item: int) -> str:
        raise Shut

    async def listed() -> list[int]:
        return [1]

    async def yielded() -> AsyncIterator[int]:
        yield 1

    @pipe.map(over=pipe.step("source")(yielded if live else listed), key=key)
    async def work(item: int) -> int:
        return item

    result = await result_of(pipe.run())
    failure = result.failures[0]
    assert (result.status, failure.kind, failure.reason) == ("failed", "input", "items_not_usable")
    assert "Shut" in failure.type + failure.message
