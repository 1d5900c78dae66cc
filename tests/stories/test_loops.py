"""Steps that jump back: refine until it is good enough, loops in loops, over maps and switches, crashed and resumed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from stepwell import Goto, LoopLimit, Pipeline, Skip, StepContext, StepError, Stop
from stepwell.testing import Crashed

from .conftest import Play
from .crashing import executions, resumed_everywhere
from .doing import awaited, until
from .telling import tale, told


def refine(good: int, **options: object) -> Pipeline:
    """A draft that gets longer each visit, a judge who wants it so long, and somebody who sends it."""
    pipe = Pipeline("refine")

    @pipe.step
    async def topic() -> str:
        return "x"

    @pipe.step
    async def draft(topic: str, step: StepContext) -> str:
        _, _, visit = step.path.partition("#")
        return topic * int(visit or 1)

    @pipe.step(goto=[draft], **options)  # type: ignore[call-overload]
    async def judge(draft: str) -> str | Goto:
        return draft if len(draft) >= good else Goto("draft", best=draft.upper())

    @pipe.step
    async def send(judge: str) -> str:
        return f"sent {judge}"

    return pipe


async def test_a_draft_is_refined_until_the_judge_is_pleased(play: Play) -> None:
    """B11, B12: what is before the target does not run again, what follows the judge runs once."""
    h = play(refine(3))
    result = await h.run()
    assert (result.status, result.output) == ("completed", "sent xxx")
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED topic attempt=1
        STEP_COMPLETED topic attempt=1 -> 'x'
        STEP_STARTED draft attempt=1
        STEP_COMPLETED draft attempt=1 -> 'x'
        STEP_STARTED judge attempt=1
        STEP_COMPLETED judge attempt=1 goto=draft
        STEP_RESET judge attempt=1 draft,judge goto
        STEP_STARTED draft#2 attempt=1
        STEP_COMPLETED draft#2 attempt=1 -> 'xx'
        STEP_STARTED judge#2 attempt=1
        STEP_COMPLETED judge#2 attempt=1 goto=draft
        STEP_RESET judge#2 attempt=1 draft#2,judge#2 goto
        STEP_STARTED draft#3 attempt=1
        STEP_COMPLETED draft#3 attempt=1 -> 'xxx'
        STEP_STARTED judge#3 attempt=1
        STEP_COMPLETED judge#3 attempt=1 -> 'xxx'
        STEP_STARTED send attempt=1
        STEP_COMPLETED send attempt=1 -> 'sent xxx'
        RUN_FINISHED completed
    """)


async def test_the_record_of_a_step_keeps_its_earlier_visits(play: Play) -> None:
    """B11: which visit it is in, and what became of those before."""
    result = await play(refine(3)).run()
    draft, judge, send = (result.steps[name] for name in ("draft", "judge", "send"))
    assert (draft.path, draft.visit, judge.visit, send.visit) == ("draft#3", 3, 3, 1)
    assert [(one.path, one.visit, one.status, one.attempts) for one in draft.visits] == [
        ("draft", 1, "completed", 1), ("draft#2", 2, "completed", 1),
    ]  # fmt: skip
    assert [one.path for one in judge.visits] == ["judge", "judge#2"]
    assert send.visits == ()
    assert not judge.soft_failed


async def test_at_the_ceiling_a_loop_ends_with_its_best_and_the_run_goes_on(play: Play) -> None:
    """B12: soft_failed; `max_visits` counts the visits, the first included."""
    h = play(refine(9, max_visits=2))
    result = await h.run()
    assert (result.status, result.output) == ("completed", "sent XX")
    assert result.steps["judge"].soft_failed
    assert [len(h.calls(name)) for name in ("topic", "draft", "judge", "send")] == [1, 2, 2, 1]
    assert "STEP_COMPLETED judge#2 attempt=1 -> 'XX' soft_failed" in told(h)


async def test_a_loop_that_may_not_go_on_and_has_no_best_fails(play: Play) -> None:
    """B11: kind `loop`, with LoopLimit as its cause; it is not retried."""
    pipe = Pipeline("endless")

    @pipe.step(goto="again", max_visits=3, retry=2)
    async def again() -> Goto:
        return Goto("again")

    h = play(pipe)
    result = await h.run()
    assert result.status == "failed"
    (failure,) = result.failures
    assert (failure.path, failure.kind, failure.reason, failure.type) == ("again#3", "loop", "max_visits", "LoopLimit")
    assert "`again` has had all 3 of its visits" in failure.message
    assert len(h.calls("again")) == 3
    with pytest.raises(StepError) as caught:
        result.raise_for_status()
    assert isinstance(caught.value.__cause__, LoopLimit)


