"""Which steps run: `when`, switches, branches that meet again, defaults where a value is missing."""

from __future__ import annotations

import pytest

from stepwell import Pipeline, Skip

from .conftest import Play
from .telling import tale, told


def guarded(default: bool) -> Pipeline:
    """A step with a `when`, one that follows in order, and one that wants its value."""
    pipe = Pipeline("guarded")

    @pipe.step
    async def size(n: int) -> int:
        return n

    @pipe.step(when=lambda size: size > 10)
    async def shrink(size: int) -> int:
        return size // 2

    if default:

        @pipe.step
        async def use(size: int, shrink: int = -1) -> int:
            return shrink if shrink >= 0 else size
    else:

        @pipe.step
        async def use(shrink: int) -> int:
            return shrink

    @pipe.step(after=shrink)
    async def tidy() -> str:
        return "tidy"

    return pipe


async def test_a_step_whose_when_is_true_runs(play: Play) -> None:
    """B8: the condition is asked after what it needs."""
    h = play(guarded(default=False))
    assert (await h.run(n=20)).outputs == {"size": 20, "shrink": 10, "use": 10, "tidy": "tidy"}
    assert told(h).splitlines()[1:5] == [
        "STEP_STARTED size attempt=1",
        "STEP_COMPLETED size attempt=1 -> 20",
        "STEP_STARTED shrink attempt=1",
        "STEP_COMPLETED shrink attempt=1 -> 10",
    ]


async def test_a_skipped_step_hands_on_order_and_a_default_takes_the_place_of_its_value(play: Play) -> None:
    """B8, ruling 3: when is false: order goes on, a default takes its place."""
    h = play(guarded(default=True))
    result = await h.run(n=5)
    assert (result.status, result.outputs) == ("completed", {"size": 5, "use": 5, "tidy": "tidy"})
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED size attempt=1
        STEP_COMPLETED size attempt=1 -> 5
        JOIN_WAITING use for=shrink
        STEP_SKIPPED shrink when_false
        JOIN_RELEASED use
        STEP_STARTED use attempt=1
        STEP_STARTED tidy attempt=1
        STEP_COMPLETED use attempt=1 -> 5
        STEP_COMPLETED tidy attempt=1 -> 'tidy'
        RUN_FINISHED completed
    """)


async def test_a_step_that_needs_the_value_of_a_skipped_one_is_pruned(play: Play) -> None:
    """B8, ruling 3: a parameter without a default prunes; the run is completed all the same."""
    h = play(guarded(default=False))
    result = await h.run(n=5)
    assert result.status == "completed"
    assert "STEP_PRUNED use no_value" in told(h)
    assert {name: one.status for name, one in result.steps.items()} == {
        "size": "completed", "shrink": "skipped", "use": "pruned", "tidy": "completed",
    }  # fmt: skip


async def test_a_when_that_raises_fails_its_step_and_is_not_tried_again(play: Play) -> None:
    """B8: a condition that cannot be evaluated is a failure, not a false."""
    pipe = Pipeline("bad-when")

    @pipe.step(when=lambda n: 1 // n > 0, retry=3)
    async def work(n: int) -> int:
        return n

    h = play(pipe)
    result = await h.run(n=0)
    assert [(one.path, one.type, one.reason) for one in result.failures] == [
        ("work", "ZeroDivisionError", "when_raised")
    ]
    assert h.calls("work") == []


async def test_a_step_that_failed_is_not_asked_its_when_again(play: Play) -> None:
    """B8: the condition belongs to the step, not to the attempt."""
    pipe = Pipeline("once")
    asked: list[int] = []

    def check(n: int) -> bool:
        asked.append(n)
        return True

    @pipe.step(when=check, retry=3)
    async def work(n: int) -> int:
        return n

    h = play(pipe)
    h.mock("work", side_effect=[OSError(), 2])
    assert (await h.run(n=1)).output == 2
    assert asked == [1]


def branches() -> Pipeline:
    """A short and a long branch that meet again, and a third route by default."""
    pipe = Pipeline("branches")

    @pipe.switch(to={"short": "quick", "long": "first"}, default="other")
    async def way(n: str) -> str:
        return n

    @pipe.step
    async def quick() -> str:
        return "quick"

    @pipe.step
    async def first() -> str:
        return "first"

    @pipe.step
    async def second(first: str) -> str:
        return f"{first}+second"

    @pipe.step
    async def other() -> str:
        return "other"

    @pipe.step
    async def meet(quick: str = "-", second: str = "-", other: str = "-") -> str:
        return f"{quick} {second} {other}"

    return pipe


@pytest.mark.parametrize(
    ("way", "output"), [("short", "quick - -"), ("long", "- first+second -"), ("elsewhere", "- - other")]
)
async def test_branches_of_unequal_length_meet_again(play: Play, way: str, output: str) -> None:
    """B7: the wound was a join that silently never ran."""
    result = await play(branches()).run(n=way)
    assert (result.status, result.output) == ("completed", output)


async def test_the_branch_that_is_not_taken_is_pruned_to_its_end(play: Play) -> None:
    """B7: not taken is told step by step, until the join."""
    h = play(branches())
    await h.run(n="short")
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED way attempt=1
        BRANCH_CHOSEN way attempt=1 short -> quick
        STEP_COMPLETED way attempt=1 -> 'short'
        STEP_STARTED quick attempt=1
        STEP_PRUNED first not_reached
        STEP_PRUNED other not_reached
        JOIN_WAITING meet for=quick,second
        STEP_PRUNED second not_reached
        STEP_COMPLETED quick attempt=1 -> 'quick'
        JOIN_RELEASED meet
        STEP_STARTED meet attempt=1
        STEP_COMPLETED meet attempt=1 -> 'quick - -'
        RUN_FINISHED completed
    """)


