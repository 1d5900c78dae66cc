"""The fold of what waits and of what begins again: joins and their patience, resets and what they leave behind."""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heapify, heappush

from stepwell import events as ev
from stepwell.ids import path_text
from stepwell.state.fold_items import item_reset, map_emptied
from stepwell.state.items import MapState
from stepwell.state.state import JOIN, PENDING, RELEASED, WAITED, State
from stepwell.state.visit import Visit


def step_reset(state: State, event: ev.StepReset) -> None:
    """These steps and items have no end any more; all others keep theirs."""
    steps = {state.at[path] for path in event.paths if path in state.at}
    for path in event.paths:
        if path not in state.at:
            item_reset(state, path)
    failures = {failure.path: failure for failure in state.failures}
    whole = {state.at[path] for path in event.whole if path in state.at}
    for number in steps:
        _keep_visit(state, number, failures, state.maps.get(number) if number in whole else None)
        if number in whole:
            map_emptied(state, number)
        if event.cause == "goto":
            state.loops[number] = state.loops.get(number, 0) + 1
        state.jumps.pop(number, None)
        no_more_patience(state, number)
        state.steps[number] = PENDING
        state.attempts[number] = state.joining[number] = 0
        state.outputs[number] = state.started_at[number] = state.ended_at[number] = None
        for known in (state.spent, state.reasons, state.because, state.chosen):
            known.pop(number, None)
        if state.stopped_by == number and number not in state.maps:
            state.stopped_by = -1
        state.visits[number] = state.visits.get(number, 1) + 1
    for name in ("streaming", "unkept", "gone", "soft", "passed", "degraded", "clearing"):
        setattr(state, name, getattr(state, name) - steps)
    paths = list(state.paths)
    for number in steps:
        paths[number] = path_text(state.graph.names[number], visit=state.visits[number])
    state.paths, state.at = tuple(paths), {path: number for number, path in enumerate(paths)}
    gone, emptied = set(event.paths), {state.graph.names[number] for number in whole}
    state.failures = [one for one in state.failures if not (one.path in gone or (one.item and one.step in emptied))]
    state.timers = [one for one in state.timers if one[1] not in steps]
    heapify(state.timers)
    state.count()


def _keep_visit(state: State, number: int, failures: Mapping[str, ev.Failure], items: MapState | None) -> None:
    """What is told of the visit that is over now."""
    path, status = state.paths[number], state.steps[number]
    if status == PENDING and not state.attempts[number]:
        return  # nothing of it was begun
    state.past.setdefault(number, []).append(
        Visit(
            path, status, state.reasons.get(number, ""), state.attempts[number],
            state.started_at[number], state.ended_at[number], failures.get(path), number in state.soft, items,
        )
    )  # fmt: skip


def no_more_patience(state: State, number: int) -> None:
    """A join does not wait any longer."""
    if state.patience.pop(number, None) is not None:
        state.drop_timer(number, JOIN)


def join_waiting(state: State, event: ev.JoinWaiting) -> None:
    number = state.at[event.path]
    state.joining[number] = WAITED
    state.joins.pop(number, None)
    if event.deadline is not None:
        state.patience[number] = event.deadline
        heappush(state.timers, (event.deadline, number, JOIN))


def join_released(state: State, event: ev.JoinReleased) -> None:
    number = state.at[event.path]
    state.joining[number] = RELEASED
    if state.reached(number):
        state.to_tell.pop(number, None)
    no_more_patience(state, number)


def join_timed_out(state: State, event: ev.JoinTimedOut) -> None:
    no_more_patience(state, state.at[event.path])
