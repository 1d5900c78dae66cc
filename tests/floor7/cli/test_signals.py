"""Runs that are ended, killed and gone on with, by real signals and in several processes (F11, F19, O5, O6)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
Wait = Callable[[Callable[[], bool]], None]

SLOW = """import asyncio, time
from pathlib import Path
from stepwell import Pipeline

pipe = Pipeline("slow")

def note(what):
    with open("witness", "a") as file:
        file.write(f"{what}\\n")

@pipe.step
def first() -> int:
    note("first")
    return 1

@pipe.map(over="items", concurrency=2)
async def each(item: int, rest: float = 60.0) -> int:
    note(f"item {item}")
    if item > 1 and not Path("go").exists():
        await asyncio.sleep(rest)
    return item

@pipe.step
def items(first: int) -> list[int]:
    return [0, 1, 2, 3]

@pipe.step
def last(each: list[int]) -> int:
    return sum(each)
"""
STUCK = """import time
from stepwell import Pipeline
pipe = Pipeline("stuck")
@pipe.step
async def stuck() -> int:
    open("witness", "w").write("item 3")
    time.sleep(60)
    return 1
"""


BUSY = """import asyncio
from pathlib import Path
from stepwell import Pipeline
pipe = Pipeline("busy")
@pipe.step
def items() -> list[int]:
    return [1]
@pipe.map(over=items)
async def work(item: int) -> int:
    Path("witness").write_text("item 3")
    while True:
        sum(range(50_000))
        await asyncio.sleep(0)
