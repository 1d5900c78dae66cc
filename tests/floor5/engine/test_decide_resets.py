"""What begins again: after a jump back, what its loop takes from before it and nobody has any more."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from stepwell import Goto, PayloadLost, Pipeline, Stop
from stepwell import events as ev
from stepwell.engine.commands import Guard as Ask
from stepwell.engine.decide import decide
from stepwell.engine.decide_resets import jump_resets, resets
from stepwell.graph import Edge
from stepwell.plan.plan import Guard, Parameter, PlanStep
from stepwell.state.sparks import GuardPassed, StepGuarded
from stepwell.testing import Crashed, Harness

from .plans import NOW, Story, fan, guarded, nothing, plan, step

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


def test_a_when_that_passed_before_a_jump_is_asked_again_after_it() -> None:
    """B8, B11: its step waited for a slot, so nothing of it is recorded; a replay would ask."""
    steps = [step(A), step(B, guard=guarded()), step(C, goto=(A,))]
    story = Story(plan(steps, Edge(A, B), Edge(A, C), concurrency=1)).complete("a")
    story.tell(StepGuarded, "b").tell(GuardPassed, "b").start("c").tell(ev.StepCompleted, "c", 1, goto="a")
    again = jump_resets(story.plan, story.state, A)
    assert again == (A, B, C)
    story.tell(ev.StepReset, "c", 1, paths=("a", "b", "c"), cause="goto").complete("a#2")
    assert Ask(B) in decide(story.plan, story.state, NOW)


@pytest.mark.parametrize("slots", [None, 1])
def test_each_visit_of_a_loop_asks_its_own_conditions(slots: int | None) -> None:
    """B8, B11: whether or not the step behind a condition had a slot in the visit before."""
    pipe = Pipeline("visits", concurrency=slots, output="judge")
    visits, asked, ran = iter([1, 2]), list[int](), list[int]()

    @pipe.step
    async def a() -> int:
        return next(visits)

    @pipe.step
    async def b(a: int) -> int:
        return a

    def is_first(a: int) -> bool:
        asked.append(a)
        return a == 1

    @pipe.step(when=is_first)
    async def c(a: int) -> int:
        ran.append(a)
        return a

    @pipe.step(join="any", goto=["a"])
    async def judge(a: int, b: int = 0, c: int = 0) -> int | Goto:
        return Goto("a") if a == 1 else a

    assert pipe.run_sync().status == "completed"
    assert asked == [1, 2]
    assert 2 not in ran


def test_a_run_that_was_stopped_makes_nothing_again() -> None:
    """S1, S9: though what returned `Stop` was not kept; else the stop would be forgotten."""
    steps = [step(A, ephemeral=True), takes(B, A)]
    story = Story(plan(steps, Edge(A, B, needs=True))).complete("a", stops=True, kept=False)
    story.tell(ev.RunResumed, recovered=True)
    assert resets(story.plan, story.state).paths == ()


async def test_the_value_of_a_stop_that_died_with_its_process_is_told_to_be_lost() -> None:
    """S1, S3: an ephemeral step returned `Stop`; the run ends as it was to end, and gives no other output."""
    pipe = Pipeline("stops")

    @pipe.step(durability="ephemeral")
    async def enough() -> int | Stop[str]:
        return Stop("enough")

    @pipe.step
    async def beside() -> int:
        await asyncio.get_running_loop().create_future()
        return 1

    @pipe.step
    async def last(enough: int) -> int:
        return enough

    async with Harness(pipe) as h:
        h.crash_after("enough")
        with pytest.raises(Crashed):
            await h.run()
        result = await h.resume()
        assert (result.status, result.steps["enough"].status) == ("stopped", "completed")
        assert len(h.calls("enough")) == 1
        with pytest.raises(PayloadLost, match="`enough` is ephemeral"):
            result.output  # noqa: B018 - reading it is what raises
