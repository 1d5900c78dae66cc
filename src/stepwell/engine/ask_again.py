"""When `decide` is to be asked again: at once, at a time, or not before something happens. Pure, as it is itself."""

from __future__ import annotations

from collections.abc import Sequence

from stepwell.engine.commands import Command, StartItem
from stepwell.state.state import State

_NEVER = float("inf")


def exhausted(state: State, commands: Sequence[Command]) -> bool:
    """Whether `decide`, which has just said this, will have no more to say: all items begin that there is room for."""
    for command in commands:
        if command.__class__ is not StartItem:
            return False
    for items in state.open.values():
        if items.timers:
            return False  # what is due begins one by one
    return not state.timers


def next_time(state: State, now: float) -> float | None:
    """When to ask again even if nothing happens; None where there is no such time.

    `now` is when `decide` was asked last: a retry that was due then and found no slot waits for one, not for a time.
    """
    first = _NEVER
    if state.timers:
        first = state.timers[0][0]
        if first <= now:
            first = min((timer[0] for timer in state.timers if timer[0] > now), default=_NEVER)
    for items in state.open.values():
        if items.timers and now < items.timers[0][0] < first:
            first = items.timers[0][0]
    if state.deadline is not None and state.halt not in ("cancelled", "timed_out"):
        first = min(first, state.deadline)
    return None if first == _NEVER else first