"""


@pytest.fixture
def witness(desk: Any) -> Callable[[], list[str]]:
    path: Path = desk.folder / "witness"
    return lambda: path.read_text().splitlines() if path.exists() else []


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def recorded(desk: Any, run: str = "last") -> dict[str, Any]:
    """What the store says of a run, a moment after which its two first items have ended."""
    found: dict[str, Any] = desk("show", run, "--json").document
    return found


def test_the_first_ctrl_c_ends_the_run_and_tells_how_to_go_on(desk: Any, witness: Any, wait_until: Wait) -> None:
    """O5: exit code 130; what is done stays done."""
    desk.write("slow.py", SLOW)
    process = desk.start("run", "slow.py")
    wait_until(lambda: "item 3" in witness())
    process.send_signal(signal.SIGINT)
    code, out, err = ended(process)
    assert (code, out) == (130, "")
    assert "interrupted (Ctrl-C)" in err
    lines = err.splitlines()
    run_id = lines[-2].split()[1]
    assert lines[-2].startswith(f"run {run_id} cancelled")
    assert lines[-1] == f"go on with: stepwell resume {run_id}"
    assert "Traceback" not in err
    (desk.folder / "go").touch()
    done = desk.apart("resume", run_id)
    assert (done.code, done.out) == (0, "6\n"), done.err
    assert witness().count("first") == witness().count("item 0") == witness().count("item 1") == 1


def test_the_second_ctrl_c_kills_at_once_even_what_blocks_the_loop(desk: Any, witness: Any, wait_until: Wait) -> None:
    """O5."""
    desk.write("stuck.py", STUCK)
    process = desk.start("run", "stuck.py")
    wait_until(lambda: "item 3" in witness())
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process)
    assert code == 130
    assert "interrupted (Ctrl-C)" in err
    assert "killed; `stepwell resume " in err
    assert recorded(desk)["status"] == "interrupted"


def test_what_is_told_of_a_signal_is_not_what_a_step_has_printed(desk: Any, witness: Any, wait_until: Wait) -> None:
    """O5: the handler runs in the midst of a step, in its context."""
    desk.write("busy.py", BUSY)
    process = desk.start("run", "busy.py")
    wait_until(lambda: "item 3" in witness())
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process)
    assert (code, "interrupted (Ctrl-C)" in err) == (130, True), err
    assert "work[0] |" not in err
    assert desk("logs", "last").out == ""


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_other_signals_that_end_a_program_do_it_as_gently(
    desk: Any, witness: Any, wait_until: Wait, name: str, code: int
) -> None:
    desk.write("slow.py", SLOW)
    process = desk.start("run", "slow.py")
    wait_until(lambda: "item 3" in witness())
    process.send_signal(getattr(signal, name))
    got, _, err = ended(process)
    assert got == code
    assert f"interrupted ({name})" in err
    assert recorded(desk)["status"] == "cancelled"


def test_a_ctrl_c_while_the_file_is_imported_starts_nothing(desk: Any, witness: Any, wait_until: Wait) -> None:
    desk.write("p.py", "import time\nopen('witness', 'w').write('here')\ntime.sleep(60)\n")
    process = desk.start("run", "p.py")
    wait_until(lambda: witness() == ["here"])
    process.send_signal(signal.SIGINT)
    code, _, err = ended(process)
    assert code == 130
    assert err == "\nstepwell: interrupted\n"


def test_a_killed_run_goes_on_where_it_was(desk: Any, witness: Any, wait_until: Wait) -> None:
    """F11, F6: `kill -9`, then `resume last`; recorded steps and items do not run again."""
    desk.write("slow.py", SLOW)
    process = desk.start("run", "slow.py")
    wait_until(lambda: "item 3" in witness())
    process.kill()
    ended(process)
    before = recorded(desk)
    assert before["status"] == "interrupted"
    assert "interrupted" in desk("ls").out
    (desk.folder / "go").touch()
    done = desk.apart("resume", "last")
    assert (done.code, done.out) == (0, "6\n")
    assert "going on: its process had died" in done.err
    assert witness().count("first") == witness().count("item 0") == 1
    assert witness().count("item 2") == 2
    assert recorded(desk)["status"] == "completed"


def test_a_run_is_cancelled_from_another_terminal(desk: Any, witness: Any, wait_until: Wait) -> None:
    """F19: its owner is asked and ends it; both sides say so."""
    desk.write("slow.py", SLOW)
    process = desk.start("run", "slow.py")
    wait_until(lambda: "item 3" in witness())
    live = desk("show", "last")
    assert "running" in live.out
    assert "[RUN] each" in live.out
    assert recorded(desk)["steps_done"] == 2
    asked = desk("cancel", "last", "--reason", "not today")
    assert asked.code == 0
    assert "is cancelled" in asked.err
    code, _, err = ended(process)
    assert code == 7
    assert "not today" in err
    assert desk("cancel", "last").code == 0


def test_a_run_that_is_live_elsewhere_is_busy(desk: Any, witness: Any, wait_until: Wait) -> None:
    """F19: nobody goes on with it a second time; two pipelines in one folder do not disturb each other."""
    desk.write("slow.py", SLOW)
    process = desk.start("run", "slow.py")
    wait_until(lambda: "item 3" in witness())
    refused = desk("resume", "last")
    assert refused.code == 75
    assert "is running at this moment" in refused.err
    desk.write(
        "quick.py", "from stepwell import Pipeline\npipe = Pipeline('q')\n@pipe.step\ndef a() -> int:\n    return 1\n"
    )
    assert desk.apart("run", "quick.py").code == 0
    assert desk("ls").out.count("running") == 1
    process.kill()
    ended(process)


def test_a_run_with_the_same_key_is_waited_for_and_left_alone_on_ctrl_c(
    desk: Any, witness: Any, wait_until: Wait
) -> None:
    desk.write("slow.py", SLOW)
    desk.start("run", "slow.py", "--key", "k")
    wait_until(lambda: "item 3" in witness())
    told = desk.folder / "told"
    with told.open("w") as stderr:
        other = desk.start("run", "slow.py", "--key", "k", stderr=stderr)
    wait_until(lambda: "stands for run" in told.read_text())
    other.send_signal(signal.SIGINT)
    assert other.wait(20) == 130
    assert "goes on in the process that has it" in told.read_text()
    assert recorded(desk)["status"] == "running"


def test_output_of_ls_may_be_read_in_part(desk: Any, digest: Path) -> None:
    for _ in range(3):
        desk("run", digest, "--folder", "x")
    line = f"{sys.executable} -m stepwell.cli.main ls | head -1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"], cwd=desk.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith("RUN ")


def test_json_of_an_interrupted_run_is_still_one_document(desk: Any, witness: Any, wait_until: Wait) -> None:
    desk.write("slow.py", SLOW)
    process = desk.start("run", "slow.py", "--json", "--quiet")
    wait_until(lambda: "item 3" in witness())
    process.send_signal(signal.SIGINT)
    code, out, _ = ended(process)
    assert code == 130
    assert json.loads(out)["status"] == "cancelled"
