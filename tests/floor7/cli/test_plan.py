"""`stepwell plan`: what would run and why, of a target and of a run; nothing is written (N5, B13, B14, A24)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

STEPS = """from pathlib import Path
from stepwell import Pipeline
pipe = Pipeline("steps")
@pipe.step
def items(n: int = 5) -> list[int]:
    return list(range(n))
@pipe.map(over=items, concurrency=1)
def each(item: int) -> int:
    if item == 3 and not Path("mended").exists():
        raise ValueError("3 is broken")
    return item * 2
@pipe.step(critical=False, retry=3, timeout="30s")
def total(each: list[int]) -> int:
    return sum(each)
"""

KILLED = """import asyncio
from pathlib import Path
from stepwell import Pipeline
pipe = Pipeline("killed")
@pipe.step
def items() -> list[int]:
    return [0, 1, 2]
@pipe.step
async def alone() -> int:
    await asyncio.sleep(60)
    return 1
@pipe.map(over=items)
async def each(item: int) -> int:
    if item == 2:
        Path("witness").touch()
        await asyncio.sleep(60)
    return item
"""


def fingerprint(folder: Path) -> str:
    """All that is in a folder but what is there only while somebody looks, and what keeps it out of Git."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        passing = path.name.endswith(("-wal", "-shm", ".gitignore")) or "__pycache__" in path.parts
        if path.is_file() and not passing:
            found.update(path.as_posix().encode() + path.read_bytes())
    return found.hexdigest()


@pytest.fixture
def failed(desk: Any) -> Any:
    desk.write("steps.py", STEPS)
    return desk.apart("run", "steps.py")


# --- a target ---------------------------------------------------------------------------------------------------------


def test_a_new_run_is_told_step_by_step_with_its_inputs(desk: Any, digest: Path) -> None:
    """N5: order, waits, retries; A24: the inputs with their types, defaults and what was given."""
    desk.write("steps.py", STEPS)
    done = desk("plan", "steps.py", "--n", "7")
    assert done.code == 0
    assert done.out.splitlines() == [
        "steps",
        "",
        "  --n  int  7",
        "",
        "   1  items  takes n",
        "   2  each   once for each item of items, 1 at a time",
        "   3  total  after each; 3 attempts; 30s at most each; its failure is tolerated",
        "",
        "3 steps; those of one number may run side by side",
    ]
    assert "printed by a step" not in desk("plan", digest, "--folder", "x").err


def test_what_is_missing_is_told_and_is_the_exit_code(desk: Any, digest: Path) -> None:
    done = desk("plan", digest, "--suffix", ".txt")
    assert done.code == 2
    assert "--folder  path" in done.out.lower()
    assert "missing; `collect` needs it" in done.out
    assert "it cannot begin: --folder is missing" in done.out
    assert ".md" not in done.out
    wrong = desk("plan", digest, "--folder", "x", "--top", "many", "--nosuch", "1")
    assert (wrong.code, wrong.out) == (2, "")
    assert "--top" in wrong.err
    assert "--nosuch" in wrong.err


def test_planning_a_target_writes_nothing_at_all(desk: Any, digest: Path) -> None:
    before = fingerprint(desk.folder)
    assert desk("plan", digest, "--folder", "x").code == 0
    assert fingerprint(desk.folder) == before
    assert not (desk.folder / ".stepwell").exists()


def test_the_document_of_a_target_has_inputs_and_steps(desk: Any, digest: Path) -> None:
    found = desk("plan", digest, "-p", "folder=x", "--json").document
    assert (found["schema_version"], found["of"], found["ready"], found["pipeline"]) == (1, "target", True, "digest")
    inputs = {one["name"]: one for one in found["inputs"]}
    assert (inputs["folder"]["value"], inputs["folder"]["given"]) == ("x", True)
    assert (inputs["suffix"]["value"], inputs["suffix"]["given"]) == (".md", False)
    steps = {one["name"]: one for one in found["steps"]}
    assert steps["measure"]["over"] == "collect"
    assert steps["report"]["waits_for"] == ["measure"]
    missing = desk("plan", digest, "--json")
    assert missing.code == 2
    assert missing.document["ready"] is False


def test_a_broken_pipeline_is_told_as_run_tells_it(desk: Any) -> None:
    desk.write("bad.py", "from stepwell import Pipeline\npipe = Pipeline('bad')\n"
               "@pipe.step(after='nosuch')\ndef a() -> int:\n    return 1\n")  # fmt: skip
    done = desk("plan", "bad.py")
    assert done.code == 3
    assert "bad.py:3" in done.err


# --- a run ------------------------------------------------------------------------------------------------------------


def test_of_a_run_it_says_what_a_resume_keeps_and_what_runs_again(desk: Any, failed: Any) -> None:
    """N5, B14: items that are left are counted; and the resume does just that."""
    before = fingerprint(desk.folder)
    done = desk("plan", "last")
    assert done.code == 0
    assert done.out.splitlines()[1] == f"`stepwell resume {failed.run_id}` would go on with it"
    told = {line.split()[1]: line.split(maxsplit=2) for line in done.out.splitlines()[3:6]}
    assert (told["items"][0], told["items"][2]) == ("keep", "completed")
    assert told["each"][0] == "again"
    assert told["each"][2].startswith("2 of 5 items left: 1 failed, 1 without an end")
    assert told["total"][0] == "new"
    assert done.out.splitlines()[-1].endswith("and 3 items kept, 2 to run")
    assert fingerprint(desk.folder) == before
    desk.write("mended", "")
    desk.apart("resume", "last")
    again = desk("events", "last", "--json", "--kind", "item_completed").out.splitlines()
    assert len(again) == 5


