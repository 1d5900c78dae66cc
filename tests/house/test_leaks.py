"""The leak check of conftest.py finds what a test leaves running, and says nothing of what ended in time."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from .blueprint import ROOT

PLANTED = """
import asyncio, threading, time
import pytest

STOP = threading.Event()

class Server:
    task = None
    async def start(self): self.task = asyncio.create_task(asyncio.sleep(60))
    async def close(self): self.task.cancel()

@pytest.fixture
async def server():
    server = Server()
    yield server
    await server.close()

async def test_tidy_task_closed_by_its_fixture(server):
    await server.start()

async def test_tidy_thread_of_the_loop():
    await asyncio.to_thread(time.sleep, 0.01)

def test_tidy_thread_that_is_about_to_end():
    threading.Thread(target=time.sleep, args=(0.05,)).start()

def test_tidy_thread_that_is_a_daemon():
    threading.Thread(target=STOP.wait, daemon=True).start()

async def test_leaky_task(request):
    request.config.kept = asyncio.create_task(asyncio.sleep(60), name="forgotten")

async def test_leaky_thread_from_a_coroutine():
    threading.Thread(target=STOP.wait, args=(5,), name="left-behind").start()

def test_leaky_thread():
    threading.Thread(target=STOP.wait, args=(5,), name="left-behind-too").start()

def test_tidy_end_that_lets_the_threads_go():
    STOP.set()
"""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("suite")
    shutil.copy(ROOT / "tests" / "conftest.py", folder)
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "test_planted.py").write_text(PLANTED, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-v", "--color=no", "."]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["COLUMNS"] = "1000"  # the summary cuts its lines to the width
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False).stdout


def test_tests_that_leave_nothing_are_let_through(outcome: str) -> None:
    assert "8 passed, 3 errors" in outcome, outcome
    assert not re.search(r"^ERROR .*::test_tidy", outcome, re.MULTILINE), outcome


def test_a_task_that_is_left_is_named(outcome: str) -> None:
    assert re.search(r"^ERROR .*::test_leaky_task .*tasks running.*forgotten", outcome, re.MULTILINE), outcome


def test_a_thread_that_is_left_is_named(outcome: str) -> None:
    for test, name in [("test_leaky_thread", "left-behind-too"), ("test_leaky_thread_from_a_coroutine", "left-behind")]:
        assert re.search(rf"^ERROR .*::{test} .*threads running.*'{name}'", outcome, re.MULTILINE), outcome
