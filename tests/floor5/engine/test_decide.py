"""`decide`, rule by rule: what is to be done next, from the state alone (api.md "Which steps run", S9, S10, S14)."""

from __future__ import annotations

import pytest

from stepwell import events as ev
from stepwell.engine.commands import (
    Abandon,
    CancelRunning,
    CancelSteps,
    Command,
    Conclude,
    Finish,
    Guard,
    Prune,
    Release,
    Reset,
    Start,
    StartItem,
    TimeOut,
    TimeOutJoin,
    Wait,
)
from stepwell.engine.decide import decide
from stepwell.engine.decide_resets import resets
from stepwell.graph import Edge
from stepwell.state.sparks import StepsTold

from .plans import NOW, Story, fan, guarded, plan, step

A, B, C = 0, 1, 2


def asked(story: Story, now: float = NOW) -> list[Command]:
    """The next commands; asking twice must give the same, since asking changes nothing."""
    first = list(decide(story.plan, story.state, now))
    assert list(decide(story.plan, story.state, now)) == first
    return first


# Which steps start.


def test_steps_with_nothing_before_them_start_at_once() -> None:
    assert asked(Story(plan([step(A), step(B)]))) == [Start(A, 1), Start(B, 1)]


def test_nothing_is_asked_of_a_run_that_is_not_running() -> None:
    assert asked(Story(plan([step(A)])).tell(ev.RunFinished, status="completed")) == []


def test_a_step_starts_when_what_it_waits_for_has_completed() -> None:
    story = Story(plan([step(A), step(B)], Edge(A, B, needs=True))).start("a")
    assert asked(story) == []
    assert asked(story.tell(ev.StepCompleted, "a", 1)) == [Start(B, 1)]


@pytest.mark.parametrize(
    ("edge", "end", "then"),
    [
        (Edge(A, B), ev.StepSkipped, Start(B, 1)),
        (Edge(A, B), ev.StepPruned, Prune(B, "not_reached")),
        (Edge(A, B, trigger=True), ev.StepSkipped, Start(B, 1)),
        (Edge(A, B, needs=True), ev.StepSkipped, Prune(B, "no_value")),
        (Edge(A, B, needs=True), ev.StepPruned, Prune(B, "not_reached")),
    ],
)
def test_rule_one_a_skipped_source_is_live_and_a_pruned_one_dead(
    edge: Edge, end: type[ev.Event], then: Command
) -> None:
    assert asked(Story(plan([step(A), step(B)], edge)).tell(end, "a")) == [then]


@pytest.mark.parametrize(("edge", "then"), [(Edge(A, B), Start(B, 1)), (Edge(A, B, needs=True), Prune(B, "no_value"))])
def test_rule_one_a_tolerated_failure_is_live_and_gives_no_value(edge: Edge, then: Command) -> None:
    story = Story(plan([step(A, critical=False), step(B)], edge)).fail("a", tolerated=True)
    assert asked(story) == [then]


def test_rule_one_a_route_that_was_not_chosen_is_dead() -> None:
    way = {"trigger": True, "route": True}
    story = Story(plan([step(A), step(B), step(C)], Edge(A, B, **way), Edge(A, C, **way))).start("a")
    story.tell(ev.BranchChosen, "a", 1, chosen=("c",)).tell(ev.StepCompleted, "a", 1)
    assert asked(story) == [Prune(B, "not_reached"), Start(C, 1)]


def test_rule_two_a_live_wait_does_not_start_a_step_that_has_a_trigger() -> None:
    story = Story(plan([step(A), step(B), step(C)], Edge(A, C, trigger=True), Edge(B, C)))
    story.tell(ev.StepPruned, "a").tell(ev.JoinWaiting, "c").complete("b")
    assert asked(story) == [Release(C), Prune(C, "not_reached")]


def test_rule_two_one_live_wait_is_enough_where_there_is_no_trigger() -> None:
    story = Story(plan([step(A), step(B), step(C)], Edge(A, C), Edge(B, C)))
    story.tell(ev.StepPruned, "a").tell(ev.JoinWaiting, "c").complete("b")
    assert asked(story) == [Release(C), Start(C, 1)]


