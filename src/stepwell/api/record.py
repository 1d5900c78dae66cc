"""A run's record, read and folded for the pipeline as it is now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from stepwell import events as ev
from stepwell.errors import CodeChanged, RunNotFound, StoreError
from stepwell.ids import step_of
from stepwell.journal.port import Store, Wanted
from stepwell.plan.plan import Plan
from stepwell.state.fold import apply, out_of_place
from stepwell.state.state import State

_PAGE = 1000


def fold(store: Store, plan: Plan, run_id: str) -> tuple[ev.RunStarted, Mapping[str, str], State]:
    """The recorded state of a run, with its first fact and the fingerprints that it went on with last.

    A step that the pipeline no longer has is passed over, unless something of it is recorded that must not be lost:
    then CodeChanged is raised; StoreError where facts are missing or do not follow from each other.
    """
    row = store.get(run_id)  # first: a run that lives may have more facts by then, and never fewer
    state, started, prints = State(plan.graph), None, dict[str, str]()
    for fact in facts_of(store, run_id):
        if isinstance(fact, ev.RunStarted):
            started, prints = fact, dict(fact.fingerprints)
        elif isinstance(fact, ev.RunResumed):
            prints = dict(fact.fingerprints)
        take(state, plan, fact)
    if row is not None and state.seq < row.seq:
        raise StoreError(
            f"run {run_id}: {row.seq} facts were recorded, and {state.seq} of them are there; "
            "the store is damaged: restore a backup"
        )
    if started is None:
        raise RunNotFound(f"run {run_id} has no record; start it anew", run_id=run_id)
    return started, prints, state


def take(state: State, plan: Plan, fact: ev.Event) -> None:
    """Fold a fact as far as this pipeline knows what it is about; raises CodeChanged as `fold` does."""
    try:
        _take(state, plan, fact)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise out_of_place(fact, error) from error
    state.seq = fact.seq


def _take(state: State, plan: Plan, fact: ev.Event) -> None:
    known = plan.graph.number
    if getattr(fact, "index", 0) < 0:
        raise IndexError("no item has a negative index")
    if isinstance(fact, ev.StepReset):
        paths = tuple(path for path in fact.paths if step_of(path) in known)
        fact = msgspec.structs.replace(fact, paths=paths, whole=tuple(set(fact.whole).intersection(paths)))
    elif fact.path and (name := step_of(fact.path)) not in known:
        _may_be_dropped(fact, name, plan, fact.run_id)
        return
    elif isinstance(fact, ev.BranchChosen):
        chosen = tuple(one for one in fact.chosen if one in known)
        fact = msgspec.structs.replace(fact, chosen=chosen)
    apply(state, fact)


def _may_be_dropped(fact: ev.Event, name: str, plan: Plan, run_id: str) -> None:
    """Raise CodeChanged for a result of a step that the pipeline no longer has."""
    if isinstance(fact, ev.StepCompleted | ev.ItemCompleted):
        raise CodeChanged(
            f"run {run_id} has a result of step `{name}`, and pipeline `{plan.name}` has no such step any more; "
            "put it back (what has completed does not run again), or start a new run",
            run_id=run_id,
        )


def facts_of(store: Store, run_id: str, after: int = 0, wanted: Wanted | None = None) -> Iterator[ev.Event]:
    """All facts of a run, or those that are wanted, page by page."""
    while page := store.read(run_id, after, _PAGE, wanted):
        yield from page
        after = page[-1].seq
