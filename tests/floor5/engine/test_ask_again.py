"""When `decide` is asked again: at the next time at which something is due, and not where it has said all it can."""

from __future__ import annotations

import pytest

from stepwell import events as ev
from stepwell.engine.ask_again import exhausted, next_time
from stepwell.engine.commands import Release, Start, StartItem
from stepwell.engine.decide import decide
from stepwell.graph import Edge

from .plans import NOW, Story, all_due, fan, plan, step

A, B, C = range(3)


def mapped(count: int, concurrency: int = 32) -> Story:
    """A map of so many items, whose source has given them, and a step beside it."""
    steps = [step(A), step(B, fan=fan(A, concurrency)), step(C)]
    return Story(plan(steps, Edge(A, B, needs=True))).complete("a").start("c").expand("b", count)


# The next time.


def test_a_run_that_waits_for_nothing_has_no_next_time() -> None:
    assert next_time(Story(plan([step(A)])).start("a").state, NOW) is None


def test_a_retry_is_asked_for_when_it_is_due() -> None:
    """S9: a timer on the loop, not a look every now and then."""
    story = Story(plan([step(A)])).start("a").tell(ev.StepRetrying, "a", 1, retry_at=NOW + 5)
    assert next_time(story.state, NOW) == NOW + 5


def test_of_several_that_are_due_the_first_counts() -> None:
    """S9: steps, items of maps and the deadline of the run, whichever comes first."""
    story = mapped(2)
    story.item(ev.ItemStarted, "b", 0).item(ev.ItemRetrying, "b", 0, retry_at=NOW + 4)
    story.item(ev.ItemStarted, "b", 1).item(ev.ItemRetrying, "b", 1, retry_at=NOW + 3)
    assert next_time(story.state, NOW) == NOW + 3
    story.tell(ev.StepRetrying, "c", 1, retry_at=NOW + 2)
    assert next_time(story.state, NOW) == NOW + 2
    story.state.deadline = NOW + 6
    assert next_time(story.state, NOW) == NOW + 2
    story.state.deadline = NOW + 1
    assert next_time(story.state, NOW) == NOW + 1


def test_what_was_due_and_found_no_slot_waits_for_one_and_not_for_a_time() -> None:
    """S14: a timer that is set for a time that has passed would come at once, for ever."""
    story = Story(plan([step(A), step(B)])).start("a", "b")
    story.tell(ev.StepRetrying, "a", 1, retry_at=NOW + 1).tell(ev.StepRetrying, "b", 1, retry_at=NOW + 2)
    assert next_time(story.state, NOW + 1) == NOW + 2
    assert next_time(story.state, NOW + 2) is None


def test_an_item_that_was_due_and_found_no_slot_waits_for_one() -> None:
    """S14: as a step does."""
    story = mapped(1).item(ev.ItemStarted, "b", 0).item(ev.ItemRetrying, "b", 0, retry_at=NOW + 1)
    assert next_time(story.state, NOW) == NOW + 1
    assert next_time(story.state, NOW + 1) is None


def test_a_join_is_asked_for_when_its_patience_ends() -> None:
    """D3: absolute, and whatever else has room."""
    edges = (Edge(A, C), Edge(B, C))
    story = Story(plan([step(A), step(B), step(C, join_timeout=5.0)], *edges)).complete("a").start("b")
    assert next_time(story.tell(ev.JoinWaiting, "c", deadline=NOW + 5).state, NOW) == NOW + 5


@pytest.mark.parametrize(("halt", "when"), [(None, NOW + 1), (ev.RunCancelled, None), (ev.RunTimedOut, None)])
def test_a_deadline_counts_until_the_run_is_told_to_end(halt: type[ev.Event] | None, when: float | None) -> None:
    """S10: a run is ended once."""
    story = Story(plan([step(A)]), deadline=NOW + 1).start("a")
    if halt is not None:
        story.tell(halt)
    assert next_time(story.state, NOW) == when


def test_many_retries_that_are_due_at_once_are_not_walked() -> None:
    """S9, S14: after an outage each decision would else cost as much as there are items waiting."""
    story, looked = all_due(concurrency=1)
    assert next_time(story.state, NOW) == NOW + 1
    assert next_time(story.state, NOW + 1) is None
    assert looked.looks < 10


# All that can be said.


def test_items_that_all_begin_are_all_there_is_to_say() -> None:
    """S14: a second look at a map of a million items, after each of its ends, would be half of the cost."""
    story = mapped(9, concurrency=3)
    commands = decide(story.plan, story.state, NOW)
    assert list(commands) == [StartItem(B, index, 1) for index in range(3)]
    assert exhausted(story.state, commands)
    for index in range(3):
        story.item(ev.ItemStarted, "b", index)
    assert list(decide(story.plan, story.state, NOW)) == []


def test_after_any_other_command_there_may_be_more_to_say() -> None:
    """D3: a step that begins may be a generator that lets its maps begin; a release is followed by a start."""
    story = mapped(2)
    assert not exhausted(story.state, [StartItem(B, 0, 1), Start(C, 1)])
    assert not exhausted(story.state, [Release(C), StartItem(B, 0, 1)])


def test_while_retries_wait_there_may_be_more_to_say() -> None:
    """S9: what is due begins one by one, so each answer is followed by a question."""
    of_items = mapped(3).item(ev.ItemStarted, "b", 0).item(ev.ItemRetrying, "b", 0, retry_at=NOW)
    assert not exhausted(of_items.state, [StartItem(B, 0, 2)])
    of_steps = mapped(3).tell(ev.StepRetrying, "c", 1, retry_at=NOW + 1)
    assert not exhausted(of_steps.state, [StartItem(B, 0, 1)])