def test_rule_two_all_edges_must_be_settled() -> None:
    story = Story(plan([step(A), step(B), step(C)], Edge(A, C, trigger=True), Edge(B, C))).complete("a").start("b")
    assert asked(story) == [Wait(C, ("b",))]


def test_rule_two_a_default_takes_the_place_of_a_value() -> None:
    story = Story(plan([step(A), step(B), step(C)], Edge(A, C), Edge(B, C, needs=True)))
    story.tell(ev.StepSkipped, "a").tell(ev.JoinWaiting, "c").complete("b")
    assert asked(story) == [Release(C), Start(C, 1)]


def test_rule_two_nothing_starts_behind_a_failure_for_good() -> None:
    story = Story(plan([step(A), step(B), step(C)], Edge(A, B), Edge(B, C)), on_failure="finish").fail("a")
    assert asked(story) == [Prune(B, "upstream_failed", "a")]
    story.tell(ev.StepPruned, "b", reason="upstream_failed", because="a")
    assert asked(story) == [Prune(C, "upstream_failed", "a")]


def test_rule_three_the_reasons_are_given_in_the_order_of_the_rules() -> None:
    steps = [step(A), step(B), step(C)]
    story = Story(plan(steps, Edge(A, C), Edge(B, C, needs=True)), on_failure="finish").tell(ev.StepPruned, "b")
    story.tell(ev.JoinWaiting, "c").fail("a")
    assert asked(story)[-1] == Prune(C, "upstream_failed", "a")


def test_a_join_is_told_to_wait_once_and_released_once() -> None:
    story = Story(plan([step(A), step(B), step(C)], Edge(A, C), Edge(B, C))).start("a", "b")
    story.tell(ev.StepCompleted, "a", 1)
    assert asked(story) == [Wait(C, ("b",))]
    story.tell(ev.JoinWaiting, "c").tell(ev.StepCompleted, "b", 1)
    assert asked(story) == [Release(C), Start(C, 1)]
    assert asked(story.tell(ev.JoinReleased, "c")) == [Start(C, 1)]


def test_a_guard_is_evaluated_before_the_first_attempt_alone() -> None:
    story = Story(plan([step(A, guard=guarded())]))
    assert asked(story) == [Guard(A)]
    story.start("a").tell(ev.RunResumed, recovered=True)
    assert asked(story) == [Start(A, 2)]


# How many.


def test_no_more_start_than_there_are_slots() -> None:
    """S14."""
    story = Story(plan([step(A), step(B), step(C)], concurrency=2))
    assert asked(story) == [Start(A, 1), Start(B, 1)]
    assert asked(story.start("a")) == [Start(B, 1)]
    assert asked(story.start("b")) == []


def test_what_needs_no_slot_does_not_wait_for_one() -> None:
    steps = [step(A), step(B), step(C)]
    story = Story(plan(steps, Edge(B, C), concurrency=1)).start("a").tell(ev.StepPruned, "b")
    assert asked(story) == [Prune(C, "not_reached")]


def test_a_slot_held_by_an_abandoned_thread_is_not_free() -> None:
    """S14: an abandoned thread keeps its slot."""
    story = Story(plan([step(A)], concurrency=1))
    story.state.held = 1
    assert asked(story) == []


def test_items_share_the_slots_of_the_run_and_keep_to_their_own() -> None:
    steps = [step(A), step(B, fan=fan(A, concurrency=2)), step(C)]
    story = Story(plan(steps, Edge(A, B, needs=True), concurrency=3)).complete("a").expand("b", 9)
    assert asked(story) == [Start(C, 1), StartItem(B, 0, 1), StartItem(B, 1, 1)]
    story.start("c").item(ev.ItemStarted, "b", 0)
    assert asked(story) == [StartItem(B, 1, 1)]


# Retries and time.


