"""A generator run to its end: on the loop, in line, over the bridge from a thread; and what it comes to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator, Sequence
from typing import Any, cast

import pytest
from msgspec.structs import replace

from stepwell.codecs.values import Codecs
from stepwell.control import Cancelled, Output, Skip, Stop
from stepwell.engine.patience import Patience
from stepwell.engine.stream import Bridge, Ended, output_of, run_async, run_inline
from stepwell.executors.local import threads
from stepwell.plan.plan import UNSET, PlanStep
from stepwell.testing.clock import VirtualClock

from .plans import step, turns, until

BOUND = 5.0


class Basket:
    """A sink that is full with so many values, until it is emptied."""

    def __init__(self, holds: int = 1_000_000, refuses: object = UNSET) -> None:
        self.values: list[object] = []
        self.holds = holds
        self.refuses = refuses
        self.here: set[int] = set()
        self._room: asyncio.Future[None] | None = None

    def take(self, value: object) -> bool:
        if value == self.refuses:
            raise ValueError(f"{value} is of no use")
        self.here.add(threading.get_ident())
        self.values.append(value)
        return self.full

    @property
    def full(self) -> bool:
        return len(self.values) >= self.holds

    def room(self) -> asyncio.Future[None]:
        if self._room is None:
            self._room = asyncio.get_running_loop().create_future()
        return self._room

    def finish(self) -> None: ...

    def empty(self, holds: int = 1_000_000) -> None:
        self.holds = holds
        if self._room is not None:
            self._room.set_result(None)
            self._room = None


class Many:
    """A generator function of so many numbers; how many were made, and whether it was closed."""

    def __init__(self, values: Sequence[object], returns: object = None, raises: BaseException | None = None) -> None:
        self.values, self.returns, self.raises = values, returns, raises
        self.made = 0
        self.closed = False

    def __call__(self) -> Generator[object, None, object]:
        try:
            for value in self.values:
                self.made += 1
                yield value
            if self.raises is not None:
                raise self.raises
            return self.returns
        finally:
            self.closed = True


async def run(mode: str, many: Many, basket: Basket, patience: Patience | None = None) -> Ended:
    """Run it as an attempt does."""
    if mode == "async":

        async def on_loop() -> AsyncGenerator[object]:
            for value in many():
                yield value

        return await run_async(on_loop(), basket, patience)
    if mode == "inline":
        return await run_inline(many(), basket, patience)
    bridge = Bridge(basket, patience)
    call = threads().submit(bridge.drive, (many, (), {}), {})
    try:
        ended = await asyncio.shield(call)
        await bridge.finish()
    except asyncio.CancelledError:
        bridge.close()
        with pytest.raises(Cancelled):
            await call
        raise
    return cast("Ended", ended)


MODES = pytest.mark.parametrize("mode", ["async", "inline", "thread"])


@MODES
@pytest.mark.parametrize("count", [0, 1, 5000])
async def test_every_value_is_taken_on_the_loop_in_order(mode: str, count: int) -> None:
    """K5."""
    many, basket = Many(range(count)), Basket()
    await asyncio.wait_for(run(mode, many, basket), BOUND)
    assert basket.values == list(range(count))
    assert many.closed
    assert basket.here <= {threading.get_ident()}


@MODES
async def test_control_values_are_no_values_and_the_last_one_counts(mode: str) -> None:
    """K5, B2."""
    basket = Basket()
    ended = await run(mode, Many([Skip("a"), 1, Stop(2), 3]), basket)
    assert (basket.values, ended.control) == ([1, 3], Stop(2))


@pytest.mark.parametrize("mode", ["inline", "thread"])
async def test_what_a_sync_generator_returns_is_handed_on(mode: str) -> None:
    """K5."""
    assert await run(mode, Many([1], returns="x"), Basket()) == Ended(UNSET, "x")


@MODES
async def test_a_generator_waits_while_its_sink_is_full(mode: str) -> None:
    """D15: one in a thread may have a few more under way."""
    many, basket = Many(range(5000)), Basket(holds=10)
    task = asyncio.ensure_future(run(mode, many, basket))
    await until(lambda: basket.full)
    before = -1
    while before != many.made:
        before = many.made
        await asyncio.sleep(0.005)  # what a thread still makes comes in real time
    assert len(basket.values) == 10
    assert many.made <= 10 + (0 if mode != "thread" else 100)
    basket.empty()
    await asyncio.wait_for(task, BOUND)
    assert basket.values == list(range(5000))


@MODES
async def test_a_sink_that_is_full_at_the_last_value_holds_up_the_end(mode: str) -> None:
    """D15: nothing is lost that is still under way."""
    many, basket = Many(range(20)), Basket(holds=10)
    task = asyncio.ensure_future(run(mode, many, basket))
    await until(lambda: basket.full)
    basket.empty(holds=15)
    await until(lambda: basket.full)
    assert not task.done()
    basket.empty()
    await asyncio.wait_for(task, BOUND)
    assert basket.values == list(range(20))


@pytest.mark.parametrize("holds", [10, 1000])
async def test_what_is_under_way_when_a_thread_ends_is_handed_over(holds: int) -> None:
    """K5: a short generator may be over before the loop had its turn, and its sink may be full then."""
    ended = threading.Event()

    def short() -> Generator[object, None, object]:
        yield from range(15)
        ended.set()

    basket = Basket(holds)
    bridge = Bridge(basket, None)
    call = threads().submit(bridge.drive, (short, (), {}), {})
    assert ended.wait(BOUND)  # the loop stands still meanwhile
    assert basket.values == []
    await call
    task = asyncio.ensure_future(bridge.finish())
    await turns()
    if holds == 10:
        assert (basket.values, task.done()) == (list(range(10)), False)
        basket.empty()
    await asyncio.wait_for(task, BOUND)
    assert basket.values == list(range(15))


@pytest.mark.parametrize("holds", [10, 1000])
async def test_what_is_under_way_when_a_thread_ends_is_kept_though_it_was_told_to_end(holds: int) -> None:
    """S10: a result that was there stands, whole; and nothing turns round and round in want of it."""
    ended = threading.Event()

    def short() -> Generator[object, None, object]:
        yield from range(15)
        ended.set()

    class Asked(Basket):
        """A basket that may not be asked for ever."""

        asked = 0

        @property
        def full(self) -> bool:
            self.asked += 1
            if self.asked > 1000:
                raise AssertionError("it is asked again and again")
            return len(self.values) >= self.holds

    basket = Asked(holds)
    bridge = Bridge(basket, None)
    call = threads().submit(bridge.drive, (short, (), {}), {})
    assert ended.wait(BOUND)  # the loop stands still meanwhile
    bridge.close()
    await call
    await asyncio.wait_for(bridge.finish(), BOUND)
    assert basket.values == list(range(15))


@MODES
async def test_a_value_that_is_of_no_use_ends_the_generator(mode: str) -> None:
    """S7: what the sink raises is what the attempt raises, and the generator is closed."""
    many, basket = Many(range(5000), raises=AssertionError("it went on")), Basket(refuses=3)
    with pytest.raises((ValueError, Cancelled)):
        await asyncio.wait_for(run(mode, many, basket), BOUND)
    assert basket.values == [0, 1, 2]
    await until(lambda: many.closed)


@MODES
async def test_what_a_generator_raises_comes_after_its_values(mode: str) -> None:
    """K5: tokens before a mid-stream error are kept."""
    many, basket = Many([1, 2], raises=OSError("half way")), Basket()
    with pytest.raises(OSError, match="half way"):
        await run(mode, many, basket)
    if mode == "thread":
        await until(lambda: basket.values == [1, 2])
    assert basket.values == [1, 2]


@MODES
async def test_a_cancel_while_it_waits_closes_it(mode: str) -> None:
    """E15: a thread hears of it at its next value."""
    many, basket = Many(range(5000)), Basket(holds=10)
    task = asyncio.ensure_future(run(mode, many, basket))
    await until(lambda: basket.full)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert many.closed
    assert many.made < 5000


@MODES
async def test_the_wait_for_room_is_taken_off_the_patience(mode: str) -> None:
    """D15, E13."""
    clock = VirtualClock(auto=False)
    calls: list[None] = []
    patience = Patience(clock, 10.0, lambda: calls.append(None))
    basket = Basket(holds=10)
    task = asyncio.ensure_future(run(mode, Many(range(50)), basket, patience))
    await until(lambda: basket.full)
    for _ in range(5):
        await asyncio.sleep(0)
    clock.advance("1h")
    basket.empty()
    await asyncio.wait_for(task, BOUND)
    assert (calls, patience.over) == ([], False)
    patience.end()


async def test_a_generator_that_never_suspends_lets_others_have_their_turn() -> None:
    """D13: the loop is not held up by a long stream."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.ensure_future(other())
    await run("inline", Many(range(10_000)), Basket())
    task.cancel()
    assert turns >= 5


