"""Followers: each hears of its own run, on its own loop, and a burst of news wakes a loop once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from stepwell.journal.followers import Followers


async def test_news_of_many_runs_wake_a_loop_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, followers, heard, calls = asyncio.get_running_loop(), Followers(), list[str](), list[object]()
    wake, all_told = loop.call_soon_threadsafe, asyncio.Event()

    def count(call: Callable[..., object], *arguments: Any, **options: Any) -> asyncio.Handle:
        calls.append(call)
        return wake(call, *arguments, **options)

    monkeypatch.setattr(loop, "call_soon_threadsafe", count)
    runs = [f"R{number}" for number in range(100)]
    for run in runs:
        followers.add(run, lambda run=run: heard.append(run))
    followers.add(runs[-1], all_told.set)
    thread = threading.Thread(target=followers.tell, args=[*runs, "nobody follows this one"])
    thread.start()
    await asyncio.wait_for(all_told.wait(), 10)
    thread.join()
    assert (heard, len(calls)) == (runs, 1)


async def test_what_comes_while_a_call_is_due_costs_no_second_one() -> None:
    followers, heard = Followers(), list[int]()
    followers.add("R", lambda: heard.append(1))
    followers.tell("R")
    followers.tell("R", "R")
    await asyncio.sleep(0)
    assert heard == [1]
    followers.tell("R")
    await asyncio.sleep(0)
    assert heard == [1, 1]


async def test_one_that_ends_another_on_the_way_is_obeyed() -> None:
    followers, heard = Followers(), list[str]()
    ends = list[Callable[[], None]]()
    followers.add("R", lambda: ends[0]())
    ends.append(followers.add("Q", lambda: heard.append("Q")))
    followers.tell("R", "Q")
    await asyncio.sleep(0)
    assert (heard, followers.runs()) == ([], ["R"])


async def test_a_follower_whose_loop_is_closed_is_told_no_more() -> None:
    followers, heard = Followers(), list[str]()

    async def follow() -> None:
        followers.add("R", lambda: heard.append("of a loop that is closed"))

    thread = threading.Thread(target=asyncio.run, args=[follow()])
    thread.start()
    thread.join()
    followers.add("R", lambda: heard.append("here"))
    followers.tell("R")
    followers.tell("R")
    await asyncio.sleep(0)
    assert heard == ["here"]


async def test_a_follower_that_fails_keeps_no_other_from_hearing() -> None:
    followers, heard, told = Followers(), list[str](), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
    mistake = ValueError("a mistake of mine")

    def fail() -> None:
        raise mistake

    followers.add("R", fail)
    followers.add("Q", lambda: heard.append("Q"))
    for _ in range(2):
        followers.tell("R", "Q")
        await asyncio.sleep(0)
    assert (heard, told) == (["Q", "Q"], [mistake, mistake])