def test_a_retry_starts_when_its_time_has_come_and_not_before() -> None:
    """S9."""
    story = Story(plan([step(A)])).start("a").tell(ev.StepRetrying, "a", 1, retry_at=NOW + 5)
    assert asked(story) == []
    assert asked(story, NOW + 5) == [Start(A, 2)]


def test_a_retry_comes_before_what_is_ready() -> None:
    story = Story(plan([step(A), step(B)], concurrency=1)).start("a").tell(ev.StepRetrying, "a", 1, retry_at=NOW)
    assert asked(story) == [Start(A, 2)]


def test_an_item_is_tried_again_only_where_its_map_has_room() -> None:
    """S14: a map never runs more items at once than it may, retries included."""
    steps = [step(A), step(B, fan=fan(A, concurrency=1))]
    story = Story(plan(steps, Edge(A, B, needs=True))).complete("a").expand("b", 2)
    story.item(ev.ItemStarted, "b", 0).item(ev.ItemRetrying, "b", 0, retry_at=NOW).item(ev.ItemStarted, "b", 1)
    assert asked(story) == []
    story.item(ev.ItemCompleted, "b", 1)
    assert asked(story) == [StartItem(B, 0, 2)]


def test_a_deadline_that_has_passed_ends_the_run_once() -> None:
    story = Story(plan([step(A)]), deadline=NOW + 1).start("a")
    assert asked(story, NOW + 1) == [TimeOut()]
    story.tell(ev.RunTimedOut)
    assert asked(story, NOW + 1) == [CancelRunning("timed_out")]


def test_a_run_that_is_being_cancelled_is_not_timed_out_as_well() -> None:
    story = Story(plan([step(A)]), deadline=NOW).start("a").tell(ev.RunCancelled)
    assert asked(story, NOW + 1) == [CancelRunning("cancelled")]


# Maps.


@pytest.mark.parametrize(
    ("min_success", "failed", "ends_failed"),
    [(None, 0, False), (2, 2, False), (2, 3, True), (0, 4, False), (0.5, 2, False), (0.5, 3, True), (1.0, 1, True)],
)
def test_a_map_ends_by_how_many_of_its_items_succeeded(
    min_success: float | int | None, failed: int, ends_failed: bool
) -> None:
    steps = [step(A), step(B, fan=fan(A, min_success=min_success))]
    story = Story(plan(steps, Edge(A, B, needs=True))).complete("a").expand("b", 4)
    for index in range(4):
        story.item(ev.ItemFailed if index < failed else ev.ItemCompleted, "b", index)
    assert asked(story) == [Conclude(B, ends_failed)]


def test_a_map_without_items_has_completed() -> None:
    story = Story(plan([step(A), step(B, fan=fan(A))], Edge(A, B, needs=True))).complete("a").expand("b", 0)
    assert asked(story) == [Conclude(B, failed=False)]


def test_the_first_item_that_fails_for_good_starts_no_further_item_and_lets_those_that_run_end() -> None:
    story = (
        Story(plan([step(A), step(B, fan=fan(A, concurrency=2))], Edge(A, B, needs=True))).complete("a").expand("b", 9)
    )
    story.item(ev.ItemStarted, "b", 0).item(ev.ItemStarted, "b", 1).item(ev.ItemFailed, "b", 0)
    assert asked(story) == []
    assert asked(story.item(ev.ItemCompleted, "b", 1)) == [Conclude(B, failed=True)]


def test_no_item_of_another_map_starts_in_the_same_breath_as_a_failure() -> None:
    """api.md: `on_failure="stop"` starts no new attempt, items included."""
    steps = [step(A), step(B, fan=fan(A)), step(C, fan=fan(A, concurrency=1))]
    story = Story(plan(steps, Edge(A, B, needs=True), Edge(A, C, needs=True))).complete("a")
    story.expand("b", 1).expand("c", 2).item(ev.ItemStarted, "c", 0).item(ev.ItemFailed, "b", 0)
    story.item(ev.ItemCompleted, "c", 0)
    assert asked(story) == [Conclude(B, failed=True)]


