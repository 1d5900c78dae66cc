"""Progress folds the facts of a run into what somebody who watches wants to know (J1, J5 in part, L1)."""

from __future__ import annotations

from stepwell import events as ev
from stepwell.events import Failure
from stepwell.views.progress import Progress
from stepwell.views.step_progress import Change


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


def test_a_map_tells_how_fast_it_is_and_how_long_it_will_take() -> None:
    """J5."""
    told = Told("m")
    told.fact(ev.StepStarted, "m", 1)
    told.fact(ev.MapExpanded, "m", 1, count=100)
    for index in range(20):  # one a second: the numbers of the facts are their times
        told.fact(ev.ItemCompleted, f"m[{index}]", 1, index=index)
    step = told.progress.steps["m"]
    assert (step.rate(23.0), step.left(23.0)) == (1.0, 80.0)
    told.fact(ev.StepFailed, "m", 1, failure=failure("m"))
    assert (step.rate(24.0), step.left(24.0)) == (None, None)


def test_a_resume_begins_the_rate_anew() -> None:
    """J5."""
    told = Told("m")
    told.fact(ev.StepStarted, "m", 1)
    told.fact(ev.MapExpanded, "m", 1, count=100)
    for index in range(20):
        told.fact(ev.ItemCompleted, f"m[{index}]", 1, index=index)
    told._seq = 1000
    told.fact(ev.RunResumed, recovered=True)
    told.fact(ev.StepStarted, "m", 1)
    for index in range(20, 40):
        told.fact(ev.ItemCompleted, f"m[{index}]", 1, index=index)
    rate = told.progress.steps["m"].rate(1022.0)
    assert rate is not None
    assert 0.9 < rate < 1.1


def test_a_live_source_adds_items_until_its_last_part() -> None:
    told = Told("m")
    told.fact(ev.StepStarted, "m", 1)
    told.fact(ev.MapExpanded, "m", 1, count=30, more=True)
    told.fact(ev.MapExpanded, "m", 1, count=20, more=True)
    for index in range(20):
        told.fact(ev.ItemCompleted, f"m[{index}]", 1, index=index)
    step = told.progress.steps["m"]
    assert (step.total, step.grows, step.left(30.0)) == (50, True, None)
    told.fact(ev.MapExpanded, "m", 1, count=0)
    assert (step.total, step.grows) == (50, False)
    assert step.left(30.0) is not None


def test_a_jump_back_makes_a_map_forget_its_items_and_raises_the_visit() -> None:
    told = Told("m", "judge")
    told.fact(ev.StepStarted, "m", 1)
    told.fact(ev.MapExpanded, "m", 1, count=2)
    told.fact(ev.ItemCompleted, "m[0]", 1, index=0)
    told.fact(ev.ItemFailed, "m[1]", 1, index=1, failure=failure("m[1]", "1"))
    told.fact(ev.StepCompleted, "m", 1)
    told.fact(ev.StepReset, "judge", paths=("m", "judge"), cause="goto", whole=("m",))
    step = told.progress.steps["m"]
    assert (step.total, step.done, step.failed) == (None, 0, set())
    told.fact(ev.StepStarted, "m#2", 1)
    told.fact(ev.MapExpanded, "m#2", 1, count=5)
    assert (step.visit, step.total) == (2, 5)


def test_a_join_tells_what_it_waits_for_until_it_starts() -> None:
    told = Told("a", "b", "c")
    told.fact(ev.JoinWaiting, "c", waiting_for=("b",))
    step = told.progress.steps["c"]
    assert step.waits_for == ("b",)
    told.fact(ev.JoinReleased, "c")
    assert step.waits_for == ()