def test_the_document_of_a_run_says_the_same(desk: Any, failed: Any) -> None:
    found = desk("plan", failed.run_id[:10], "--json").document
    assert (found["of"], found["verdict"], found["status"]) == ("run", "goes_on", "failed")
    steps = {one["name"]: one for one in found["steps"]}
    assert (steps["each"]["fate"], steps["each"]["items"], steps["each"]["left"]) == ("again", 5, 2)
    assert steps["items"]["fate"] == "kept"
    assert steps["total"]["attempts"] == 3


def test_code_that_has_changed_is_told_with_what_comes_of_it(desk: Any, failed: Any) -> None:
    """F18: unrecorded steps go on, recorded ones are refused or kept."""
    desk.write("steps.py", STEPS.replace("sum(each)", "sum(each) + 0"))
    open_one = desk.apart("plan", "last")
    assert open_one.code == 0
    assert "changed code: total (without a record: the new code runs)" in open_one.out
    desk.write("steps.py", STEPS.replace("range(n)", "range(n + 0)"))
    refused = desk.apart("plan", "last")
    assert refused.code == 9
    assert "would be refused: the code of `items` has changed" in refused.out
    assert "--on-change keep" in refused.out
    kept = desk.apart("plan", "last", "--on-change", "keep")
    assert kept.code == 0
    assert "changed code: items (recorded: the record is kept)" in kept.out
    assert desk("show", "last").out.splitlines()[0].endswith("failed")


def test_a_step_that_is_gone_is_told(desk: Any, failed: Any) -> None:
    desk.write("steps.py", STEPS.replace("items", "things"))
    done = desk.apart("plan", "last")
    assert done.code == 9
    assert "no such step any more" in done.out


def test_of_a_run_whose_process_was_killed_it_tells_what_was_lost(
    desk: Any, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """F6, B14: what ran then runs again, and the items that have no end."""
    desk.write("killed.py", KILLED)
    process = desk.start("run", "killed.py")
    wait_until(lambda: (desk.folder / "witness").exists())
    wait_until(lambda: desk("events", "last", "-k", "item_completed").out.count("\n") == 2)
    process.kill()
    process.wait()
    done = desk("plan", "last")
    assert done.code == 0
    lines = {line.split()[1]: line for line in done.out.splitlines()[3:6]}
    assert "interrupted" in done.out.splitlines()[0]
    assert "1 of 3 items left" in lines["each"]
    assert "again  alone  its process died while it ran" in lines["alone"]
    assert lines["items"].split()[0] == "keep"


def test_of_a_run_that_has_succeeded_nothing_would_run(desk: Any, failed: Any) -> None:
    desk.write("mended", "")
    desk.apart("resume", "last")
    done = desk("plan", "last")
    assert done.code == 0
    assert "nothing would run" in done.out
    assert "again" not in done.out
    assert desk("plan", "last", "--json").document["verdict"] == "nothing"


def test_of_a_run_that_was_stopped_the_rest_stays_undone(desk: Any) -> None:
    desk.write("stops.py", "from stepwell import Pipeline, Stop\npipe = Pipeline('stops')\n"
               "@pipe.step\ndef a() -> int | Stop[int]:\n    return Stop(1)\n"
               "@pipe.step\ndef b(a: int) -> int:\n    return a\n")  # fmt: skip
    desk("run", "stops.py", "-q")
    done = desk("plan", "last")
    assert done.code == 0
    assert "  -      b  pending" in done.out.splitlines()
    assert done.out.splitlines()[-1].endswith("kept, 0 to run")


def test_a_run_takes_no_inputs(desk: Any, failed: Any) -> None:
    done = desk("plan", "last", "--n", "3")
    assert done.code == 2
    assert "has its inputs already" in done.err


# --- which of the two -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "code", "said"),
    [
        ("last", 4, "there is no run in this store yet"),
        ("01ZZZZ", 4, "there is no run 01ZZZZ"),
        ("nosuch", 4, "nor is there a run whose id begins so"),
        ("nosuch.py", 4, "there is no file nosuch.py"),
        ("stepps.py", 4, "did you mean `steps.py`?"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "graph"])
def test_what_is_neither_target_nor_run_is_told(desk: Any, command: str, subject: str, code: int, said: str) -> None:
    desk.write("steps.py", STEPS)
    done = desk(command, subject)
    assert (done.code, done.out) == (code, "")
    assert said in done.err


def test_an_ambiguous_prefix_lists_the_runs(desk: Any, failed: Any) -> None:
    """O1."""
    desk.apart("run", "steps.py")
    for command in ("plan", "graph", "events"):
        done = desk(command, failed.run_id[:5])
        assert done.code == 4
        assert "could be" in done.err
        assert failed.run_id in done.err


def test_a_narrow_terminal_gets_lines_that_fit(desk: Any, failed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    for tokens in (["steps.py"], ["last"]):
        assert max(map(len, desk("plan", *tokens).out.splitlines())) <= 40