async def test_the_ceiling_of_the_target_counts_as_well(play: Play) -> None:
    """B11: `max_visits` of whichever of the two is lower."""
    pipe = Pipeline("target")

    @pipe.step(max_visits=2)
    async def draft() -> int:
        return 1

    @pipe.step(goto=[draft])
    async def judge(draft: int) -> int | Goto:
        return Goto("draft", best=draft)

    h = play(pipe)
    result = await h.run()
    assert (result.output, result.steps["judge"].soft_failed, len(h.calls("draft"))) == (1, True, 2)


async def test_a_hundred_visits_are_allowed_where_nothing_is_said(play: Play) -> None:
    """B11: a guard by default, where its wound had none."""
    pipe = Pipeline("default")

    @pipe.step(goto="again")
    async def again() -> int | Goto:
        return Goto("again", best=7)

    h = play(pipe)
    result = await h.run()
    assert (result.status, result.output, len(h.calls("again"))) == ("completed", 7, 100)


async def test_a_step_may_jump_back_to_itself(play: Play) -> None:
    """B11: a self-loop, by function or by name."""
    pipe = Pipeline("itself")

    @pipe.step(goto=["count-up"], name="count-up")
    async def count_up(step: StepContext) -> str | Goto:
        if step.path.endswith("#3"):
            return step.path
        return Goto(count_up) if "#" in step.path else Goto("count_up")

    h = play(pipe)
    assert (await h.run()).output == "count-up#3"
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED count-up attempt=1
        STEP_COMPLETED count-up attempt=1 goto=count-up
        STEP_RESET count-up attempt=1 count-up goto
        STEP_STARTED count-up#2 attempt=1
        STEP_COMPLETED count-up#2 attempt=1 goto=count-up
        STEP_RESET count-up#2 attempt=1 count-up#2 goto
        STEP_STARTED count-up#3 attempt=1
        STEP_COMPLETED count-up#3 attempt=1 -> 'count-up#3'
        RUN_FINISHED completed
    """)


def nested() -> Pipeline:
    """Three lines of two words: an inner loop makes words, an outer one lines."""
    pipe = Pipeline("nested")

    @pipe.step
    async def line(step: StepContext) -> int:
        return _visit(step)

    @pipe.step
    async def word(line: int, step: StepContext) -> int:
        return _visit(step)

    @pipe.step(goto=[word])
    async def words(word: int) -> int | Goto:
        return word if word % 2 == 0 else Goto("word")

    @pipe.step(goto=[line])
    async def lines(line: int, words: int) -> str | Goto:
        return f"{line} lines, {words} words" if line == 3 else Goto("line")

    return pipe


def _visit(step: StepContext) -> int:
    return int(step.path.partition("#")[2] or 1)


async def test_loops_may_stand_in_loops(play: Play) -> None:
    """B11: the inner one begins anew each visit of the outer one."""
    h = play(nested())
    result = await h.run()
    assert (result.status, result.output) == ("completed", "3 lines, 6 words")
    assert [len(h.calls(name)) for name in ("line", "word", "words", "lines")] == [3, 6, 6, 3]


async def test_what_follows_the_target_beside_the_loop_runs_each_visit(play: Play) -> None:
    """B11: a side step that the judge waits for is in the loop; it gets the draft of its visit."""
    pipe = Pipeline("side")

    @pipe.step
    async def draft(step: StepContext) -> int:
        return _visit(step)

    @pipe.step
    async def spell(draft: int) -> int:
        return draft * 10

    @pipe.step(goto=[draft])
    async def judge(draft: int, spell: int) -> list[int] | Goto:
        return [draft, spell] if draft == 2 else Goto("draft")

    h = play(pipe)
    assert (await h.run()).output == [2, 20]
    assert "STEP_RESET judge attempt=1 draft,spell,judge goto" in told(h)
    assert "JOIN_RELEASED judge#2" in told(h)


async def test_when_is_asked_again_each_visit(play: Play) -> None:
    """B8, B11: what was skipped in one visit may run in the next."""
    pipe = Pipeline("when")

    @pipe.step
    async def draft(step: StepContext) -> int:
        return _visit(step)

    @pipe.step(when=lambda draft: draft > 1)
    async def polish(draft: int) -> int:
        return draft * 100

    @pipe.step(goto=[draft])
    async def judge(draft: int, polish: int = 0) -> int | Goto:
        return polish if polish else Goto("draft")

    h = play(pipe)
    assert (await h.run()).output == 200
    kinds = h.kinds(paths=True)
    assert [one for one in kinds if "polish" in one] == [
        "STEP_SKIPPED polish", "STEP_STARTED polish#2", "STEP_COMPLETED polish#2",
    ]  # fmt: skip


async def test_a_loop_over_a_switch_may_take_another_branch_each_visit(play: Play) -> None:
    """B7, B11: the choice is made anew."""
    pipe = Pipeline("switch")

    @pipe.switch(to={"odd": "left", "even": "right"})
    async def which(step: StepContext) -> str:
        return "odd" if _visit(step) % 2 else "even"

    @pipe.step
    async def left() -> str:
        return "left"

    @pipe.step
    async def right() -> str:
        return "right"

    @pipe.step(goto=[which])
    async def meet(left: str = "", right: str = "") -> str | Goto:
        return Goto("which") if left else right

    h = play(pipe)
    result = await h.run()
    assert result.output == "right"
    assert (result.steps["left"].status, result.steps["left"].visits[0].status) == ("pruned", "completed")
    assert (result.steps["right"].status, result.steps["right"].visits[0].status) == ("completed", "pruned")


async def test_a_switch_may_jump_back_itself(play: Play) -> None:
    """B7, B11: instead of choosing."""
    pipe = Pipeline("switch-jumps")

    @pipe.step
    async def draft(step: StepContext) -> int:
        return _visit(step)

    @pipe.switch(to={"good": "send"}, goto=[draft])
    async def judge(draft: int) -> str | Goto:
        return "good" if draft == 2 else Goto("draft")

    @pipe.step
    async def send(draft: int) -> str:
        return f"sent {draft}"

    h = play(pipe)
    assert (await h.run()).output == "sent 2"
    assert h.kinds().count("BRANCH_CHOSEN") == 1


def mapped(**options: object) -> Pipeline:
    """A loop over a map: each visit one number more."""
    pipe = Pipeline("mapped")

    @pipe.step
    async def numbers(step: StepContext) -> list[int]:
        return list(range(1, _visit(step) + 1))

    @pipe.map(over=numbers, concurrency=1, **options)  # type: ignore[arg-type]
    async def square(item: int) -> int:
        return item * item

    @pipe.step(goto=[numbers])
    async def judge(square: list[int]) -> list[int] | Goto:
        return square if len(square) == 3 else Goto("numbers")

    return pipe


async def test_a_map_in_a_loop_has_new_items_in_new_visits(play: Play) -> None:
    """B11, S2, S6: the items of one visit are never taken for those of another one."""
    h = play(mapped())
    assert (await h.run()).output == [1, 4, 9]
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED numbers attempt=1
        STEP_COMPLETED numbers attempt=1 -> [1]
        STEP_STARTED square attempt=1
        MAP_EXPANDED square attempt=1 count=1
        ITEM_COMPLETED square[0] attempt=1 -> 1
        STEP_COMPLETED square attempt=1
        STEP_STARTED judge attempt=1
        STEP_COMPLETED judge attempt=1 goto=numbers
        STEP_RESET judge attempt=1 numbers,square,judge goto whole=square
        STEP_STARTED numbers#2 attempt=1
        STEP_COMPLETED numbers#2 attempt=1 -> [1, 2]
        STEP_STARTED square#2 attempt=1
        MAP_EXPANDED square#2 attempt=1 count=2
        ITEM_COMPLETED square[0]#2 attempt=1 -> 1
        ITEM_COMPLETED square[1]#2 attempt=1 -> 4
        STEP_COMPLETED square#2 attempt=1
        STEP_STARTED judge#2 attempt=1
        STEP_COMPLETED judge#2 attempt=1 goto=numbers
        STEP_RESET judge#2 attempt=1 numbers#2,square#2,judge#2 goto whole=square#2
        STEP_STARTED numbers#3 attempt=1
        STEP_COMPLETED numbers#3 attempt=1 -> [1, 2, 3]
        STEP_STARTED square#3 attempt=1
        MAP_EXPANDED square#3 attempt=1 count=3
        ITEM_COMPLETED square[0]#3 attempt=1 -> 1
        ITEM_COMPLETED square[1]#3 attempt=1 -> 4
        ITEM_COMPLETED square[2]#3 attempt=1 -> 9
        STEP_COMPLETED square#3 attempt=1
        STEP_STARTED judge#3 attempt=1
        STEP_COMPLETED judge#3 attempt=1 -> [1, 4, 9]
        RUN_FINISHED completed
    """)