# Halting.


def test_a_run_that_is_stopped_starts_nothing_and_waits_for_what_runs() -> None:
    story = (
        Story(plan([step(A), step(B), step(C)], Edge(A, C))).start("a", "b").tell(ev.StepCompleted, "a", 1, stops=True)
    )
    assert asked(story) == []
    assert asked(story.tell(ev.StepCompleted, "b", 1)) == [Finish("stopped")]


@pytest.mark.parametrize(("on_failure", "then"), [("stop", []), ("cancel", [CancelRunning("failed")])])
def test_what_runs_is_cancelled_only_where_that_was_asked_for(on_failure: str, then: list[Command]) -> None:
    story = Story(plan([step(A), step(B)]), on_failure=on_failure).start("b").fail("a")
    assert asked(story) == then


def test_independent_branches_finish_where_that_was_asked_for() -> None:
    story = Story(plan([step(A), step(B)]), on_failure="finish").fail("a")
    assert asked(story) == [Start(B, 1)]
    assert asked(story.complete("b")) == [Finish("failed")]


def test_what_runs_is_told_to_end_once() -> None:
    story = Story(plan([step(A)])).start("a").tell(ev.RunCancelled)
    assert asked(story) == [CancelRunning("cancelled")]
    story.state.cancelling = True
    assert asked(story) == []


def test_a_map_that_goes_no_further_is_closed_before_the_run_ends() -> None:
    """S10: children first."""
    story = Story(plan([step(A), step(B, fan=fan(A))], Edge(A, B, needs=True))).complete("a").expand("b", 2)
    story.item(ev.ItemCompleted, "b", 0).tell(ev.RunCancelled)
    assert asked(story) == [Abandon(B, "run_cancelled")]
    assert asked(story.tell(ev.StepCancelled, "b", 1)) == [Finish("cancelled")]


def test_a_map_with_a_cancelled_item_has_not_completed() -> None:
    """S7: what was cancelled is no part of an output; the item runs again on resume."""
    story = (
        Story(plan([step(A), step(B, fan=fan(A, min_success=1))], Edge(A, B, needs=True))).complete("a").expand("b", 2)
    )
    story.item(ev.ItemCompleted, "b", 0).item(ev.ItemStarted, "b", 1).tell(ev.RunCancelled)
    story.item(ev.ItemCancelled, "b", 1)
    assert asked(story) == [Abandon(B, "run_cancelled")]


def test_a_map_whose_last_item_ended_within_the_grace_stands() -> None:
    """S10: a result recorded before the cancel, or within its grace, stands."""
    story = Story(plan([step(A), step(B, fan=fan(A))], Edge(A, B, needs=True))).complete("a").expand("b", 1)
    story.item(ev.ItemStarted, "b", 0).tell(ev.RunCancelled).item(ev.ItemCompleted, "b", 0)
    assert asked(story) == [Conclude(B, failed=False)]


def test_a_waiting_retry_does_not_hold_up_a_run_that_ends() -> None:
    story = Story(plan([step(A)])).start("a").tell(ev.StepRetrying, "a", 1, retry_at=NOW + 9).tell(ev.RunCancelled)
    assert asked(story) == [Finish("cancelled")]


# How it ended.


def test_a_run_without_a_step_is_completed() -> None:
    assert asked(Story(plan([]))) == [Finish("completed")]


@pytest.mark.parametrize(
    ("signal", "status"), [(ev.RunCancelled, "cancelled"), (ev.RunTimedOut, "timed_out"), (None, "failed")]
)
def test_a_signal_counts_more_than_a_failure_and_a_failure_more_than_stop(
    signal: type[ev.Event] | None, status: str
) -> None:
    story = Story(plan([step(A), step(B)])).start("b").complete("a", stops=True).tell(ev.StepFailed, "b", 1)
    if signal is not None:
        story.tell(signal)
    assert asked(story) == [Finish(status)]


