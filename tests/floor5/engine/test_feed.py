"""The sink of a live source: its values are recorded before they are items, bounded, matched when they come again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from stepwell import events as ev
from stepwell.codecs.values import Codecs
from stepwell.engine.feed import Feed
from stepwell.engine.ledger import Ledger
from stepwell.engine.values import Values
from stepwell.errors import CodecError
from stepwell.graph import Edge
from stepwell.journal.memory import MemoryStore
from stepwell.plan.plan import Fan
from stepwell.state.state import State
from stepwell.testing.clock import VirtualClock

from .plans import NOW, plan, step, turns

A, B = 0, 1
AHEAD = 1024


class Fed:
    """A generator `a`, a map `b` over it that has begun, and what is written down of the two."""

    def __init__(self, key: Callable[[object], object] | None = None, *, encodes: bool = False) -> None:
        codec = Codecs().codec(int)
        source = replace(step(A, streams=True, feeds=True), yields=codec)
        fan = Fan(A, key, 32, None, live=True)
        self.plan = plan([source, step(B, fan=fan)], Edge(A, B, needs=True, live=True))
        self.ledger = Ledger(self.plan, State(self.plan.graph), "run", lambda: 0.5)
        self.ledger.now = NOW
        self.encodes = encodes
        self.news = 0
        self.stopped: list[str] = []
        self.ledger.note(ev.RunStarted)
        self.begin()

    @property
    def state(self) -> State:
        return self.ledger.state

    def begin(self, attempt: int = 1) -> None:
        """An attempt of the source, and of the map, in a process that knows nothing of the one before."""
        self.values = Values(self.plan, self.state, MemoryStore(), {}, copies=False)
        self.feed = Feed(
            self.ledger, self.values, VirtualClock(auto=False), self.plan.steps[A], encodes=self.encodes,
            news=self._heard, stop=self.stopped.append,
        )  # fmt: skip
        self.ledger.note(ev.StepStarted, "a", attempt)
        self.ledger.note(ev.StepStarted, "b", attempt)
        if B not in self.state.maps:
            self.ledger.note(ev.MapExpanded, "b", attempt, 0, None, True)

    def dies(self) -> None:
        """Another process goes on."""
        self.ledger.note(ev.RunResumed, True)
        self.ledger.batch.clear()
        self.begin(attempt=2)

    async def gives(self, *values: object) -> None:
        for value in values:
            self.feed.take(value)
        await turns()

    def _heard(self) -> None:
        self.news += 1

    @property
    def parts(self) -> list[tuple[int, bool]]:
        """How many items each recorded part has, and whether more are to come."""
        return [(one.count, one.more) for one in self.ledger.batch if isinstance(one, ev.MapExpanded) and one.count]


async def test_values_of_one_turn_are_recorded_in_one_part() -> None:
    """S7: each chunk before its items start."""
    fed = Fed()
    fed.feed.take(1)
    assert fed.parts == []
    await fed.gives(2, 3)
    await fed.gives(4)
    assert fed.parts == [(3, True), (1, True)]
    assert fed.news == 2
    assert [fed.values.item(B, index) for index in range(4)] == [1, 2, 3, 4]


async def test_parts_carry_digests_or_keys() -> None:
    """S7: by what an item is known when it comes again."""
    fed = Fed()
    await fed.gives(1, 2)
    (part,) = (one for one in fed.ledger.batch if isinstance(one, ev.MapExpanded) and one.count)
    assert (part.keys, len(part.digests or b"")) == (None, 16)
    fed = Fed(key=lambda item: f"k{item}")
    await fed.gives(1, 2)
    (part,) = (one for one in fed.ledger.batch if isinstance(one, ev.MapExpanded) and one.count)
    assert (part.keys, part.digests) == (("k1", "k2"), b"")


async def test_the_end_of_a_source_closes_its_map() -> None:
    """S7: in one breath."""
    fed = Fed()
    await fed.gives(1)
    fed.feed.finish()
    assert fed.feed.settle()
    fed.feed.complete()
    assert fed.state.maps[B].closed
    last = fed.ledger.batch[-1]
    assert isinstance(last, ev.MapExpanded)
    assert (last.count, last.more) == (0, False)


async def test_it_is_full_while_too_many_wait_and_has_room_when_half_of_them_have_begun() -> None:
    """D15."""
    fed = Fed()
    await fed.gives(*range(AHEAD - 1))
    assert not fed.feed.full
    await fed.gives(AHEAD)
    assert fed.feed.full
    room = fed.feed.room()
    for index in range(AHEAD // 2 - 1):
        fed.ledger.spark(ev.ItemStarted, f"b[{index}]", 1, index)
    fed.feed.look()
    assert not room.done()
    fed.ledger.spark(ev.ItemStarted, f"b[{AHEAD // 2}]", 1, AHEAD // 2)
    fed.feed.look()
    assert room.done()


async def test_a_run_that_ends_holds_nobody_up_and_records_nothing_more() -> None:
    """D15, S10."""
    fed = Fed()
    await fed.gives(*range(AHEAD))
    room = fed.feed.room()
    fed.ledger.note(ev.RunCancelled)
    fed.feed.look()
    assert (room.done(), fed.feed.full) == (True, False)
    await fed.gives(1)
    assert fed.parts == [(AHEAD, True)]


@pytest.mark.parametrize("key", [None, str])
async def test_items_that_come_again_are_matched_and_not_recorded_twice(
    key: Callable[[object], object] | None,
) -> None:
    """S7: those after them are new."""
    fed = Fed(key)
    await fed.gives(1, 2)
    fed.dies()
    assert fed.state.maps[B].known == 0
    await fed.gives(1)
    assert (fed.state.maps[B].known, fed.parts) == (1, [])
    await fed.gives(2, 3)
    assert (fed.state.maps[B].known, fed.parts) == (3, [(1, True)])
    assert [fed.values.item(B, index) for index in range(3)] == [1, 2, 3]
    assert fed.state.halt == ""


async def test_items_come_again_in_any_order_where_they_have_keys() -> None:
    """S7: each has its own value."""
    fed = Fed(key=str)
    await fed.gives(1, 2, 3)
    fed.dies()
    await fed.gives(3, 2)
    assert fed.state.maps[B].known == 0
    await fed.gives(1)
    assert fed.state.maps[B].known == 3
    assert [fed.values.item(B, index) for index in range(3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("key", "again", "says"),
    [
        (None, (9, 2), "item 0 is another one than the one that is recorded"),
        (None, (1,), "it gave 1 items, and 2 are recorded"),
        (str, (1,), "the item '2' is recorded and did not come"),
        (str, (1, 9), "the item '2' is recorded and did not come"),
    ],
)
async def test_a_source_that_does_not_give_what_it_gave_blocks_the_run(
    key: Callable[[object], object] | None, again: tuple[int, ...], says: str
) -> None:
    """S7, S8: and nothing of this attempt is recorded."""
    fed = Fed(key)
    await fed.gives(1, 2)
    fed.dies()
    await fed.gives(*again)
    fed.feed.finish()
    assert fed.state.halt == "blocked"
    reason, message = fed.state.block
    assert reason == "source_changed"
    assert says in message
    assert fed.parts == []


async def test_items_that_come_again_with_other_values_are_those_that_their_source_gave_at_last() -> None:
    """S7: with keys an item is known by its key; a retry of it must not see what an attempt before gave."""
    fed = Fed(key=lambda item: str(item)[0])
    await fed.gives("a1", "b1")
    fed.ledger.note(ev.StepRetrying, "a", 1, NOW)
    fed.feed.close()
    fed.feed = Feed(
        fed.ledger, fed.values, VirtualClock(auto=False), fed.plan.steps[A], encodes=False, news=fed._heard,
        stop=fed.stopped.append,
    )  # fmt: skip
    fed.ledger.note(ev.StepStarted, "a", 2)
    await fed.gives("b2", "a2")
    assert [fed.values.item(B, index) for index in range(2)] == ["a2", "b2"]


async def test_two_items_of_one_key_break_the_source() -> None:
    """S7: also in different parts."""
    fed = Fed(key=lambda item: "same")
    await fed.gives(1)
    await fed.gives(2)
    assert fed.feed.broken is not None
    assert (fed.feed.broken.kind, fed.feed.broken.retryable) == ("input", False)
    assert fed.stopped == ["its items cannot be used"]


async def test_a_value_that_cannot_be_recorded_is_refused_where_it_must_be() -> None:
    """S21."""
    with pytest.raises(CodecError):
        Fed(encodes=True).feed.take("x")
    fed = Fed()
    await fed.gives("x")
    assert fed.values.item(B, 0) == "x"


async def test_a_source_that_has_ended_gives_all_at_once() -> None:
    """S7: to a map that begins, or begins again, after it."""
    fed = Fed()
    await fed.gives(1)
    fed.dies()
    fed.feed.give_all([1, 2, 3])
    items = fed.state.maps[B]
    assert (items.total, items.known, items.closed) == (3, 3, True)
    fed = Fed()
    await fed.gives(1, 2)
    fed.dies()
    fed.feed.give_all([1])
    assert (fed.state.halt, fed.state.maps[B].closed) == ("blocked", False)
