"""What begins again: after an end of the run, and after a jump back. Pure, like `decide`."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from stepwell.graph import followers, reached
from stepwell.plan.plan import Plan
from stepwell.state.state import COMPLETED, FAILED, PENDING, State


class Resets(Struct, frozen=True):
    """Paths of steps and items that begin a new visit; of the maps in `whole` all items do."""

    paths: tuple[str, ...]
    whole: tuple[str, ...]


def resets(plan: Plan, state: State) -> Resets:
    """What a resume un-ends: all that failed, was cancelled or timed out, what ended because of it, and what is needed.

    Needed is an ephemeral step, of which no output is kept, by a step that is still to run.
    """
    again = {number for number, status in enumerate(state.steps) if status >= FAILED or number in state.because}
    unfinished = {number for number, status in enumerate(state.steps) if status < COMPLETED} | again
    if state.stopped_by < 0:  # else nothing runs any more
        again |= _ephemeral_sources(plan, state, unfinished, state.unkept)
    paths: list[str] = []
    whole: list[str] = []
    for number, status in enumerate(state.steps):
        items = state.maps.get(number)
        if items is not None and plan.steps[number].ephemeral and (number in again or status < COMPLETED):
            whole.append(state.paths[number])
            paths.append(state.paths[number])
            continue
        if items is not None and (status < COMPLETED or number in again):
            paths.extend(state.item_path(number, index) for index, stage in enumerate(items.stages) if stage >= FAILED)
        if number in again:
            paths.append(state.paths[number])
    return Resets(tuple(paths), tuple(whole))


def jump_resets(plan: Plan, state: State, target: int) -> tuple[int, ...]:
    """The steps that a jump to `target` un-ends: it, all that follows it, and what those need and nobody has any more.

    Steps of which nothing was begun yet need no reset.
    """
    following = reached([target], followers(plan.graph))
    again = following | _ephemeral_sources(plan, state, following, state.gone)
    return tuple(number for number in sorted(again) if _begun(state, number))


def _begun(state: State, number: int) -> bool:
    known = state.joining[number] or number in state.passed or number in state.maps  # some keep items over a resume
    return bool(known) or state.steps[number] != PENDING or state.attempts[number] > 0


def _ephemeral_sources(plan: Plan, state: State, users: Iterable[int], lost: Iterable[int]) -> set[int]:
    """Those of the lost outputs that these steps use; and those that the steps which made them use; and so on."""
    candidates = {number for number in lost if state.steps[number] == COMPLETED}
    found: set[int] = set()
    left = list(users) if candidates else []
    while left:
        for source in plan.steps[left.pop()].sources():
            if source in candidates and source not in found:
                found.add(source)
                left.append(source)
    return found
