"""Pipelines as their users write them down."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from stepwell import Goto, StepContext
from stepwell.api.pipeline import Pipeline
from stepwell.definition.later import METHODS
from stepwell.errors import DefinitionError

SOURCE = Path(__file__).resolve().parents[3] / "src"


def fetch(url: str, retry: int = 0) -> str:
    return url


def test_the_pipeline_of_the_manual_compiles() -> None:
    """A1, A3: decorators, references, types of pydantic."""
    pipe = Pipeline("digest", description="Counts words")

    class Note(BaseModel):
        path: str
        words: int

    @pipe.step
    def collect(folder: Path) -> list[Path]:
        return sorted(folder.glob("**/*.md"))

    @pipe.map(over=collect, concurrency=8, retry=3)
    async def measure(item: Path) -> Note:
        return Note(path=str(item), words=len(item.name.split()))

    @pipe.step
    def report(measure: list[Note]) -> int:
        return sum(note.words for note in measure)

    plan = pipe.compile()
    assert (pipe.name, pipe.description, pipe.steps()) == ("digest", "Counts words", ("collect", "measure", "report"))
    assert (plan.name, plan.description, plan.output) == ("digest", "Counts words", 2)
    assert list(plan.inputs) == ["folder"]
    assert plan.steps[1].codec.annotation is Note


def test_decorators_give_the_function_back_as_it_is() -> None:
    """A3: it can be called, tested and referred to."""
    pipe = Pipeline("p")
    assert pipe.step(fetch) is fetch
    assert pipe.step(name="b")(fetch) is fetch
    assert pipe.step("c", after="b")(fetch) is fetch
    assert pipe.map("d", over="b")(fetch) is fetch
    assert pipe.switch("e", to={"x": "c"})(fetch) is fetch
    assert pipe.steps() == ("fetch", "b", "c", "d", "e")


def test_a_second_step_of_the_same_name_is_an_error_at_once() -> None:
    """A11: also in another spelling; told with both places."""
    pipe = Pipeline("p")
    pipe.step(name="load-data")(fetch)
    with pytest.raises(DefinitionError) as caught:
        pipe.step(name="Load_Data")(fetch)
    assert "`load-data` is a step already, at " in str(caught.value)
    assert pipe.steps() == ("load-data",)


def test_a_later_definition_is_part_of_later_plans_only() -> None:
    """A16: a plan is kept until something is added, and never changes."""
    pipe = Pipeline("p")
    pipe.step(fetch)
    before = pipe.compile()
    assert pipe.compile() is before
    pipe.step(name="more", after=fetch)(fetch)
    assert len(before.steps) == 1
    assert len(pipe.compile().steps) == 2


def test_the_builder_chains_unless_told_otherwise() -> None:
    """A4, A7, A8: each follows the one before it; `[]` starts at once."""
    pipe = Pipeline("p")
    given = (
        pipe.add_step("a", fetch, url="/a")
        .add_step("b", fetch, kwargs={"retry": 7}, retry=2)
        .add_step("c", fetch, depends_on=[], url="/c")
        .add_step("d", fetch, depends_on=["a", "c"])
    )
    assert given is pipe
    plan = pipe.compile()
    assert [edge[:2] for edge in plan.graph.edges] == [(0, 1), (0, 3), (2, 3)]
    b = plan.steps[1]
    assert b.retry is not None
    assert b.retry.attempts == 2
    assert [(one.name, one.source, one.default) for one in b.parameters] == [
        ("url", "input", b.parameters[0].default),
        ("retry", "bound", 7),
    ]


def test_the_builder_takes_maps_switches_and_any_callable() -> None:
    """A5, A6: with `over` a map, with a mapping as `to` a switch; objects with `execute`."""

    class Stage:
        def execute(self, chip: int) -> list[str]:
            return [str(chip)]

    pipe = Pipeline("p")
    pipe.add_step("stage", Stage(), chip=3)
    pipe.add_step("each", partial(fetch, retry=1), over="stage")
    pipe.add_step("choose", lambda each: "x", to={"x": "last"})
    pipe.add_step("last", len, kwargs={}, depends_on="choose", inputs={"obj": "each"})
    assert [step.kind for step in pipe.compile().steps] == ["step", "map", "switch", "step"]


def test_where_there_is_no_code_the_place_is_the_callers() -> None:
    """A10: for a builtin."""
    pipe = Pipeline("p")
    pipe.add_step("a", len, nonsense=1)
    with pytest.raises(DefinitionError) as caught:
        pipe.compile()
    assert caught.value.problems[0].file == __file__
    assert caught.value.problems[0].line == sys._getframe().f_lineno - 4


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"name": "1"}, "pipeline '1': the pipeline's name begins with a letter"),
        ({"retry": 0}, "pipeline 'p': retry attempts"),
        ({"timeout": "x"}, "pipeline 'p': timeout must be like"),
        ({"run_timeout": -1}, "pipeline 'p': run_timeout must be like"),
        ({"concurrency": 0}, "pipeline 'p': concurrency must be a whole number"),
        ({"on_failure": "explode"}, "pipeline 'p': on_failure is one of 'stop', 'cancel', 'finish'"),
        ({"state": int}, "the option `state` is planned"),
        ({"budget": 3}, "the option `budget` is planned"),
        ({"durability": "eternal"}, "pipeline 'p': durability is one of 'strict', 'ephemeral', not 'eternal'"),
        ({"conurrency": 3}, "a pipeline has no option `conurrency`; did you mean `concurrency`?"),
    ],
)
def test_a_pipelines_own_options_are_checked_at_once(options: dict[str, Any], says: str) -> None:
    """A12: and later ones are told to be later."""
    with pytest.raises(DefinitionError, match="^" + says):
        Pipeline(**{"name": "p", **options})


@pytest.mark.parametrize("method", METHODS)
def test_a_method_of_a_later_version_says_so(method: str) -> None:
    """C13: and is not there for who only asks."""
    pipe = Pipeline("p")
    with pytest.raises(DefinitionError, match=rf"`Pipeline.{method}` is planned"):
        getattr(pipe, method)
    assert not hasattr(pipe, method)
    assert not hasattr(Pipeline, method)


@pytest.mark.parametrize("kind", ["map", "switch"])
def test_a_decorator_that_needs_options_says_so(kind: str) -> None:
    """C13: `@pipe.map` without parentheses."""
    decorator: Callable[..., Any] = getattr(Pipeline("p"), kind)
    needed = {"map": {"over": "x"}, "switch": {"to": {}}}[kind]
    with pytest.raises(DefinitionError, match=rf"@pipe.{kind} takes its options by name"):
        decorator(fetch, **needed)


def test_who_types_in_a_session_may_define_a_step_again() -> None:
    """A11: an interactive `__main__` has no file, as in Jupyter."""
    program = """
        from stepwell.api.pipeline import Pipeline
        pipe = Pipeline("p")
        @pipe.step
        def a() -> int:
            return 1
        before = pipe.compile()
        @pipe.step
        def a() -> str:
            return ""
        print(pipe.steps(), pipe.compile().steps[0].codec.annotation, before.steps[0].codec.annotation)
        for _ in range(2):
            pipe.add_step("b", len, obj=[]).add_step("c", len, obj=[])
        print([edge[:2] for edge in pipe.compile().graph.edges])
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(SOURCE)})
    assert done.stdout.strip() == "('a',) <class 'str'> <class 'int'>\n[(0, 1), (1, 2)]"