async def test_an_item_that_was_reset_by_a_resume_and_then_by_a_jump_is_in_a_visit_of_its_own(play: Play) -> None:
    """B11, S2, S6: with keys: at most one end a path, whatever reset it."""
    pipe = mapped(key=lambda number: f"k{number}")
    h = play(pipe)
    h.mock("square", side_effect=[1, OSError("once")])
    assert (await h.run()).status == "failed"
    h.unmock()
    assert (await h.resume()).output == [1, 4, 9]
    ends = [one for one in h.kinds(paths=True) if one.startswith("ITEM_COMPLETED")]
    assert len(ends) == len(set(ends))


async def test_a_jump_to_a_step_that_was_not_declared_is_an_error_of_the_step(play: Play) -> None:
    """B1, B11: with those that are declared."""
    pipe = refine(9)
    h = play(pipe)
    h.mock("judge", returns=Goto("topic"))
    result = await h.run()
    assert result.status == "failed"
    (failure,) = result.failures
    assert (failure.step, failure.type) == ("judge", "ValueError")
    assert failure.message == "it returned Goto to `topic`, and declares `draft`; add it to its option goto=[…]"


async def test_a_returned_name_of_a_step_is_text_and_no_jump(play: Play) -> None:
    """B1: jumps are `Goto`, also where the step declares where it may jump to."""
    h = play(refine(0))
    h.mock("draft", returns="draft")
    assert (await h.run()).output == "sent draft"


