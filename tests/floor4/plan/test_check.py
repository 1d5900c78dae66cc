"""The rules that a pipeline must keep: each breach is told with the step and the way out."""

from __future__ import annotations

import abc
import enum
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pytest

from stepwell.control import Skip
from stepwell.definition.options import Written, step_spec

if TYPE_CHECKING:
    from .conftest import Pipe


def one() -> int:
    return 1


def test_an_empty_pipeline_is_a_problem(pipe: Pipe) -> None:
    """A12: it would do nothing."""
    assert "the pipeline `test` has no steps" in pipe.problems()


@pytest.mark.parametrize("option", ["after", "to"])
def test_an_unknown_reference_suggests_what_was_meant(pipe: Pipe, option: str) -> None:
    """A10: did you mean."""
    pipe.step(one, name="collect")
    pipe.step(one, name="use", **{option: "colect"})
    assert f"use: {option} names a step `colect` that there is not; did you mean `collect`?" in pipe.problems()


def test_an_unknown_reference_without_a_likeness_lists_the_steps(pipe: Pipe) -> None:
    """A10: what there is to choose from."""
    pipe.step(one, name="collect")
    pipe.map(over="zzz")(lambda_named("use"))
    assert "over names a step `zzz` that there is not; the steps are `collect`, `use`" in pipe.problems()


def lambda_named(name: str) -> Any:
    space: dict[str, Any] = {}
    exec(f"def {name}(item): return 1", space)
    return space[name]


def test_a_function_that_is_no_step_is_a_problem(pipe: Pipe) -> None:
    """A10: a reference by function that was not registered here."""
    pipe.step(one, name="use", after=[one_more], inputs={})
    assert "after refers to `one_more`, which is no step of this pipeline" in pipe.problems()


def one_more() -> int:
    return 1


def test_a_function_of_several_steps_is_no_name_for_one_of_them(pipe: Pipe) -> None:
    """A10: which of the two is meant?"""
    pipe.step(one, name="a")
    pipe.step(one, name="b")
    pipe.step(one_more, after=one)
    assert "after refers to `one`, the function of several steps; name one of them" in pipe.problems()
    pipe.step(one)
    assert pipe.compile().graph.before[2] == (3,), "unless one of them is called like it"


def test_references_work_by_function_by_name_and_by_bound_method(pipe: Pipe) -> None:
    """A3, A8: strings may look forward, functions may be methods."""

    class Job:
        def run(self) -> int:
            return 1

    job = Job()
    pipe.step(one, to=["late", "LATER-on"])
    pipe.step(job.run, name="job", after=one)
    pipe.step(one_more, name="late", after=job.run)
    pipe.step(lambda: 1, name="later_on")
    graph = pipe.compile().graph
    assert [edge[:3] for edge in graph.edges] == [(0, 2, True), (0, 3, True), (0, 1, False), (1, 2, False)]


@pytest.mark.parametrize("option", ["after", "to", "over"])
def test_a_step_that_names_itself_is_a_problem(pipe: Pipe, option: str) -> None:
    """A9, C13: it would wait for itself for ever."""
    options = {"over": "use"} if option == "over" else {option: "use", "over": "rows"}
    pipe.step(lambda: [1], name="rows")
    pipe.map(name="use", **options)(lambda item: 1)
    assert f"use: {option} names the step itself" in pipe.problems()


def test_a_circle_is_shown_step_by_step(pipe: Pipe) -> None:
    """A9: the message shows the path."""
    pipe.step(one, name="a", after="c")
    pipe.step(one, name="b", after="a")
    pipe.step(lambda b: 1, name="c")
    assert "these steps wait for each other: a -> b -> c -> a" in pipe.problems()


def test_two_names_that_count_as_one_are_a_problem(pipe: Pipe) -> None:
    """A11: equal once hyphens are underscores and case is folded; told with where the first is."""
    pipe.step(one, name="load-data")
    pipe.step(one, name="Load_Data")
    assert f"Load_Data: `load-data` at {__file__}:" in pipe.problems()


def test_a_map_needs_something_to_run_over(pipe: Pipe) -> None:
    """A12: no `over`, or one single value."""
    pipe.step(one)
    pipe.map()(lambda_named("a"))
    pipe.map(over=one)(lambda_named("b"))
    text = pipe.problems()
    assert "a: a map needs over=STEP" in text
    assert "b: `one` gives one int and no list to run over" in text


@pytest.mark.parametrize("kind", [set[int], frozenset, frozenset[str]])
def test_a_map_over_a_set_needs_a_key(pipe: Pipe, kind: object) -> None:
    """S6: a set has another order in each process, and a place is no identity."""

    def rows():  # type: ignore[no-untyped-def]
        return set()

    rows.__annotations__ = {"return": kind}
    pipe.step(rows)
    pipe.map(over=rows, key=str)(lambda_named("good"))
    pipe.compile()
    pipe.map(over=rows)(lambda_named("bad"))
    assert "has another order in each process; give the map key=" in pipe.problems()


def test_a_map_may_run_over_a_map_and_over_a_switch(pipe: Pipe) -> None:
    """B7: a switch has an output like any step."""
    pipe.switch(to={"[]": "b"}, name="a")(lambda: [1])
    pipe.map(over="a")(lambda_named("b"))
    pipe.map(over="b")(lambda_named("c"))
    assert [step.fan.over for step in pipe.compile().steps if step.fan] == [0, 1]