# What it comes to.


def stepped(annotation: object, **options: Any) -> PlanStep:
    return replace(step(0, streams=True, **options), codec=Codecs().codec(annotation))


@pytest.mark.parametrize(
    ("values", "ended", "annotation", "output"),
    [
        (["a", "b"], Ended(UNSET), str, "ab"),
        (["a", 1], Ended(UNSET), list[object], ["a", 1]),
        ([1, 2], Ended(UNSET), list[int], [1, 2]),
        ([], Ended(UNSET), str, ""),
        ([], Ended(UNSET), list[int], []),
        (["a"], Ended(Output(3)), int, Output(3)),
        (["a"], Ended(Skip(), "returned"), str, Skip()),
        (["a"], Ended(UNSET, "returned"), str, "returned"),
    ],
)
def test_a_generator_comes_to_its_control_value_its_return_or_its_yields(
    values: list[object], ended: Ended, annotation: object, output: object
) -> None:
    """K5: in this order."""
    assert output_of(stepped(annotation), values, ended) == output


def test_over_the_yields_of_a_source_runs_a_map_so_they_are_its_output() -> None:
    """api.md 2: a list, also of text; a control value that ends or prunes counts, another output is a mistake."""
    source = stepped(list[str], yields=Codecs().codec(str))
    assert output_of(source, ["a", "b"], Ended(UNSET)) == ["a", "b"]
    assert output_of(source, ["a"], Ended(Stop(1))) == Stop(1)
    for other in (Ended(Output("x")), Ended(UNSET, "x")):
        with pytest.raises(TypeError, match="a map runs over what it yields"):
            output_of(source, ["a"], other)
