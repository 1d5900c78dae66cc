"""The sink of a generator that is listened to: values are kept for the output, and told to those who are there."""

from __future__ import annotations

from stepwell.engine.audience import AHEAD, Audience
from stepwell.engine.tokens import Tokens
from stepwell.events import Token
from stepwell.testing.clock import START, VirtualClock

from .test_audience import Listener


def tokens(*listeners: Listener) -> Tokens:
    audience = Audience()
    audience.listeners.extend(listeners)
    return Tokens(audience, VirtualClock(auto=False), "run", "words#2", 3)


def test_a_value_is_told_with_its_path_and_attempt() -> None:
    """K5, S17."""
    one = Listener()
    tokens(one).take("x")
    (token,) = one.heard
    assert token == Token("run", 0, START, "words#2", 3, "x")


def test_values_are_kept_though_nobody_listens() -> None:
    """K5: the output is all of them."""
    sink = tokens()
    assert [sink.take("a"), sink.take("b")] == [False, False]
    assert (sink.values, sink.full) == (["a", "b"], False)


def test_the_value_after_which_to_wait_says_so() -> None:
    """D15."""
    sink = tokens(Listener(AHEAD - 2))
    assert [sink.take(1), sink.take(2)] == [False, True]
    assert sink.full


async def test_there_is_room_when_the_listener_has_read() -> None:
    """D15."""
    one = Listener(AHEAD)
    sink = tokens(one)
    room = sink.room()
    one.behind = 0
    sink._audience.read()  # pyright: ignore[reportPrivateUsage]
    assert room.done()
