"""Durations as people write them, and the machine's clock."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.clock import Duration, SystemClock, delay, seconds


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("250ms", 0.25), ("30s", 30), ("10m", 600), ("24h", 86_400), ("7d", 604_800), ("1.5h", 5_400), (" 2 s ", 2),
        ("0s", 0), (0, 0), (3, 3), (0.5, 0.5), (timedelta(minutes=1), 60),
    ],
)  # fmt: skip
def test_a_duration_is_read_as_it_is_written(written: Duration, meant: float) -> None:
    """api.md: durations are "250ms", "30s", "10m", "24h", "7d", a number of seconds, or a timedelta."""
    assert seconds(written) == pytest.approx(meant)


@pytest.mark.parametrize(
    "written",
    ["", "10", "s", "-1s", "1w", "1 hour", "1h30m", "1e3s", "nan", -1, float("inf"), float("nan"), True,
     timedelta(seconds=-1), None, [1]],
)  # fmt: skip
def test_anything_else_is_an_error_that_shows_how_to_write_it(written: object) -> None:
    with pytest.raises(ValueError, match=r'timeout must be like "250ms", "30s", "10m", "24h", "7d"'):
        seconds(written, "timeout")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def test_a_call_whose_time_has_come_is_made_at_once() -> None:
    clock, made = SystemClock(), asyncio.Event()
    clock.call_at(clock.now() - 10, made.set)
    await asyncio.wait_for(made.wait(), 1)


async def test_a_call_that_was_called_off_is_never_made() -> None:
    clock, made, later = SystemClock(), asyncio.Event(), asyncio.Event()
    clock.call_at(clock.now(), made.set).cancel()
    clock.call_at(clock.now() + 0.001, later.set)
    await asyncio.wait_for(later.wait(), 1)
    assert not made.is_set()


@given(tick=st.sampled_from([1e-9, 1 / 64, 0.25]), began=st.floats(0, 1), wait=st.floats(0, 2), looks=st.integers(1, 9))
def test_a_call_is_never_early_on_clocks_that_advance_in_ticks(
    tick: float, began: float, wait: float, looks: int
) -> None:
    """On Windows both clocks may advance by 16 ms at once, and asyncio takes what is due within one tick for due."""
    epoch, ticks = 1_000.0, began // tick  # what both clocks have counted so far
    when = epoch + ticks * tick + wait
    asked = delay(when, epoch + ticks * tick, tick)
    for more in range(int(asked / tick) - looks, int(asked / tick) + looks):
        if more >= 0 and (ticks + more) * tick + tick > ticks * tick + asked:  # the rule of `BaseEventLoop._run_once`
            assert epoch + (ticks + more) * tick >= when - 1e-6