async def test_a_value_without_a_route_fails_the_switch_and_names_the_routes(play: Play) -> None:
    """B7: no match, no default."""
    pipe = Pipeline("routeless")

    @pipe.switch(to={"a": "left"})
    async def way() -> str:
        return "z"

    @pipe.step
    async def left() -> None: ...

    h = play(pipe)
    result = await h.run()
    assert result.status == "failed"
    assert "'z'" in result.failures[0].message
    assert "'a'" in result.failures[0].message
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED way attempt=1
        STEP_FAILED way attempt=1 error:ValueError
        RUN_FINISHED failed not_run=left
    """)


async def test_true_is_not_the_route_of_one(play: Play) -> None:
    """B7: a route is chosen by its value and its type."""
    pipe = Pipeline("bools")

    @pipe.switch(to={1: "one"}, default="rest")
    async def way() -> bool:
        return True

    @pipe.step
    async def one() -> None: ...

    @pipe.step
    async def rest() -> str:
        return "rest"

    assert (await play(pipe).run()).outputs["rest"] == "rest"


async def test_a_route_to_a_step_that_to_also_leads_to_is_always_live(play: Play) -> None:
    """Rule 1: `to` of another step keeps a target alive that a switch did not choose."""
    pipe = Pipeline("two-triggers")

    @pipe.switch(to={"a": "left", "b": "right"})
    async def way() -> str:
        return "a"

    @pipe.step(to="right")
    async def also() -> None: ...

    @pipe.step
    async def left() -> str:
        return "left"

    @pipe.step
    async def right() -> str:
        return "right"

    assert (await play(pipe).run()).output == {"left": "left", "right": "right"}


async def test_skip_prunes_the_step_and_what_depends_on_it_alone(play: Play) -> None:
    """B5: a join with another live step before it and a default runs."""
    pipe = Pipeline("skips")

    @pipe.step
    async def maybe() -> int | Skip:
        return Skip("nothing new")

    @pipe.step
    async def sure() -> int:
        return 1

    @pipe.step
    async def only(maybe: int) -> int:
        return maybe

    @pipe.step(after=maybe)
    async def ordered() -> int:
        return 0

    @pipe.step
    async def both(sure: int, maybe: int = 7) -> int:
        return sure + maybe

    h = play(pipe)
    result = await h.run()
    assert (result.status, result.outputs) == ("completed", {"sure": 1, "both": 8})
    assert {name: (one.status, one.reason) for name, one in result.steps.items() if one.status == "pruned"} == {
        "maybe": ("pruned", "nothing new"), "only": ("pruned", "not_reached"), "ordered": ("pruned", "not_reached"),
    }  # fmt: skip
