"""Start once: a key stands for one set of inputs and one run (S15)."""

from __future__ import annotations

import asyncio

import pytest

from stepwell import KeyConflict, Pipeline
from stepwell.testing import Crashed

from .conftest import Play
from .doing import awaited, begun, until
from .telling import tale, told


def doubled() -> Pipeline:
    pipe = Pipeline("doubled")

    @pipe.step
    async def double(n: int) -> int:
        return n * 2

    @pipe.step
    async def text(double: int) -> str:
        return str(double)

    return pipe


async def test_the_same_key_and_inputs_give_the_record_of_the_run_that_is_there(play: Play) -> None:
    """S15: nothing runs a second time."""
    h = play(doubled())
    first = await h.run(n=2, key="k")
    second = await h.run(n=2, key="k")
    assert (second.run_id, second.output, second.status) == (first.run_id, "4", "completed")
    assert len(h.calls("double")) == 1
    third = await h.run(n=2, key="other")
    assert third.run_id != first.run_id


async def test_the_same_key_with_other_inputs_is_a_conflict(play: Play) -> None:
    """S15: and the run that is there stays as it is."""
    h = play(doubled())
    first = await h.run(n=2, key="k")
    with pytest.raises(KeyConflict, match="k"):
        await h.run(n=3, key="k")
    assert (await h.run(n=2, key="k")).run_id == first.run_id


async def test_a_run_that_failed_is_resumed_by_its_key(play: Play) -> None:
    """S15: any other is resumed."""
    h = play(doubled())
    h.mock("text", raises=OSError)
    first = await h.run(n=2, key="k")
    assert first.status == "failed"
    h.unmock()
    second = await h.run(n=2, key="k")
    assert (second.run_id, second.output) == (first.run_id, "4")
    assert len(h.calls("double")) == 1
    assert told(h).splitlines()[-5:] == [
        "RUN_RESUMED",
        "STEP_RESET text resume",
        "STEP_STARTED text#2 attempt=1",
        "STEP_COMPLETED text#2 attempt=1 -> '4'",
        "RUN_FINISHED completed",
    ]


async def test_a_run_whose_process_died_is_resumed_by_its_key(play: Play) -> None:
    """S15, F11: starting it again is how to go on."""
    h = play(doubled())
    h.crash_after("double")
    with pytest.raises(Crashed):
        await h.run(n=2, key="k")
    result = await h.run(n=2, key="k")
    assert result.output == "4"
    assert len(h.calls("double")) == 1
    assert "RUN_RESUMED recovered" in told(h)


async def test_a_run_that_never_came_into_being_leaves_its_key_free(play: Play) -> None:
    """S15: a crash before the first record."""
    h = play(doubled())
    h.crash_at(1, durable=False)
    with pytest.raises(Crashed):
        await h.run(n=2, key="k")
    assert (await h.run(n=3, key="k")).output == "6"


async def test_a_live_run_is_attached_to(play: Play) -> None:
    """S15: two that start it at once get one run, executed once."""
    pipe = Pipeline("shared")
    gate, inside = asyncio.Event(), asyncio.Event()

    @pipe.step
    async def work(n: int) -> int:
        inside.set()
        await gate.wait()
        return n

    h = play(pipe)
    one = h.start(n=1, key="k")
    first = await begun(one, inside)
    two = h.start(n=1, key="k")
    second = awaited(two)
    await until(lambda: one.id == two.id)
    gate.set()
    assert ((await first).output, (await second).output) == (1, 1)
    assert len(h.calls("work")) == 1


async def test_inputs_that_only_differ_in_a_default_are_the_same(play: Play) -> None:
    """S15: what counts is what the run was given, defaults included."""
    pipe = Pipeline("defaults")

    @pipe.step
    async def add(a: int, b: int = 1) -> int:
        return a + b

    h = play(pipe)
    first = await h.run(a=1, key="k")
    assert (await h.run(a=1, b=1, key="k")).run_id == first.run_id
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED add attempt=1
        STEP_COMPLETED add attempt=1 -> 2
        RUN_FINISHED completed
    """)
