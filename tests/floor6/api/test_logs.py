"""What steps print and log: kept beside the store, told as LOG events, each line with its attempt (K1, K9)."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stepwell import App, DefinitionError, EventKind, Pipeline, RunError, RunResult
from stepwell.api.logs import log_folder, newest_log
from stepwell.events import LogLine
from stepwell.workdir.reading import LogReader

Said = list[tuple[str, int, str]]


async def result_of(run: Any) -> RunResult:
    found: RunResult = await run
    return found


def kept(store: Path, run_id: str) -> list[LogLine]:
    return list(LogReader(store.with_name(f"{store.name}.work") / run_id, run_id).read())


def said(lines: list[LogLine]) -> Said:
    return [(line.path, line.attempt, line.text) for line in lines]


def talkative() -> Pipeline:
    """A step in a thread, a map on the loop of which one item fails once, and a step that logs."""
    pipe = Pipeline("talkative")
    failed: list[int] = []

    @pipe.step
    def find() -> list[int]:
        print("looking")
        return [0, 1, 2]

    @pipe.map(over=find, retry=2)
    async def each(item: int) -> int:
        print("begin", item)
        await asyncio.sleep(0)
        if item == 1 and not failed:
            failed.append(item)
            print("broken", end="")
            raise ValueError("once")
        print("end", item, file=sys.stderr)
        return item

    @pipe.step
    async def report(each: list[int]) -> int:
        logging.getLogger("lab").warning("got %s", len(each))
        return len(each)

    return pipe


async def test_each_line_is_kept_with_its_item_and_attempt(tmp_path: Path) -> None:
    async with App(tmp_path / "runs.db", capture="only") as app:
        result = await app.run(talkative())
    lines = kept(tmp_path / "runs.db", result.run_id)
    assert sorted(said(lines)) == [
        ("each[0]", 1, "begin 0"),
        ("each[0]", 1, "end 0"),
        ("each[1]", 1, "begin 1"),
        ("each[1]", 1, "broken"),
        ("each[1]", 2, "begin 1"),
        ("each[1]", 2, "end 1"),
        ("each[2]", 1, "begin 2"),
        ("each[2]", 1, "end 2"),
        ("find", 1, "looking"),
        ("report", 1, "got 3"),
    ]
    assert {line.stream for line in lines if line.text.startswith("end")} == {"stderr"}
    assert [(line.level, line.logger) for line in lines if line.stream == "log"] == [("WARNING", "lab")]
    assert [line.at for line in lines] == sorted(line.at for line in lines)


async def test_what_is_kept_is_printed_as_ever(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a script or a notebook `print` works as it does without Stepwell."""
    await talkative().run(store=tmp_path / "runs.db")
    read = capsys.readouterr()
    assert read.out.startswith("looking\nbegin 0\n")
    assert "end 2\n" in read.err


@pytest.mark.parametrize("on_disk", [False, True])
async def test_log_events_stand_between_the_facts_of_their_attempt(tmp_path: Path, on_disk: bool) -> None:
    """S17: live only, without a number, tagged with the attempt; none is lost."""
    seen: list[tuple[str, str, int]] = []
    async for event in talkative().run(store=tmp_path / "runs.db" if on_disk else None):
        assert (event.seq == 0) == (event.kind in (EventKind.LOG, EventKind.ITEM_STARTED))
        text = event.text if isinstance(event, LogLine) else event.kind.value
        seen.append((text, event.path, event.attempt))
    assert seen.index(("STEP_STARTED", "find", 1)) < seen.index(("looking", "find", 1))
    assert seen.index(("looking", "find", 1)) < seen.index(("STEP_COMPLETED", "find", 1))
    for index in range(3):
        last = 2 if index == 1 else 1
        item = [(text, attempt) for text, path, attempt in seen if path == f"each[{index}]"]
        again = [("ITEM_STARTED", 1), ("begin 1", 1), ("broken", 1), ("ITEM_RETRYING", 1)] if index == 1 else []
        assert item == [
            *again,
            ("ITEM_STARTED", last),
            (f"begin {index}", last),
            (f"end {index}", last),
            ("ITEM_COMPLETED", last),
        ]
    assert seen[-1][0] == "RUN_FINISHED"


