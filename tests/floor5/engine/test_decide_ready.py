"""What is ready: begun as far as there are slots, told of without one, and never walked only to find no slot."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import pytest

from stepwell import events as ev
from stepwell.engine.commands import Command, Prune, Release, Start
from stepwell.engine.decide import decide
from stepwell.graph import Edge
from stepwell.plan.plan import Plan

from .plans import MANY, NOW, Story, fan, plan, step

A, B, C, D = range(4)
FAILS = {"on_failure": "finish"}


def asked(story: Story) -> list[Command]:
    return list(decide(story.plan, story.state, NOW))


def full(the_plan: Plan) -> Story:
    """A run with one slot, which `d` holds."""
    return Story(the_plan, concurrency=1, **FAILS).start("d")


STEPS = [step(number) for number in range(4)]


@pytest.mark.parametrize(
    ("edge", "end", "then"),
    [
        (Edge(A, C, needs=True), ev.StepSkipped, Prune(C, "no_value")),
        (Edge(A, C), ev.StepPruned, Prune(C, "not_reached")),
        (Edge(A, C), ev.StepFailed, Prune(C, "upstream_failed", "a")),
    ],
)
def test_a_step_that_nothing_leads_to_is_pruned_although_no_slot_is_free(
    edge: Edge, end: type[ev.Event], then: Command
) -> None:
    """S14: it takes none; who waits for what becomes of it need not wait for a slot."""
    story = full(plan(STEPS, edge)).tell(end, "a")
    assert asked(story) == [then]


def test_a_join_is_released_without_a_slot_and_begins_with_one() -> None:
    """D3, S14: that it waits no more is true at once."""
    story = full(plan(STEPS, Edge(A, C), Edge(B, C)))
    story.tell(ev.StepSkipped, "a").tell(ev.JoinWaiting, "c").tell(ev.StepSkipped, "b")
    assert asked(story) == [Release(C)]
    story.tell(ev.JoinReleased, "c")
    assert asked(story) == []
    story.tell(ev.StepCompleted, "d", 1)
    assert asked(story) == [Start(C, 1)]


def test_a_map_whose_source_fails_before_there_was_a_slot_is_pruned_without_one() -> None:
    """D5: it was ready as soon as its source began."""
    steps = [step(A), step(B, fan=fan(A, live=True)), step(C), step(D)]
    story = Story(plan(steps, Edge(A, B, needs=True, live=True)), concurrency=2, **FAILS).start("a", "d")
    assert asked(story) == []
    story.start("c").tell(ev.StepFailed, "a", 1)
    assert asked(story) == [Prune(B, "upstream_failed", "a")]


def test_what_is_pruned_is_found_behind_those_that_wait_for_a_slot() -> None:
    """S14: in whatever order they came."""
    steps = [*STEPS, step(4)]
    story = full(plan(steps, Edge(4, C, needs=True))).tell(ev.StepSkipped, "e")
    assert list(story.state.ready) == [A, B, C]
    assert asked(story) == [Prune(C, "no_value")]
    story.tell(ev.StepPruned, "c").tell(ev.StepCompleted, "d", 1)
    assert asked(story) == [Start(A, 1)]


class Line(deque[int]):
    """A queue that counts how many of its entries were looked at."""

    looks = 0

    def __iter__(self) -> Iterator[int]:
        for one in super().__iter__():
            self.looks += 1
            yield one

    def __contains__(self, number: object) -> bool:
        return any(one == number for one in self)


@pytest.mark.parametrize("slots", [1, 4])
def test_thousands_that_wait_for_a_slot_are_not_walked_with_each_decision(slots: int) -> None:
    """S14: the whole of them costs as much as there are steps, not its square."""
    story = Story(plan([step(number) for number in range(MANY)], concurrency=slots))
    line = story.state.ready = Line(story.state.ready)
    names = story.plan.graph.names
    for number in range(slots):
        assert asked(story)[0] == Start(number, 1)
        story.start(names[number])
    for number in range(100):
        assert asked(story) == []
        story.tell(ev.StepCompleted, names[number], 1)
        assert asked(story) == [Start(number + slots, 1)]
        story.start(names[number + slots])
    assert line.looks < 10 * (100 + slots)


@pytest.mark.parametrize(
    ("edges", "end", "told"),
    [
        ((Edge(A, MANY - 1, needs=True),), ev.StepPruned, Prune(MANY - 1, "no_value")),
        ((Edge(A, MANY - 1), Edge(B, MANY - 1)), ev.JoinReleased, Release(MANY - 1)),
    ],
)
def test_thousands_behind_one_that_is_told_of_are_walked_once(
    edges: tuple[Edge, ...], end: type[ev.Event], told: Command
) -> None:
    """S14: as long as something is to be told of, it is looked for; not any longer."""
    story = full(plan([step(number) for number in range(MANY)], *edges))
    for number in {edge.source for edge in edges}:
        story.tell(ev.StepSkipped, "ab"[number])
    story.state.joins.clear()
    line = story.state.ready = Line(story.state.ready)
    assert asked(story) == [told]
    assert line.looks <= MANY
    story.tell(end, f"s{MANY - 1}")
    line.looks = 0
    for _ in range(100):
        assert asked(story) == []
    assert line.looks <= 100
