"""What holds for every test: asyncio, two Hypothesis profiles, and nothing left running afterwards."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import settings

GRACE = 1.0
"""Seconds that a thread or task which is already ending gets to end."""

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run `async def test_…` on asyncio only: Stepwell speaks no other loop."""
    return "asyncio"


@pytest.fixture(autouse=True)
def no_thread_leaks() -> Iterator[None]:
    """Fail a test that leaves a non-daemon thread behind. Set up before all else, so torn down after it."""
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if not thread.daemon and thread not in before]
    give_up = time.monotonic() + GRACE
    for thread in left:
        thread.join(max(0.0, give_up - time.monotonic()))
    names = [thread.name for thread in left if thread.is_alive()]
    assert not names, f"the test left threads running: {names}; close what started them"


@pytest.fixture(autouse=True)
def no_task_leaks(request: pytest.FixtureRequest, no_thread_leaks: None) -> None:
    """Fail an async test that leaves a task behind. The loop's own threads end between this and the check above."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("no_task_is_left_in_the_loop")


@pytest.fixture
async def no_task_is_left_in_the_loop() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    left = {task for task in asyncio.all_tasks() if task not in before and not _is_of_the_runner(task)}
    if left:
        _, left = await asyncio.wait(left, timeout=GRACE)
    names = [f"{task.get_name()}: {task.get_coro()!r}" for task in left]
    assert not names, f"the test left tasks running: {names}; await or cancel them"


def _is_of_the_runner(task: asyncio.Task[object]) -> bool:
    """Tell the task in which anyio's own test runner waits for this fixture."""
    return getattr(task.get_coro(), "__qualname__", "").startswith("TestRunner.")
