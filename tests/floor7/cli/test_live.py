"""The live view on a real terminal, and what becomes of it where there is none (J1, J3, J4)."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import QUIET

if sys.platform == "win32":
    pytest.skip(reason="a pseudo-terminal of Unix", allow_module_level=True)

import fcntl
import pty
import termios

TALE = """
import threading
from pathlib import Path
from stepwell import Pipeline

pipe = Pipeline("tale")

@pipe.step
def numbers() -> list[int]:
    return list(range(20))

@pipe.map(over=numbers, concurrency=20)
def measure(item: int) -> int:
    if item >= 12:  # the others have ended, and the view has shown so, when the test lets these go on
        while not Path("go").exists():
            threading.Event().wait(0.02)
    return item
"""


class Screen:
    """A pseudo-terminal with a command on it; what comes is collected until it is what is waited for."""

    def __init__(self, desk: Any, *tokens: str, columns: int = 80, **environment: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        env = {name: value for name, value in os.environ.items() if name not in (*QUIET, "COLUMNS", "LINES")}
        env |= {"TERM": "xterm", "PYTHONIOENCODING": "utf-8", **environment}
        self.process: subprocess.Popen[str] = desk.start(*tokens, stderr=theirs, env=env, stdin=theirs)
        os.close(theirs)
        self.seen = ""

    def until(self, wanted: str) -> str:
        """All that came, once it holds this; fails where the command ends without it."""
        while wanted not in self.seen:
            try:
                came = os.read(self._ours, 65536)
            except OSError:
                came = b""
            assert came, f"{wanted!r} did not come: {self.seen!r}"
            self.seen += came.decode("utf-8", "replace")
        return self.seen

    def rest(self) -> str:
        """What comes until the command ends."""
        while True:
            try:
                came = os.read(self._ours, 65536)
            except OSError:
                break
            if not came:
                break
            self.seen += came.decode("utf-8", "replace")
        self.process.wait(timeout=60)
        os.close(self._ours)
        return self.seen


def test_the_view_is_drawn_and_gone_and_only_data_is_on_stdout(desk: Any) -> None:
    """J3, J4: a bar while it runs; afterwards the cursor is back and the last lines are those of the end."""
    desk.write("tale.py", TALE)
    screen = Screen(desk, "run", "tale.py", "--store", "a.db")
    shown = screen.until("12/20")
    assert "━" in shown
    Path(desk.folder / "go").touch()
    shown = screen.rest()
    assert screen.process.returncode == 0
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l")
    assert "[OK]\x1b[0m measure" in shown
    assert "12/20" not in shown[shown.rfind("\x1b[?25h") :]
    assert screen.process.stdout is not None
    assert json.loads(screen.process.stdout.read()) == list(range(20))


@pytest.mark.parametrize(
    ("environment", "there", "gone"),
    [
        ({"NO_COLOR": "1"}, "12/20", "\x1b[3"),
        ({"PYTHONIOENCODING": "ascii"}, "##", "━"),
    ],
)
def test_colours_and_characters_are_those_that_the_terminal_takes(
    desk: Any, environment: dict[str, str], there: str, gone: str
) -> None:
    """J3: NO_COLOR, and an encoding without lines to draw with."""
    desk.write("tale.py", TALE)
    screen = Screen(desk, "run", "tale.py", "--store", "a.db", **environment)
    shown = screen.until("12/20")
    Path(desk.folder / "go").touch()
    shown = screen.rest()
    assert there in shown
    assert gone not in shown


@pytest.mark.parametrize("environment", [{"CI": "1"}, {"TERM": "dumb"}, {"STEPWELL_PROGRESS": "plain"}])
def test_plain_lines_come_where_a_live_view_is_not_wanted(desk: Any, environment: dict[str, str]) -> None:
    """J1: CI, a terminal that cannot move its cursor, and a setting."""
    desk.write("tale.py", TALE)
    Path(desk.folder / "go").touch()
    screen = Screen(desk, "run", "tale.py", "--store", "a.db", **environment)
    shown = re.sub(r"\x1b\[\d+m", "", screen.rest())
    assert "[2/2] Measure... ok (" in shown
    assert "\x1b[" not in shown


def test_a_narrow_terminal_shows_the_count_in_one_line(desk: Any) -> None:
    """J3: 30 columns."""
    desk.write("tale.py", TALE)
    screen = Screen(desk, "run", "tale.py", "--store", "a.db", columns=30)
    shown = screen.until("12/20")
    Path(desk.folder / "go").touch()
    screen.rest()
    drawn = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown)
    assert all(len(line) < 30 for line in drawn.replace("\r", "\n").split("\n"))
