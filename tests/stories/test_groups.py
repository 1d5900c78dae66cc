"""Parallel groups of the sequential builder: after the step before them, before the step after them."""

from __future__ import annotations

import asyncio

import pytest

from stepwell import DefinitionError, Pipeline

from .conftest import Play
from .telling import tale, told


async def one() -> int:
    return 1


async def two() -> int:
    return 2


def ends(pipe: Pipeline) -> dict[str, list[str]]:
    """The steps before each step."""
    graph = pipe.compile().graph
    return {name: [graph.names[one] for one in graph.before[number]] for number, name in enumerate(graph.names)}


async def test_a_group_follows_the_step_before_it_and_is_followed_by_all_of_it(play: Play) -> None:
    """D1, A7: all members start at once, what is added next waits for all of them."""
    pipe = Pipeline("group")
    both = asyncio.Barrier(2)

    async def left(first: int) -> int:
        await both.wait()
        return first + 1

    async def right() -> int:
        await both.wait()
        return 3

    def last(left: int, right: int) -> int:
        return left * right

    pipe.add_step("first", one).add_parallel_group([left, right]).add_step("last", last)
    h = play(pipe)
    assert (await h.run()).output == 6
    assert [line for line in told(h).splitlines() if "COMPLETED left" not in line and "COMPLETED right" not in line][
        :5
    ] == tale("""
        RUN_STARTED
        STEP_STARTED first attempt=1
        STEP_COMPLETED first attempt=1 -> 1
        STEP_STARTED left attempt=1
        STEP_STARTED right attempt=1
    """).splitlines()
    kinds = h.kinds(paths=True)
    assert kinds.index("STEP_STARTED last") > max(
        kinds.index("STEP_COMPLETED left"), kinds.index("STEP_COMPLETED right")
    )


def test_members_may_be_named_and_may_share_a_function() -> None:
    """D1: a function, or a name and a function."""
    pipe = Pipeline("named").add_step("a", one).add_parallel_group([one, ("again", one), ("two", two)])
    pipe.add_step("z", two)
    assert ends(pipe) == {"a": [], "one": ["a"], "again": ["a"], "two": ["a"], "z": ["one", "again", "two"]}


def test_a_group_at_the_beginning_starts_at_once() -> None:
    """A7: there is nothing before it."""
    assert ends(Pipeline("first").add_parallel_group([one, two])) == {"one": [], "two": []}


def test_a_group_follows_all_of_the_group_before_it() -> None:
    """D1: a whole stage after a whole stage."""
    pipe = Pipeline("stages").add_parallel_group([one, two]).add_parallel_group([("x", one), ("y", two)])
    assert ends(pipe) == {"one": [], "two": [], "x": ["one", "two"], "y": ["one", "two"]}


def test_depends_on_counts_more_than_the_group_before() -> None:
    """A7, A8: as after any step."""
    pipe = Pipeline("depends").add_parallel_group([one, two]).add_step("x", one, depends_on=[])
    pipe.add_step("y", two, depends_on="one").add_step("z", two)
    assert ends(pipe) == {"one": [], "two": [], "x": [], "y": ["one"], "z": ["y"]}


class Tool:
    """Not a function, but something to execute."""

    def execute(self) -> int:
        return 3


async def test_a_member_may_be_an_object_with_execute(play: Play) -> None:
    """A6: like any step of the builder."""
    pipe = Pipeline("objects").add_parallel_group([("tool", Tool()), one])  # type: ignore[list-item]
    assert (await play(pipe).run()).output == {"tool": 3, "one": 1}


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ([], r"a parallel group takes a list of functions, or of \(name, function\), not \[\]"),
        (one, "a parallel group takes a list of functions"),
        ("one", "a parallel group takes a list of functions, .*, not 'one'"),
        ([one, 3], r"a member of a parallel group is a function or \(name, function\), not 3"),
        ([("x", one, two)], r"a member of a parallel group is a function or \(name, function\)"),
        ([(3, one)], r"a member of a parallel group is a function or \(name, function\)"),
        ([("", one)], r"a member of a parallel group is a function or \(name, function\)"),
        ([one, ("x", 3)], "a step is a function, another callable, or an object with `execute`, not 3"),
        ([one, ("1st", two)], "begins with a letter"),
        ([one, one], "`one` is a step already"),
        ([one, ("a", two)], "`a` is a step already"),
    ],
)
def test_a_group_that_makes_no_sense_is_refused_as_a_whole(members: object, says: str) -> None:
    """A12: with what is right, and no member of it is a step then."""
    pipe = Pipeline("wrong").add_step("a", one)
    with pytest.raises(DefinitionError, match=says):
        pipe.add_parallel_group(members)  # type: ignore[arg-type]
    assert pipe.steps() == ("a",)
    assert ends(pipe.add_step("z", two)) == {"a": [], "z": ["a"]}


def test_all_members_that_are_wrong_are_told_at_once() -> None:
    """A12: not one after the other."""
    with pytest.raises(DefinitionError) as caught:
        Pipeline("wrong").add_parallel_group([one, 3, ("x",)])  # type: ignore[list-item]
    assert len(caught.value.problems) == 2
