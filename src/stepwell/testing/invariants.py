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
from stepwell.state.items import DIGEST
from stepwell.state.state import COMPLETED, FAILED, PENDING, RUNNING, SKIPPED, TOLERATED, State

_BEGINS = (EventKind.RUN_STARTED, EventKind.RUN_RESUMED)
_STEP_ENDS = frozenset(kind for kind in ENDS if kind.value.startswith("STEP"))
_ATTEMPT_ENDS = _STEP_ENDS | {EventKind.STEP_RETRYING}
_FOLDED = (
    "status", "steps", "paths", "outputs", "chosen", "because", "failures", "degraded", "jumps", "loops", "unkept",
    "gone", "soft", "streaming",
)  # fmt: skip
"""What of a live state must be what the facts fold to."""
_RULED = (EventKind.STEP_SKIPPED, EventKind.STEP_PRUNED)
"""With attempt 0 these end a step that had no attempt."""


def check_invariants(facts: Sequence[Event], state: State | None = None, *, over: bool = True) -> None:
    """Raise AssertionError that names every law which the facts of one run break.

    `facts` are all that is recorded of it, in order; `state` is the state that its engine has come to, if at hand:
    it must be what the facts fold to. `over=False`: the run goes on, or its process has died, so it has no end.

    >>> check_invariants([ev.RunStarted("r", 1, 0.0), ev.RunFinished("r", 2, 0.0, status="completed")])
    """
    walk = _Walk(facts)
    broken = [*_numbers(facts), *_stretches(facts, over), *_one_end_a_path(facts), *_attempts(facts), *walk.broken]
    if not broken and walk.state is not None:
        broken += _recount(walk.state)
        if state is not None:
            broken += [f"the live state differs from the facts: {one}" for one in _differences(state, walk.state)]
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
    """At most one terminal record a path, at most one opening of a join, at most one last expansion of a map."""
    seen: set[tuple[str, str]] = set()
    patient: set[str] = set()
    for event in facts:
        once = "end" if event.kind in ENDS else event.kind.value
        if isinstance(event, ev.RunResumed) and not event.recovered:
            seen -= {("JOIN_WAITING", path) for path in patient}  # patience begins anew after an end of the run
        if once not in ("end", "JOIN_WAITING", "JOIN_RELEASED", "JOIN_TIMED_OUT", "MAP_EXPANDED"):
            continue
        if (once, event.path) in seen:
            yield f"fact {event.seq}: a second {once} of {event.path}"
        if once in ("JOIN_RELEASED", "JOIN_TIMED_OUT"):
            patient.discard(event.path)
            if ("JOIN_WAITING", event.path) not in seen:
                yield f"fact {event.seq}: {once} of {event.path}, which was never said to wait"
        elif isinstance(event, ev.JoinWaiting) and event.deadline is not None:
            patient.add(event.path)
        if not (isinstance(event, ev.MapExpanded) and event.more):
            seen.add((once, event.path))


def _attempts(facts: Sequence[Event]) -> Iterator[str]:
    """Attempts of a step count up from 1; each that began ended once, unless the process died under it."""
    last: dict[str, int] = {}
    under_way: dict[str, int] = {}
    retried: dict[str, int] = {}
    for event in facts:
        path, attempt = event.path, event.attempt
        if event.kind in _BEGINS or getattr(event, "reason", "") == "its_process_was_gone":
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
        self._last: Event | None = None
        for event in facts:
            if isinstance(event, ev.RunStarted):
                names, edges = list(event.fingerprints), unflatten(event.edges)
                self.state = State(build(names, edges, event.quorums, event.jumps))
            if self.state is None:
                return
            try:
                self.broken += [f"fact {event.seq}: {one}" for one in self._presupposed(self.state, event)]
                apply(self.state, event)
                self.state.seq = event.seq
                self._last = event
            except (KeyError, ValueError, IndexError) as error:
                self.broken.append(f"fact {event.seq}: {event.kind.value} {event.path} does not fold: {error!r}")
                return

    def _presupposed(self, state: State, event: Event) -> Iterator[str]:
        kind = event.kind
        if kind in (EventKind.STEP_STARTED, EventKind.STEP_SKIPPED, EventKind.JOIN_RELEASED):
            timed_out = isinstance(self._last, ev.JoinTimedOut) and self._last.path == event.path
            yield from () if timed_out else _may_begin(state, event)
        elif isinstance(event, ev.JoinTimedOut):
            if not event.at >= state.patience.get(state.at[event.path], float("inf")):
                yield f"{event.path} is timed out, and its deadline has not passed"
        elif isinstance(event, ev.MapExpanded):
            yield from _grows(state, event)
        elif isinstance(event, ev.StepReset):
            yield from _begins_again(state, event)
        elif isinstance(event, (ev.ItemCompleted, ev.ItemFailed, ev.ItemCancelled, ev.ItemRetrying)):
            yield from _is_item(state, event.path, event.index)
        elif isinstance(event, (ev.StepCompleted, ev.StepFailed)):
            yield from _ends(state, event)
        elif isinstance(event, ev.RunFinished):
            yield from _finishes(state, event)