async def test_a_run_in_memory_that_nobody_iterates_leaves_the_streams_alone() -> None:
    streams: list[object] = []
    pipe = Pipeline("plain")

    @pipe.step
    def look() -> None:
        streams.extend([sys.stdout, sys.stderr, logging.Logger.callHandlers])

    before = [sys.stdout, sys.stderr, logging.Logger.callHandlers]
    assert (await pipe.run()).status == "completed"
    assert all(one is other for one, other in zip(before, streams, strict=True))


async def test_a_run_that_says_nothing_makes_no_file(tmp_path: Path) -> None:
    pipe = Pipeline("quiet")

    @pipe.step
    def one() -> int:
        return 1

    async with App(tmp_path / "runs.db") as app:
        result = await app.run(pipe)
        assert newest_log(app.store, result.run_id) is None
    assert not (tmp_path / "runs.db.work").exists()


async def test_capture_can_be_switched_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with App(tmp_path / "runs.db", capture="off") as app:
        await app.run(talkative())
    assert not (tmp_path / "runs.db.work").exists()
    assert "looking" in capsys.readouterr().out


def test_another_word_for_capture_is_refused() -> None:
    with pytest.raises(RunError, match=r"capture is 'tea'; expected \"tee\""):
        App(capture="tea")  # type: ignore[arg-type]


async def test_two_runs_at_once_do_not_mix(tmp_path: Path) -> None:
    pipe = Pipeline("named")

    @pipe.step
    def thread(name: str) -> str:
        for turn in range(20):
            print(name, turn)
        return name

    @pipe.step
    async def loop(name: str, thread: str) -> None:
        for turn in range(20):
            print(name, turn)
            await asyncio.sleep(0)

    async with App(tmp_path / "runs.db", capture="only") as app:
        results = await asyncio.gather(*(result_of(app.run(pipe, name=name)) for name in ("a", "b", "c")))
    for name, result in zip("abc", results, strict=True):
        lines = kept(tmp_path / "runs.db", result.run_id)
        assert [line.text for line in lines] == [f"{name} {turn}" for turn in range(20)] * 2


def brief() -> Pipeline:
    """One step that never gives way to the loop."""
    pipe = Pipeline("brief")

    @pipe.step
    async def speak() -> int:
        print("one")
        print("two")
        return 3

    return pipe


@pytest.mark.parametrize("make", [talkative, brief])
async def test_a_disk_that_fails_is_told_once_and_harms_no_run(tmp_path: Path, make: Callable[[], Pipeline]) -> None:
    """M6: what only observes is never fatal."""
    (tmp_path / "runs.db.work").write_text("no folder can be made here")
    async with App(tmp_path / "runs.db", capture="only") as app:
        result = await app.run(make())
        facts = [event async for event in app.events(result.run_id)]
    assert result.output == 3
    (warning,) = [fact for fact in facts if getattr(fact, "reason", "") == "log_not_written"]
    assert "the log of this run cannot be written any more" in warning.message  # type: ignore[attr-defined]
    assert "runs.db.work" in warning.message  # type: ignore[attr-defined]


async def test_a_thread_that_was_given_up_still_speaks_for_its_attempt(tmp_path: Path) -> None:
    given_up, spoken = threading.Event(), threading.Event()
    pipe = Pipeline("late")

    @pipe.step(timeout="10ms", critical=False)
    def slow() -> None:
        print("early")
        given_up.wait(10)
        print("late")
        spoken.set()

    @pipe.step(after=slow)
    def other() -> None:
        given_up.set()
        spoken.wait(10)

    result = await pipe.run(store=tmp_path / "runs.db")
    assert said(kept(tmp_path / "runs.db", result.run_id)) == [("slow", 1, "early"), ("slow", 1, "late")]


