"""Who hears of a run, and how far a generator may be ahead of them."""

from __future__ import annotations

import asyncio

from stepwell.engine.audience import AHEAD, Audience
from stepwell.events import Event, Token

TOKEN = Token("r", 0, 1.0, "a", 1, "x")


class Listener:
    """One who keeps what it hears."""

    def __init__(self, behind: int = 0) -> None:
        self.behind = behind
        self.heard: list[Event] = []

    def hear(self, event: Event) -> None:
        self.heard.append(event)
        self.behind += 1


def audience(*listeners: Listener) -> Audience:
    found = Audience()
    found.listeners.extend(listeners)
    return found


def test_everybody_is_told() -> None:
    one, two = Listener(), Listener()
    audience(one, two).tell(TOKEN)
    assert one.heard == two.heard == [TOKEN]


def test_it_is_full_while_anybody_is_too_far_behind() -> None:
    """D15: 1,024 tokens."""
    one, two = Listener(), Listener(AHEAD - 1)
    both = audience(one, two)
    assert not both.full
    both.tell(TOKEN)
    assert both.full
    two.behind -= 1
    assert not both.full


def test_without_anybody_it_is_never_full() -> None:
    """D15: a run that nobody iterates."""
    assert not audience().full


async def test_there_is_room_when_somebody_has_read_and_nobody_is_too_far_behind() -> None:
    """D15: the slower one counts. When a reader says that it has read is its own affair."""
    one, two = Listener(AHEAD), Listener(AHEAD)
    both = audience(one, two)
    room = both.room()
    one.behind = AHEAD // 2
    both.read()
    assert not room.done()
    two.behind = AHEAD // 2
    both.read()
    assert room.done()
    assert both.room() is not room


async def test_there_is_room_when_the_one_who_was_behind_has_gone() -> None:
    """S17: dropping the iterator."""
    slow = Listener(AHEAD)
    one = audience(slow, Listener())
    room = one.room()
    one.listeners.remove(slow)
    one.read()
    assert room.done()


async def test_a_run_that_is_awaited_waits_for_nobody_from_then_on() -> None:
    """D15: also not for a reader that comes later."""
    one = audience(Listener(AHEAD))
    room = one.room()
    one.lift()
    assert (room.done(), one.full) == (True, False)
    one.listeners.append(Listener(2 * AHEAD))
    assert not one.full


async def test_several_generators_wait_for_the_same_room() -> None:
    one = audience(Listener(AHEAD))
    assert one.room() is one.room()
    cancelled = one.room()
    cancelled.cancel()
    one.lift()
    await asyncio.sleep(0)
    assert cancelled.cancelled()


async def test_a_reader_that_was_never_too_far_behind_holds_nobody_up() -> None:
    """D15: only one who is 1,024 behind does; else two readers who wait for each other would wait for ever."""
    ahead, behind = Listener(AHEAD), Listener(AHEAD - 1)
    both = audience(ahead, behind)
    room = both.room()
    ahead.behind = AHEAD // 2
    both.read()
    assert room.done()
