"""Steps that need two routes of one switch at once can never run, and that is told before anything does."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from stepwell.codecs.values import Codecs
from stepwell.definition.options import Written, step_spec
from stepwell.definition.spec import Definition, StepSpec
from stepwell.errors import DefinitionError
from stepwell.plan import compile as compiling
from stepwell.plan.plan import Plan
from stepwell.plan.reach import no_step_needs_two_routes_at_once

if TYPE_CHECKING:
    from .conftest import Pipe


def diamond(pipe: Pipe) -> None:
    """`choose` leads to `left` or to `right`; `left` to `further`."""
    pipe.switch(to={"l": "left", "r": "right"}, name="choose")(lambda: "l")
    pipe.step(lambda: 1, name="left")
    pipe.step(lambda: 1, name="right")
    pipe.step(lambda left: 1, name="further")


def test_needing_both_branches_of_a_switch_is_a_problem(pipe: Pipe) -> None:
    """A14: a join that would silently be pruned in each run; also some steps further on."""
    diamond(pipe)
    pipe.step(lambda further, right: 1, name="both")
    text = pipe.problems()
    assert "both: it can never run: it needs `right` on one route of the switch `choose`" in text.replace(
        "`further` on one route of the switch `choose` and needs `right`",
        "`right` on one route of the switch `choose`",
    )


def test_being_on_one_route_and_needing_another_is_a_problem(pipe: Pipe) -> None:
    """A14, B7: started by `left`, in need of `right`."""
    diamond(pipe)
    pipe.specs = [spec for spec in pipe.specs if spec.name != "left"]
    pipe.step(lambda right: 1, name="left")
    assert "left: it can never run: it is on one route of the switch `choose` and needs `right`" in pipe.problems()


def test_a_join_with_defaults_takes_whichever_branch_ran(pipe: Pipe) -> None:
    """B7: a value that is not there is replaced by the default."""
    diamond(pipe)
    pipe.step(lambda left=None, right=None: 1, name="join")
    pipe.step(lambda join, right=None: 1, name="after_join")
    pipe.compile()


def test_two_switches_are_independent_of_each_other(pipe: Pipe) -> None:
    """B7: needing one route of each is no contradiction."""
    diamond(pipe)
    pipe.switch(to={1: "up"}, default="down", name="other")(lambda: 1)
    pipe.step(lambda: 1, name="up")
    pipe.step(lambda: 1, name="down")
    pipe.step(lambda left, up: 1, name="fine")
    pipe.compile()
    pipe.step(lambda up, down: 1, name="wrong")
    assert "wrong: it can never run" in pipe.problems()


def test_what_follows_an_impossible_step_is_not_blamed_too(pipe: Pipe) -> None:
    """A12: one cause, one problem."""
    diamond(pipe)
    pipe.step(lambda left, right: 1, name="both")
    pipe.step(lambda both, left: 1, name="next")
    assert pipe.problems().count("can never run") == 1


def test_a_target_of_both_routes_is_reached_either_way(pipe: Pipe) -> None:
    """B7: all routes together are no condition."""
    pipe.switch(to={"l": ["left", "shared"], "r": ["right", "shared"]}, name="choose")(lambda: "l")
    for name in ("left", "right", "shared"):
        pipe.step(lambda: 1, name=name)
    pipe.step(lambda shared, left: 1, name="fine")
    pipe.compile()


@st.composite
def pipelines(draw: st.DrawFn) -> list[StepSpec]:
    """Steps and switches that lead forward, with needs and waits backward."""
    count = draw(st.integers(3, 8))
    written: list[StepSpec] = []
    for number in range(count):
        before = st.sampled_from([f"n{one}" for one in range(number)]) if number else st.nothing()
        later = st.lists(st.sampled_from([f"n{one}" for one in range(number + 1, count)]), max_size=2)
        needs = draw(st.lists(before, unique=True, max_size=2)) if number else []
        options: dict[str, object] = {
            "name": f"n{number}",
            "after": draw(st.lists(before, max_size=1)) if number else [],
        }
        kind = "step"
        if number + 1 < count and draw(st.booleans()):
            kind = "switch"
            options["to"] = {1: draw(later), 2: draw(later), 3: draw(later)}
        elif number + 1 < count and draw(st.booleans()):
            options["to"] = draw(later)
        space: dict[str, Callable[..., object]] = {}
        exec(f"def function({', '.join(needs)}): return 1", space)
        written.append(step_spec(Written(kind, space["function"], options)))
    return written


def ever_completed(plan: Plan) -> set[str]:
    """The steps that complete under some choices of the switches, by the three rules of the manual, one by one."""
    switches = [step for step in plan.steps if step.routes]
    found: set[str] = set()
    for choice in product(range(3), repeat=len(switches)):
        chosen = {
            switch.number: switch.routes.by_value[place][1] for switch, place in zip(switches, choice, strict=True)
        }
        done: set[int] = set()
        for number in range(len(plan.steps)):
            edges = [edge for edge in plan.graph.edges if edge.target == number]
            counted = [edge for edge in edges if edge.trigger] or edges
            live = [one for one in counted if one.source in done and (not one.route or number in chosen[one.source])]
            if (live or not edges) and all(edge.source in done for edge in edges if edge.needs):
                done.add(number)
        found |= {plan.steps[number].name for number in done}
    return found


@given(pipelines())
def test_what_is_said_never_to_run_runs_under_no_choice(written: list[StepSpec]) -> None:
    """A14: against every choice of every switch, tried out one by one."""
    definition = Definition("any", tuple(written))
    rules = [rule for rule in compiling.RULES if rule is not no_step_needs_two_routes_at_once]
    with patch.object(compiling, "RULES", rules):
        possible = ever_completed(compiling.compile_plan(definition, Codecs()))
    never: set[str] = set()
    try:
        compiling.compile_plan(definition, Codecs())
    except DefinitionError as error:
        never = {problem.step for problem in error.problems}
    assert never.isdisjoint(possible)
