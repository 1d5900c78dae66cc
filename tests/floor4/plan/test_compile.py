"""From a definition to a plan: what is in it, and all problems at once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from stepwell.codecs.values import Codecs
from stepwell.control import Skip, Stop
from stepwell.definition.options import Written, step_spec
from stepwell.definition.spec import Definition
from stepwell.errors import DefinitionError
from stepwell.graph import Edge
from stepwell.plan.compile import compile_plan
from stepwell.plan.plan import UNSET
from stepwell.policy import RetryPolicy

if TYPE_CHECKING:
    from .conftest import Pipe


def rows(folder: str) -> list[int]:
    return [1]


async def each(item: int) -> str | Skip:
    return ""


def report(each: list[str], rows: list[int] | None = None) -> int | Stop[str]:
    return 1


def test_every_problem_is_told_at_once_with_file_and_line(pipe: Pipe) -> None:
    """A12: one DefinitionError with all of them."""
    pipe.step(rows, after="nowhere", when="rows > 1")
    pipe.map(over="nothing")(each)
    pipe.step(report, runs_on="inline", inputs={"x": "rows"})
    with pytest.raises(DefinitionError) as caught:
        pipe.compile()
    problems = caught.value.problems
    assert {problem.step for problem in problems} == {"rows", "each", "report"}
    assert {problem.file for problem in problems} == {__file__}
    assert {problem.line for problem in problems if problem.step == "rows"} == {rows.__code__.co_firstlineno}
    assert len(problems) == 4
    assert str(caught.value).startswith("4 problems in this pipeline:\n  - ")


def test_the_edges_say_who_triggers_who_waits_and_who_needs(pipe: Pipe) -> None:
    """A8, B7, B8: `to` and routes trigger; `after`, data, `over` and `when` wait; without a default data is needed."""
    pipe.step(lambda: [1], name="a", to="f")
    pipe.map(over="a", name="b")(lambda item: 1)
    pipe.step(lambda b, a=None: 1, name="c", after="a")
    pipe.switch(to={True: ["e", "f"]}, default="f", name="d")(lambda: True)
    pipe.step(lambda: 1, name="e", when=lambda c, b=0: True)
    pipe.step(lambda: 1, name="f")
    assert set(pipe.compile().graph.edges) == {
        Edge(0, 5, trigger=True),
        Edge(0, 1, needs=True),
        Edge(1, 2, needs=True),
        Edge(0, 2),
        Edge(3, 4, trigger=True, route=True),
        Edge(3, 5, trigger=True, route=True),
        Edge(2, 4, needs=True),
        Edge(1, 4),
    }


def test_steps_know_how_they_run(pipe: Pipe) -> None:
    """D14: sync functions in a thread, unless told otherwise; async ones on the loop."""
    pipe.step(rows, runs_on="inline")
    pipe.map(over=rows)(each)
    pipe.step(report)
    assert [step.mode for step in pipe.compile().steps] == ["inline", "async", "thread"]


def test_codecs_are_those_of_values_without_control_types(pipe: Pipe) -> None:
    """S21: of a map, that of one item."""
    pipe.step(rows)
    pipe.map(over=rows)(each)
    pipe.step(report)
    pipe.step(lambda: None, name="untyped")
    steps = pipe.compile().steps
    assert [step.codec.annotation for step in steps[:3]] == [list[int], str, int | str]
    assert steps[3].codec.encode({"a": [1]})


def test_a_return_type_that_cannot_be_recorded_is_a_problem(pipe: Pipe) -> None:
    """S21: told before anything runs."""

    class Client: ...

    def use():  # type: ignore[no-untyped-def]
        return None

    use.__annotations__ = {"return": Client}
    pipe.step(use)
    assert "use: what it returns cannot be recorded" in pipe.problems()


def test_the_output_is_the_named_step_or_the_single_last_one(pipe: Pipe) -> None:
    """A22: else it is a dict of the last steps."""
    pipe.step(lambda: 1, name="a")
    pipe.step(lambda a: 1, name="b")
    assert (pipe.compile().output, pipe.compile().last) == (1, (1,))
    pipe.step(lambda a: 1, name="c")
    assert (pipe.compile().output, pipe.compile().last) == (None, (1, 2))
    pipe.settings["output"] = "a"
    assert pipe.compile().output == 0
    pipe.settings["output"] = "x"
    assert "output of the pipeline names a step `x` that there is not" in pipe.problems()


def test_defaults_of_the_pipeline_hold_where_a_step_says_nothing(pipe: Pipe) -> None:
    """E8: retry and timeout."""
    pipe.settings.update(retry=RetryPolicy(5), timeout=9.0)
    pipe.step(lambda: 1, name="a")
    pipe.step(lambda: 1, name="b", retry=2, timeout="3s")
    a, b = pipe.compile().steps
    assert (a.retry, a.timeout) == (RetryPolicy(5), 9.0)
    assert (b.retry, b.timeout) == (RetryPolicy(2), 3.0)


def test_a_map_and_a_switch_keep_what_they_were_told(pipe: Pipe) -> None:
    """B7, D5: fan and routes, by number."""
    pipe.step(rows)
    pipe.map(over=rows, key=str, concurrency=3, min_success=0.5)(each)
    pipe.switch(to={"x": "rows_2", None: []}, default=["rows_2"], name="choose")(lambda each: "x")
    pipe.step(any_rows, name="rows-2")
    plan = pipe.compile()
    fan, routes = plan.steps[1].fan, plan.steps[2].routes
    assert fan is not None
    assert (fan.over, fan.key, fan.concurrency, fan.min_success) == (0, str, 3, 0.5)
    assert routes is not None
    assert (routes.by_value, routes.default) == ((("x", (3,)), (None, ())), (3,))


def test_a_guard_reads_as_its_author_wrote_it(pipe: Pipe) -> None:
    """B8: for the reason in the journal."""
    pipe.step(rows)
    pipe.step(lambda: 1, name="a", when=lambda rows: len(rows) > 3)
    pipe.step(lambda: 1, name="b", when=any_rows)
    texts = [step.guard.text for step in pipe.compile().steps if step.guard]
    assert texts == ["len(rows) > 3", "any_rows"]


def any_rows(rows: list[int]) -> bool:
    return bool(rows)


def test_a_condition_text_is_read_by_the_given_compiler(pipe: Pipe) -> None:
    """B8: its names are steps and inputs, and reach its function by keyword."""

    def condition(text: str) -> tuple[object, tuple[str, ...], frozenset[str]]:
        if text == "wrong":
            raise ValueError("no such operator")
        return lambda rows, limit: len(rows) > limit, ("rows", "limit"), frozenset({"rows"})

    pipe.step(rows)
    pipe.step(lambda: 1, name="a", when="rows > limit")
    plan = pipe.compile(condition=condition)
    guard = plan.steps[1].guard
    assert guard is not None
    assert [(one.source, one.step, one.input, one.keyword_only) for one in guard.parameters] == [
        ("step", 0, "", True),
        ("input", -1, "limit", True),
    ]
    assert guard.text == "rows > limit"
    assert plan.inputs["limit"].required
    pipe.step(lambda: 1, name="b", when="wrong")
    with pytest.raises(DefinitionError, match="the condition 'wrong' cannot be read: no such operator"):
        pipe.compile(condition=condition)


def test_the_plans_fingerprint_is_that_of_its_form(pipe: Pipe) -> None:
    """A17: names, kinds and edges; code is in the fingerprints of the steps."""
    pipe.step(rows)
    pipe.step(lambda rows: 1, name="use")
    one = pipe.compile()
    pipe.specs[1] = step_spec(Written("step", lambda rows: 2, {"name": "use"}))
    two = pipe.compile()
    assert one.fingerprint == two.fingerprint
    assert one.steps[1].fingerprint != two.steps[1].fingerprint
    pipe.specs[1] = step_spec(Written("step", lambda rows=None: 2, {"name": "use"}))
    assert pipe.compile().fingerprint != one.fingerprint


def test_parameters_carry_their_own_defaults(pipe: Pipe) -> None:
    """C5: for a value that is not there."""
    pipe.step(rows)
    pipe.step(lambda rows=None, limit=2: 1, name="use")
    assert [one.default for one in pipe.compile().steps[1].parameters] == [None, 2]
    assert pipe.compile().steps[0].parameters[0].default is UNSET


def test_ten_thousand_steps_in_a_row_compile_quickly_and_without_recursion() -> None:
    """A9, W11: the goal is 300 ms here; ten times that fails in no noise."""
    specs = [step_spec(Written("step", any_input, {"name": "s0"}))]
    for number in range(1, 10_000):
        options = {"name": f"s{number}", "after": f"s{number - 1}"}
        specs.append(step_spec(Written("step", any_input, options)))
    started = time.perf_counter()
    plan = compile_plan(Definition("chain", tuple(specs)), Codecs())
    assert time.perf_counter() - started < 3
    assert plan.output == 9_999


def any_input(folder: str = "") -> int:
    return 1


def test_thousands_of_problems_are_told_without_a_search_for_each(pipe: Pipe) -> None:
    """A10: looking for a similar name among thousands, thousands of times, would take minutes."""
    specs = [step_spec(Written("step", any_input, {"name": f"s{n}", "after": f"t{n}"})) for n in range(3_000)]
    started = time.perf_counter()
    with pytest.raises(DefinitionError) as caught:
        compile_plan(Definition("many", tuple(specs)), Codecs())
    assert len(caught.value.problems) == 3_000
    assert time.perf_counter() - started < 10