async def test_a_best_that_cannot_be_recorded_is_told_when_it_is_given(play: Play) -> None:
    """S21: not first at the ceiling."""
    h = play(refine(9))
    h.mock("judge", returns=Goto("draft", best=3.5))
    result = await h.run()
    assert (result.status, result.failures[0].kind) == ("failed", "codec")
    assert len(h.calls("judge")) == 1


async def test_goto_in_an_item_of_a_map_is_an_error(play: Play) -> None:
    """B11: a map does not jump: it has no `goto`."""
    pipe = Pipeline("item-jumps")

    @pipe.step
    async def numbers() -> list[int]:
        return [1]

    @pipe.map(over=numbers)
    async def work(item: int) -> int | Goto:
        return Goto("numbers")

    result = await play(pipe).run()
    assert result.failures[0].message == (
        "it returned Goto to `numbers`, and declares none; add it to its option goto=[…]"
    )


async def test_stop_inside_a_loop_ends_the_run(play: Play) -> None:
    """B2, B11: in whichever visit."""
    h = play(refine(9))
    h.mock("judge", side_effect=[Goto("draft"), Stop("enough")])
    result = await h.run()
    assert (result.status, result.output) == ("stopped", "enough")
    assert result.steps["judge"].visit == 2
    assert h.calls("send") == []


async def test_skip_inside_a_loop_prunes_what_follows(play: Play) -> None:
    """B5, B11: the loop is over, and so is what depends on it alone."""
    h = play(refine(9))
    h.mock("judge", side_effect=[Goto("draft"), Skip("boring")])
    result = await h.run()
    assert (result.status, result.output) == ("completed", None)
    assert (result.steps["judge"].reason, result.steps["send"].status) == ("boring", "pruned")


async def test_a_jump_cancels_what_of_its_loop_still_runs(play: Play) -> None:
    """B11: with an any-join a judge may jump while a branch of its loop runs; that ends first, reason "goto"."""
    pipe = Pipeline("races")
    inside, cancelled = asyncio.Event(), asyncio.Event()

    @pipe.step
    async def draft(step: StepContext) -> int:
        return _visit(step)

    @pipe.step
    async def quick(draft: int) -> int:
        await inside.wait()
        return draft

    @pipe.step
    async def slow(draft: int) -> int:
        if draft == 2:
            return draft
        inside.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return draft

    @pipe.step(join="any", goto=[draft])
    async def judge(quick: int = 0, slow: int = 0) -> int | Goto:
        return max(quick, slow) if max(quick, slow) == 2 else Goto("draft")

    h = play(pipe)
    result = await h.run()
    assert (result.status, result.output) == ("completed", 2)
    assert cancelled.is_set()
    lines = told(h).splitlines()
    jump = lines.index("STEP_COMPLETED judge attempt=1 goto=draft")
    assert lines[jump + 1 : jump + 3] == [
        "STEP_CANCELLED slow attempt=1 goto",
        "STEP_RESET judge attempt=1 draft,quick,slow,judge goto",
    ]


