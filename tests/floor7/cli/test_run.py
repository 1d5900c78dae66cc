"""`stepwell run`: what reaches stdout and stderr, and with which exit code it ends (O3, O5, J1–J4)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def pipeline(steps: str, extra: str = "") -> str:
    head = "from stepwell import Pipeline, Skip, RetryPolicy\nimport os, sys, time, asyncio\npipe = Pipeline('p')"
    return f"{head}\n{extra}\n{steps}\n"


# --- stdout carries data only (J4) ------------------------------------------------------------------------------------


def test_the_output_is_on_stdout_as_json_and_nothing_else(desk: Any, digest: Path) -> None:
    """O3, J4."""
    done = desk("run", digest, "--folder", "docs")
    assert (done.code, done.out) == (0, "11\n")
    assert "this is printed by a step" in done.err


def test_a_text_is_printed_as_it_is(desk: Any) -> None:
    desk.write("p.py", pipeline("@pipe.step\ndef say() -> str:\n    return 'two\\nlines'"))
    assert desk("run", "p.py").out == "two\nlines\n"


def test_no_output_prints_nothing(desk: Any) -> None:
    desk.write("p.py", pipeline("@pipe.step\ndef do() -> None:\n    pass"))
    done = desk("run", "p.py")
    assert (done.code, done.out) == (0, "")


def test_what_steps_and_their_child_processes_print_stays_off_stdout(desk: Any) -> None:
    """J4: also on the descriptor, where libraries in C and other programs print, and while the file is imported."""
    desk.write(
        "p.py",
        pipeline(
            "@pipe.step\ndef loud() -> int:\n    print('by print')\n    os.write(1, b'by descriptor\\n')\n"
            "    os.system('echo by child')\n    sys.__stdout__.write('by original\\n'); sys.__stdout__.flush()\n"
            "    return 7",
            "print('at import')",
        ),
    )
    done = desk.apart("run", "p.py")
    assert (done.code, done.out) == (0, "7\n")
    for words in ("at import", "by print", "by descriptor", "by child", "by original"):
        assert words in done.err


def test_json_is_one_document_about_the_run(desk: Any, digest: Path) -> None:
    """O2."""
    done = desk("run", digest, "--folder", "docs", "--json")
    found = done.document
    assert found["schema_version"] == 1
    assert (found["status"], found["output"], found["pipeline"], found["failures"]) == ("completed", 11, "digest", [])
    assert len(found["run_id"]) == 26
    assert found["steps"]["measure"]["status"] == "completed"


def test_json_of_a_failed_run_has_the_failure(desk: Any) -> None:
    desk.write("p.py", pipeline("@pipe.step\ndef bad() -> int:\n    raise ValueError('no')"))
    done = desk("run", "p.py", "--json")
    assert done.code == 1
    assert done.document["status"] == "failed"
    assert done.document["failures"][0]["message"] == "no"


def test_json_of_a_refused_command_says_why(desk: Any) -> None:
    done = desk("run", "nope.py", "--json")
    assert done.code == 4
    assert done.document["error"]["type"] == "TargetError"


# --- progress and the last lines (J1, J2) -----------------------------------------------------------------------------


def test_progress_is_one_line_a_change_with_place_and_label(desk: Any, digest: Path) -> None:
    """J1, J3."""
    lines = desk("run", digest, "--folder", "docs").err.splitlines()
    assert lines[1].startswith("[1/3] Collect... ok (0.")
    assert lines[2].startswith("[2/3] Measure... ok (0.")
    assert lines[2].endswith(", 2 items")
    assert lines[3].startswith("[3/3] Report... ok (0.")


def test_the_last_lines_are_each_step_with_its_time_and_the_total(desk: Any, digest: Path) -> None:
    """J2."""
    lines = desk("run", digest, "--folder", "docs").err.splitlines()
    assert lines[-4].startswith("  [OK] collect          (0.")
    assert lines[-3].endswith("2 items")
    assert lines[-1].startswith("run ")
    assert " completed in " in lines[-1]
    assert lines[-1].endswith("(3 of 3 steps)")


def test_a_step_that_did_not_run_says_why(desk: Any) -> None:
    desk.write(
        "p.py",
        pipeline(
            "@pipe.switch(to={'a': 'left', 'b': 'right'})\ndef which() -> str:\n    return 'a'\n"
            "@pipe.step\ndef left() -> int:\n    return 1\n@pipe.step\ndef right() -> int:\n    return 2\n"
            "@pipe.step(when=never)\ndef guarded() -> int:\n    return 3",
            "def never() -> bool:\n    return False",
        ),
    )
    err = desk("run", "p.py").err
    assert "[2/4] Right... not run: no branch led to it" in err or "Right... not run: no branch led to it" in err
    assert "[SKIP] right" in err
    assert "its condition `never` was false" in err


def test_a_failed_run_ends_with_step_message_frame_and_the_commands(desk: Any) -> None:
    """O5, J2: the last lines are the answer."""
    desk.write(
        "p.py",
        pipeline(
            "@pipe.step\ndef items() -> list[str]:\n    return ['good', 'bad']\n"
            "@pipe.map(over=items, key=lambda item: item)\ndef check(item: str) -> str:\n    return helper(item)",
            "def helper(item):\n    if item == 'bad':\n        raise ValueError('this one is bad')\n    return item",
        ),
    )
    done = desk("run", "p.py")
    assert (done.code, done.out) == (1, "")
    lines = done.err.splitlines()
    at = lines.index("[FAIL] check[bad]: ValueError: this one is bad")
    assert lines[at + 1] == "       p.py:6 in helper"
    assert lines[at + 2] == "           raise ValueError('this one is bad')"
    assert lines[-2:] == [f"  stepwell show {done.run_id}", f"  stepwell resume {done.run_id}"]


def test_the_commands_name_the_store_where_it_was_named(desk: Any) -> None:
    desk.write("p.py", pipeline("@pipe.step\ndef bad() -> int:\n    raise ValueError('no')"))
    done = desk("run", "p.py", "--store", "my runs.db")
    assert done.err.splitlines()[-1] == f"  stepwell resume {done.run_id} --store 'my runs.db'"


def test_a_tolerated_failure_degrades_the_run_and_counts_only_with_strict(desk: Any) -> None:
    """O5."""
    desk.write(
        "p.py",
        pipeline(
            "@pipe.step(critical=False)\ndef shaky() -> int:\n    raise OSError('gone')\n"
            "@pipe.step\ndef firm() -> int:\n    return 1"
        ),
    )
    done = desk("run", "p.py")
    assert done.code == 0
    assert "[WARN] shaky" in done.err
    assert "OSError: gone" in done.err
    assert desk("run", "p.py", "--strict").code == 5


def test_retries_are_told_with_their_wait(desk: Any) -> None:
    desk.write(
        "p.py",
        pipeline(
            "@pipe.step(retry=RetryPolicy(attempts=2, delay='10ms', jitter=0))\ndef flaky() -> int:\n"
            "    seen.append(1)\n    if len(seen) < 2:\n        raise OSError('not yet')\n    return 1",
            "seen = []",
        ),
    )
    err = desk("run", "p.py").err
    assert "[0/1] Flaky... attempt 1 failed: OSError: not yet; tried again in 0.0s" in err
    assert "2 attempts" in err


def test_a_run_of_many_steps_ends_in_few_lines(desk: Any) -> None:
    desk.write(
        "p.py", pipeline("for n in range(60):\n    pipe.add_step(f's{n}', noop)", "def noop() -> None:\n    pass")
    )
    lines = desk("run", "p.py").err.splitlines()
    assert lines[-2] == "  [OK] 60 steps"
    assert sum("..." in line for line in lines) == 60


def test_quiet_tells_of_failures_only(desk: Any, digest: Path) -> None:
    done = desk("run", digest, "--folder", "docs", "--quiet")
    assert (done.out, done.err) == ("11\n", "this is printed by a step\n")
    desk.write("p.py", pipeline("@pipe.step\ndef bad() -> int:\n    raise ValueError('no')"))
    assert "[FAIL] bad: ValueError: no" in desk("run", "p.py", "-q").err


def test_many_failed_items_are_counted_and_not_all_told(desk: Any) -> None:
    desk.write(
        "p.py",
        pipeline(
            "@pipe.step\ndef items() -> list[int]:\n    return list(range(50))\n"
            "@pipe.map(over=items, min_success=0)\ndef check(item: int) -> int:\n    raise ValueError(str(item))",
        ),
    )
    err = desk("run", "p.py").err
    assert err.count("] failed: ValueError") == 4
    assert "50 failed" in err
    assert "and 47 more" in err


# --- exit codes (O5) --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "options", "code"),
    [
        ("@pipe.step\ndef a() -> int:\n    return 1", [], 0),
        ("@pipe.step\ndef a() -> int:\n    raise ValueError", [], 1),
        ("@pipe.step\ndef a() -> int:\n    return 1", ["--frobnicate"], 2),
        ("@pipe.step\ndef a() -> int:\n    return 1", ["--on-failure", "explode"], 2),
        ("@pipe.step\ndef a() -> int:\n    return 1", ["--run-timeout", "soon"], 2),
        ("@pipe.step(after='b')\ndef a() -> int:\n    return 1", [], 3),
        ("@pipe.step(retires=2)\ndef a() -> int:\n    return 1", [], 3),
        (
            "@pipe.step\nasync def a() -> int:\n    await asyncio.sleep(60)\n    return 1",
            ["--run-timeout", "50ms"],
            124,
        ),
    ],
)
def test_each_end_has_its_exit_code(desk: Any, steps: str, options: list[str], code: int) -> None:
    """O5."""
    desk.write("p.py", pipeline(steps))
    done = desk("run", "p.py", *options)
    assert done.code == code, done.err
    assert "Traceback" not in done.err


def test_a_target_that_is_not_there_is_4(desk: Any, digest: Path) -> None:
    done = desk("run", "digset.py")
    assert done.code == 4
    assert "did you mean `digest.py`?" in done.err


def test_without_a_target_the_way_out_is_told(desk: Any) -> None:
    done = desk("run")
    assert done.code == 2
    assert "needs a TARGET" in done.err


def test_a_mistake_of_ours_says_so_and_how_to_report_it(
    desk: Any, digest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object) -> int:
        raise RuntimeError("impossible")

    monkeypatch.setattr("stepwell.cli.run.drive", broken)
    done = desk("run", digest, "--folder", "x")
    assert done.code == 1
    assert "RuntimeError: impossible" in done.err
    assert "a mistake in Stepwell itself" in done.err
    assert "Please report it" in done.err


# --- stores -----------------------------------------------------------------------------------------------------------


def test_the_store_is_in_the_project_above(desk: Any, digest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write("pyproject.toml", "")
    (desk.folder / "deep/er").mkdir(parents=True)
    monkeypatch.chdir(desk.folder / "deep/er")
    assert desk("run", digest, "--folder", "x").code == 0
    assert (desk.folder / ".stepwell/stepwell.db").is_file()
    assert list((desk.folder / "deep/er").iterdir()) == []


def test_the_environment_names_another_store(desk: Any, digest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_STORE", "other.db")
    desk("run", digest, "--folder", "x")
    assert (desk.folder / "other.db").is_file()
    assert not (desk.folder / ".stepwell").exists()


def test_a_store_in_memory_leaves_nothing_behind(desk: Any, digest: Path) -> None:
    before = set(desk.folder.rglob("*.db*"))
    done = desk("run", digest, "--folder", "x", "--store", "memory")
    assert done.code == 0
    assert set(desk.folder.rglob("*.db*")) == before
    assert desk("ls", "--store", ":memory:").code == 2


@pytest.mark.parametrize("store", ["foreign.db", "folder", "foreign.db/x.db", "postgresql://host/db"])
def test_a_store_that_cannot_be_used_is_75_and_told_in_one_line(desk: Any, digest: Path, store: str) -> None:
    desk.write("foreign.db", "something else entirely")
    (desk.folder / "folder").mkdir()
    done = desk("run", digest, "--folder", "x", "--store", store)
    assert done.code == 75
    assert done.err.startswith("stepwell: ")
    assert done.err.count("\n") == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to be somebody else for a test")
def test_a_folder_that_may_not_be_written_or_looked_into_is_told(desk: Any, digest: Path) -> None:
    # First as root, so that all is imported: Python itself may be installed where nobody may look.
    program = (
        "import os, sys; from stepwell.cli import main\n"
        "for line in (['run', 'digest.py', '--folder', 'x', '-q'], ['ls'], ['run', 'no.py']):\n"
        "    main.command([*line, '--store', '../warm.db'])\n"
        "print('now', file=sys.stderr); os.setegid(65534); os.seteuid(65534); sys.exit(main.command(sys.argv[1:]))"
    )

    def nobody(*tokens: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-c", program, *tokens]
        done = subprocess.run(line, cwd=desk.folder, capture_output=True, text=True, check=False)
        return subprocess.CompletedProcess(line, done.returncode, done.stdout, done.stderr.partition("now\n")[2])

    for folder in (desk.folder, *desk.folder.parents):
        if "pytest-of-" in str(folder):  # under xdist there is one level more
            folder.chmod(0o755)
    written = nobody("run", "digest.py", "--folder", "x")
    assert written.returncode == 75, written.stderr
    assert "stepwell: the folder " in written.stderr
    desk("run", digest, "--folder", "x")
    for tokens in (["ls"], ["run", "digest.py", "--folder", "x"]):
        shut = nobody(*tokens)
        assert shut.returncode == 75
        assert "Traceback" not in shut.stderr
        assert "give yourself the right to" in shut.stderr


def test_a_key_starts_a_run_once(desk: Any, digest: Path) -> None:
    first = desk("run", digest, "--folder", "x", "--key", "today")
    second = desk("run", digest, "--folder", "x", "--key", "today")
    assert second.code == 0
    assert second.out == first.out
    assert f"stands for run {first.run_id}" in second.err
    assert "printed by a step" not in second.err
    other = desk("run", digest, "--folder", "y", "--key", "today")
    assert other.code == 2
    assert "other inputs" in other.err


# --- streams ----------------------------------------------------------------------------------------------------------


def test_a_terminal_without_unicode_gets_escapes_and_json_stays_whole(desk: Any) -> None:
    desk.write("p.py", pipeline("@pipe.step\ndef say() -> str:\n    return 'é ☃'"))
    environ = {**os.environ, "PYTHONIOENCODING": "ascii", "NO_COLOR": "1"}
    assert desk.apart("run", "p.py", env=environ).out == "\\xe9 \\u2603\n"
    assert desk.apart("run", "p.py", "--json", env=environ).document["output"] == "é ☃"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell that closes descriptors")
def test_closed_streams_end_without_a_traceback(desk: Any, digest: Path) -> None:
    line = f"{sys.executable} -m stepwell.cli.main run {digest} --folder x"
    shut = subprocess.run(["sh", "-c", f"{line} >&-"], cwd=desk.folder, capture_output=True, text=True, check=False)
    assert shut.returncode == 0
    assert "stdout is closed" in shut.stderr
    assert "Traceback" not in shut.stderr
    deaf = subprocess.run(["sh", "-c", f"{line} 2>&-"], cwd=desk.folder, capture_output=True, text=True, check=False)
    assert (deaf.returncode, deaf.stdout) == (0, "8\n")
    full = subprocess.run(
        ["sh", "-c", f"{line} >/dev/full"], cwd=desk.folder, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in full.stderr
    assert full.returncode == 1
