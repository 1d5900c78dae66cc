"""The fold of what waits and of what begins again: joins by number, their patience, jumps, and what is not kept."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import pytest

from stepwell import events as ev
from stepwell.graph import Edge, build
from stepwell.state.fold import apply
from stepwell.state.sparks import Blocking, StepsTold
from stepwell.state.state import CANCELLED, COMPLETED, JOIN, PENDING, RUNNING, State

A, B, C, D = range(4)


class Story:
    """A state of steps a, b, c, d, and a short way to tell it facts; counted anew after each."""

    def __init__(self, *edges: Edge, quorums: Mapping[int, int] | None = None) -> None:
        self.state = State(build(list("abcd"), edges, quorums))
        self.seq = itertools.count(1)
        self.tell(ev.RunStarted)

    def tell(self, kind: type[ev.Event], path: str = "", attempt: int = 0, at: float = 1.0, **fields: Any) -> Story:
        apply(self.state, kind("r", next(self.seq), at, path, attempt, **fields))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.counted_anew()
        return self

    def complete(self, *paths: str, **fields: Any) -> Story:
        for path in paths:
            self.tell(ev.StepStarted, path, 1).tell(ev.StepCompleted, path, 1, **fields)
        return self

    def counted_anew(self) -> None:
        state = self.state
        anew = State(state.graph)
        for name in ("steps", "paths", "because", "chosen", "joining", "attempts", "jumps", "streaming"):
            setattr(anew, name, getattr(state, name))
        anew.count()
        for name in ("missing", "live", "starved", "ended", "hope", "wants"):
            assert getattr(state, name) == getattr(anew, name), name
        assert sorted(state.ready) == sorted(anew.ready)


# Joins by number.


def test_a_join_of_a_number_is_ready_once_so_many_are_live() -> None:
    """D2."""
    story = Story(Edge(A, D), Edge(B, D), Edge(C, D), quorums={D: 2})
    assert (story.state.hope, story.state.wants) == ({D: 3}, {D: 0})
    story.complete("a")
    assert (story.state.hope[D], D in story.state.ready) == (2, False)
    story.complete("b")
    assert list(story.state.ready).count(D) == 1
    story.tell(ev.StepStarted, "d", 1).complete("c")
    assert D not in story.state.ready


def test_a_join_of_a_number_waits_for_the_value_that_it_needs() -> None:
    """D2: required data and any."""
    story = Story(Edge(A, D), Edge(B, D, needs=True), quorums={D: 1})
    story.complete("a")
    assert (story.state.wants[D], D in story.state.ready) == (1, False)
    story.complete("b")
    assert (story.state.wants[D], D in story.state.ready) == (0, True)


@pytest.mark.parametrize("needs", [False, True])
def test_a_join_that_cannot_be_reached_any_more_is_hopeless(needs: bool) -> None:
    """D2: too few are left, or the value will not come."""
    story = Story(Edge(A, D), Edge(B, D, needs=needs), quorums={D: 1 if needs else 2})
    story.tell(ev.StepPruned, "b")
    assert story.state.hopeless(D)
    assert D in story.state.ready, "it is to be pruned"


def test_a_failed_source_of_a_number_join_is_merely_not_live() -> None:
    """D2."""
    story = Story(Edge(A, D), Edge(B, D), quorums={D: 1})
    story.tell(ev.StepStarted, "a", 1).tell(ev.StepFailed, "a", 1)
    assert (story.state.live[D], story.state.hope[D], D in story.state.ready) == (0, 1, False)
    story.complete("b")
    assert story.state.reached(D)


# Patience.


def waiting(deadline: float | None = 9.0) -> Story:
    return Story(Edge(A, C), Edge(B, C)).complete("a").tell(ev.JoinWaiting, "c", deadline=deadline)


def test_a_join_with_a_deadline_has_a_timer() -> None:
    """D3, S9: and only one."""
    state = waiting().state
    assert (state.patience, state.timers, list(state.joins)) == ({C: 9.0}, [(9.0, C, JOIN)], [])
    assert waiting(None).state.timers == []


@pytest.mark.parametrize("kind", [ev.JoinReleased, ev.JoinTimedOut])
def test_patience_ends_with_the_wait(kind: type[ev.Event]) -> None:
    """D3."""
    state = waiting().tell(kind, "c").state
    assert (state.patience, state.timers) == ({}, [])


def test_patience_is_absolute_over_a_crash() -> None:
    """S9."""
    state = waiting().tell(ev.RunResumed, recovered=True).state
    assert (state.patience, state.timers, C in state.joins) == ({C: 9.0}, [(9.0, C, JOIN)], False)


def test_nobody_waits_while_a_run_has_ended() -> None:
    """D3: a resume says anew how long."""
    state = waiting().tell(ev.RunCancelled).tell(ev.RunFinished, status="cancelled").tell(ev.RunResumed).state
    assert (state.patience, state.timers, list(state.joins)) == ({}, [], [C])


# Jumps.


def jumped() -> Story:
    """A -> b -> c -> d; c has jumped back to b."""
    story = Story(Edge(A, B), Edge(B, C), Edge(C, D)).complete("a", "b")
    return story.tell(ev.StepStarted, "c", 1).tell(ev.StepCompleted, "c", 1, goto="b")


def test_what_follows_a_step_that_jumped_does_not_begin() -> None:
    """B11: it has its end, and settles nothing."""
    state = jumped().state
    assert (state.steps[C], state.jumps, list(state.ready)) == (COMPLETED, {C: B}, [])


def test_a_jump_resets_what_lies_between_in_a_new_visit() -> None:
    """B11, S2: loops are counted apart from visits."""
    state = jumped().tell(ev.StepReset, "c", 1, paths=("b", "c"), cause="goto").state
    assert state.paths == ("a", "b#2", "c#2", "d")
    assert (state.visits, state.loops, state.jumps) == ({B: 2, C: 2}, {B: 1, C: 1}, {})
    assert (list(state.ready), list(state.steps)) == ([B], [COMPLETED, PENDING, PENDING, PENDING])


def test_a_reset_of_a_resume_is_no_loop() -> None:
    """S2: `max_visits` counts goto alone."""
    story = Story(Edge(A, B)).complete("a")
    story.tell(ev.StepStarted, "b", 1).tell(ev.StepFailed, "b", 1).tell(ev.StepReset, paths=("b",), cause="resume")
    assert (story.state.visits[B], story.state.loops) == (2, {})


def test_earlier_visits_are_remembered_as_they_ended() -> None:
    """B11: path, status, attempts, times, failure, whether it gave its best."""
    failed = ev.Failure("b", "b", None, "error", "user", "exception", "OSError", "no", "", False, 2)
    story = Story(Edge(A, B)).complete("a")
    story.tell(ev.StepStarted, "b", 1, at=3.0).tell(ev.StepRetrying, "b", 1, retry_at=4.0)
    story.tell(ev.StepStarted, "b", 2, at=4.0).tell(ev.StepFailed, "b", 2, at=5.0, failure=failed)
    story.tell(ev.StepReset, paths=("b",), cause="resume")
    (visit,) = story.state.past[B]
    assert (visit.path, visit.attempts, visit.started_at, visit.ended_at, visit.failure) == ("b", 2, 3.0, 5.0, failed)
    assert (story.state.failures, story.state.attempts[B], story.state.started_at[B]) == ([], 0, None)
    story.complete("b#2", soft_failed=True)
    assert story.state.soft == {B}
    story.tell(ev.StepReset, paths=("b#2",), cause="goto")
    assert [(one.path, one.soft_failed) for one in story.state.past[B]] == [("b", False), ("b#2", True)]
    assert story.state.soft == set()


def test_a_step_of_which_nothing_was_begun_has_no_earlier_visit() -> None:
    """B11: it was merely waiting."""
    story = Story(Edge(A, C), Edge(B, C)).complete("a").tell(ev.JoinWaiting, "c", deadline=9.0)
    state = story.tell(ev.StepReset, paths=("a", "c"), cause="goto").state
    assert C not in state.past
    assert [one.path for one in state.past[A]] == ["a"]
    assert (any(state.joining), state.patience, state.timers) == (False, {}, [])


def test_a_join_in_a_loop_waits_anew_each_visit() -> None:
    """D4, B11."""
    story = Story(Edge(A, C), Edge(B, C)).complete("a").tell(ev.JoinWaiting, "c").complete("b")
    story.tell(ev.JoinReleased, "c").tell(ev.StepStarted, "c", 1).tell(ev.StepCompleted, "c", 1, goto="a")
    state = story.tell(ev.StepReset, "c", 1, paths=("a", "c"), cause="goto").state
    assert (state.joining[C], state.missing[C], list(state.joins)) == (0, 1, [C])


def test_a_step_that_was_told_to_end_is_not_told_twice_and_then_forgotten() -> None:
    """B11: until the reset."""
    story = jumped()
    story.state.on_failure = "finish"
    story.tell(StepsTold, numbers=(B, C))
    assert story.state.clearing == {B, C}
    story.tell(ev.StepReset, "c", 1, paths=("b", "c"), cause="goto")
    assert story.state.clearing == set()


def mapped() -> Story:
    """A map b over a, expanded to two items, one of which has failed and waits for its retry."""
    story = Story(Edge(A, B, needs=True), Edge(B, C)).complete("a")
    story.tell(ev.StepStarted, "b", 1).tell(ev.MapExpanded, "b", 1, count=2)
    story.tell(ev.ItemRetrying, "b[0]", 1, index=0, retry_at=7.0)
    return story


def test_a_map_that_is_reset_as_a_whole_loses_its_items_and_their_timers() -> None:
    """B11, S6: new ones begin in a visit in which none of these was."""
    story = mapped()
    story.tell(ev.StepCancelled, "b", 1, reason="goto")
    story.tell(ev.StepReset, paths=("a", "b"), cause="goto", whole=("b",))
    state = story.state
    assert (state.maps, state.open, state.timers, state.bases) == ({}, {}, [], {B: 2})
    story.complete("a#2").tell(ev.StepStarted, "b#2", 1).tell(ev.MapExpanded, "b#2", 1, count=1)
    assert state.item_path(B, 0) == "b[0]#2"


def test_items_that_were_reset_one_by_one_push_the_next_base_further() -> None:
    """S2, S6: at most one end a path, whatever reset it."""
    story = mapped()
    failed = ev.Failure("b[1]", "b", "1", "error", "user", "exception", "OSError", "no", "", False, 1)
    story.tell(ev.ItemFailed, "b[1]", 1, index=1, failure=failed).tell(ev.StepFailed, "b", 1)
    story.tell(ev.RunFinished, status="failed").tell(ev.RunResumed)
    story.tell(ev.StepReset, paths=("b[1]", "b"), cause="resume")
    assert story.state.item_path(B, 1) == "b[1]#2"
    story.tell(ev.StepReset, paths=("a", "b#2"), cause="goto", whole=("b#2",))
    assert story.state.bases == {B: 3}
    assert story.state.failures == []


# Ephemeral steps and live sources.


def test_what_is_not_kept_is_gone_with_its_process() -> None:
    """S1."""
    story = Story(Edge(A, B)).complete("a", kept=False)
    assert (story.state.unkept, story.state.gone) == ({A}, set())
    story.tell(ev.RunResumed, recovered=True)
    assert story.state.gone == {A}
    story.tell(ev.StepReset, paths=("a",), cause="resume")
    assert (story.state.unkept, story.state.gone) == (set(), set())


LIVE = Edge(A, B, needs=True, live=True)


def test_a_map_over_a_generator_may_begin_when_that_has_begun() -> None:
    """D5."""
    story = Story(LIVE)
    assert B not in story.state.ready
    story.tell(ev.StepStarted, "a", 1)
    assert B in story.state.ready
    story.tell(ev.StepRetrying, "a", 1, retry_at=2.0).tell(ev.StepStarted, "a", 2)
    assert list(story.state.ready).count(B) == 1, "it is not counted twice"


def test_the_items_of_a_live_map_come_in_parts() -> None:
    """S7: until one says that there are no more."""
    story = Story(LIVE).tell(ev.StepStarted, "a", 1).tell(ev.StepStarted, "b", 1)
    story.tell(ev.MapExpanded, "b", 1, count=2, digests=b"x" * 16, more=True)
    items = story.state.maps[B]
    assert (items.total, items.known, items.closed, len(items.digests)) == (2, 2, False, 16)
    story.tell(ev.MapExpanded, "b", 1, count=1, digests=b"y" * 8, more=True).tell(ev.MapExpanded, "b", 1)
    assert (items.total, items.closed, [items.key(index) for index in range(3)]) == (3, True, ["0", "1", "2"])


def test_items_of_a_dead_process_are_not_at_hand_before_they_come_again() -> None:
    """S7: none of them begins until then."""
    story = Story(LIVE).tell(ev.StepStarted, "a", 1).tell(ev.StepStarted, "b", 1)
    story.tell(ev.MapExpanded, "b", 1, count=2, keys=("x", "y"), more=True).tell(ev.RunResumed, recovered=True)
    items = story.state.maps[B]
    assert (items.total, items.known) == (2, 0)


def test_a_reset_of_a_generator_takes_the_begin_of_its_map_back() -> None:
    """D5, B11."""
    story = Story(LIVE).tell(ev.StepStarted, "a", 1).tell(ev.StepCancelled, "a", 1)
    assert story.state.steps[A] == CANCELLED
    story.tell(ev.StepReset, paths=("a",), cause="resume")
    assert (story.state.streaming, story.state.missing[B], B in story.state.ready) == (set(), 1, False)


def test_a_run_that_is_to_be_blocked_says_why_unless_it_is_cancelled() -> None:
    """S8."""
    story = Story().tell(ev.StepStarted, "a", 1).tell(Blocking, reason="source_changed", message="mend it")
    assert (story.state.halt, story.state.block, story.state.steps[A]) == (
        "blocked",
        ("source_changed", "mend it"),
        RUNNING,
    )
    story = Story().tell(ev.RunCancelled).tell(Blocking, reason="source_changed", message="mend it")
    assert (story.state.halt, story.state.block) == ("cancelled", ("", ""))