def test_a_run_with_something_tolerated_is_degraded() -> None:
    assert asked(Story(plan([step(A, critical=False)])).fail("a", tolerated=True)) == [Finish("degraded")]
    assert asked(Story(plan([step(A)])).complete("a", degraded=True)) == [Finish("degraded")]


def test_a_run_in_which_a_step_has_no_end_never_claims_success() -> None:
    """Rule 3; it cannot happen, and if it ever does the run says so."""
    story = Story(plan([step(A), step(B)])).complete("a")
    story.state.ready.clear()
    assert asked(story) == [Finish("blocked", "steps_without_end")]


# Joins of a number.


def joined(*edges: Edge, wanted: int = 1, **options: object) -> Story:
    """`c` joins `a` and `b`, as many as are wanted."""
    steps = [step(A), step(B), step(C, **options)]
    return Story(plan(steps, *(edges or (Edge(A, C), Edge(B, C))), quorums={C: wanted}), on_failure="finish")


def test_a_join_of_a_number_starts_as_soon_as_so_many_are_live() -> None:
    """D2."""
    story = joined().start("b").complete("a")
    assert asked(story) == [Wait(C, ("b",)), Release(C), Start(C, 1)]
    story.tell(ev.JoinWaiting, "c").tell(ev.JoinReleased, "c").start("c").tell(ev.StepCompleted, "c", 1)
    assert asked(story.tell(ev.StepCompleted, "b", 1)) == [Finish("completed")]


def test_a_join_of_a_number_does_without_a_source_that_failed() -> None:
    """D2: merely not live."""
    story = joined().start("b").fail("a")
    assert asked(story) == [Wait(C, ("b",))]
    story.tell(ev.JoinWaiting, "c").tell(ev.StepCompleted, "b", 1)
    assert asked(story) == [Release(C), Start(C, 1)]


def test_a_join_that_cannot_be_reached_is_pruned_at_once() -> None:
    """D2, D3: with the failure as its reason where there was one."""
    story = joined(wanted=2).start("b").tell(ev.StepPruned, "a").tell(ev.JoinWaiting, "c")
    assert asked(story) == [Release(C), Prune(C, "not_reached")]
    story = joined(wanted=2).start("b").fail("a").tell(ev.JoinWaiting, "c")
    assert asked(story) == [Release(C), Prune(C, "upstream_failed", "a")]


def test_a_join_of_a_number_waits_for_required_data_and_is_pruned_without_it() -> None:
    """D2."""
    edges = (Edge(A, C), Edge(B, C, needs=True))
    story = joined(*edges).complete("a").start("b").tell(ev.JoinWaiting, "c")
    assert asked(story) == []
    assert asked(story.tell(ev.StepCompleted, "b", 1)) == [Release(C), Start(C, 1)]
    story = joined(*edges).complete("a").tell(ev.JoinWaiting, "c").tell(ev.StepPruned, "b")
    assert asked(story) == [Release(C), Prune(C, "no_value")]


def test_the_patience_of_a_join_ends_at_its_deadline() -> None:
    """D3, S9: absolute, and whatever else has room."""
    story = joined(wanted=2).complete("a").start("b").tell(ev.JoinWaiting, "c", deadline=NOW + 5)
    assert asked(story) == []
    assert asked(story, NOW + 5) == [TimeOutJoin(C, ("b",))]


def test_a_run_that_ends_has_no_patience() -> None:
    """D3: nothing fails any more because of a wait."""
    story = joined(wanted=2).complete("a").start("b").tell(ev.JoinWaiting, "c", deadline=NOW).tell(ev.RunCancelled)
    assert asked(story, NOW + 5) == [CancelRunning("cancelled")]


# Jumps.


def jumped(*edges: Edge, **options: object) -> Story:
    """A -> b -> c, and what else there is; `c` has jumped back to `b`."""
    steps = [step(A), step(B, **options), step(C, goto=(B,)), step(3)]
    story = Story(plan(steps, Edge(A, B), Edge(B, C), *edges)).complete("a", "b")
    return story.start("c").tell(ev.StepCompleted, "c", 1, goto="b")


