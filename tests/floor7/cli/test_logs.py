"""`stepwell logs`, and what a step prints while `stepwell run` goes on (J4, K9, K10, L9)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LAB = """import logging
import sys
from stepwell import Pipeline
pipe = Pipeline("lab")
log = logging.getLogger("desk.lab")
log.setLevel(logging.INFO)
@pipe.step
def find() -> list[str]:
    print("looking")
    return ["a", "b/c"]
@pipe.map(over=find, key=str, retry=2)
def measure(item: str, fail: bool = False) -> str:
    print("measuring", item)
    log.info("it is %s", item)
    if fail and item == "a":
        raise ValueError("broken")
    return item
@pipe.step
async def report(measure: list[str]) -> str:
    sys.stderr.write("first\\nsecond")
    return "done"
"""
SLOW = """import sys, time
from pathlib import Path
from stepwell import Pipeline
pipe = Pipeline("slow")
@pipe.step
def one() -> int:
    print("one is running")
    while not Path("go").exists():
        time.sleep(0.01)
    print("one is over")
    return 1
"""
LOUD = """from stepwell import Pipeline
pipe = Pipeline("loud")
@pipe.step
async def one() -> int:
    for number in range(5000):
        print(number)
    return 1
"""


@pytest.fixture
def ran(desk: Any) -> Any:
    desk.write("lab.py", LAB)
    return desk("run", "lab.py")


def test_steps_print_to_the_progress_and_never_to_stdout(desk: Any, ran: Any) -> None:
    """J4."""
    assert (ran.code, ran.out) == (0, "done\n")
    lines = ran.err.splitlines()
    assert "find | looking" in lines
    assert "measure[b%2Fc] | measuring b/c" in lines
    assert "measure[a] | INFO desk.lab: it is a" in lines
    assert lines.index("report | second") < next(n for n, line in enumerate(lines) if line.startswith("[3/3]"))


def test_logs_shows_each_line_with_its_time_and_item(desk: Any, ran: Any) -> None:
    shown = desk("logs", "last")
    assert shown.code == 0
    rows = [line.split("  ", 2) for line in shown.out.splitlines()]
    assert len(rows) == 7
    assert all(len(row[0]) == len("2026-11-22 04:42:17.127") for row in rows)
    assert [row[1].strip() for row in rows[:1]] == ["find"]
    assert {row[2].strip() for row in rows} >= {
        "looking",
        "measuring b/c",
        "INFO desk.lab: it is b/c",
        "first",
        "second",
    }
    assert desk("logs", ran.run_id[:8]).out == shown.out


def test_logs_takes_a_step_an_item_and_an_attempt(desk: Any) -> None:
    desk.write("lab.py", LAB)
    failed = desk("run", "lab.py", "--fail")
    assert failed.code == 1

    def texts(*tokens: str) -> list[str]:
        found = desk("logs", "last", *tokens, "--json")
        return [json.loads(line)["text"] for line in found.out.splitlines()]

    assert texts("find") == ["looking"]
    assert texts("measure[a]") == ["measuring a", "it is a"] * 2
    assert texts("measure", "--item", "b/c") == ["measuring b/c", "it is b/c"]
    assert texts("--item", "a", "--attempt", "2") == ["measuring a", "it is a"]
    assert texts("--attempt", "3") == []
    assert "(attempt 2)  measuring a" in desk("logs", "last", "measure[a]", "--attempt", "2").out


def test_logs_json_is_one_object_a_line(desk: Any, ran: Any) -> None:
    """L9: logs as JSON."""
    documents = [json.loads(line) for line in desk("logs", "last", "measure", "--item", "a", "--json").out.splitlines()]
    printed, logged = documents
    assert printed.items() >= {
        "schema_version": 1, "kind": "LOG", "run_id": ran.run_id, "path": "measure[a]", "attempt": 1,
        "stream": "stdout", "text": "measuring a",
    }.items()  # fmt: skip
    assert (logged["stream"], logged["level"], logged["logger"]) == ("log", "INFO", "desk.lab")
    assert isinstance(logged["at"], float)


def test_a_step_that_there_is_not_is_told_with_the_nearest(desk: Any, ran: Any) -> None:
    done = desk("logs", "last", "mesure")
    assert done.code == 2
    assert "has no step `mesure`; did you mean `measure`?" in done.err
    assert desk("logs", "last", "a]b").code == 2
    assert desk("logs", "nine").code == 4


def test_what_a_handler_of_the_pipeline_prints_is_not_shown_twice(desk: Any) -> None:
    """In a process of its own: pytest has handlers on the root logger."""
    desk.write("lab.py", LAB.replace("log =", "logging.basicConfig(level=logging.INFO)\nlog ="))
    lines = desk.apart("run", "lab.py").err.splitlines()
    assert [line for line in lines if "it is a" in line] == ["measure[a] | INFO desk.lab: it is a"]


def test_info_is_kept_where_nobody_configures_logging(desk: Any) -> None:
    desk.write("lab.py", LAB.replace("log.setLevel(logging.INFO)\n", ""))
    assert "measure[a] | INFO desk.lab: it is a" in desk.apart("run", "lab.py").err.splitlines()


def test_a_run_that_said_nothing_is_no_mistake(desk: Any) -> None:
    desk.write("loud.py", LOUD.replace("print(number)", "pass"))
    desk("run", "loud.py")
    done = desk("logs", "last")
    assert (done.code, done.out) == (0, "")
    assert "has nothing that steps printed or logged in its log" in done.err


def test_the_last_lines_of_a_failure_name_the_log(desk: Any) -> None:
    desk.write("lab.py", LAB)
    done = desk("run", "lab.py", "--fail")
    last = done.err.splitlines()[-5:]
    assert last[1:] == [
        f"  log: {Path('.stepwell', 'work', done.run_id, 'log-000001.txt')}",
        f"  stepwell show {done.run_id}",
        f"  stepwell logs {done.run_id}",
        f"  stepwell resume {done.run_id}",
    ]
    assert Path(last[1].split(": ")[1]).is_file()


def test_a_store_that_was_named_is_in_the_command(desk: Any) -> None:
    desk.write("lab.py", LAB)
    done = desk("run", "lab.py", "--fail", "--store", "own.db")
    assert f"  stepwell logs {done.run_id} --store own.db" in done.err
    assert desk("logs", "last", "find", "--store", "own.db").out.endswith("looking\n")


def test_without_progress_steps_print_to_stderr_as_they_are(desk: Any) -> None:
    desk.write("lab.py", LAB)
    for tokens in (["--quiet"], ["--progress", "none"]):
        done = desk("run", "lab.py", *tokens)
        assert done.out == "done\n"
        assert all(said in done.err for said in ("looking", "measuring a", "measuring b/c"))
        assert "looking" in desk("logs", "last").out


def test_follow_shows_a_run_of_another_process_to_its_end(
    desk: Any, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    """K10."""
    desk.write("slow.py", SLOW)
    desk.start("run", "slow.py")
    wait_until(lambda: "one is running" in desk("logs", "last").out)
    follower = desk.start("logs", "last", "-f")
    assert follower.stdout.readline().endswith("one is running\n")
    assert follower.poll() is None
    desk.write("go", "")
    out, err = follower.communicate(timeout=30)
    assert (follower.returncode, err) == (0, "")
    assert out.endswith("one is over\n")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal to send to another process")
def test_an_interrupted_follower_leaves_the_run_alone(
    desk: Any, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    desk.write("slow.py", SLOW)
    run = desk.start("run", "slow.py")
    wait_until(lambda: "one is running" in desk("logs", "last").out)
    follower = desk.start("logs", "last", "-f")
    follower.stdout.readline()
    follower.send_signal(signal.SIGINT)
    _, err = follower.communicate(timeout=30)
    assert follower.returncode == 130
    assert "the run is left alone" in err
    desk.write("go", "")
    assert run.wait(30) == 0


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_what_was_printed_before_a_kill_is_kept(desk: Any, wait_until: Callable[[Callable[[], bool]], None]) -> None:
    desk.write(
        "slow.py",
        SLOW.replace('print("one is running")', 'print("one is running"); import os; os.kill(os.getpid(), 9)'),
    )
    run = desk.start("run", "slow.py")
    assert run.wait(30) == -signal.SIGKILL
    assert desk("logs", "last").out.endswith("one is running\n")


def test_a_flood_is_cut_on_the_terminal_and_kept_whole(desk: Any) -> None:
    desk.write("loud.py", LOUD)
    done = desk("run", "loud.py")
    assert "more lines were printed; `stepwell logs` has what is kept" in done.err
    assert len(done.err.splitlines()) < 5000
    assert len(desk("logs", "last").out.splitlines()) == 5000


def test_a_reader_that_goes_away_ends_the_command_in_peace(desk: Any) -> None:
    desk.write("loud.py", LOUD)
    desk("run", "loud.py")
    reader, writer = os.pipe()
    process = desk.start("logs", "last", stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    os.close(reader)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")


def test_a_library_that_keeps_a_stream_from_its_import_is_heard(desk: Any) -> None:
    desk.write(
        "kept.py",
        "import sys\nkept = sys.stderr\n"
        + LOUD.replace("print(number)", "pass").replace(
            "    return 1", "    kept.write('from a library\\n')\n    return 1"
        ),
    )
    assert "one | from a library" in desk("run", "kept.py").err.splitlines()
