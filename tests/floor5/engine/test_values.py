"""What steps receive: how often an output is handed out, when it is read again, and what is not kept at all."""

from __future__ import annotations

import asyncio
import gc
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from stepwell import App, Pipeline, Run, RunResult
from stepwell import events as ev
from stepwell.engine.values import Values
from stepwell.events import LARGE, Payload
from stepwell.state.fold import apply
from stepwell.state.state import State

GIVER, TAKER = 0, 1
LONG = "é" * (LARGE + 1)
WIDE = b"x" * (LARGE + 1)
"""Two that are too large for a row of the journal."""


class Shelf:
    """Where large values lie, and how often one was asked for."""

    def __init__(self) -> None:
        self.lies: dict[str, bytes] = {}
        self.asked = 0

    def load(self, payload: Payload) -> bytes:
        self.asked += 1
        return self.lies[payload.digest]


def takes(giver: object) -> None: ...


def takes_nothing() -> None: ...


class Held:
    """The values of a run whose first step has given this, with a store or in memory; two more steps follow it."""

    def __init__(self, value: object, *, copies: bool = True, ephemeral: bool = False, taken: bool = True) -> None:
        pipe = Pipeline("values")

        def giver() -> object:
            return value

        giver.__annotations__["return"] = type(value)
        pipe.step(durability="ephemeral" if ephemeral else "strict")(giver)
        if taken:
            pipe.step("taker")(takes)
        else:
            pipe.step("taker", after=giver)(takes_nothing)
        self.plan = pipe.compile()
        self.shelf = Shelf()
        self.state = State(self.plan.graph)
        self.values = Values(self.plan, self.state, self.shelf, {}, copies=copies)
        output = value
        if copies and not ephemeral:
            output = Payload.of(self.plan.steps[GIVER].codec.encode(value))
            self.shelf.lies[output.digest] = output.data or b""
        recorded = None if ephemeral else output
        apply(self.state, ev.RunStarted("r", 1, 0.0))
        apply(self.state, ev.StepStarted("r", 2, 0.0, "giver", 1))
        apply(self.state, ev.StepCompleted("r", 3, 0.0, "giver", 1, recorded, kept=not ephemeral))
        self.values.keep(GIVER, value)


@pytest.mark.parametrize("value", [LONG, WIDE], ids=["str", "bytes"])
def test_a_large_output_is_handed_out_once_and_then_read_from_the_store(value: object) -> None:
    """S14: a run whose steps give a megabyte each does not grow by a megabyte a step."""
    held = Held(value)
    assert held.values.step(GIVER) is value
    for asked in (1, 2):
        again = held.values.step(GIVER)
        assert (again == value, again is value, held.shelf.asked) == (True, False, asked)


@pytest.mark.parametrize("value", ["x" * LARGE, b"x" * 100, 12345678901234567890])
def test_a_small_output_that_cannot_change_is_shared_by_all(value: object) -> None:
    """S14: it is decoded for nobody."""
    held = Held(value)
    assert all(held.values.step(GIVER) is value for _ in range(3))
    assert held.shelf.asked == 0


def test_what_can_change_is_handed_out_once_and_then_decoded() -> None:
    """D18: what one step does to a list, no other step sees."""
    value = [1, 2]
    held = Held(value)
    first, second, third = (held.values.step(GIVER) for _ in range(3))
    assert first is value
    value.append(3)
    assert second == third == [1, 2]
    assert second is not third


@pytest.mark.parametrize("value", [[1, 2], "x" * 100, WIDE], ids=["list", "str", "bytes"])
def test_an_output_that_no_step_takes_is_not_kept(value: object) -> None:
    """S14: it is recorded, and nobody else of this run will ask for it."""
    held = Held(value, taken=False)
    found = held.values.step(GIVER)
    assert found == value
    assert found is not value


@pytest.mark.parametrize("taken", [False, True])
@pytest.mark.parametrize("value", [[1, 2], WIDE], ids=["list", "bytes"])
def test_in_memory_all_share_one_object(value: object, taken: bool) -> None:
    """D18: there is no record to read it from."""
    held = Held(value, copies=False, taken=taken)
    assert all(held.values.step(GIVER) is value for _ in range(3))


@pytest.mark.parametrize("copies", [False, True])
@pytest.mark.parametrize("value", [[1, 2], WIDE], ids=["list", "bytes"])
def test_an_ephemeral_output_is_kept_whatever_it_is(value: object, copies: bool) -> None:
    """S3: nothing of it is recorded, and its step does not run twice in one process."""
    held = Held(value, copies=copies, ephemeral=True)
    assert all(held.values.step(GIVER) is value for _ in range(3))
    assert held.shelf.asked == 0


@pytest.mark.parametrize("value", [LONG, WIDE, "x" * 100], ids=["str", "bytes", "small"])
def test_the_state_of_a_run_keeps_no_bytes_of_what_is_large(value: object) -> None:
    """S14: they lie in a file, named by their digest."""
    output = Held(value).state.outputs[GIVER]
    assert isinstance(output, Payload)
    assert (output.data is None) == (value != "x" * 100) == (output.size > LARGE)


# Items.


@dataclass(eq=False)
class Thing:
    """What items give: all that are alive can be counted, also those that were decoded."""

    number: int

    def __post_init__(self) -> None:
        things.add(self)


things: weakref.WeakSet[Thing] = weakref.WeakSet()


async def result_of(run: Run) -> RunResult:
    return await run


@pytest.mark.parametrize("durability", ["strict", "ephemeral"])
async def test_the_outputs_of_items_that_are_recorded_are_not_kept_besides(
    durability: Literal["strict", "ephemeral"], tmp_path: Path
) -> None:
    """S14: of a map of a million items there is one copy; of an ephemeral map, the objects themselves."""
    pipe, alive = Pipeline("items"), list[int]()

    @pipe.step
    async def numbers() -> list[int]:
        return list(range(20))

    async def each(item: int) -> Thing:
        return Thing(item)

    made = pipe.map("made", over=numbers, concurrency=1, durability=durability)(each)

    @pipe.step(after=made)
    async def count() -> int:
        gc.collect()
        alive.append(len(things))
        return 1

    @pipe.step(after=count)
    async def total(made: list[Thing]) -> int:
        return len(things) + sum(thing.number for thing in made)

    async with App(tmp_path / "runs.db") as app:
        result = await result_of(app.run(pipe))
        assert (result.status, result.outputs["total"]) == ("completed", 20 + 190)
    assert alive == [20] if durability == "ephemeral" else alive[0] <= 1


# Inputs.


def nested(depth: int) -> list[object]:
    found: list[object] = []
    for _ in range(depth - 1):
        found = [found]
    return found


def depth_of(value: list[Any]) -> int:
    depth = 1
    while value:
        (value,), depth = value, depth + 1
    return depth


@pytest.mark.parametrize("on_disk", [False, True])
async def test_an_input_that_can_be_recorded_reaches_its_steps_however_deep_it_is(
    on_disk: bool, tmp_path: Path
) -> None:
    """D18, M10: and with a store none sees what another has done to it."""
    pipe = Pipeline("deep")

    @pipe.step
    async def spoils(value: list[object]) -> int:
        found = depth_of(value)
        if on_disk:
            value.clear()
        return found

    @pipe.step(after=spoils)
    async def sees(value: list[object]) -> int:
        return depth_of(value)

    async with App(tmp_path / "runs.db" if on_disk else None) as app:
        result = await asyncio.wait_for(result_of(app.run(pipe, value=nested(700))), 10)
    assert (result.status, result.outputs) == ("completed", {"spoils": 700, "sees": 700})
