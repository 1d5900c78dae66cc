"""`decide(plan, state, now) -> commands`: what is to be done next. Pure: no I/O, no clock, no chance, nothing changed.

The three rules of which steps run are in `_ready`; what stops a run is in `_halting`. The caller writes down and folds
what comes of the commands, and asks again until there are none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stepwell.engine.commands import (
    Abandon,
    CancelRunning,
    CancelSteps,
    Command,
    Conclude,
    Finish,
    Guard,
    Prune,
    Release,
    Reset,
    Start,
    StartItem,
    TimeOut,
    TimeOutJoin,
    Wait,
)
from stepwell.engine.decide_resets import jump_resets
from stepwell.plan.plan import Plan
from stepwell.state.items import MapState
from stepwell.state.state import COMPLETED, FAILED, GUARDING, JOIN, PENDING, RELEASED, RUNNING, TOLERATED, State

_UNLIMITED = 1 << 60
_AT_ONCE = ("cancelled", "timed_out", "blocked")
"""Why a run ends so that what runs is cancelled."""


def decide(plan: Plan, state: State, now: float) -> Sequence[Command]:
    """The next commands; none where all that can be done is under way."""
    if state.status != "running":
        return ()
    if state.running and not (
        state.ready or state.open or state.timers or state.joins or state.jumps or state.halt or state.deadline
        or state.graph.feeders
    ):  # fmt: skip
        return ()  # what runs will tell
    if state.deadline is not None and now >= state.deadline and state.halt not in ("cancelled", "timed_out"):
        return (TimeOut(),)
    commands: list[Command] = []
    if state.joins:
        _joins(state, commands)
    if state.halt:
        _halting(plan, state, commands)
        return commands
    if state.jumps:
        _jumps(plan, state, commands)
        return commands  # nothing begins that may have to end at once
    if state.open and _concluded(plan, state, commands):
        return commands  # one that fails may halt the run, so nothing starts in the same breath
    if state.graph.feeders and (idle := _idle(plan, state)):
        return (CancelSteps(idle, "nothing_needs_it"),)
    limit = state.concurrency
    free = _UNLIMITED if limit is None else limit - state.running - state.held
    if (state.timers or state.open) and _due(plan, state, now, free, commands):
        return commands  # what else there is room for is asked again
    if state.ready:
        free -= _ready(plan, state, free, commands)
    if state.open:
        _items(plan, state, free, commands)
    if not commands and not state.running and not state.timers and not state.open and not state.ready:
        commands.append(_finish(state))
    return commands


def _joins(state: State, commands: list[Command]) -> None:
    """Tell of joins before which a first step has ended."""
    commands.extend(Wait(number, _left(state, number)) for number in state.joins)


def _left(state: State, number: int) -> tuple[str, ...]:
    """The steps before this one that have no end yet."""
    return tuple(state.graph.names[one] for one in state.graph.before[number] if state.steps[one] < COMPLETED)


def _ready(plan: Plan, state: State, free: int, commands: list[Command]) -> int:
    """Steps with nothing missing before them: start those that may, prune the others. Gives back the slots taken."""
    taken = 0
    for number in state.ready:
        if taken >= free and number not in state.to_tell:
            if not state.to_tell:
                break  # thousands may wait for a slot
            continue
        sources = state.graph.before[number]
        if len(sources) > 1 and state.joining[number] != RELEASED:
            commands.append(Release(number))
        if not state.reached(number):
            commands.append(_prune(state, number))
        elif taken < free:
            taken += 1
            if plan.steps[number].guard is not None and number not in state.passed and not state.attempts[number]:
                commands.append(Guard(number))
            else:
                commands.append(Start(number, state.attempts[number] + 1))
    return taken


def _prune(state: State, number: int) -> Prune:
    """Why a step does not run, in the order of the rules."""
    if number in state.doomed:
        return Prune(number, "upstream_failed", state.doomed[number])
    return Prune(number, "no_value" if state.live[number] and number in state.starved else "not_reached")


def _due(plan: Plan, state: State, now: float, free: int, commands: list[Command]) -> bool:
    """Begin a retry that is due, of a step before any item; or end the patience of a join."""
    for when, number, kind in sorted(state.timers) if state.timers and state.timers[0][0] <= now else ():
        if when > now:
            break
        if kind == JOIN:
            if state.may_begin(number):
                continue  # the last one came just in time
            commands.append(TimeOutJoin(number, _left(state, number)))
            return True
        if free <= 0 or not state.may_begin(number):
            continue  # what it takes was not kept, and is made again
        reached = state.reached(number)
        commands.append(Start(number, state.attempts[number] + 1) if reached else _prune(state, number))
        return True
    if free <= 0:
        return False
    for number, items in state.open.items():
        if items.timers and items.timers[0][0] <= now and _has_room(plan, number, items):
            index = items.timers[0][1]
            if index < items.known:  # else its source has not given it again yet
                commands.append(StartItem(number, index, items.attempts[index] + 1))
                return True
    return False


def _has_room(plan: Plan, number: int, items: MapState) -> bool:
    """Whether one more item of a map may begin."""
    fan = plan.steps[number].fan
    return fan is not None and items.running < fan.concurrency and not (items.failed and fan.min_success is None)


def _strict(plan: Plan, number: int) -> bool:
    """Whether the first item that fails for good ends the map."""
    fan = plan.steps[number].fan
    return fan is not None and fan.min_success is None


def _concluded(plan: Plan, state: State, commands: list[Command]) -> bool:
    """Conclude the maps that have come to an end."""
    for number, items in state.open.items():
        if items.closed and items.ended < items.total and not items.failed:
            continue
        broken = items.failed > 0 and _strict(plan, number)
        source = _source_of(plan, state, number, items)
        if source > COMPLETED and not items.running:
            if source in (FAILED, TOLERATED):
                commands.append(Conclude(number, failed=True, source_failed=True))
            else:
                lost = number in state.doomed
                commands.append(_prune(state, number) if lost else Prune(number, "source_gave_nothing"))
        elif (items.closed and items.ended == items.total) or (broken and not items.running):
            commands.append(Conclude(number, broken or not _enough(plan, number, items)))
    return bool(commands) and isinstance(commands[-1], Conclude | Prune)


def _sources(state: State) -> Iterator[int]:
    """The generators that feed maps at this moment and were not told to end."""
    for number in state.graph.feeders:
        if state.steps[number] == RUNNING and number not in state.clearing:
            yield number


def _idle(plan: Plan, state: State) -> tuple[int, ...]:
    """Those of them that nobody needs: all that follows has ended without them, and they might go on for ever."""
    return tuple(
        number
        for number in _sources(state)
        if number != plan.output and all(state.steps[link.target] >= COMPLETED for link in state.graph.after[number])
    )


def _source_of(plan: Plan, state: State, number: int, items: MapState) -> int:
    """Where the generator is that a map still takes items of; PENDING where there is none."""
    fan = plan.steps[number].fan
    return PENDING if items.closed or fan is None else state.steps[fan.over]


def _items(plan: Plan, state: State, free: int, commands: list[Command]) -> None:
    """Start as many items as there is room for."""
    for number, items in state.open.items():
        fan = plan.steps[number].fan
        if fan is None or (items.failed and fan.min_success is None):
            continue
        room = min(fan.concurrency - items.running, free)
        if room <= 0 or (not items.closed and _source_of(plan, state, number, items) > COMPLETED):
            continue
        index = items.cursor
        while room > 0 and (index := items.stages.find(PENDING, index, items.known)) >= 0:
            commands.append(StartItem(number, index, items.attempts.get(index, 0) + 1))
            index += 1
            room -= 1
            free -= 1


def _jumps(plan: Plan, state: State, commands: list[Command]) -> None:
    """Un-end what a jump goes back over; what of it still runs is cancelled first."""
    number, target = next(iter(state.jumps.items()))
    again = jump_resets(plan, state, target)
    busy = [one for one in again if _busy(state, one)]
    if not busy:
        opened = [one for one in again if one in state.open]
        commands.extend(Abandon(one, "goto") for one in opened)
        if not opened:
            commands.append(Reset(number, again))
    elif unheard := tuple(one for one in busy if one not in state.clearing):
        commands.append(CancelSteps(unheard, "goto"))


def _busy(state: State, number: int) -> bool:
    """Whether anything of a step is under way."""
    items = state.open.get(number)
    if items is not None:
        return items.running > 0
    return state.steps[number] in (GUARDING, RUNNING)


def _enough(plan: Plan, number: int, items: MapState) -> bool:
    """Whether as many items succeeded as the map asks for: a number of them, or a share."""
    fan = plan.steps[number].fan
    if fan is None or fan.min_success is None:
        return items.failed == 0
    wanted = fan.min_success if isinstance(fan.min_success, int) else fan.min_success * items.total
    return items.total - items.failed >= wanted


def _halting(plan: Plan, state: State, commands: list[Command]) -> None:
    """Nothing new starts. What runs ends, or is cancelled; then the maps are closed; then the run is over."""
    cancel = state.halt in _AT_ONCE or (state.halt == "failed" and state.on_failure == "cancel")
    if state.running:
        if cancel and not state.cancelling:
            commands.append(CancelRunning(state.halt))
        elif sources := tuple(_sources(state)):  # no item begins any more, so nobody takes what they give
            commands.append(CancelSteps(sources, f"run_{state.halt}"))
        return
    for number, items in state.open.items():
        enough = _enough(plan, number, items)
        all_ended = items.closed and items.ended == items.total and not items.cancelled
        source_failed = _source_of(plan, state, number, items) in (FAILED, TOLERATED)
        if source_failed:
            commands.append(Conclude(number, failed=True, source_failed=True))
        elif all_ended or (items.failed and not enough):
            commands.append(Conclude(number, not enough))
        else:
            commands.append(Abandon(number, f"run_{state.halt}"))
    if not state.open:
        commands.append(_finish(state))


def _finish(state: State) -> Finish:
    """How the run ended. A signal from outside counts more than a failure, a failure more than a `Stop`."""
    if state.halt in _AT_ONCE:
        return Finish(state.halt)
    if FAILED in state.steps:
        return Finish("failed")
    if state.halt == "stopped":
        return Finish("stopped")
    if state.ended < len(state.steps):
        # Cannot happen while the three rules hold; the run must not claim success if it ever does.
        return Finish("blocked", "steps_without_end")
    return Finish("degraded" if state.degraded else "completed")
