"""What begins again: after a jump back, what its loop takes from before it and nobody has any more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stepwell import Goto, Pipeline
from stepwell import events as ev
from stepwell.engine.decide_resets import jump_resets, resets
from stepwell.graph import Edge
from stepwell.plan.plan import Guard, Parameter, PlanStep
from stepwell.testing import Crashed, Harness

from .plans import Story, fan, nothing, plan, step

A, B, C, D = range(4)


@pytest.mark.parametrize("crash", [False, True])
def test_a_jump_runs_again_what_was_not_kept_only_if_its_process_has_died(crash: bool) -> None:
    """A resume makes nothing again that only ended steps take; the jump that comes later needs it."""
    pipe = Pipeline("loop", output="judge")

    @pipe.step(durability="ephemeral")
    async def handle() -> object:
        return 3

    @pipe.step
    async def draft(handle: object) -> str:
        return f"draft {handle}"

    said = iter([Goto("draft"), "good"])

    @pipe.step(goto=["draft"])
    async def judge(draft: str) -> str | Goto:
        return next(said)

    with Harness(pipe) as h:
        if crash:
            h.crash_after("draft")
            with pytest.raises(Crashed):
                h.run_sync()
            result = h.resume_sync()
        else:
            result = h.run_sync()
        assert result.output == "good"
        assert len(h.calls("handle")) == 1 + crash
        assert len(h.calls("draft")) == 2


def takes(number: int, *sources: int, **options: object) -> PlanStep:
    """A step that takes the outputs of these."""
    parameters = tuple(Parameter(f"p{source}", "step", source) for source in sources)
    return replace(step(number, **options), parameters=parameters)


def chained(**options: object) -> Story:
    """a, b and c are ephemeral, c and d take what is before them, b takes nothing."""
    steps = [step(A, ephemeral=True), step(B, ephemeral=True), takes(C, A, ephemeral=True), takes(D, C, **options)]
    return Story(plan(steps, Edge(A, C, needs=True), Edge(B, D), Edge(C, D, needs=True))).complete("a", "b", kept=False)


def test_what_an_unfinished_step_takes_and_was_not_kept_runs_again_transitively() -> None:
    """S1: `b`, which nobody takes, does not."""
    story = chained().complete("c", kept=False).tell(ev.RunResumed, recovered=True)
    assert resets(story.plan, story.state).paths == ("a", "c")
    story = chained().tell(ev.RunResumed, recovered=True)
    assert resets(story.plan, story.state).paths == ("a",)


def test_what_only_ended_steps_take_does_not_run_again() -> None:
    """S1, S3."""
    story = chained().complete("c", kept=False).complete("d").tell(ev.RunResumed, recovered=True)
    assert resets(story.plan, story.state).paths == ()


def test_what_a_guard_takes_is_needed_too() -> None:
    """S1."""
    guard = Guard(nothing, (Parameter("a", "step", A),), "it may")
    story = Story(plan([step(A, ephemeral=True), step(B, guard=guard)], Edge(A, B, needs=True)))
    story.complete("a", kept=False).tell(ev.RunResumed, recovered=True)
    assert resets(story.plan, story.state).paths == ("a",)


def test_an_ephemeral_map_begins_again_as_a_whole() -> None:
    """S1, S7: nothing of its items is recorded; another map keeps those that have completed."""
    steps = [step(A), step(B, fan=fan(A), ephemeral=True), step(C, fan=fan(A))]
    story = Story(plan(steps, Edge(A, B, needs=True), Edge(A, C, needs=True))).complete("a")
    story.expand("b", 2).expand("c", 2).item(ev.ItemCompleted, "b", 0).item(ev.ItemCompleted, "c", 0)
    story.tell(ev.RunResumed, recovered=True)
    again = resets(story.plan, story.state)
    assert (again.paths, again.whole) == (("b",), ("b",))


def test_a_jump_resets_what_has_begun_of_all_that_follows_its_target() -> None:
    """B11: what has not begun needs no reset; a join that was said to wait does."""
    steps = [step(A), step(B), step(C), step(D)]
    story = Story(plan(steps, Edge(A, B), Edge(A, C), Edge(B, D), Edge(C, D))).complete("a", "b")
    assert jump_resets(story.plan, story.state, A) == (A, B)
    story.tell(ev.JoinWaiting, "d")
    assert jump_resets(story.plan, story.state, A) == (A, B, D)
    assert jump_resets(story.plan, story.state, B) == (B, D)


def test_a_jump_resets_what_its_loop_takes_of_a_dead_process() -> None:
    """B11, S1: though it is before the target; in the process that made it, it is at hand."""
    story = chained().complete("c", kept=False).start("d")
    assert jump_resets(story.plan, story.state, D) == (D,)
    story.tell(ev.RunResumed, recovered=True)
    assert jump_resets(story.plan, story.state, D) == (A, C, D)