async def test_what_a_condition_prints_is_of_its_step(tmp_path: Path) -> None:
    pipe = Pipeline("conditional")

    def wanted() -> bool:
        print("asked")
        return True

    @pipe.step
    def first() -> None:
        print("first")

    @pipe.step(after=first, when=wanted)
    def second() -> None:
        print("second")

    result = await pipe.run(store=tmp_path / "runs.db")
    lines = said(kept(tmp_path / "runs.db", result.run_id))
    assert lines == [("first", 1, "first"), ("second", 0, "asked"), ("second", 1, "second")]


async def test_a_pipeline_run_by_a_step_speaks_for_both(tmp_path: Path) -> None:
    inner, outer = Pipeline("inner"), Pipeline("outer")

    @inner.step
    def deep() -> str:
        print("from below")
        return "done"

    @outer.step
    async def around() -> str:
        found = (await inner.run(store=tmp_path / "inner.db")).run_id
        print("after")
        return found

    result = await outer.run(store=tmp_path / "outer.db")
    found = str(result.output)
    assert said(kept(tmp_path / "inner.db", found)) == [("deep", 1, "from below")]
    assert said(kept(tmp_path / "outer.db", result.run_id)) == [("around", 1, "from below"), ("around", 1, "after")]


async def test_a_resumed_run_goes_on_in_its_log(tmp_path: Path) -> None:
    mended: list[bool] = []
    pipe = Pipeline("mended")

    @pipe.step
    def one() -> None:
        print("try")
        if not mended:
            raise ValueError("not yet")

    store = tmp_path / "runs.db"
    async with App(store, capture="only") as app:
        result = await app.run(pipe)
        mended.append(True)
        again = await app.resume(result.run_id, pipe)
    assert again.status == "completed"
    assert [line.text for line in kept(store, result.run_id)] == ["try", "try"]


async def test_a_map_of_many_items_makes_one_file(tmp_path: Path) -> None:
    pipe = Pipeline("many")

    @pipe.step
    def source() -> list[int]:
        return list(range(3000))

    @pipe.map(over=source, concurrency=100)
    async def each(item: int) -> None:
        print(item)

    async with App(tmp_path / "runs.db", sync="process", capture="only") as app:
        result = await app.run(pipe)
        folder = log_folder(app.store, result.run_id)
        assert folder is not None
        assert [file.name for file in folder.iterdir()] == ["log-000001.txt"]
    lines = kept(tmp_path / "runs.db", result.run_id)
    assert {line.path: line.text for line in lines} == {f"each[{n}]": str(n) for n in range(3000)}


async def test_ears_hear_from_any_thread_while_the_loop_is_busy(tmp_path: Path) -> None:
    """So a progress view shows what a step prints although another step holds the loop."""
    heard = threading.Event()
    pipe = Pipeline("busy")
    found: list[bool] = []

    @pipe.step
    def speaks() -> None:
        print("hello")

    @pipe.step
    async def holds() -> None:
        found.append(heard.wait(10))

    def hear(line: LogLine) -> None:
        heard.set()

    async with App(tmp_path / "runs.db", capture="only") as app:
        run = app.run(pipe)
        ears: list[Callable[[LogLine], None]] = run.ears
        ears.append(hear)
        await run
    assert found == [True]


@pytest.mark.parametrize("place", [".stepwell/stepwell.db", "runs.db"])
async def test_the_folder_of_a_log_is_beside_its_store(tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    async with App(path, capture="only") as app:
        with pytest.raises(DefinitionError, match="run_id has letters"):
            await app.run(talkative(), run_id="../../evil")
        result = await app.run(talkative(), run_id="mine:1")
        log = newest_log(app.store, result.run_id)
    beside = tmp_path / (".stepwell/work" if "stepwell" in place else "runs.db.work")
    assert log == beside / "mine%3A1" / "log-000001.txt"
    assert log.is_file()