def test_a_jump_resets_its_target_and_all_that_follows_it() -> None:
    """B11: and nothing else begins in the same breath."""
    assert asked(jumped(Edge(C, 3))) == [Reset(C, (B, C))]
    story = jumped(Edge(C, 3)).tell(ev.StepReset, "c", 1, paths=("b", "c"), cause="goto")
    assert asked(story) == [Start(B, 1)]


def test_what_of_a_loop_still_runs_is_cancelled_once_and_waited_for() -> None:
    """B11."""
    story = jumped(Edge(B, 3)).start("d")
    assert asked(story) == [CancelSteps((3,), "goto")]
    story.tell(StepsTold, numbers=(3,))
    assert asked(story) == []
    assert asked(story.tell(ev.StepCancelled, "d", 1)) == [Reset(C, (B, C, 3))]


def test_a_map_of_a_loop_is_closed_before_it_is_reset() -> None:
    """B11, S10: children first."""
    steps = [step(A), step(B), step(C, goto=(B,)), step(3, fan=fan(B))]
    story = Story(plan(steps, Edge(A, B), Edge(B, C), Edge(B, 3, needs=True))).complete("a", "b").expand("d", 2)
    story.item(ev.ItemStarted, "d", 0).start("c").tell(ev.StepCompleted, "c", 1, goto="b")
    assert asked(story) == [CancelSteps((3,), "goto")]
    story.tell(StepsTold, numbers=(3,)).item(ev.ItemCancelled, "d", 0)
    assert asked(story) == [Abandon(3, "goto")]
    assert asked(story.tell(ev.StepCancelled, "d", 1)) == [Reset(C, (B, C, 3))]


def test_a_run_that_ends_jumps_no_more() -> None:
    """B11, E15: the resume does."""
    story = jumped(Edge(C, 3)).tell(ev.RunCancelled)
    assert asked(story) == [Finish("cancelled")]
    story.tell(ev.RunFinished, status="cancelled").tell(ev.RunResumed)
    assert asked(story) == [Reset(C, (B, C))]


# Live sources.


def live(*, min_success: float | None = None, **started: object) -> Story:
    """A generator `a`, a map `b` over it, `c` after that."""
    steps = [step(A, streams=True, feeds=True), step(B, fan=fan(A, min_success=min_success, live=True)), step(C)]
    edges = (Edge(A, B, needs=True, live=True), Edge(B, C))
    return Story(plan(steps, *edges), **started).start("a", "b").tell(ev.MapExpanded, "b", 1, count=0, more=True)


def more(story: Story, count: int) -> Story:
    return story.tell(ev.MapExpanded, "b", 1, count=count, more=True)


def test_a_map_over_a_generator_starts_with_it() -> None:
    """D5: `c` does not."""
    steps = [step(A, streams=True, feeds=True), step(B, fan=fan(A, live=True)), step(C)]
    story = Story(plan(steps, Edge(A, B, needs=True, live=True), Edge(B, C))).start("a")
    assert asked(story) == [Start(B, 1)]


def test_items_start_as_they_are_recorded() -> None:
    """D5, S7: and the map does not end before its source."""
    story = more(live(), 2)
    assert asked(story) == [StartItem(B, 0, 1), StartItem(B, 1, 1)]
    for index in (0, 1):
        story.item(ev.ItemStarted, "b", index).item(ev.ItemCompleted, "b", index)
    assert asked(story) == []
    story.tell(ev.MapExpanded, "b", 1).tell(ev.StepCompleted, "a", 1)
    assert asked(story) == [Conclude(B, failed=False)]


def test_recorded_items_wait_until_their_source_gives_them_again() -> None:
    """S7: after a crash their values are not at hand, also where a retry is due."""
    story = more(live(), 2).item(ev.ItemStarted, "b", 0).item(ev.ItemRetrying, "b", 0, retry_at=NOW)
    story.tell(ev.RunResumed, recovered=True).tell(ev.StepStarted, "a", 2).tell(ev.StepStarted, "b", 2)
    assert asked(story) == []


