"""What is due: retries of items, looked at by the head of each map only; joins whose time is up as they are reached."""

from __future__ import annotations

import pytest

from stepwell import events as ev
from stepwell.engine.commands import Release, Start, StartItem, TimeOutJoin
from stepwell.engine.decide import decide
from stepwell.graph import Edge

from .plans import MANY, NOW, Story, all_due, fan, plan, step

A, B, C = range(3)


@pytest.mark.parametrize("quorum", [None, 2])
def test_a_join_whose_last_source_comes_as_its_time_is_up_begins(quorum: int | None) -> None:
    """D3, S9: the loop was held, or the process was dead, when its deadline passed; nothing is waited for any more."""
    quorums = None if quorum is None else {C: quorum}
    the_plan = plan([step(A), step(B), step(C, join_timeout=5.0)], Edge(A, C), Edge(B, C), quorums=quorums)
    story = Story(the_plan).complete("a").start("b").tell(ev.JoinWaiting, "c", deadline=NOW + 5)
    assert list(decide(story.plan, story.state, NOW + 5)) == [TimeOutJoin(C, ("b",))]
    story.tell(ev.StepCompleted, "b", 1)
    assert list(decide(story.plan, story.state, NOW + 9)) == [Release(C), Start(C, 1)]


def test_many_retries_that_are_due_at_once_and_have_no_room_are_not_walked() -> None:
    """S9, S14: after an outage each decision would else cost as much as there are items waiting."""
    story, looked = all_due(concurrency=1)
    assert len(story.state.timers) == 0, "each item has a timer of its own among those of the steps"
    assert list(decide(story.plan, story.state, NOW + 1)) == []
    assert looked.looks < 10


def test_many_retries_that_are_due_at_once_begin_one_by_one_without_a_walk() -> None:
    """S9: so the whole of them costs as much as there are items, not its square."""
    story, looked = all_due(concurrency=MANY + 1)
    for index in range(20):
        assert list(decide(story.plan, story.state, NOW + 1)) == [StartItem(B, index, 2)]
        story.item(ev.ItemStarted, "b", index, attempt=2)
    assert looked.looks < 20 * 10


def test_a_step_is_not_kept_from_its_retry_by_a_map_without_room() -> None:
    """S9: what is due of others is found behind it."""
    steps = [step(A), step(B, fan=fan(A, 1)), step(C)]
    story = Story(plan(steps, Edge(A, B, needs=True))).complete("a").expand("b", 2)
    story.item(ev.ItemStarted, "b", 0).item(ev.ItemRetrying, "b", 0, retry_at=NOW).item(ev.ItemStarted, "b", 1)
    story.start("c").tell(ev.StepRetrying, "c", 1, retry_at=NOW + 1)
    assert list(decide(story.plan, story.state, NOW + 1)) == [Start(C, 2)]
