"""What must hold of the facts of every run, whatever happened in it; looked at after each run of a Harness.

facts ──► seq, stretches, ends, attempts ┐
      └─► folded one by one: what each presupposes ┴─► what is broken ──► AssertionError
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stepwell import events as ev
from stepwell.events import ENDS, Event, EventKind
from stepwell.graph import build, unflatten
from stepwell.ids import escape
from stepwell.state.fold import apply
from stepwell.state.state import COMPLETED, FAILED, PENDING, RUNNING, State

_BEGINS = (EventKind.RUN_STARTED, EventKind.RUN_RESUMED)
_STEP_ENDS = frozenset(kind for kind in ENDS if kind.value.startswith("STEP"))
_ATTEMPT_ENDS = _STEP_ENDS | {EventKind.STEP_RETRYING}
_RULED = (EventKind.STEP_SKIPPED, EventKind.STEP_PRUNED)
"""With attempt 0 these end a step that had no attempt."""


def check_invariants(facts: Sequence[Event], state: State | None = None, *, over: bool = True) -> None:
    """Raise AssertionError that names every law which the facts of one run break.

    `facts` are all that is recorded of it, in order; `state` is the state that its engine has come to, if at hand:
    it must be what the facts fold to. `over=False`: the run goes on, or its process has died, so it has no end.

    >>> check_invariants([ev.RunStarted("r", 1, 0.0), ev.RunFinished("r", 2, 0.0, status="completed")])
    """
    broken = [*_numbers(facts), *_stretches(facts, over), *_one_end_a_path(facts), *_attempts(facts)]
    folded = _Walk(facts)
    broken += folded.broken
    if not broken and folded.state is not None:
        broken += _recount(folded.state)
        if state is not None:
            broken += [f"the live state differs from the facts: {one}" for one in _differences(state, folded.state)]
    if broken:
        told = "\n".join(f"    {event.seq} {event.kind.value} {event.path} attempt={event.attempt}" for event in facts)
        raise AssertionError("\n".join([f"the facts of this run break {len(broken)} laws:", *broken, told]))


def _numbers(facts: Sequence[Event]) -> Iterator[str]:
    """One run, numbered from 1 without a gap, which begins once."""
    if not facts:
        yield "a run without facts"
        return
    if (seqs := [event.seq for event in facts]) != list(range(1, len(facts) + 1)):
        yield f"seq has a gap or a double: {seqs}"
    if len({event.run_id for event in facts}) != 1:
        yield "facts of several runs"
    if [event.seq for event in facts if event.kind is EventKind.RUN_STARTED] != [1]:
        yield "RUN_STARTED is not the first fact, or comes twice"


def _stretches(facts: Sequence[Event], over: bool) -> Iterator[str]:
    """From RUN_STARTED or RUN_RESUMED on: at most one RUN_FINISHED, nothing after it; the last stretch has an end."""
    end: EventKind | None = None
    for event in facts:
        if event.kind in _BEGINS:
            if isinstance(event, ev.RunResumed) and event.recovered != (end is None):
                yield f"fact {event.seq}: recovered={event.recovered}, though the run before ended with {end}"
            end = None
        elif event.kind is EventKind.RUN_FINISHED:
            if end is not None:
                yield f"fact {event.seq}: a second end of the run"
            end = event.kind
        elif event.kind is EventKind.RUN_BLOCKED:
            end = event.kind
        elif end is EventKind.RUN_FINISHED:
            yield f"fact {event.seq}: {event.kind.value} after RUN_FINISHED"
    if over and end is None:
        yield "the run is over and has no RUN_FINISHED"


def _one_end_a_path(facts: Sequence[Event]) -> Iterator[str]:
    """At most one terminal record a path, at most one opening of a join, at most one expansion of a map."""
    seen: set[tuple[str, str]] = set()
    for event in facts:
        once = "end" if event.kind in ENDS else event.kind.value
        if once not in ("end", "JOIN_WAITING", "JOIN_RELEASED", "MAP_EXPANDED"):
            continue
        if (once, event.path) in seen:
            yield f"fact {event.seq}: a second {once} of {event.path}"
        seen.add((once, event.path))
        if once == "JOIN_RELEASED" and ("JOIN_WAITING", event.path) not in seen:
            yield f"fact {event.seq}: {event.path} is released and was never said to wait"


def _attempts(facts: Sequence[Event]) -> Iterator[str]:
    """Attempts of a step count up from 1; each that began ended once, unless the process died under it."""
    last: dict[str, int] = {}
    under_way: dict[str, int] = {}
    retried: dict[str, int] = {}
    for event in facts:
        path, attempt = event.path, event.attempt
        if event.kind in _BEGINS:
            under_way.clear()
        elif event.kind is EventKind.RUN_FINISHED:
            yield from (f"attempt {number} of {one} never ended" for one, number in under_way.items())
        elif event.kind is EventKind.STEP_STARTED:
            if path in under_way or attempt != last.get(path, 0) + 1:
                yield f"fact {event.seq}: attempt {attempt} of {path} after attempt {last.get(path, 0)}"
            last[path] = under_way[path] = attempt
        elif event.kind in _ATTEMPT_ENDS and not (event.kind in _RULED and attempt == 0):
            if under_way.pop(path, None) != attempt:
                yield f"fact {event.seq}: {event.kind.value} ends attempt {attempt} of {path}, which is not under way"
        elif event.kind is EventKind.ITEM_RETRYING or event.kind in ENDS:
            if attempt not in (retried.get(path, 0) + 1, 0) and event.kind is not EventKind.ITEM_CANCELLED:
                yield f"fact {event.seq}: attempt {attempt} of {path} after attempt {retried.get(path, 0)}"
            retried[path] = attempt


class _Walk:
    """Folds the facts one by one and looks at what each presupposes."""

    def __init__(self, facts: Sequence[Event]) -> None:
        self.broken: list[str] = []
        self.state: State | None = None
        for event in facts:
            if isinstance(event, ev.RunStarted):
                self.state = State(build(list(event.fingerprints), unflatten(event.edges)))
            if self.state is None:
                return
            try:
                self.broken += [f"fact {event.seq}: {one}" for one in self._presupposed(self.state, event)]
                apply(self.state, event)
                self.state.seq = event.seq
            except (KeyError, ValueError, IndexError) as error:
                self.broken.append(f"fact {event.seq}: {event.kind.value} {event.path} does not fold: {error!r}")
                return

    def _presupposed(self, state: State, event: Event) -> Iterator[str]:
        kind = event.kind
        if kind in (EventKind.STEP_STARTED, EventKind.STEP_SKIPPED, EventKind.JOIN_RELEASED):
            yield from _may_begin(state, event)
        elif kind is EventKind.MAP_EXPANDED and state.steps[state.at[event.path]] != RUNNING:
            yield f"the items of {event.path} are recorded while it does not run"
        elif isinstance(event, (ev.ItemCompleted, ev.ItemFailed, ev.ItemCancelled, ev.ItemRetrying)):
            yield from _is_item(state, event.path, event.index)
        elif isinstance(event, (ev.StepCompleted, ev.StepFailed)) and state.at[event.path] in state.maps:
            items = state.maps[state.at[event.path]]
            if items.running:
                yield f"{event.path} ends while {items.running} of its items run"
            if isinstance(event, ev.StepCompleted) and items.ended != items.total:
                yield f"{event.path} completes with {items.ended} of {items.total} items"
        elif isinstance(event, ev.RunFinished):
            yield from _finishes(state, event)


def _may_begin(state: State, event: Event) -> Iterator[str]:
    """All that a step waits for has ended, nothing before it has failed for good, and the run does not end."""
    number = state.at[event.path]
    before = [state.steps[source] for source in state.graph.before[number]]
    if any(status < COMPLETED for status in before):
        yield f"{event.kind.value} {event.path} before all that it waits for has ended"
    if event.kind is not EventKind.STEP_STARTED:
        return
    if any(status >= FAILED for status in before):
        yield f"{event.path} starts after a step that failed for good or was cancelled"
    if state.halt and event.attempt == 1 and state.steps[number] == PENDING:
        yield f"{event.path} starts though the run is {state.halt}"


def _is_item(state: State, path: str, index: int) -> Iterator[str]:
    number = state.graph.number[path.rpartition("[")[0]]
    items = state.maps.get(number)
    if items is None:
        yield f"{path} before the items of its map are recorded"
    elif number not in state.open:
        yield f"{path} while its map does not run"
    elif f"[{escape(items.key(index))}]" not in path:
        yield f"{path} is said to be item {index}"


def _finishes(state: State, event: ev.RunFinished) -> Iterator[str]:
    """The run's end says of it what is true."""
    names = state.graph.names
    left = tuple(names[number] for number, status in enumerate(state.steps) if status < COMPLETED)
    if event.not_run != left:
        yield f"not_run is {event.not_run}, and without an end are {left}"
    if any(status == RUNNING and number not in state.maps for number, status in enumerate(state.steps)):
        yield "the run ends while a step runs"
    failed = FAILED in state.steps
    if event.status in ("completed", "degraded") and (left or failed or state.halt):
        yield f"a run that is {event.status} with steps that failed or have no end"
    if event.status == "completed" and state.degraded:
        yield "a run with something tolerated in it is degraded, not completed"


