"""Other processes for the tests of a store that several share."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

BOUND = 30.0


class Other:
    """A process that does one deed of process.py; what it says is read on a thread, so that waiting has a bound."""

    def __init__(self, deed: str, store: Path, *words: object, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("process.py")), deed, str(store), *map(str, words)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment},
        )  # fmt: skip
        self._said: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._said.put(line.strip())
        self._said.put("")

    def hear(self) -> str:
        """The next thing it says; empty where it has ended."""
        return self._said.get(timeout=BOUND)

    def hear_until(self, *words: str) -> str:
        """Pass over what it says until it begins with one of these."""
        while not (line := self.hear()).startswith(words):
            assert line, f"it ended without saying {words}"
        return line

    def hear_all(self) -> list[str]:
        """All that it says until it ends."""
        return list(iter(self.hear, ""))

    def tell(self, word: str = "go") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()

    def end(self) -> int:
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        return self.process.wait(BOUND)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(BOUND)
        self._reader.join(BOUND)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                pass


@pytest.fixture
def other() -> Iterator[Callable[..., Other]]:
    """Start other processes; they are killed after the test if they are still there."""
    started: list[Other] = []

    def start(deed: str, store: Path, *words: object, **environment: str) -> Other:
        started.append(Other(deed, store, *words, **environment))
        return started[-1]

    yield start
    for one in started:
        one.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store is."""
    return tmp_path / "runs.db"