def test_options_and_steps_are_typed_for_the_user() -> None:
    """C14: bare and with options the function keeps its type; see `tests/house` for the strict check of the face."""
    pipe = Pipeline("p")

    @pipe.step
    def one(x: int) -> int:
        return x

    @pipe.step(retry=2, to="three")
    def two(one: int) -> str:
        return str(one)

    assert one(3) + 1 == 4
    assert two(3).upper() == "3"


def test_the_members_of_a_parallel_group_take_the_options_of_steps() -> None:
    """D1: each of them."""
    pipe = Pipeline("p").add_step("a", fetch).add_parallel_group([fetch, ("c", fetch)], retry=3, timeout="2s", url="/x")
    plan = pipe.add_step("d", fetch).compile()
    assert [edge[:2] for edge in plan.graph.edges] == [(0, 1), (0, 2), (1, 3), (2, 3)]
    for number in (1, 2):
        policy = plan.steps[number].retry
        assert policy is not None
        assert (policy.attempts, plan.steps[number].timeout) == (3, 2.0)
        assert ("url", "bound") in [(one.name, one.source) for one in plan.steps[number].parameters]
    assert plan.steps[0].retry is plan.steps[3].retry is None


def test_an_option_that_makes_no_sense_for_a_group_adds_none_of_it() -> None:
    """D1: not the first of them either."""
    pipe = Pipeline("p").add_step("a", fetch)
    with pytest.raises(DefinitionError, match="retry"):
        pipe.add_parallel_group([("b", fetch), ("c", fetch)], retry=-1)
    assert pipe.steps() == ("a",)


def test_a_router_in_a_loop_goes_round_until_it_leads_on() -> None:
    """B7, B11: what it leads to in the end runs once, after the last visit."""
    pipe = Pipeline("router", output="done")
    ran: list[str] = []

    @pipe.step
    def draft(step: StepContext) -> str:
        return step.path

    @pipe.switch(to={"again": "back", "ok": "done"})
    def route(draft: str) -> str:
        return "ok" if draft.endswith("#3") else "again"

    @pipe.step(goto=["draft"])
    def back() -> Goto:
        return Goto("draft")

    @pipe.step
    def done(draft: str) -> str:
        ran.append(draft)
        return draft

    result = pipe.run_sync()
    assert (result.status, result.output, ran) == ("completed", "draft#3", ["draft#3"])
    assert (result.steps["route"].visit, result.steps["back"].status) == (3, "pruned")


@pytest.mark.parametrize("over", ["by name", "by function"])
def test_a_map_of_the_builder_takes_the_items_of_a_generator_as_they_come(over: str) -> None:
    """A7, D5: that it follows its source is said by `over` already; with `after` it waits for the whole list."""

    async def numbers() -> AsyncIterator[int]:
        yield 1

    async def double(item: int) -> int:
        return item * 2

    source = "numbers" if over == "by name" else numbers
    live = Pipeline("live").add_step("numbers", numbers).add_step("double", double, over=source)
    waits = Pipeline("waits").add_step("numbers", numbers).add_step("double", double, over=source, after=numbers)
    assert [pipe.compile().steps[1].fan.live for pipe in (live, waits)] == [True, False]  # type: ignore[union-attr]
    assert live.run_sync().output == waits.run_sync().output == [2]
