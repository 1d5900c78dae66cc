"""Progress folds the facts of a run into what somebody who watches wants to know (J1, J5 in part, L1)."""

from __future__ import annotations

from stepwell import events as ev
from stepwell.events import Failure
from stepwell.views.progress import Change, Progress


class Told:
    """Feeds facts, numbered and timed, and collects what is worth telling."""

    def __init__(self, *steps: str) -> None:
        self.progress = Progress({"a": "First"})
        self.changes: list[Change] = []
        self._seq = 0
        self.fact(ev.RunStarted, pipeline="p", fingerprints=dict.fromkeys(steps, ""))

    def fact(self, kind: type[ev.Event], path: str = "", attempt: int = 0, **fields: object) -> None:
        self._seq += 1
        change = self.progress.apply(kind("R", self._seq, float(self._seq), path, attempt, **fields))
        if change is not None:
            self.changes.append(change)

    def whats(self) -> list[str]:
        return [change.what for change in self.changes]


def failure(path: str, item: str | None = None) -> Failure:
    return Failure(path, path.partition("[")[0], item, "error", "user", "exception", "ValueError", "no", "", True, 1)


def test_counts_follow_the_steps_from_start_to_end() -> None:
    told = Told("a", "b", "c")
    told.fact(ev.StepStarted, "a", 1)
    assert [step.label for step in told.progress.active.values()] == ["First"]
    told.fact(ev.StepCompleted, "a", 1)
    told.fact(ev.StepSkipped, "b", reason="when_false: f")
    told.fact(ev.StepPruned, "c", reason="upstream_failed", because="b")
    assert told.progress.ended == 3
    assert told.progress.counts == {"completed": 1, "skipped": 1, "pruned": 1, "pending": 0, "running": 0}
    assert told.progress.steps["a"].seconds == 1.0
    assert told.progress.steps["c"].reason == "upstream_failed: b"
    assert told.whats() == ["ended"] * 3
    told.fact(ev.RunFinished, status="completed")
    assert told.progress.status == "completed"


def test_a_retry_waits_until_its_time_and_keeps_the_first_start() -> None:
    told = Told("a")
    told.fact(ev.StepStarted, "a", 1)
    told.fact(ev.StepRetrying, "a", 1, retry_at=50.0, failure=failure("a"))
    step = told.progress.steps["a"]
    assert (step.status, step.next_retry(10.0)) == ("waiting", 50.0)
    told.fact(ev.StepStarted, "a", 2)
    assert (step.status, step.attempt, step.started_at, step.retry_at) == ("running", 2, 2.0, None)


def test_a_map_counts_its_items_and_shows_a_wait_only_when_nothing_else_runs() -> None:
    told = Told("m")
    told.fact(ev.StepStarted, "m", 1)
    told.fact(ev.MapExpanded, "m", 1, count=3)
    told.fact(ev.ItemCompleted, "m[0]", 1, index=0)
    told.fact(ev.ItemRetrying, "m[1]", 1, index=1, retry_at=99.0, failure=failure("m[1]", "1"))
    step = told.progress.steps["m"]
    assert (step.done, step.total, step.next_retry(10.0)) == (1, 3, None)
    told.fact(ev.ItemFailed, "m[2]", 1, index=2, failure=failure("m[2]", "2"))
    assert step.next_retry(10.0) == 99.0
    assert step.next_retry(100.0) is None
    told.fact(ev.ItemCompleted, "m[1]", 2, index=1)
    assert (step.done, step.failed, step.waiting) == (2, {"m[2]"}, {})
    assert told.whats() == ["item_retrying", "item_failed"]


def test_a_resume_takes_back_what_is_to_run_again() -> None:
    told = Told("m", "z")
    told.fact(ev.StepStarted, "m", 1)
    told.fact(ev.MapExpanded, "m", 1, count=3)
    told.fact(ev.ItemCompleted, "m[0]", 1, index=0)
    told.fact(ev.ItemFailed, "m[1]", 1, index=1, failure=failure("m[1]", "1"))
    told.fact(ev.ItemCancelled, "m[2]", 1, index=2)
    told.fact(ev.StepFailed, "m", 1, failure=failure("m"))
    told.fact(ev.RunFinished, status="failed")
    told.fact(ev.RunResumed, recovered=False, fingerprints={"m": "", "z": "", "new": ""})
    told.fact(ev.StepReset, paths=("m", "m[1]", "m[2]"), cause="resume")
    step = told.progress.steps["m"]
    assert (step.status, step.done, step.failed, step.cancelled, step.failure) == ("pending", 1, set(), set(), None)
    assert (told.progress.ended, list(told.progress.last_ended), len(told.progress.steps)) == (0, [], 3)
    told.fact(ev.StepStarted, "m#2", 1)
    told.fact(ev.ItemCompleted, "m[1]#2", 1, index=1)
    assert (step.status, step.done) == ("running", 2)


def test_a_process_that_died_leaves_nothing_running() -> None:
    told = Told("a")
    told.fact(ev.StepStarted, "a", 1)
    told.fact(ev.RunResumed, recovered=True)
    assert told.progress.active == {}
    assert told.changes[-1].text == "its process had died"


def test_warnings_for_one_reason_are_counted() -> None:
    told = Told("a")
    for _ in range(3):
        told.fact(ev.WarningIssued, reason="code_not_seen", message="look")
    told.fact(ev.WarningIssued, reason="other", message="look")
    assert [change.alike for change in told.changes] == [1, 2, 3, 1]


def test_the_last_ends_are_kept_and_no_more() -> None:
    names = [f"s{n}" for n in range(100)]
    told = Told(*names)
    for name in names:
        told.fact(ev.StepStarted, name, 1)
        told.fact(ev.StepCompleted, name, 1)
    assert [step.name for step in told.progress.last_ended] == names[-20:]
    assert told.progress.ended == 100
