"""What is left of a run (N5, F6): which steps keep their record, which run again and why, which never began."""

from __future__ import annotations

import itertools
from typing import Any

from stepwell import events as ev
from stepwell.events import Failure
from stepwell.graph import Edge, build
from stepwell.state.fold import apply
from stepwell.state.state import State
from stepwell.views.remainder import Remains, remainder, standing

NAMES = ("a", "b", "c")
CHAIN = (Edge(0, 1, needs=True), Edge(1, 2, needs=True))


class Told:
    """Facts, folded; `resumed` takes down where the run stands and lets it go on."""

    def __init__(self, **started: Any) -> None:
        self.state = State(build(NAMES, CHAIN))
        self._seq = itertools.count(1)
        self.tell(ev.RunStarted, **started)

    def tell(self, kind: type[ev.Event], path: str = "", attempt: int = 0, **fields: Any) -> None:
        fact: Any = kind
        seq = next(self._seq)
        apply(self.state, fact("r", seq, float(seq), path, attempt, **fields))

    def resumed(self, *paths: str, recovered: bool = False) -> dict[str, Remains]:
        before = standing(self.state)
        apply(self.state, ev.RunResumed("r", 90, 2.0, recovered=recovered))
        if paths:
            apply(self.state, ev.StepReset("r", 91, 2.0, paths=paths, cause="resume"))
        return {one.name: one for one in remainder(before, self.state)}


def failure(path: str, item: str | None = None) -> Failure:
    return Failure(path, path, item, "error", "user", "raised", "ValueError", "no", "", retryable=False, attempt=1)


def test_what_is_done_is_kept_and_what_failed_runs_again() -> None:
    told = Told()
    told.tell(ev.StepStarted, "a", 1)
    told.tell(ev.StepCompleted, "a", 1)
    told.tell(ev.StepStarted, "b", 1)
    told.tell(ev.StepFailed, "b", 1, failure=failure("b"))
    told.tell(ev.RunFinished, status="failed")
    left = told.resumed("b")
    assert left["a"] == Remains("a", "kept", "completed", seconds=1.0)
    assert left["b"] == Remains("b", "again", "failed", "it failed")
    assert left["c"] == Remains("c", "new", "pending")


def test_what_was_pruned_because_of_a_failure_says_so() -> None:
    told = Told(on_failure="finish")
    told.tell(ev.StepStarted, "a", 1)
    told.tell(ev.StepFailed, "a", 1, failure=failure("a"))
    told.tell(ev.StepPruned, "b", reason="upstream_failed", because="a")
    told.tell(ev.StepPruned, "c", reason="upstream_failed", because="a")
    told.tell(ev.RunFinished, status="failed")
    left = told.resumed("a", "b", "c")
    assert [left[name].why for name in NAMES] == ["it failed", "a failed before it", "a failed before it"]


def test_what_was_cancelled_tells_by_what() -> None:
    told = Told()
    told.tell(ev.StepStarted, "a", 1)
    told.tell(ev.RunTimedOut, deadline=1.0)
    told.tell(ev.StepCancelled, "a", 1, reason="timed_out")
    told.tell(ev.RunFinished, status="timed_out")
    assert told.resumed("a")["a"].why == "it was cancelled: the run's time was up"


def test_what_ran_when_its_process_died_runs_again() -> None:
    told = Told()
    told.tell(ev.StepStarted, "a", 1)
    assert told.resumed(recovered=True)["a"] == Remains("a", "again", "running", "its process died while it ran")


def test_what_was_left_running_by_a_run_that_was_closed_has_no_end() -> None:
    told = Told()
    told.tell(ev.StepStarted, "a", 1)
    told.tell(ev.RunCancelled, reason="gone")
    told.tell(ev.RunFinished, status="cancelled")
    assert told.resumed()["a"].why == "it had begun and has no end"


def test_what_waits_for_a_retry_goes_on_waiting() -> None:
    told = Told()
    told.tell(ev.StepStarted, "a", 1)
    told.tell(ev.StepRetrying, "a", 1, retry_at=9.0, failure=failure("a"))
    assert told.resumed(recovered=True)["a"] == Remains("a", "again", "waiting", "it waits for a retry")


def test_of_a_map_the_items_that_are_left_are_counted() -> None:
    """F6: only items without an end run, 2 of 5 here."""
    told = Told()
    told.tell(ev.StepStarted, "a", 1)
    told.tell(ev.MapExpanded, "a", 1, count=5)
    for index in range(3):
        told.tell(ev.ItemCompleted, f"a[{index}]", 1, index=index)
    told.tell(ev.ItemFailed, "a[3]", 1, index=3, failure=failure("a[3]", "3"))
    told.tell(ev.StepFailed, "a", 1, failure=failure("a"))
    told.tell(ev.RunFinished, status="failed")
    found = told.resumed("a[3]", "a")["a"]
    assert (found.fate, found.items, found.left) == ("again", 5, 2)
    assert found.why == "2 of 5 items left: 1 failed, 1 without an end"


def test_a_map_that_is_done_keeps_all_its_items() -> None:
    told = Told()
    told.tell(ev.StepStarted, "a", 1)
    told.tell(ev.MapExpanded, "a", 1, count=1)
    told.tell(ev.ItemCompleted, "a[0]", 1, index=0)
    told.tell(ev.StepCompleted, "a", 1)
    assert told.resumed(recovered=True)["a"] == Remains("a", "kept", "completed", seconds=3.0, items=1)


def test_where_nothing_runs_what_has_no_end_stays_so() -> None:
    told = Told()
    told.tell(ev.StepStarted, "a", 1)
    told.tell(ev.StepCompleted, "a", 1, stops=True)
    told.tell(ev.RunFinished, status="stopped")
    found = remainder(standing(told.state), told.state, runs=False)
    assert [(one.fate, one.status) for one in found] == [("kept", "completed"), ("off", "pending"), ("off", "pending")]


def test_what_is_kept_without_having_run_says_why() -> None:
    told = Told()
    told.tell(ev.StepSkipped, "a", reason="when_false: big")
    assert told.resumed(recovered=True)["a"] == Remains("a", "kept", "skipped", "its condition `big` was false")
