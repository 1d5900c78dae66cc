"""How many steps are done, told the same way by `run` and `show`; targets that are steps; output to a full disk."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SECOND_FAILS = """from stepwell import Pipeline
pipe = Pipeline("three")
@pipe.step
def one() -> int:
    return 1
@pipe.step
def two(one: int) -> int:
    raise ValueError("no")
@pipe.step
def three(two: int) -> int:
    return two
"""


def test_a_step_that_failed_is_not_counted_as_done(desk: Any) -> None:
    """O1, O2: the end of `run` and `show` say the same."""
    desk.write("p.py", SECOND_FAILS)
    run = desk("run", "p.py")
    assert run.code == 1
    assert "(1 of 3 steps)" in run.err
    assert re.search(r"^took .*, 1 of 3 steps$", desk("show", "last").out, re.MULTILINE)
    assert desk("ls").out.splitlines()[1].split()[-1] == "1/3"
    assert desk("ls", "--json").document["runs"][0]["steps_done"] == 1


def test_a_step_that_was_cancelled_is_not_counted_as_done(desk: Any, wait_until: Any) -> None:
    """O1, O2, E15: what a resume would run again is not behind the run."""
    desk.write(
        "p.py",
        "from pathlib import Path\nfrom stepwell import CancelToken, Pipeline\npipe = Pipeline('two')\n"
        "@pipe.step\ndef one() -> int:\n    return 1\n"
        "@pipe.step\ndef two(one: int, token: CancelToken) -> int:\n"
        "    Path('begun').touch()\n    token.wait(60)\n    token.check()\n    return 1\n",
    )
    process = desk.start("run", "p.py")
    wait_until(lambda: (desk.folder / "begun").exists())
    assert desk("cancel", "last").code == 0
    _, err = process.communicate(timeout=60)
    assert process.returncode == 7
    assert "(1 of 2 steps)" in err
    assert re.search(r"^took .*, 1 of 2 steps$", desk("show", "last").out, re.MULTILINE)


def test_a_target_that_names_a_step_is_not_found_and_nothing_runs(desk: Any) -> None:
    """O3, O5."""
    desk.write("p.py", SECOND_FAILS)
    done = desk("run", "p.py:one")
    assert (done.code, done.out) == (4, "")
    assert "`one` in p.py is a step of `pipe`; give p.py:pipe" in done.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("line", [["--help"], ["ls", "--help"], ["run", "--help"], ["--version"], []])
def test_a_help_that_meets_a_full_disk_is_no_mistake_of_ours(desk: Any, line: list[str]) -> None:
    """O5: one line says what it was, as of any other output."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "stepwell.cli.main", *line],
            cwd=desk.folder, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert re.fullmatch(r"stepwell: stdout: .*No space left on device\n", done.stderr)