async def test_a_failure_in_a_later_visit_is_mended_in_the_loop(play: Play) -> None:
    """B11, F6: the resume goes on in the loop and does not begin it anew; its resets are no visits of a loop."""
    h = play(refine(3, max_visits=3))
    h.mock("draft", side_effect=["x", OSError("once")])
    assert (await h.run()).status == "failed"
    facts = len(h.events)
    h.mock("draft", side_effect=["xx", "xxx"])
    result = await h.resume()
    assert (result.status, result.output) == ("completed", "sent xxx")
    assert told(h, after=facts) == tale("""
        RUN_RESUMED
        STEP_RESET draft#2 resume
        STEP_STARTED draft#3 attempt=1
        STEP_COMPLETED draft#3 attempt=1 -> 'xx'
        STEP_STARTED judge#2 attempt=1
        STEP_COMPLETED judge#2 attempt=1 goto=draft
        STEP_RESET judge#2 attempt=1 draft#3,judge#2 goto
        STEP_STARTED draft#4 attempt=1
        STEP_COMPLETED draft#4 attempt=1 -> 'xxx'
        STEP_STARTED judge#3 attempt=1
        STEP_COMPLETED judge#3 attempt=1 -> 'xxx'
        STEP_STARTED send attempt=1
        STEP_COMPLETED send attempt=1 -> 'sent xxx'
        RUN_FINISHED completed
    """)
    assert len(h.calls("topic")) == 1
    assert result.failures == ()
    assert [one.status for one in result.steps["draft"].visits] == ["completed", "failed", "completed"]


async def test_a_crash_between_a_jump_and_its_reset_goes_on_with_the_jump(play: Play) -> None:
    """B11, S1: a jump that is recorded is made, though a branch still ran when the process died."""
    pipe = Pipeline("dies-jumping")
    inside = asyncio.Event()

    @pipe.step
    async def draft(step: StepContext) -> int:
        return _visit(step)

    @pipe.step
    async def slow(draft: int) -> int:
        if draft == 1:
            inside.set()
            await asyncio.Event().wait()
        return draft

    @pipe.step
    async def quick(draft: int) -> int:
        if draft == 1:
            await inside.wait()
        return draft

    @pipe.step(join="any", goto=[draft])
    async def judge(slow: int = 0, quick: int = 0) -> int | Goto:
        return Goto("draft") if max(slow, quick) == 1 else 2

    h = play(pipe)
    h.crash_after("judge")
    with pytest.raises(Crashed):
        await h.run()
    assert h.kinds()[-1] == "STEP_COMPLETED"
    result = await h.resume()
    assert (result.status, result.output) == ("completed", 2)
    assert len(h.calls("judge")) == 2


@pytest.mark.parametrize("make", [lambda: refine(3), lambda: refine(9, max_visits=3), nested, mapped])
@pytest.mark.parametrize("durable", [True, False])
async def test_a_crash_at_any_append_of_a_loop_changes_nothing(
    play: Play, make: Callable[[], Pipeline], durable: bool
) -> None:
    """B11, F11, S3, S4: the same output; each visit is executed at most once more than undisturbed."""
    h = play(make())
    expected, once = (await h.run()).output, executions(h)
    assert set(once.values()) == {1}
    async for append, result in resumed_everywhere(h, durable=durable):
        assert (result.output, result.status) == (expected, "completed"), f"crash at append {append}"
        again = executions(h)
        assert again.keys() == once.keys(), f"crash at append {append}"
        assert max(again.values()) <= 2, f"crash at append {append}: {again}"


async def test_crashes_again_and_again_do_not_keep_a_loop_from_its_end(play: Play) -> None:
    """B11, S3, S9: at each third append a process dies."""
    h = play(refine(3))
    expected = (await h.run()).output
    h.crash_at(3)
    with pytest.raises(Crashed):
        await h.run()
    for _ in range(50):
        h.crash_at(3)
        try:
            result = await h.resume()
        except Crashed:
            continue
        break
    else:
        raise AssertionError("it never comes to an end")
    assert result.output == expected
    assert max(executions(h).values()) <= 2


async def test_a_cancel_in_a_loop_goes_on_in_it(play: Play) -> None:
    """B11, F6: what was cancelled in visit 2 runs again, visit 1 of it does not."""
    pipe = Pipeline("cancelled")
    inside, free = asyncio.Event(), asyncio.Event()

    @pipe.step
    async def draft(step: StepContext) -> int:
        if _visit(step) == 2:
            inside.set()
            await free.wait()
        return _visit(step)

    @pipe.step(goto=[draft])
    async def judge(draft: int) -> int | Goto:
        return draft if draft > 1 else Goto("draft")

    h = play(pipe)
    run = h.start()
    task = awaited(run)
    await until(inside.is_set)
    await run.cancel("enough")
    assert (await task).status == "cancelled"
    free.set()
    result = await h.resume()
    assert (result.status, result.output) == ("completed", 3)
    assert [call.path for call in h.calls("draft")] == ["draft", "draft#2", "draft#3"]
