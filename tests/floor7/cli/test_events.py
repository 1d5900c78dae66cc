"""`stepwell events`: the facts of a run for people and programs, as recorded and as they come (K1, K2, K3, K10)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Wait = Callable[[Callable[[], bool]], None]

WAITING = """import asyncio
from pathlib import Path
from stepwell import Pipeline
pipe = Pipeline("waiting")
@pipe.step
def first() -> int:
    return 1
@pipe.step
async def second(first: int) -> int:
    while not Path("go").exists():
        await asyncio.sleep(0.01)
    return first + 1
"""


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def ran(desk: Any, digest: Path) -> Any:
    return desk("run", digest, "--folder", "notes", "--tags", "b")


def test_events_are_aligned_lines_that_say_what_happened(desk: Any, ran: Any) -> None:
    """K1: one line a fact: number, time, kind, path and what tells it."""
    out = desk("events", ran.run_id).out.splitlines()
    assert [line.split()[0] for line in out] == [str(number + 1) for number in range(len(out))]
    kinds = [line.split()[3] for line in out]
    assert kinds[0] == "RUN_STARTED"
    assert kinds[-1] == "RUN_FINISHED"
    assert "folder=notes" in out[0]
    assert out[-1].endswith("completed")
    assert any(line.split()[3:] == ["MAP_EXPANDED", "measure", "3", "items"] for line in out)
    assert any(line.split()[3:] == ["ITEM_COMPLETED", "measure[b]", "1"] for line in out)
    assert len({line.index(kind) for line, kind in zip(out, kinds, strict=True)}) == 1


def test_events_need_no_code_of_the_pipeline(desk: Any, ran: Any, digest: Path) -> None:
    """K10: what is recorded can be told again anywhere."""
    digest.unlink()
    assert "RUN_FINISHED" in desk("events", "last").out


def test_as_json_each_line_is_one_event_with_what_can_be_read(desk: Any, ran: Any) -> None:
    """K2, K3: the envelope, numbers without a gap, one end that is last."""
    found = lines(desk("events", "last", "--json").out)
    assert [one["seq"] for one in found] == list(range(1, len(found) + 1))
    assert {one["run_id"] for one in found} == {ran.run_id}
    assert {one["schema_version"] for one in found} == {1}
    assert [one["kind"] for one in found].count("RUN_FINISHED") == 1
    assert found[-1]["kind"] == "RUN_FINISHED"
    done = {one["path"]: one["output"] for one in found if one["kind"].endswith("_COMPLETED")}
    assert done["collect"] == ["notes.md", "b", "flat"]
    assert done["measure[b]"] == 1
    assert found[0]["inputs"]["folder"] == "notes"


def test_a_large_value_is_told_by_its_size(desk: Any) -> None:
    desk.write("large.py", "from stepwell import Pipeline\npipe = Pipeline('large')\n"
               "@pipe.step\ndef big() -> str:\n    return 'x' * 100_000\n")  # fmt: skip
    desk("run", "large.py", "-q")
    (done,) = [one for one in lines(desk("events", "last", "--json").out) if one["kind"] == "STEP_COMPLETED"]
    assert done["output"] is None
    assert done["output_bytes"] > 100_000
    assert done["output_digest"]
    assert " bytes" in desk("events", "last", "--kind", "step_completed").out


def test_filters_choose_by_number_kind_and_step(desk: Any, ran: Any) -> None:
    whole = lines(desk("events", "last", "--json").out)
    after = lines(desk("events", "last", "--after", "3", "--json").out)
    assert after == whole[3:]
    kinds = lines(desk("events", "last", "-k", "step-started", "--kind", "run_finished", "--json").out)
    assert {one["kind"] for one in kinds} == {"STEP_STARTED", "RUN_FINISHED"}
    paths = {one["path"] for one in lines(desk("events", "last", "-s", "measure", "--json").out)}
    assert paths == {"measure", "measure[notes.md]", "measure[b]", "measure[flat]"}
    item = lines(desk("events", "last", "--step", "measure[b]", "--json").out)
    assert [(one["path"], one["kind"]) for one in item] == [("measure[b]", "ITEM_COMPLETED")]
    none = desk("events", "last", "--after", "999")
    assert (none.code, none.out) == (0, "")


def test_the_last_ones_are_those_that_the_filters_leave(desk: Any, ran: Any) -> None:
    """K1, O2: as `tail` would give them, without reading the others."""
    whole = desk("events", "last").out.splitlines()
    assert desk("events", "last", "--last", "2").out.splitlines() == whole[-2:]
    assert desk("events", "last", "-n", "99999").out.splitlines() == whole
    items = [line for line in whole if " ITEM_COMPLETED " in line]
    assert desk("events", "last", "-n", "1", "-k", "item_completed").out.splitlines() == items[-1:]
    assert desk("events", "last", "-n", "2", "-s", "measure", "--after", "5").out.splitlines() == [
        line for line in whole[5:] if " measure" in line
    ][-2:]  # fmt: skip
    none = desk("events", "last", "-n", "0")
    assert (none.code, none.out) == (0, "")
    assert desk("events", "last", "-n", "1", "-f").out.splitlines() == whole[-1:]


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (["--kind", "step_complete"], "did you mean `step_completed`?"),
        (["--step", "measre"], "did you mean `measure`?"),
        (["--after", "-1"], "0 or more"),
        (["--last", "-1"], "0 or more"),
    ],
)
def test_what_makes_no_sense_is_told_with_what_was_meant(desk: Any, ran: Any, tokens: list[str], said: str) -> None:
    done = desk("events", "last", *tokens)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_narrow_terminal_gets_lines_that_fit(desk: Any, ran: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    out = desk("events", "last").out.splitlines()
    assert max(map(len, out)) <= 40
    assert out[0].split()[1] == "RUN_STARTED"


def test_it_follows_a_run_of_another_process_until_its_end(desk: Any, wait_until: Wait) -> None:
    """K10: `-f` tells what is recorded as it is, without a loss or a repetition."""
    desk.write("waiting.py", WAITING)
    runner = desk.start("run", "waiting.py")
    wait_until(lambda: "second" in desk("events", "last").out)
    follower = desk.start("events", "last", "--follow", "--json")
    first = json.loads(follower.stdout.readline())
    assert first["seq"] == 1
    desk.write("go", "")
    rest = follower.stdout.read()
    runner.communicate(timeout=30)
    assert follower.wait(30) == 0
    found = [first, *lines(rest)]
    assert [one["seq"] for one in found] == list(range(1, len(found) + 1))
    assert (found[-1]["kind"], found[-1]["status"]) == ("RUN_FINISHED", "completed")
    assert found == lines(desk("events", "last", "--json").out)


def test_following_a_run_that_has_ended_prints_it_and_ends(desk: Any, ran: Any) -> None:
    done = desk("events", "last", "-f", "--json")
    assert done.code == 0
    assert lines(done.out) == lines(desk("events", "last", "--json").out)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_ctrl_c_leaves_the_run_alone_and_tells_how_to_look_on(desk: Any, wait_until: Wait) -> None:
    desk.write("waiting.py", WAITING)
    runner = desk.start("run", "waiting.py")
    wait_until(lambda: "second" in desk("events", "last").out)
    follower = desk.start("events", "last", "-f", "--kind", "step_started", "--json")
    for _ in range(2):
        seq = json.loads(follower.stdout.readline())["seq"]
    follower.send_signal(signal.SIGINT)
    _, err = follower.communicate(timeout=30)
    assert follower.returncode == 130
    assert "-f --after" in err
    assert int(err.split("--after ")[1].split()[0]) <= seq  # rather told twice than lost
    desk.write("go", "")
    runner.communicate(timeout=30)
    assert runner.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there is no head on Windows")
def test_a_reader_that_goes_away_is_no_error(desk: Any, ran: Any) -> None:
    line = f"{sys.executable} -m stepwell.cli.main events last --json | head -n 1"
    done = subprocess.run(line, shell=True, cwd=desk.folder, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["seq"] == 1
    assert done.stderr == ""
