"""The fold of a map: each item counted by itself, by key, and only those without an end go on (S7)."""

from __future__ import annotations

import itertools

import pytest

from stepwell import events as ev
from stepwell.graph import Edge, build
from stepwell.state.fold import apply
from stepwell.state.items import MapState
from stepwell.state.sparks import StepGuarded
from stepwell.state.state import (
    CANCELLED,
    COMPLETED,
    FAILED,
    PENDING,
    RUNNING,
    SKIPPED,
    TOLERATED,
    WAITING,
    State,
)

KEYS = ("a", "b/c", "d")


class Story:
    """A map `m` over `s`, expanded to three items."""

    def __init__(self, keys: tuple[str, ...] | None = KEYS) -> None:
        self.state = State(build(["s", "m"], [Edge(0, 1, needs=True)]))
        self.seq = itertools.count(1)
        self.tell(ev.RunStarted)
        self.tell(ev.StepStarted, "s", 1)
        self.tell(ev.StepCompleted, "s", 1)
        self.tell(ev.StepStarted, "m", 1)
        self.tell(ev.MapExpanded, "m", 1, count=3, keys=keys)

    def tell(self, kind: type[ev.Event], path: str = "", attempt: int = 0, **fields: object) -> None:
        apply(self.state, kind("r", next(self.seq), 1.0, path, attempt, **fields))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def item(self, kind: type[ev.Event], index: int, attempt: int = 1, **fields: object) -> None:
        self.tell(kind, self.state.item_path(1, index), attempt, index=index, **fields)

    @property
    def items(self) -> MapState:
        return self.state.maps[1]

    @property
    def stages(self) -> list[int]:
        return list(self.items.stages)


def test_a_map_that_knows_its_items_holds_no_slot_itself() -> None:
    story = Story()
    assert (story.state.running, list(story.state.open), story.stages) == (0, [1], [PENDING] * 3)


def test_items_have_the_users_keys_or_their_place() -> None:
    """S6."""
    assert [Story().state.item_path(1, index) for index in range(3)] == ["m[a]", "m[b%2Fc]", "m[d]"]
    assert [Story(None).state.item_path(1, index) for index in range(3)] == ["m[0]", "m[1]", "m[2]"]


@pytest.mark.parametrize("keys", [KEYS, None])
def test_an_items_path_leads_back_to_its_place(keys: tuple[str, ...] | None) -> None:
    state = Story(keys).state
    assert [state.item_at(state.item_path(1, index)) for index in range(3)] == [(1, 0), (1, 1), (1, 2)]


def test_an_item_that_starts_takes_a_slot() -> None:
    story = Story()
    story.item(ev.ItemStarted, 0)
    assert (story.stages[0], story.items.running, story.state.running, story.items.cursor) == (RUNNING, 1, 1, 1)


def test_an_item_that_completes_leaves_its_output_in_its_place() -> None:
    story = Story()
    story.item(ev.ItemStarted, 1)
    story.item(ev.ItemCompleted, 1, output="x")
    assert (story.stages, story.items.results) == ([PENDING, COMPLETED, PENDING], [None, "x", None])
    assert (story.items.ended, story.state.running) == (1, 0)


def test_an_item_may_end_without_its_start_being_known() -> None:
    """Its start is a spark: a fold from the store never sees it."""
    story = Story()
    story.item(ev.ItemCompleted, 0, output="x")
    assert (story.items.ended, story.items.running, story.state.running) == (1, 0, 0)


def test_a_skipped_item_has_ended_and_leaves_no_place() -> None:
    story = Story()
    story.item(ev.ItemCompleted, 0, skipped=True)
    assert (story.stages[0], story.items.ended, story.items.failed) == (SKIPPED, 1, 0)


def test_a_failed_item_is_counted_and_told() -> None:
    story = Story()
    record = ev.Failure("m[a]", "m", "a", "error", "user", "exception", "ValueError", "no", "", False, 1)
    story.item(ev.ItemFailed, 0, failure=record)
    assert (story.stages[0], story.items.failed, story.state.failures) == (FAILED, 1, [record])


def test_an_item_that_waits_keeps_its_attempts_and_its_time() -> None:
    """S9."""
    story = Story()
    story.item(ev.ItemStarted, 2)
    story.item(ev.ItemRetrying, 2, retry_at=8.0)
    assert (story.stages[2], story.items.attempts, story.items.timers) == (WAITING, {2: 1}, [(8.0, 2)])
    story.item(ev.ItemStarted, 2, 2)
    assert (story.stages[2], story.items.timers, story.items.due) == (RUNNING, [], {})


def test_an_item_that_stops_the_run_is_remembered() -> None:
    story = Story()
    story.item(ev.ItemCompleted, 1, output="enough", stops=True)
    assert (story.state.halt, story.state.stopped_by, story.items.stopped_by) == ("stopped", 1, 1)


