"""The fold of what happens to the items of a map; called by `fold.py` alone."""

from __future__ import annotations

from stepwell import events as ev
from stepwell.state.items import MapState
from stepwell.state.sparks import ItemsSeen
from stepwell.state.state import CANCELLED, COMPLETED, FAILED, PENDING, RUNNING, SKIPPED, WAITING, State


def map_expanded(state: State, event: ev.MapExpanded) -> None:
    """The map counts by its items from here on, not as an attempt of its own."""
    number = state.at[event.path]
    items = state.maps.get(number)
    if items is None:
        if state.steps[number] == RUNNING:
            state.running -= 1
        items = state.maps[number] = state.open[number] = MapState(state.bases.get(number, 1))
    items.grow(event.count, event.keys, event.digests)
    items.closed = not event.more
    items.parts = items.parts or event.more


def items_seen(state: State, event: ItemsSeen) -> None:
    """Items that are recorded have their values at hand again."""
    state.maps[state.at[event.path]].known = event.count


def map_closed(state: State, number: int) -> None:
    """A map ends; items that wait for a retry go on waiting in case it is opened again."""
    state.open.pop(number, None)


def map_reopened(state: State, number: int) -> None:
    """A map goes on with the items it has, in a new process or a new visit."""
    state.open[number] = state.maps[number]


def item_started(state: State, event: ev.ItemStarted) -> None:
    number = state.graph.number[event.path.rpartition("[")[0]]
    items, index = state.maps[number], event.index
    if items.stages[index] == WAITING:
        items.wait_no_more(index)
    elif index == items.cursor:
        items.cursor = index + 1
    items.stages[index] = RUNNING
    items.running += 1
    state.running += 1


def _leaves(state: State, event: ev.Event, index: int, stage: int) -> tuple[int, MapState]:
    """An attempt of an item is over. Its start is a spark, so in a fold from the store it may not be known to run."""
    number = state.graph.number[event.path.rpartition("[")[0]]
    items = state.maps[number]
    before = items.stages[index]
    if before == RUNNING:
        items.running -= 1
        state.running -= 1
    elif before == WAITING:
        items.wait_no_more(index)
    items.stages[index] = stage
    if stage > WAITING:
        items.ended += 1
        state.recoveries = 0
    return number, items


def item_completed(state: State, event: ev.ItemCompleted) -> None:
    index = event.index
    number, items = _leaves(state, event, index, SKIPPED if event.skipped else COMPLETED)
    items.results[index] = ev.in_memory(event.output)
    if event.stops:
        state.halt = state.halt or "stopped"
        state.stopped_by = number
        items.stopped_by = index


def item_retrying(state: State, event: ev.ItemRetrying) -> None:
    _, items = _leaves(state, event, event.index, WAITING)
    items.attempts[event.index] = event.attempt
    items.wait(event.index, event.retry_at)


def item_failed(state: State, event: ev.ItemFailed) -> None:
    _, items = _leaves(state, event, event.index, FAILED)
    items.failed += 1
    if event.failure is not None:
        state.failures.append(event.failure)


def item_cancelled(state: State, event: ev.ItemCancelled) -> None:
    _, items = _leaves(state, event, event.index, CANCELLED)
    items.cancelled += 1


def map_emptied(state: State, number: int) -> None:
    """A map loses its items; new ones with the same keys are in a visit that none of these was in."""
    items = state.maps.pop(number, None)
    if items is not None:
        state.bases[number] = max(items.base, *items.visits.values(), 0) + 1
        items.results.clear()


def item_reset(state: State, path: str) -> None:
    """An item that is to run again, in a new visit."""
    number, index = state.item_at(path)
    items = state.maps[number]
    items.ended -= 1
    items.failed -= items.stages[index] == FAILED
    items.cancelled -= items.stages[index] == CANCELLED
    if items.stopped_by == index:
        items.stopped_by = state.stopped_by = -1
    items.stages[index] = PENDING
    items.results[index] = None
    items.attempts.pop(index, None)
    items.visits[index] = items.visits.get(index, items.base) + 1
    items.cursor = 0
