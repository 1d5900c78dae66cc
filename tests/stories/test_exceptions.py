"""Exceptions of odd kinds: each is a failure of its step, and the run has its end."""

from __future__ import annotations

import asyncio

import pytest

from stepwell import (
    Pipeline,
)

from .conftest import Play


class Quit(BaseException):
    """Like `pytest.fail.Exception`: not an Exception."""


async def test_an_exception_that_is_no_exception_fails_its_step_on_the_loop(play: Play) -> None:
    """E8: what a test framework raises in a mock, say; the run has an end."""
    pipe = Pipeline("quits")

    @pipe.step
    async def work() -> int:
        raise Quit("now")

    h = play(pipe)
    result = await asyncio.wait_for(h.run(), 5)
    assert [(one.type, one.message) for one in result.failures] == [("Quit", "now")]


async def test_an_exception_that_is_no_exception_fails_its_step_in_a_thread(play: Play) -> None:
    """E8: the same in a thread."""
    pipe = Pipeline("quits")

    @pipe.step
    def work() -> int:
        raise Quit("now")

    h = play(pipe)
    result = await asyncio.wait_for(h.run(), 5)
    assert [(one.type, one.message) for one in result.failures] == [("Quit", "now")]


@pytest.mark.parametrize("where", ["loop", "thread", "inline"])
async def test_a_cancelled_error_that_nobody_asked_for_is_a_failure(play: Play, where: str) -> None:
    """E15: never a hang, never a cancelled run."""
    pipe = Pipeline("odd")

    async def on_loop() -> int:
        raise asyncio.CancelledError("of its own")

    def plain() -> int:
        raise asyncio.CancelledError("of its own")

    if where == "loop":
        pipe.step(on_loop)
    else:
        pipe.step("plain", runs_on=where)(plain)  # type: ignore[arg-type]
    result = await asyncio.wait_for(play(pipe).run(), 5)
    assert (result.status, [one.kind for one in result.failures]) == ("failed", ["cancelled"])


async def test_stop_iteration_in_a_step_is_a_failure_like_any_other(play: Play) -> None:
    """E8: which no future can carry."""
    pipe = Pipeline("iterates", on_failure="finish")

    @pipe.step
    def in_thread() -> int:
        return next(iter(()))

    @pipe.step
    async def on_loop() -> int:
        return next(iter(()))

    @pipe.step(runs_on="inline")
    def inline() -> int:
        return next(iter(()))

    result = await play(pipe).run()
    assert {one.path for one in result.failures} == {"in_thread", "on_loop", "inline"}


async def test_an_exit_of_the_interpreter_in_a_step_is_a_failure_like_any_other(play: Play) -> None:
    """E12: SystemExit does not escape, in a thread and on the loop."""
    pipe = Pipeline("exits", on_failure="finish")

    @pipe.step
    def in_thread() -> None:
        raise SystemExit(3)

    @pipe.step
    async def on_loop() -> None:
        raise SystemExit("bye")

    result = await play(pipe).run()
    assert sorted((one.path, one.type) for one in result.failures) == [
        ("in_thread", "SystemExit"), ("on_loop", "SystemExit"),
    ]  # fmt: skip


async def test_an_exception_group_and_one_with_a_strange_text_are_recorded(play: Play) -> None:
    """E8: whatever is raised can be told."""
    pipe = Pipeline("strange", on_failure="finish")

    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    @pipe.step
    async def mute() -> None:
        raise Mute

    @pipe.step
    async def group() -> None:
        raise ExceptionGroup("several", [ValueError("a"), OSError("b")])

    result = await play(pipe).run()
    assert result.status == "failed"
    assert {one.type for one in result.failures} >= {"ExceptionGroup"}
    assert len(result.failures) == 2