def _may_begin(state: State, event: Event) -> Iterator[str]:
    """As much as a step waits for has ended, nothing before it has failed for good, and the run does not end."""
    number = state.at[event.path]
    graph = state.graph
    live = {(edge.source, edge.target) for edge in graph.edges if edge.live}
    begun = {one for one in graph.before[number] if one in state.streaming and (one, number) in live}
    ended = {one for one in graph.before[number] if state.steps[one] >= COMPLETED and one not in state.jumps}
    wanted = graph.quorums.get(number)
    if wanted is None and len(begun | ended) < len(graph.before[number]):
        yield f"{event.kind.value} {event.path} before all that it waits for has ended"
    if event.kind is EventKind.JOIN_RELEASED:
        return
    good = {one for one in ended if state.steps[one] in (COMPLETED, SKIPPED, TOLERATED)} | begun
    if wanted is not None and len(good) < wanted:
        yield f"{event.kind.value} {event.path} before {wanted} of the steps before it have ended well"
    if event.kind is EventKind.STEP_SKIPPED:
        return
    if wanted is None and any(state.steps[one] >= FAILED for one in ended - begun):
        yield f"{event.path} starts after a step that failed for good or was cancelled"
    if state.halt and event.attempt == 1 and state.steps[number] == PENDING:
        yield f"{event.path} starts though the run is {state.halt}"


def _grows(state: State, event: ev.MapExpanded) -> Iterator[str]:
    """Items are recorded of a map that runs, and in parts only of one that takes them as they come."""
    number = state.at[event.path]
    if state.steps[number] != RUNNING:
        yield f"the items of {event.path} are recorded while it does not run"
    if event.more and not any(edge.live for edge in state.graph.edges if edge.target == number):
        yield f"the items of {event.path} are recorded in parts, and no generator gives them"
    if len(event.keys or ()) not in (0, event.count) or (event.digests and len(event.digests) != DIGEST * event.count):
        yield f"{event.count} items of {event.path} are recorded, with another number of keys or digests"
    items = state.maps.get(number)
    if items is not None and items.keys is not None and not set(items.keys).isdisjoint(event.keys or ()):
        yield f"an item of {event.path} is recorded a second time"


def _begins_again(state: State, event: ev.StepReset) -> Iterator[str]:
    """A jump resets its loop once, when nothing of that runs; items are lost by maps that are reset, and no others."""
    if not set(event.whole) <= set(event.paths):
        yield f"{event.whole} lose their items, and only {event.paths} are reset"
    if event.cause != "goto":
        return
    if state.at[event.path] not in state.jumps or event.path not in event.paths:
        yield f"{event.path} resets a loop and has not jumped"
    steps = {state.at[path] for path in event.paths}
    if any(state.steps[number] == RUNNING for number in steps):
        yield f"{event.path} resets what runs"
    if {state.paths[number] for number in steps & state.maps.keys()} != set(event.whole):
        yield f"{event.path} resets maps that keep items"


def _ends(state: State, event: ev.StepCompleted | ev.StepFailed) -> Iterator[str]:
    """A map ends when all its items have; a step jumps only to where it may; what is not kept is not recorded."""
    number = state.at[event.path]
    items = state.maps.get(number)
    if items is not None and items.running:
        yield f"{event.path} ends while {items.running} of its items run"
    if isinstance(event, ev.StepFailed):
        return
    if items is not None and (items.ended != items.total or not items.closed):
        yield f"{event.path} completes with {items.ended} of {items.total} items, closed={items.closed}"
    if event.goto and (number, state.graph.number.get(event.goto)) not in state.graph.jumps:
        yield f"{event.path} jumps to {event.goto}, and may not"
    if event.output is not None and not event.kept:
        yield f"the output of {event.path} is recorded, and was not to be kept"


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
    runs = RUNNING in (status for number, status in enumerate(state.steps) if number not in state.maps)
    if runs and event.reason != "its_process_was_gone":
        yield "the run ends while a step runs"
    failed = FAILED in state.steps
    if event.status in ("completed", "degraded") and (left or failed or state.halt or state.jumps):
        yield f"a run that is {event.status} with steps that failed or have no end, or a jump to make"
    if event.status == "completed" and state.degraded:
        yield "a run with something tolerated in it is degraded, not completed"


def _recount(state: State) -> Iterator[str]:
    """The counters that the fold keeps up to date are those that come out by counting anew."""
    anew = State(state.graph)
    for name in ("steps", "paths", "because", "chosen", "joining", "jumps", "streaming"):
        setattr(anew, name, getattr(state, name))
    anew.count()
    for name in ("missing", "live", "starved", "ended", "hope", "wants"):
        if getattr(anew, name) != getattr(state, name):
            yield f"the counter `{name}` is {getattr(state, name)}, and counted anew {getattr(anew, name)}"
    if sorted(anew.ready) != sorted(state.ready):
        yield f"ready are {sorted(state.ready)}, and counted anew {sorted(anew.ready)}"
    if anew.doomed.keys() != state.doomed.keys():
        yield f"doomed are {state.doomed}, and counted anew {anew.doomed}"
    for number, items in state.maps.items():
        ended = sum(stage >= COMPLETED for stage in items.stages)
        failed = sum(stage == FAILED for stage in items.stages)
        if (ended, failed, len(items.results)) != (items.ended, items.failed, items.total):
            yield f"the items of {state.paths[number]} are miscounted"


def _differences(live: State, folded: State) -> Iterator[str]:
    """Where the engine's own state is not what its facts fold to."""
    for name in (*_FOLDED, *(() if folded.status == "blocked" else ("halt",))):  # a block is no fact before its end
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
