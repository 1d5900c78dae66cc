"""A run at a glance: its steps and the counts of its items, read from the store without a look at each item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import merge
from operator import attrgetter

from stepwell import events as ev
from stepwell.api.record import facts_of
from stepwell.errors import PayloadLost
from stepwell.journal.port import RunRow, Store, Wanted
from stepwell.state.state import State
from stepwell.views.facts import inputs_of
from stepwell.views.glance import OTHER_KINDS, Section, sections
from stepwell.views.records import StepRecord, records, replay


@dataclass(frozen=True, slots=True)
class Glance:
    """A run as its facts have it; `unread` is how many failures of items each map has beside those in `state`."""

    row: RunRow
    state: State
    steps: Mapping[str, StepRecord]
    started: ev.RunStarted
    inputs: Mapping[str, object]
    notes: list[str]
    """Warnings, and why it is blocked."""
    unread: Mapping[str, int]


def glance(store: Store, row: RunRow, failures: int) -> Glance:
    """What a run has come to; of each map at most so many failures of items are read, the first ones."""
    facts = list(facts_of(store, row.run_id, wanted=Wanted(OTHER_KINDS)))
    counted: dict[str, Mapping[str, int]] = {}
    failed: list[list[ev.Event]] = []
    for section in sections(facts):
        counted.update(store.count_items(row.run_id, section.maps, section.after, section.but))
        for name in section.maps:
            most = min(failures, counted.get(name, {}).get("failed", 0))
            failed.append(_failures(store, row.run_id, name, section, most))
    state = replay(merge(facts, *failed, key=attrgetter("seq")))
    read = dict.fromkeys(counted, 0)
    for failure in state.failures:
        if failure.item is not None and failure.step in read:
            read[failure.step] += 1
    unread = {name: counts.get("failed", 0) - read[name] for name, counts in counted.items()}
    return _told(store, row, facts, state, records(state, counted), unread)


def whole(store: Store, row: RunRow) -> Glance:
    """The same with every item: it folds all facts."""
    facts: list[ev.Event] = []

    def read() -> Iterator[ev.Event]:
        for fact in facts_of(store, row.run_id):
            if isinstance(fact, ev.RunStarted | ev.WarningIssued | ev.RunBlocked):
                facts.append(fact)
            yield fact

    state = replay(read())
    return _told(store, row, facts, state, records(state), {})


def _told(
    store: Store,
    row: RunRow,
    facts: list[ev.Event],
    state: State,
    steps: Mapping[str, StepRecord],
    unread: Mapping[str, int],
) -> Glance:
    started = next(fact for fact in facts if isinstance(fact, ev.RunStarted))  # else there is no state
    notes = list(_lost_inputs(store, started))
    notes += [fact.message for fact in facts if isinstance(fact, ev.WarningIssued)]
    if row.status == "blocked":
        notes += [fact.message for fact in facts if isinstance(fact, ev.RunBlocked)][-1:]
    return Glance(row, state, steps, started, inputs_of(started, store.load), notes, unread)


def _lost_inputs(store: Store, started: ev.RunStarted) -> Iterator[str]:
    try:
        if isinstance(started.inputs, ev.Payload):
            store.load(started.inputs)
    except PayloadLost as error:
        yield f"its inputs are lost: {error}"


def _failures(store: Store, run_id: str, name: str, section: Section, most: int) -> list[ev.Event]:
    """The first failures of a map's items that stand."""
    found: list[ev.Event] = []
    after, wanted = section.after, Wanted(frozenset({ev.EventKind.ITEM_FAILED}), name)
    while len(found) < most:
        page = store.read(run_id, after, max(1, most - len(found)), wanted)
        if not page:
            break
        found += [fact for fact in page if fact.path not in section.but]
        after = page[-1].seq
    return found
