"""How long an attempt may take, less the time in which it waits for somebody else."""

from __future__ import annotations

import asyncio

from stepwell.engine.patience import Patience
from stepwell.testing.clock import START, VirtualClock

from .plans import turns


class Limit:
    """A limit of ten seconds on a clock that stands still, and how often it ran out."""

    def __init__(self) -> None:
        self.clock = VirtualClock(auto=False)
        self.calls: list[float] = []
        self.patience = Patience(self.clock, 10.0, lambda: self.calls.append(self.clock.now() - START))

    async def pass_(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await turns()


async def test_patience_runs_out_once_its_time_has_passed() -> None:
    """E13."""
    limit = Limit()
    await limit.pass_(9)
    assert (limit.calls, limit.patience.over) == ([], False)
    await limit.pass_(1)
    assert (limit.calls, limit.patience.over) == ([10.0], True)


async def test_time_in_which_it_is_paused_does_not_count() -> None:
    """D15: an hour between four seconds and the six that are left."""
    limit = Limit()
    await limit.pass_(4)
    limit.patience.pause()
    await limit.pass_(3600)
    assert (limit.calls, limit.patience.over) == ([], False)
    limit.patience.go_on()
    await limit.pass_(5)
    assert limit.calls == []
    await limit.pass_(1)
    assert limit.calls == [3610.0]


async def test_pausing_twice_is_pausing_once() -> None:
    limit = Limit()
    await limit.pass_(4)
    limit.patience.pause()
    await limit.pass_(3)
    limit.patience.pause()
    limit.patience.go_on()
    limit.patience.go_on()
    await limit.pass_(6)
    assert limit.calls == [13.0]


async def test_an_attempt_that_is_over_is_not_timed_out() -> None:
    limit = Limit()
    limit.patience.end()
    await limit.pass_(60)
    assert limit.calls == []


async def test_time_that_is_up_is_seen_before_anybody_could_be_told() -> None:
    """E13: a function that held the loop until after its deadline."""
    limit = Limit()
    limit.clock.advance("11s")
    assert (limit.calls, limit.patience.over) == ([], True)
    await asyncio.sleep(0)
