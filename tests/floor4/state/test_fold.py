"""The fold, fact by fact: what each changes in the state of a run, and that counting on equals counting anew."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from stepwell import events as ev
from stepwell.graph import Edge, build
from stepwell.state.fold import apply
from stepwell.state.sparks import CancelSent, GuardDropped, GuardPassed, SlotsHeld, StepGuarded
from stepwell.state.state import (
    CANCELLED,
    COMPLETED,
    FAILED,
    GUARDING,
    PENDING,
    PRUNED,
    RELEASED,
    RETRY,
    RUNNING,
    SKIPPED,
    TOLERATED,
    WAITING,
    State,
)

NAMES = ("a", "b", "c", "d")
DIAMOND = (Edge(0, 1), Edge(0, 2, needs=True), Edge(1, 3), Edge(2, 3))


class Story:
    """A state, and a short way to tell it facts."""

    def __init__(self, edges: tuple[Edge, ...] = DIAMOND, **started: Any) -> None:
        self.state = State(build(NAMES, edges))
        self.seq = itertools.count(1)
        self.tell(ev.RunStarted, "", 0, **started)

    def tell(self, kind: type[ev.Event], path: str = "", attempt: int = 0, at: float = 1.0, **fields: Any) -> None:
        seq = next(self.seq)
        apply(self.state, kind("r", seq, at, path, attempt, **fields))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.counted_anew()

    def complete(self, path: str, **fields: Any) -> None:
        self.tell(ev.StepStarted, path, self.state.attempts[self.state.at[path]] + 1)
        self.tell(ev.StepCompleted, path, 1, **fields)

    def fail(self, path: str, **fields: Any) -> None:
        self.tell(ev.StepStarted, path, 1)
        self.tell(ev.StepFailed, path, 1, failure=failure(path), **fields)

    def counted_anew(self) -> None:
        """What is counted on with each fact equals what is counted from nothing."""
        state = self.state
        anew = State(state.graph)
        for name in ("steps", "paths", "because", "chosen", "joining", "attempts"):
            setattr(anew, name, getattr(state, name))
        anew.count()
        assert (state.missing, state.live, state.starved, state.ended) == (
            anew.missing, anew.live, anew.starved, anew.ended
        )  # fmt: skip
        assert sorted(state.ready) == sorted(anew.ready)
        assert state.doomed.keys() == anew.doomed.keys()
        assert sorted(state.joins) == sorted(anew.joins)


def failure(path: str, reason: str = "exception") -> ev.Failure:
    return ev.Failure(path, path, None, "error", "user", reason, "ValueError", "no", "", False, 1)


# The run.


def test_a_run_that_starts_takes_its_terms_from_the_fact() -> None:
    state = Story(on_failure="finish", concurrency=3, deadline=9.0).state
    assert (state.status, state.on_failure, state.concurrency, state.deadline) == ("running", "finish", 3, 9.0)
    assert list(state.ready) == [0]


@pytest.mark.parametrize(
    ("facts", "halt"),
    [
        ((ev.RunCancelled,), "cancelled"),
        ((ev.RunTimedOut,), "timed_out"),
        ((ev.RunTimedOut, ev.RunCancelled), "cancelled"),
        ((ev.RunCancelled, ev.RunTimedOut), "cancelled"),
    ],
)
def test_a_cancel_counts_more_than_a_deadline(facts: tuple[type[ev.Event], ...], halt: str) -> None:
    story = Story()
    for kind in facts:
        story.tell(kind)
    assert story.state.halt == halt


def test_a_finished_run_has_the_status_of_its_last_fact() -> None:
    story = Story()
    story.tell(ev.RunFinished, status="degraded")
    assert story.state.status == "degraded"


def test_a_blocked_run_may_die_ten_times_again() -> None:
    """S8, S9: whoever resumes a blocked run has decided; recoveries are counted anew."""
    story = Story()
    story.tell(ev.RunResumed, recovered=True)
    story.tell(ev.RunBlocked, reason="no_progress")
    assert (story.state.status, story.state.recoveries) == ("blocked", 0)


def test_what_ran_when_the_process_died_is_ready_again() -> None:
    story = Story()
    story.tell(ev.StepStarted, "a", 1)
    story.tell(ev.RunResumed, recovered=True, deadline=7.0)
    state = story.state
    assert (state.steps[0], list(state.ready), state.running, state.deadline) == (PENDING, [0], 0, 7.0)
    assert (state.attempts[0], state.spent.get(0, 0)) == (1, 0)  # S9: it uses up no retry


def test_a_cancel_or_failure_halts_no_run_that_goes_on() -> None:
    story = Story()
    story.tell(ev.RunCancelled)
    story.tell(CancelSent)
    story.tell(ev.RunResumed)
    assert (story.state.halt, story.state.cancelling) == ("", False)


@pytest.mark.parametrize("halt", [ev.RunTimedOut, ev.StepFailed])
def test_what_else_had_halted_a_run_whose_process_died_does_not(halt: type[ev.Event]) -> None:
    """S10: a failure is tried again by a resume, and a deadline is looked at anew."""
    story = Story()
    if halt is ev.StepFailed:
        story.fail("a")
    else:
        story.tell(halt)
    assert story.state.halt != ""
    story.tell(ev.RunResumed, recovered=True)
    assert story.state.halt == ""


def test_what_was_stopped_stays_stopped_after_a_crash() -> None:
    """S1, S5: a recorded `Stop` is as durable as any other record."""
    story = Story()
    story.complete("a", stops=True)
    story.tell(ev.RunResumed, recovered=True)
    assert (story.state.halt, story.state.stopped_by) == ("stopped", 0)


def test_recoveries_without_progress_are_counted_and_progress_forgets_them() -> None:
    """S9."""
    story = Story()
    for _ in range(3):
        story.tell(ev.RunResumed, recovered=True)
    assert story.state.recoveries == 3
    story.complete("a")
    assert story.state.recoveries == 0
    story.tell(ev.RunResumed, recovered=True)
    story.tell(ev.RunResumed)
    assert story.state.recoveries == 0


# Steps.


def test_a_step_that_starts_takes_a_slot_and_leaves_the_ready() -> None:
    story = Story()
    story.tell(ev.StepStarted, "a", 1, at=5.0)
    state = story.state
    assert (state.steps[0], state.running, list(state.ready), state.started_at[0]) == (RUNNING, 1, [], 5.0)


def test_a_second_attempt_keeps_the_time_of_the_first() -> None:
    story = Story()
    story.tell(ev.StepStarted, "a", 1, at=5.0)
    story.tell(ev.StepRetrying, "a", 1, retry_at=6.0)
    story.tell(ev.StepStarted, "a", 2, at=7.0)
    assert story.state.started_at[0] == 5.0
    assert story.state.timers == []


def test_a_step_that_waits_gives_its_slot_back_and_has_spent_one_attempt() -> None:
    story = Story()
    story.tell(ev.StepStarted, "a", 1)
    story.tell(ev.StepRetrying, "a", 1, retry_at=6.0)
    state = story.state
    assert (state.steps[0], state.running, state.spent.get(0, 0), state.timers) == (WAITING, 0, 1, [(6.0, 0, RETRY)])


def test_what_follows_a_completed_step_is_ready() -> None:
    story = Story()
    story.complete("a", output="x")
    state = story.state
    assert (state.steps[0], state.outputs[0], list(state.ready), state.ended) == (COMPLETED, "x", [1, 2], 1)


def test_of_a_large_output_the_state_keeps_which_it_is() -> None:
    """S14: its bytes lie in a file; those of a small one in the journal, and here."""
    story, small, large = Story(), ev.Payload.of(b"x"), ev.Payload.of(bytes(ev.LARGE + 1))
    story.complete("a", output=small)
    story.complete("b", output=large)
    assert story.state.outputs[:2] == [small, ev.Payload(None, large.digest, ev.LARGE + 1)]


def test_a_join_is_ready_after_the_last_of_those_before_it() -> None:
    story = Story()
    story.complete("a")
    story.complete("b")
    assert story.state.missing[3] == 1
    assert list(story.state.joins) == [3]
    story.tell(ev.JoinWaiting, "d")
    assert list(story.state.joins) == []
    story.complete("c")
    assert list(story.state.ready) == [3]
    story.tell(ev.JoinReleased, "d")
    assert story.state.joining[3] == RELEASED


def test_a_skipped_step_is_live_and_has_no_value() -> None:
    """Rule 1 and 2: what waits goes on, what needs the value does not."""
    story = Story()
    story.tell(StepGuarded, "a")
    assert (story.state.steps[0], story.state.running) == (GUARDING, 1)
    story.tell(ev.StepSkipped, "a", reason="when_false")
    state = story.state
    assert (state.steps[0], state.running, state.live, state.starved) == (SKIPPED, 0, [0, 1, 1, 0], {2: 1})


def test_a_guard_that_passed_leaves_the_step_ready_to_start() -> None:
    story = Story()
    story.tell(StepGuarded, "a")
    story.tell(GuardPassed, "a")
    state = story.state
    assert (state.steps[0], state.running, list(state.ready), state.passed) == (PENDING, 0, [0], {0})


def test_a_guard_that_was_dropped_is_to_be_evaluated_again() -> None:
    """S10: a step that had not started gets no terminal record."""
    story = Story()
    story.tell(StepGuarded, "a")
    story.tell(GuardDropped, "a")
    state = story.state
    assert (state.steps[0], state.running, list(state.ready), state.passed) == (PENDING, 0, [0], set())


def test_a_guard_that_raised_begins_and_ends_its_first_attempt() -> None:
    story = Story()
    story.tell(StepGuarded, "a")
    story.fail("a")
    assert (story.state.steps[0], story.state.running) == (FAILED, 0)


def test_a_failure_for_good_dooms_all_that_follows() -> None:
    """Rule 2: no step before it failed for good."""
    story = Story(on_failure="finish")
    story.fail("a")
    assert story.state.doomed == {1: "a", 2: "a"}
    story.tell(ev.StepPruned, "b", reason="upstream_failed", because="a")
    assert story.state.doomed[3] == "a"
    assert (story.state.steps[1], story.state.because[1]) == (PRUNED, "a")


@pytest.mark.parametrize(("on_failure", "halt"), [("stop", "failed"), ("cancel", "failed"), ("finish", "")])
def test_a_failure_for_good_halts_the_run_unless_it_is_to_finish(on_failure: str, halt: str) -> None:
    story = Story(on_failure=on_failure)
    story.fail("a")
    assert story.state.halt == halt
    assert [one.path for one in story.state.failures] == ["a"]


def test_a_tolerated_failure_is_live_and_degrades_the_run() -> None:
    story = Story()
    story.fail("a", tolerated=True)
    state = story.state
    assert (state.steps[0], state.halt, state.degraded, state.live[1], state.starved[2]) == (TOLERATED, "", {0}, 1, 1)


def test_a_cancelled_step_is_dead_and_dooms_nothing() -> None:
    story = Story()
    story.tell(ev.StepStarted, "a", 1)
    story.tell(ev.StepCancelled, "a", 1, reason="enough")
    state = story.state
    assert (state.steps[0], state.live[1], state.doomed.get(1), state.reasons[0]) == (CANCELLED, 0, None, "enough")


def test_only_the_chosen_route_is_live() -> None:
    """Rule 1."""
    routes = (Edge(0, 1, trigger=True, route=True), Edge(0, 2, trigger=True, route=True), Edge(0, 3, trigger=True))
    story = Story(routes)
    story.tell(ev.StepStarted, "a", 1)
    story.tell(ev.BranchChosen, "a", 1, value="left", chosen=("b",))
    story.tell(ev.StepCompleted, "a", 1)
    assert story.state.live == [0, 1, 0, 1]


def test_a_stop_halts_the_run_and_keeps_who_said_it() -> None:
    story = Story()
    story.complete("a", stops=True, output=7)
    assert (story.state.halt, story.state.stopped_by, story.state.outputs[0]) == ("stopped", 0, 7)


def test_slots_held_by_threads_are_counted_apart() -> None:
    story = Story()
    story.tell(SlotsHeld, "a", change=1)
    assert (story.state.held, story.state.running) == (1, 0)
    story.tell(SlotsHeld, "a", change=-1)
    assert story.state.held == 0


# Resets.


def test_a_reset_step_begins_a_new_visit_with_everything_anew() -> None:
    """S2: only STEP_RESET un-ends, and it raises the visit."""
    story = Story(on_failure="finish")
    story.fail("a")
    for name in ("b", "c"):
        story.tell(ev.StepPruned, name, reason="upstream_failed", because="a")
    story.tell(ev.StepReset, paths=("a", "b", "c"), cause="resume")
    state = story.state
    assert state.paths == ("a#2", "b#2", "c#2", "d")
    assert (list(state.steps[:3]), state.attempts[0], state.failures) == ([PENDING] * 3, 0, [])
    assert state.doomed == {}
    story.complete("a#2")
    assert sorted(state.ready) == [1, 2]


def test_a_reset_forgets_a_choice_and_a_tolerated_failure() -> None:
    story = Story((Edge(0, 1, trigger=True, route=True),))
    story.tell(ev.StepStarted, "a", 1)
    story.tell(ev.BranchChosen, "a", 1, chosen=("b",))
    story.tell(ev.StepCompleted, "a", 1)
    story.fail("c", tolerated=True)
    story.tell(ev.StepReset, paths=("a", "c"), cause="rerun")
    assert (story.state.chosen, story.state.degraded, story.state.live[1]) == ({}, set(), 0)


def test_steps_that_were_not_reset_keep_their_ends() -> None:
    story = Story()
    story.complete("a", output=1)
    story.fail("b")
    story.tell(ev.StepReset, paths=("b",), cause="resume")
    assert (story.state.steps[0], story.state.outputs[0], story.state.paths[0]) == (COMPLETED, 1, "a")


def test_a_join_whose_source_was_reset_is_not_told_twice() -> None:
    story = Story()
    story.complete("a")
    story.complete("b")
    story.tell(ev.JoinWaiting, "d")
    story.fail("c")
    story.tell(ev.StepReset, paths=("c",), cause="resume")
    assert list(story.state.joins) == []
    assert story.state.missing[3] == 1
