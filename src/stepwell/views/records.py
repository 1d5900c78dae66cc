"""What became of each step and item, out of the state of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from stepwell.events import Event, Failure, RunStarted
from stepwell.graph import build, unflatten
from stepwell.ids import parse_path
from stepwell.state.fold import apply
from stepwell.state.items import MapState
from stepwell.state.state import STATUS, WAITING, State
from stepwell.state.visit import Visit


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step, or one item of a map, as it stands.

    `status` is `pending`, `running`, `waiting` (for a retry), `completed`, `skipped`, `tolerated`, `pruned`, `failed`
    or `cancelled`; times are seconds since the epoch and None where they are not known (of items, they stand in the
    events). `attempts` counts those of the present visit; `items` holds a map's items by key.
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
    visits: tuple[StepRecord, ...] = ()
    """What became of it in its earlier visits, before it was reset."""

    @property
    def duration(self) -> float | None:
        """Seconds from the start of its first attempt to its end."""
        if self.started_at is None or self.ended_at is None:
            return None
        return self.ended_at - self.started_at


def replay(facts: Iterable[Event], apply_to: Callable[[State, Event], None] = apply) -> State:
    """The state that follows from these facts, the first of which is RUN_STARTED; needs no code of the pipeline."""
    state: State | None = None
    for fact in facts:
        if isinstance(fact, RunStarted):
            state = State(build(list(fact.fingerprints), unflatten(fact.edges), fact.quorums, fact.jumps))
        if state is None:
            raise ValueError(f"the first fact of a run is RUN_STARTED, not {fact.kind.value}")
        apply_to(state, fact)
        state.seq = fact.seq
    if state is None:
        raise ValueError("a run without facts has no state")
    return state


def records(state: State) -> dict[str, StepRecord]:
    """The record of each step, by name, in the order of definition."""
    failures = {failure.path: failure for failure in state.failures}
    return {name: _step(state, number, failures) for number, name in enumerate(state.graph.names)}


def _step(state: State, number: int, failures: Mapping[str, Failure]) -> StepRecord:
    path = state.paths[number]
    because = state.because[number]
    return StepRecord(
        path=path,
        status=STATUS[state.steps[number]],
        reason=f"{state.reasons[number]}: {because}" if because else state.reasons[number],
        attempts=state.attempts[number],
        started_at=state.started_at[number],
        ended_at=state.ended_at[number],
        failure=failures.get(path),
        visit=state.visits[number],
        soft_failed=number in state.soft,
        items=_items(state.graph.names[number], state.maps[number], failures) if number in state.maps else {},
        visits=tuple(_visit(one) for one in state.past.get(number, ())),
    )


def _visit(visit: Visit) -> StepRecord:
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
        items={} if visit.items is None else _items(parse_path(visit.path)[-1].name, visit.items, {}),
    )


def _items(name: str, items: MapState, failures: Mapping[str, Failure]) -> dict[str, StepRecord]:
    found: dict[str, StepRecord] = {}
    for index, stage in enumerate(items.stages):
        path = items.path(name, index)
        ended = stage > WAITING
        found[items.key(index)] = StepRecord(
            path=path,
            status=STATUS[stage],
            attempts=items.attempts.get(index, 0) + ended,
            failure=failures.get(path),
            visit=items.visits.get(index, items.base),
        )
    return found
