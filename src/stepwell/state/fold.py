"""`apply(state, event)`: the only place where the state of a run changes. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush
from typing import cast

from stepwell import events as ev
from stepwell.errors import StoreError
from stepwell.state import fold_again as again
from stepwell.state import fold_items as items
from stepwell.state import sparks
from stepwell.state.state import (
    CANCELLED,
    COMPLETED,
    FAILED,
    GUARDING,
    PENDING,
    PRUNED,
    RETRY,
    RUNNING,
    SKIPPED,
    TOLERATED,
    WAITING,
    State,
)


def apply(state: State, event: ev.Event) -> None:
    """Fold one event into the state."""
    FOLDS[event.__class__](state, event)


def out_of_place(fact: ev.Event, error: Exception) -> StoreError:
    """The error of a recorded fact that cannot be folded."""
    return StoreError(
        f"run {fact.run_id}: fact {fact.seq} ({fact.kind.value} `{fact.path}`) does not follow from those before it "
        f"({type(error).__name__}: {error}); the store is damaged: restore a backup"
    )


def run_started(state: State, event: ev.RunStarted) -> None:
    state.status = "running"
    state.on_failure = event.on_failure
    state.concurrency = event.concurrency
    state.deadline = event.deadline


def run_resumed(state: State, event: ev.RunResumed) -> None:
    """What ran when the process died is to be started again; what waits goes on waiting."""
    state.status = "running"
    state.halt = "stopped" if state.stopped_by >= 0 else ""  # what was stopped stays so, whatever became of the process
    state.cancelling = False
    state.deadline = event.deadline
    state.recoveries = state.recoveries + 1 if event.recovered else 0
    state.gone |= state.unkept
    state.clearing = frozenset()
    if not event.recovered:  # nobody's patience goes on while a run has ended
        for number in list(state.patience):
            again.no_more_patience(state, number)
            state.joining[number] = 0
            state.joins[number] = None
    for one in state.maps.values():  # those of a live source are found again by their keys, or must come again
        one.known = one.total if one.closed and not (one.parts and one.keys) else 0
    state.running = state.held = 0
    began = [number for number, status in enumerate(state.steps) if status == GUARDING or status == RUNNING]
    for number in began:
        state.steps[number] = PENDING
    state.ready.extendleft(reversed(began))  # before those that never began, as it was
    state.open.clear()


def run_cancelled(state: State, event: ev.RunCancelled) -> None:
    state.halt = "cancelled"


def run_timed_out(state: State, event: ev.RunTimedOut) -> None:
    state.halt = state.halt if state.halt == "cancelled" else "timed_out"


def run_blocked(state: State, event: ev.RunBlocked) -> None:
    state.status = "blocked"
    state.block = (event.reason, event.message)
    state.recoveries = 0


def run_finished(state: State, event: ev.RunFinished) -> None:
    state.status = event.status


def step_guarded(state: State, event: sparks.StepGuarded) -> None:
    number = state.at[event.path]
    state.leave_ready(number)
    state.steps[number] = GUARDING
    state.running += 1


def guard_passed(state: State, event: sparks.GuardPassed) -> None:
    number = state.at[event.path]
    state.clearing -= {number}
    state.steps[number] = PENDING
    state.passed |= {number}
    state.ready.append(number)
    state.running -= 1


def guard_dropped(state: State, event: sparks.GuardDropped) -> None:
    number = state.at[event.path]
    state.clearing -= {number}
    state.steps[number] = PENDING
    state.ready.append(number)
    state.running -= 1


def step_started(state: State, event: ev.StepStarted) -> None:
    number = state.at[event.path]
    before = state.steps[number]
    if before == PENDING:
        state.leave_ready(number)
    elif before == WAITING:
        state.drop_timer(number)
    if number in state.graph.feeders and number not in state.streaming:
        state.streaming |= {number}
        state.stream(number)
    state.steps[number] = RUNNING
    state.attempts[number] = event.attempt
    if event.attempt == 1:
        state.started_at[number] = event.at
    if number in state.maps:
        items.map_reopened(state, number)
        state.running -= before == GUARDING  # from here on it counts by its items
    elif before != GUARDING:  # that one is counted already
        state.running += 1


def ends(state: State, event: ev.Event, status: int) -> int:
    """A step ends; its number is given back."""
    number = state.at[event.path]
    before = state.steps[number]
    if number in state.open:
        items.map_closed(state, number)
    elif before == RUNNING or before == GUARDING:
        state.running -= 1
    elif before == WAITING:
        state.drop_timer(number)
    elif before == PENDING:
        state.leave_ready(number)
        again.no_more_patience(state, number)
        if number in state.maps:  # it was to go on with the items it has
            items.map_closed(state, number)
    state.steps[number] = status
    state.ended_at[number] = event.at
    state.ended += 1
    state.recoveries = 0
    return number


def step_completed(state: State, event: ev.StepCompleted) -> None:
    number = ends(state, event, COMPLETED)
    state.outputs[number] = ev.in_memory(event.output)
    if event.degraded:
        state.degraded |= {number}
    if event.soft_failed:
        state.soft |= {number}
    if not event.kept:
        state.unkept |= {number}
    if event.stops:
        state.halt = state.halt or "stopped"
        state.stopped_by = number
    if event.goto in state.graph.number:
        state.jumps[number] = state.graph.number[event.goto]  # what follows begins after the last visit
    else:
        state.settle(number)


def step_retrying(state: State, event: ev.StepRetrying) -> None:
    number = state.at[event.path]
    if state.steps[number] == RUNNING:
        state.running -= 1
    state.steps[number] = WAITING
    state.spent[number] = state.spent.get(number, 0) + 1
    heappush(state.timers, (event.retry_at, number, RETRY))


def step_failed(state: State, event: ev.StepFailed) -> None:
    number = ends(state, event, TOLERATED if event.tolerated else FAILED)
    if event.failure is not None:
        state.failures.append(event.failure)
        state.reasons[number] = event.failure.reason
    if event.tolerated:
        state.degraded |= {number}
    elif state.on_failure != "finish":
        state.halt = state.halt or "failed"
    state.settle(number)


def step_cancelled(state: State, event: ev.StepCancelled) -> None:
    number = ends(state, event, CANCELLED)
    state.reasons[number] = event.reason
    state.settle(number)


def step_skipped(state: State, event: ev.StepSkipped) -> None:
    number = ends(state, event, SKIPPED)
    state.reasons[number] = event.reason
    state.settle(number)


def step_pruned(state: State, event: ev.StepPruned) -> None:
    number = ends(state, event, PRUNED)
    state.reasons[number] = event.reason
    if event.because:
        state.because[number] = event.because
    state.settle(number)


def branch_chosen(state: State, event: ev.BranchChosen) -> None:
    numbers = state.graph.number
    state.chosen[state.at[event.path]] = frozenset(numbers[name] for name in event.chosen)


def cancel_sent(state: State, event: sparks.CancelSent) -> None:
    state.cancelling = True


def blocking(state: State, event: sparks.Blocking) -> None:
    if state.halt not in ("cancelled", "timed_out"):
        state.halt = "blocked"
        state.block = (event.reason, event.message)


def steps_told(state: State, event: sparks.StepsTold) -> None:
    state.clearing = state.clearing.union(event.numbers)


def slots_held(state: State, event: sparks.SlotsHeld) -> None:
    state.held += event.change


def nothing(state: State, event: ev.Event) -> None:
    """A fact that changes no decision."""


FOLDS = cast(
    "dict[type[ev.Event], Callable[[State, ev.Event], None]]",
    {
        ev.RunStarted: run_started,
        ev.RunResumed: run_resumed,
        ev.RunCancelled: run_cancelled,
        ev.RunTimedOut: run_timed_out,
        ev.RunBlocked: run_blocked,
        ev.RunFinished: run_finished,
        ev.StepStarted: step_started,
        ev.StepCompleted: step_completed,
        ev.StepRetrying: step_retrying,
        ev.StepFailed: step_failed,
        ev.StepCancelled: step_cancelled,
        ev.StepSkipped: step_skipped,
        ev.StepPruned: step_pruned,
        ev.StepReset: again.step_reset,
        ev.MapExpanded: items.map_expanded,
        ev.ItemStarted: items.item_started,
        ev.ItemCompleted: items.item_completed,
        ev.ItemRetrying: items.item_retrying,
        ev.ItemFailed: items.item_failed,
        ev.ItemCancelled: items.item_cancelled,
        ev.JoinWaiting: again.join_waiting,
        ev.JoinReleased: again.join_released,
        ev.JoinTimedOut: again.join_timed_out,
        ev.BranchChosen: branch_chosen,
        ev.WarningIssued: nothing,
        sparks.StepGuarded: step_guarded,
        sparks.GuardPassed: guard_passed,
        sparks.GuardDropped: guard_dropped,
        sparks.CancelSent: cancel_sent,
        sparks.SlotsHeld: slots_held,
        sparks.StepsTold: steps_told,
        sparks.Blocking: blocking,
        sparks.ItemsSeen: items.items_seen,
    },
)