def test_progress_of_an_item_is_progress_of_the_run() -> None:
    """S9: after 10 recoveries without progress the run is blocked; an item is progress."""
    story = Story()
    story.tell(ev.RunResumed, recovered=True)
    assert story.state.recoveries == 1
    story.item(ev.ItemCompleted, 0)
    assert story.state.recoveries == 0


def test_a_map_that_goes_on_has_only_items_without_an_end_to_start() -> None:
    """S7."""
    story = Story()
    story.item(ev.ItemCompleted, 0, output="x")
    story.item(ev.ItemRetrying, 1, retry_at=9.0)
    story.tell(ev.RunResumed, recovered=True)
    assert (list(story.state.open), list(story.state.ready)) == ([], [1])
    story.tell(ev.StepStarted, "m", 2)
    assert (list(story.state.open), story.state.running) == ([1], 0)
    assert story.stages == [COMPLETED, WAITING, PENDING]
    assert story.items.timers == [(9.0, 1)]


def test_a_reset_item_begins_a_new_visit_and_the_others_keep_theirs() -> None:
    story = Story()
    story.item(ev.ItemCompleted, 0, output="x")
    story.item(ev.ItemRetrying, 1, retry_at=9.0)
    story.item(ev.ItemStarted, 1, 2)
    story.item(ev.ItemFailed, 1, 2)
    story.item(ev.ItemCancelled, 2)
    story.tell(ev.StepFailed, "m", 1)
    assert (story.stages, story.items.ended) == ([COMPLETED, FAILED, CANCELLED], 3)
    story.tell(ev.StepReset, paths=("m", "m[b%2Fc]", "m[d]"), cause="resume")
    assert (story.stages, story.items.ended, story.items.failed) == ([COMPLETED, PENDING, PENDING], 1, 0)
    assert [story.state.item_path(1, index) for index in range(3)] == ["m[a]", "m[b%2Fc]#2", "m[d]#2"]
    assert (story.items.attempts, story.state.paths[1]) == ({}, "m#2")


def test_a_waiting_item_goes_on_when_its_failed_map_is_reset() -> None:
    """S7, and resume in api.md: what has no end goes on; an item that waits for a retry must not wait for ever."""
    story = Story()
    story.item(ev.ItemCompleted, 0)
    story.item(ev.ItemRetrying, 1, retry_at=9.0)
    story.item(ev.ItemFailed, 2)
    story.tell(ev.StepFailed, "m", 1)
    story.tell(ev.RunFinished, status="failed")
    story.tell(ev.RunResumed)
    story.tell(ev.StepReset, paths=("m", "m[d]"), cause="resume")
    story.tell(ev.StepStarted, "m#2", 1)
    waits = story.stages[1] == WAITING and (9.0, 1) in story.items.timers
    assert waits or story.stages[1] == PENDING, f"nobody will ever start it: {story.stages}, {story.state.timers}"


def test_a_map_that_ended_leaves_no_retry_behind() -> None:
    story = Story()
    story.item(ev.ItemRetrying, 1, retry_at=9.0)
    story.item(ev.ItemFailed, 2)
    story.tell(ev.StepFailed, "m", 1, tolerated=True)
    assert (story.state.steps[1], story.state.timers, list(story.state.open)) == (TOLERATED, [], [])


@pytest.mark.parametrize("end", ["raises", "skips"])
def test_a_guard_of_a_map_in_its_second_visit_gives_its_slot_back(end: str) -> None:
    """S14: a slot that nobody holds any more is free, also where the map has items of an earlier visit."""
    story = Story()
    story.item(ev.ItemCompleted, 0)
    story.tell(ev.StepCancelled, "m", 1)
    story.tell(ev.RunFinished, status="cancelled")
    story.tell(ev.RunResumed)
    story.tell(ev.StepReset, paths=("m",), cause="resume")
    story.tell(StepGuarded, "m#2")
    assert story.state.running == 1
    if end == "raises":
        story.tell(ev.StepStarted, "m#2", 1)
        story.tell(ev.StepFailed, "m#2", 1)
    else:
        story.tell(ev.StepSkipped, "m#2")
    assert story.state.running == 0


def test_of_a_large_output_of_an_item_the_state_keeps_which_it_is() -> None:
    """S14: its bytes lie in a file; those of a small one in the journal, and here."""
    story, small, large = Story(), ev.Payload.of(b"x"), ev.Payload.of(bytes(ev.LARGE + 1))
    for index, output in enumerate((small, large)):
        story.item(ev.ItemStarted, index)
        story.item(ev.ItemCompleted, index, output=output)
    assert story.items.results == [small, ev.Payload(None, large.digest, ev.LARGE + 1), None]