def _recount(state: State) -> Iterator[str]:
    """The counters that the fold keeps up to date are those that come out by counting anew."""
    anew = State(state.graph)
    for name in ("steps", "paths", "because", "chosen", "waited"):
        setattr(anew, name, getattr(state, name))
    anew.count()
    for name in ("missing", "live", "starved", "ended"):
        if getattr(anew, name) != getattr(state, name):
            yield f"the counter `{name}` is {getattr(state, name)}, and counted anew {getattr(anew, name)}"
    if sorted(anew.ready) != sorted(state.ready):
        yield f"ready are {sorted(state.ready)}, and counted anew {sorted(anew.ready)}"
    if [bool(one) for one in anew.doomed] != [bool(one) for one in state.doomed]:
        yield f"doomed are {state.doomed}, and counted anew {anew.doomed}"
    for number, items in state.maps.items():
        ended = sum(stage >= COMPLETED for stage in items.stages)
        failed = sum(stage == FAILED for stage in items.stages)
        if (ended, failed, len(items.results)) != (items.ended, items.failed, items.total):
            yield f"the items of {state.paths[number]} are miscounted"


def _differences(live: State, folded: State) -> Iterator[str]:
    """Where the engine's own state is not what its facts fold to."""
    for name in ("status", "halt", "steps", "paths", "outputs", "chosen", "because", "failures", "degraded"):
        if getattr(live, name) != getattr(folded, name):
            yield f"`{name}` is {getattr(live, name)}, by the facts {getattr(folded, name)}"
    for number, items in folded.maps.items():
        own = live.maps.get(number)
        stages = [stage for stage in items.stages if stage >= COMPLETED]
        if (
            own is None
            or [stage for stage in own.stages if stage >= COMPLETED] != stages
            or own.results != items.results
        ):
            yield f"the items of {folded.paths[number]} differ"