@pytest.mark.parametrize(("tolerated"), [False, True])
def test_a_map_fails_with_its_source_once_its_items_have_ended(tolerated: bool) -> None:
    """api.md 2."""
    story = more(live(on_failure="finish"), 2).item(ev.ItemStarted, "b", 0)
    story.tell(ev.StepFailed, "a", 1, tolerated=tolerated)
    assert asked(story) == []
    assert asked(story.item(ev.ItemCompleted, "b", 0)) == [Conclude(B, failed=True, source_failed=True)]


def test_a_map_is_pruned_with_its_source() -> None:
    """B5: it returned Skip."""
    assert asked(live().tell(ev.StepPruned, "a", 1, reason="boring")) == [Prune(B, "source_gave_nothing")]


def test_a_source_that_nobody_needs_any_more_is_told_to_end_once() -> None:
    """D5: its only map has failed, and it might go on for ever."""
    story = more(live(on_failure="finish"), 1).item(ev.ItemStarted, "b", 0).item(ev.ItemFailed, "b", 0)
    story.tell(ev.StepFailed, "b", 1).tell(ev.StepPruned, "c", because="b")
    assert asked(story) == [CancelSteps((A,), "nothing_needs_it")]
    story.tell(StepsTold, numbers=(A,))
    assert asked(story) == []
    assert asked(story.tell(ev.StepCancelled, "a", 1)) == [Finish("failed")]


def test_a_source_ends_with_a_run_that_starts_nothing_more() -> None:
    """B2: nobody takes what it gives; other steps finish."""
    story = more(live(), 1).item(ev.ItemStarted, "b", 0).item(ev.ItemCompleted, "b", 0, stops=True)
    assert asked(story) == [CancelSteps((A,), "run_stopped")]
    story.tell(StepsTold, numbers=(A,)).tell(ev.StepCancelled, "a", 1)
    assert asked(story) == [Abandon(B, "run_stopped")]


# What a resume un-ends.


def test_a_resume_resets_what_failed_and_what_ended_because_of_it() -> None:
    steps = [step(A), step(B), step(C), step(3)]
    story = Story(plan(steps, Edge(A, B), Edge(C, 3)), on_failure="finish").fail("a").tell(ev.StepPruned, "c")
    story.tell(ev.StepPruned, "b", reason="upstream_failed", because="a")
    story.tell(ev.StepPruned, "d", reason="not_reached")
    assert resets(story.plan, story.state).paths == ("a", "b")


def test_a_resume_resets_what_was_cancelled_but_no_completed_item() -> None:
    """S3."""
    story = Story(plan([step(A), step(B, fan=fan(A))], Edge(A, B, needs=True))).complete("a").expand("b", 3)
    story.item(ev.ItemCompleted, "b", 0).item(ev.ItemCancelled, "b", 1).tell(ev.StepCancelled, "b", 1)
    assert sorted(resets(story.plan, story.state).paths) == ["b", "b[1]"]


def test_a_resume_leaves_alone_what_was_tolerated_items_too() -> None:
    """api.md: only `tolerated=True` resets what was tolerated."""
    steps = [step(A), step(B, fan=fan(A), critical=False)]
    story = Story(plan(steps, Edge(A, B, needs=True))).complete("a").expand("b", 1)
    story.item(ev.ItemFailed, "b", 0).tell(ev.StepFailed, "b", 1, tolerated=True)
    assert resets(story.plan, story.state).paths == ()


def test_a_resume_leaves_alone_what_a_completed_map_left_out() -> None:
    steps = [step(A), step(B, fan=fan(A, min_success=0))]
    story = Story(plan(steps, Edge(A, B, needs=True))).complete("a").expand("b", 1)
    story.item(ev.ItemFailed, "b", 0).tell(ev.StepCompleted, "b", 1, degraded=True)
    assert resets(story.plan, story.state).paths == ()
