"""One iteration: what is live only comes in its place between the facts, and how much of it was not read."""

from __future__ import annotations

import asyncio

from stepwell import events as ev
from stepwell.api.reader import Reader
from stepwell.engine.audience import AHEAD, Audience
from stepwell.engine.ledger import Ledger
from stepwell.graph import build
from stepwell.plan.plan import Plan
from stepwell.state.state import State

LAST = 1 << 62


class Read:
    """A reader of a run of which so many facts are written down."""

    def __init__(self) -> None:
        graph = build([], [])
        self.ledger = Ledger(Plan("p", (), graph, {}, None, (), ""), State(graph), "r", lambda: 0.5)
        self.audience = Audience()
        self.news = asyncio.Event()
        self.reader = Reader(self.audience, self.ledger, self.news)

    def fact(self) -> None:
        self.ledger.note(ev.WarningIssued, "", 0, "w", "w")

    def token(self, value: object) -> None:
        self.audience.tell(ev.Token("r", 0, 1.0, "a", 1, value))

    def values(self, seq: int) -> list[object]:
        return [getattr(event, "value", event.kind.value) for event in self.reader.until(seq)]


async def test_a_token_comes_after_the_facts_that_were_written_before_it() -> None:
    """S17: it is handed out before the next fact is."""
    read = Read()
    read.fact()
    read.token("one")
    read.fact()
    read.token("two")
    assert read.values(0) == []
    assert read.values(1) == ["one"]
    assert read.values(1) == []
    assert read.values(2) == ["two"]


async def test_news_are_told_when_something_is_heard() -> None:
    read = Read()
    assert not read.news.is_set()
    read.token("x")
    assert read.news.is_set()


async def test_tokens_that_were_not_read_are_counted_and_others_are_not() -> None:
    """D15."""
    read = Read()
    read.token("x")
    read.audience.tell(ev.ItemStarted("r", 0, 1.0, "m[0]", 1, 0))
    read.token("y")
    assert read.reader.behind == 2
    assert read.values(LAST) == ["x", "ITEM_STARTED", "y"]
    assert read.reader.behind == 0


async def test_reading_half_of_them_makes_room() -> None:
    """D15: and not before."""
    read = Read()
    for number in range(AHEAD):
        read.token(number)
    assert read.audience.full
    room = read.audience.room()
    events = read.reader.until(LAST)
    for _ in range(AHEAD // 2 - 1):
        next(events)
    assert not room.done()
    next(events)
    assert room.done()


async def test_a_reader_that_has_gone_is_not_waited_for() -> None:
    """S17."""
    read = Read()
    for number in range(AHEAD):
        read.token(number)
    room = read.audience.room()
    read.reader.close()
    assert (room.done(), read.audience.listeners) == (True, [])


async def test_tokens_are_never_dropped_and_other_sparks_are_at_some_point() -> None:
    """S17: a slow subscriber costs bounded memory, and loses no token."""
    read = Read()
    for index in range(12_000):
        read.audience.tell(ev.ItemStarted("r", 0, 1.0, f"m[{index}]", 1, index))
    read.token("last")
    heard = read.values(LAST)
    assert (len(heard), heard[-1]) == (10_001, "last")
