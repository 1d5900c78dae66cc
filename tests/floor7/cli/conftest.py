"""A folder to work in, and two ways to give commands: in this process where that is quick, else in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stepwell.cli.main import command

QUIET = {"NO_COLOR": "1", "PYTHONIOENCODING": "utf-8", "CI": "1"}


@dataclass
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def run_id(self) -> str:
        return next(word for word in self.err.split() if len(word) == 26 and word.isupper())


class Desk:
    """A folder with pipelines in it."""

    def __init__(self, folder: Path, captured: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._captured = captured
        self._started: list[subprocess.Popen[str]] = []

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def __call__(self, *tokens: str | Path) -> Done:
        """Give a command in this process."""
        self._captured.readouterr()
        code = command([str(token) for token in tokens])
        read = self._captured.readouterr()
        return Done(code, read.out, read.err)

    def start(self, *tokens: str | Path, **popen: Any) -> subprocess.Popen[str]:
        """Give a command in a process of its own."""
        options: dict[str, Any] = {
            "cwd": self.folder, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
            "env": {**os.environ, **QUIET}, "text": True, "encoding": "utf-8",
        }  # fmt: skip
        line = [sys.executable, "-m", "stepwell.cli.main", *map(str, tokens)]
        process: subprocess.Popen[str] = subprocess.Popen(line, **{**options, **popen})
        self._started.append(process)
        return process

    def clear(self) -> None:
        """No process outlives its test."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()

    def apart(self, *tokens: str | Path, **popen: Any) -> Done:
        """The same, and wait for its end."""
        process = self.start(*tokens, **popen)
        out, err = process.communicate(timeout=60)
        return Done(process.returncode, out or "", err or "")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    for name in ("STEPWELL_STORE", "STEPWELL_PROGRESS", "STEPWELL_QUIET", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))  # settings of whoever runs the tests
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    modules = set(sys.modules)
    desk = Desk(tmp_path, capsys)
    yield desk
    desk.clear()
    for name in set(sys.modules) - modules:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Look again and again until it is so; fail after ten seconds."""
    import time

    def wait(so: Callable[[], bool]) -> None:
        give_up = time.monotonic() + 10
        while not so():
            assert time.monotonic() < give_up, "it did not come about"
            time.sleep(0.02)

    return wait


DIGEST = '''"""Counts words."""
from pathlib import Path
from stepwell import Pipeline

pipe = Pipeline("digest", description="Counts words in notes.")

@pipe.step
def collect(
    folder: Path, suffix: str = ".md", tags: list[str] = [], deep: bool = False, top: int | None = None
) -> list[str]:
    print("this is printed by a step")
    return [str(folder) + suffix, *tags, "deep" if deep else "flat"]

@pipe.map(over=collect, key=lambda item: item)
async def measure(item: str) -> int:
    return len(item)

@pipe.step
def report(measure: list[int]) -> int:
    return sum(measure)
'''


@pytest.fixture
def digest(desk: Desk) -> Path:
    return desk.write("digest.py", DIGEST)
