"""What became of each step and item, out of the state of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct, field, structs

from stepwell.errors import StoreError
from stepwell.events import Event, Failure, RunStarted
from stepwell.graph import build, unflatten
from stepwell.ids import parse_path
from stepwell.state.fold import apply, out_of_place
from stepwell.state.items import MapState
from stepwell.state.state import FAILED, STATUS, WAITING, State
from stepwell.state.visit import Visit


class StepRecord(Struct, frozen=True):
    """One step, or one item of a map, as it stands.

    `status` is `pending`, `running`, `waiting` (for a retry), `completed`, `skipped`, `tolerated`, `pruned`, `failed`
    or `cancelled`; times are seconds since the epoch and None where they are not known (of items, they stand in the
    events). `attempts` counts those of the present visit; `items` holds a map's items by key, and `counts` how many of
    them have each status.
    """

    path: str
    status: str
    reason: str = ""
    attempts: int = 0
    started_at: float | None = None
    ended_at: float | None = None
    failure: Failure | None = None
    visit: int = 1
    soft_failed: bool = False
    """Its output is the best that a loop came to before `max_visits` ended it."""
    items: Mapping[str, StepRecord] = field(default_factory=dict[str, "StepRecord"])
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    visits: tuple[StepRecord, ...] = ()
    """What became of it in its earlier visits, before it was reset."""

    @property
    def duration(self) -> float | None:
        """Seconds from the start of its first attempt to its end."""
        if self.started_at is None or self.ended_at is None:
            return None
        return self.ended_at - self.started_at


def replay(facts: Iterable[Event], apply_to: Callable[[State, Event], None] = apply) -> State:
    """The state that follows from these facts, the first of which is RUN_STARTED; needs no code of the pipeline.

    Raises StoreError where they make no sense one after the other.
    """
    state: State | None = None
    fact: Event | None = None
    try:
        for fact in facts:
            if isinstance(fact, RunStarted):
                state = State(build(list(fact.fingerprints), unflatten(fact.edges), fact.quorums, fact.jumps))
            if state is None:
                raise LookupError("the first fact of a run is RUN_STARTED")
            apply_to(state, fact)
            state.seq = fact.seq
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        if fact is None:
            raise
        raise out_of_place(fact, error) from error
    if state is None:
        raise StoreError("the run has no facts, though it is known; the store is damaged: restore a backup")
    return state


class Items(Mapping[str, StepRecord]):
    """The items of a map by key; each record is made when it is asked for, since there may be a million."""

    def __init__(self, name: str, items: MapState, failures: Mapping[str, Failure]) -> None:
        self._name = name
        self._items = items
        self._failures = failures

    def __getitem__(self, key: str) -> StepRecord:
        """The record of one item."""
        try:
            index = self._items.index(key)
        except ValueError:
            raise KeyError(key) from None
        if not 0 <= index < self._items.total or self._items.key(index) != key:
            raise KeyError(key)
        return _item(self._name, self._items, index, self._failures)

    def __iter__(self) -> Iterator[str]:
        """The keys, in the order of the items."""
        return map(self._items.key, range(self._items.total))

    def __len__(self) -> int:
        """How many there are."""
        return self._items.total

    def __repr__(self) -> str:
        """What it is of, and how many there are."""
        return f"<{len(self):,} items of {self._name}>"


def records(state: State, counted: Mapping[str, Mapping[str, int]] | None = None) -> dict[str, StepRecord]:
    """The record of each step, by name, in the order of definition.

    `counted`: what the items of each map have come to, where the state was folded without them (see
    `journal.items`); then `items` holds none but those whose failures were folded.
    """
    failures = {failure.path: failure for failure in state.failures}
    return {name: _step(state, number, failures, counted) for number, name in enumerate(state.graph.names)}


def _step(
    state: State, number: int, failures: Mapping[str, Failure], counted: Mapping[str, Mapping[str, int]] | None
) -> StepRecord:
    path, name = state.paths[number], state.graph.names[number]
    because, reason = state.because.get(number), state.reasons.get(number, "")
    items: Mapping[str, StepRecord] = {}
    counts: Mapping[str, int] = {}
    if (of := state.maps.get(number)) is not None:
        if counted is None:
            items, counts = Items(name, of, failures), _counts(of)
        else:
            items, counts = _failed(name, of, failures), _with_pending(counted.get(name, {}), of.total)
    return StepRecord(
        path=path,
        status=STATUS[state.steps[number]],
        reason=f"{reason}: {because}" if because else reason,
        attempts=state.attempts[number],
        started_at=state.started_at[number],
        ended_at=state.ended_at[number],
        failure=failures.get(path),
        visit=state.visits.get(number, 1),
        soft_failed=number in state.soft,
        items=items,
        counts=counts,
        visits=tuple(_visit(one, counted is None) for one in state.past.get(number, ())),
    )


def _visit(visit: Visit, whole: bool) -> StepRecord:
    items = visit.items if whole else None
    return StepRecord(
        path=visit.path,
        status=STATUS[visit.status],
        reason=visit.reason,
        attempts=visit.attempts,
        started_at=visit.started_at,
        ended_at=visit.ended_at,
        failure=visit.failure,
        visit=parse_path(visit.path)[-1].visit,
        soft_failed=visit.soft_failed,
        items={} if items is None else Items(parse_path(visit.path)[-1].name, items, {}),
        counts={} if items is None else _counts(items),
    )


def _item(name: str, items: MapState, index: int, failures: Mapping[str, Failure]) -> StepRecord:
    path, stage = items.path(name, index), items.stages[index]
    return StepRecord(
        path=path,
        status=STATUS[stage],
        attempts=items.attempts.get(index, 0) + (stage > WAITING),
        failure=failures.get(path),
        visit=items.visits.get(index, items.base),
    )


def _counts(items: MapState) -> dict[str, int]:
    found: dict[str, int] = {}
    for stage, status in enumerate(STATUS):
        if count := items.stages.count(stage):
            found[status] = found.get(status, 0) + count
    return found


def _with_pending(counts: Mapping[str, int], total: int) -> dict[str, int]:
    """In the order in which `_counts` has them."""
    found = {"pending": total - sum(counts.values()), **counts}
    return {status: found[status] for status in dict.fromkeys(STATUS) if found.get(status)}


def _failed(name: str, items: MapState, failures: Mapping[str, Failure]) -> dict[str, StepRecord]:
    """Those that are known to have failed; how often each was tried, its failure says."""
    found: dict[str, StepRecord] = {}
    index = items.stages.find(FAILED)
    while index >= 0:
        record = _item(name, items, index, failures)
        if record.failure is not None:
            record = structs.replace(record, attempts=record.failure.attempt)
        found[items.key(index)] = record
        index = items.stages.find(FAILED, index + 1)
    return found
