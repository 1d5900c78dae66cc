"""Threads for plain functions: enough of them, none forgotten, none too many."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from stepwell.executors import local
from stepwell.executors.local import Threads


async def test_calls_beyond_the_most_threads_wait_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """D14: a burst is worked off, and a call after the threads have gone gets one again."""
    monkeypatch.setattr(local, "_MOST", 3)
    monkeypatch.setattr(local, "_IDLE_SECONDS", 0.05)
    threads, most, lock, at_once = Threads(), 0, threading.Lock(), 0

    def call(number: int) -> int:
        nonlocal most, at_once
        with lock:
            at_once += 1
            most = max(most, at_once)
        with lock:
            at_once -= 1
        return number

    for _ in range(3):
        calls = [threads.submit(call, [number], {}) for number in range(20)]
        assert await asyncio.wait_for(asyncio.gather(*calls), 10) == list(range(20))
        await asyncio.wait_for(threads.submit(threading.Event().wait, [0.2], {}), 10)
    assert most <= 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes can be forked")
async def test_a_forked_process_has_no_threads_of_its_parent() -> None:
    """D14: the child begins without any, so a call there gets a thread of its own."""
    threads = Threads()
    await threads.submit(int, [], {})
    threads.forget()
    assert await asyncio.wait_for(threads.submit(int, ["3"], {}), 10) == 3


async def test_a_function_that_raises_stop_iteration_fails_its_call() -> None:
    def call() -> None:
        raise StopIteration

    with pytest.raises(RuntimeError, match="StopIteration"):
        await Threads().submit(call, [], {})


@pytest.mark.parametrize("error", [StopIteration("s"), GeneratorExit("g")])
async def test_what_no_future_may_carry_fails_its_call_all_the_same(error: BaseException) -> None:
    """E8: an `await` of it would else never end."""

    def call() -> None:
        raise error

    with pytest.raises(RuntimeError, match=f"the function raised {type(error).__name__}") as caught:
        await asyncio.wait_for(Threads().submit(call, [], {}), 10)
    assert caught.value.__cause__ is error


class Shut(Exception):
    """Nothing of it can be had, not even its class."""

    def __getattribute__(self, name: str) -> object:
        raise RuntimeError(f"nobody may see its {name}")


async def test_an_exception_of_which_nothing_can_be_had_fails_its_call() -> None:
    """E8: whoever awaits the call hears of it, instead of waiting for ever."""

    def call() -> None:
        raise Shut

    (found,) = await asyncio.wait_for(asyncio.gather(Threads().submit(call, [], {}), return_exceptions=True), 10)
    assert type(found) is Shut