def test_a_switch_without_routes_is_a_problem(pipe: Pipe) -> None:
    """B7: it would lead nowhere."""
    pipe.switch(to={}, name="a")(one)
    assert "a: a switch needs to={value: step, …}" in pipe.problems()


def test_a_value_with_two_routes_is_a_problem(pipe: Pipe) -> None:
    """B7: pairs may repeat a value; 1 and True are one value to a mapping and to the switch."""
    pipe.step(one, name="x")
    pipe.specs.append(step_spec(Written("switch", one_more, {"to": [(1, "x"), (True, "x")]})))
    assert "the value True has two routes; give it one, to a list of steps" in pipe.problems()


class Size(enum.Enum):
    SMALL = 1
    LARGE = 2


@pytest.mark.parametrize(
    ("returns", "good", "never", "missing"),
    [
        (Literal["s", "l"], {"s": "x", "l": "x"}, "m", "'l'"),
        (Literal["s", "l"] | Skip, {"s": "x", "l": "x"}, "m", "'l'"),
        (bool, {True: "x", False: []}, "yes", "False"),
        (Size, {Size.SMALL: "x", Size.LARGE: "x"}, 1, "<Size.LARGE: 2>"),
    ],
)
def test_routes_are_those_of_the_values_that_are_declared(
    pipe: Pipe, returns: object, good: dict[object, object], never: object, missing: str
) -> None:
    """B7, A14: a route that is never chosen, a value without a route."""

    def choose():  # type: ignore[no-untyped-def]
        return None

    choose.__annotations__ = {"return": returns}
    first = dict(list(good.items())[:1])
    pipe.step(one, name="x")
    pipe.switch(to=good, name="good")(choose)
    pipe.switch(to=first, default="x", name="rest")(choose)
    pipe.compile()
    pipe.switch(to={**good, never: "x"}, name="more")(choose)
    pipe.switch(to=first, name="less")(choose)
    assert f"more: the route {never!r} is never chosen" in pipe.problems()
    assert f"less: there is no route for {missing}, which it may return" in pipe.problems()


def test_a_method_without_its_object_is_a_problem(pipe: Pipe) -> None:
    """C13: `self` is nobody's input."""

    class Job:
        def run(self) -> int:
            return 1

    pipe.step(Job.run)
    assert "`self` is what a method belongs to; make a step of the bound method" in pipe.problems()


def test_an_async_function_does_not_run_in_a_thread(pipe: Pipe) -> None:
    """C13: it runs on the loop."""

    async def use() -> int:
        return 1

    pipe.step(use, runs_on="thread")
    assert "an async function runs on the loop" in pipe.problems()


class Note: ...


class Shape(Protocol):
    def area(self) -> float: ...


class Base(abc.ABC):
    @abc.abstractmethod
    def run(self) -> None: ...


class Derived(Base): ...


@pytest.mark.parametrize(
    ("given", "wanted"),
    [(int, str), (dict, list), (list[int], str), (None, int), (str, Base), (float, int), (tuple[int, ...], set)],
)
def test_a_value_of_another_class_than_its_parameter_is_a_problem(pipe: Pipe, given: object, wanted: object) -> None:
    """A23: told at compile where it is certain."""
    wire(pipe, given, wanted)
    assert "use: the parameter `source` is declared as" in pipe.problems()


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (int, float),
        (int, object),
        (int, Any),
        (bool, int),
        (int, bool),
        (list[int], Iterable),
        (list[int], list[str]),
        (Derived | None, str),
        (int, Shape),
        (Derived, Base),
        (Base, Derived),
        ("", int),
        (int, int | None),
    ],
)
def test_nothing_is_said_of_types_where_it_is_not_certain(pipe: Pipe, given: object, wanted: object) -> None:
    """A23: subclasses, numbers, protocols, unions, no annotation."""
    wire(pipe, given, wanted)
    wrong = [line for line in _messages(pipe) if "is declared as" in line]
    assert wrong == []


def wire(pipe: Pipe, given: object, wanted: object) -> None:
    def source():  # type: ignore[no-untyped-def]
        return None

    def use(source):  # type: ignore[no-untyped-def]
        return 1

    source.__annotations__ = {} if given == "" else {"return": given}
    use.__annotations__ = {"source": wanted}
    pipe.step(source)
    pipe.step(use)


def _messages(pipe: Pipe) -> list[str]:
    try:
        pipe.compile()
    except Exception as error:
        return str(error).splitlines()
    return []


def test_the_results_of_a_map_are_a_list_and_its_items_have_a_type(pipe: Pipe) -> None:
    """A23, D9: who takes one result for all of them is told."""

    def rows() -> list[int]:
        return [1]

    def each(item: str) -> int:
        return 1

    def use(each: int) -> int:
        return each

    pipe.step(rows)
    pipe.map(over=rows)(each)
    pipe.step(use)
    text = pipe.problems()
    assert "each: the parameter `item` is declared as str, and the items are int" in text
    assert (
        "use: the parameter `each` is declared as int, and map `each` gives the results of its items as a list" in text
    )
