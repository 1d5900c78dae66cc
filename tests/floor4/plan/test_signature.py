"""What each parameter receives, rule by rule in the order of the manual."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Union

import pytest

from stepwell.control import CancelToken, StepContext

if TYPE_CHECKING:
    from decimal import Decimal

    from .conftest import Pipe


def source() -> int:
    return 1


def test_inputs_bind_a_parameter_before_anything_else_does(pipe: Pipe) -> None:
    """A8: explicit data binding, also of a name that would mean something else."""
    pipe.step(source)
    pipe.step(lambda token, source: 1, name="use", inputs={"token": "source"})
    assert pipe.receives("use") == {"token": "step:source", "source": "step:source"}


@pytest.mark.parametrize(
    ("annotation", "receives"),
    [
        (StepContext, "context"),
        (CancelToken, "token"),
        (Union[None, CancelToken], "token"),  # noqa: UP007 - the old spelling
        (StepContext | None, "context"),
        (Annotated[StepContext, "mine"], "context"),
        ("StepContext", "context"),
        ("CancelToken | None", "token"),
    ],
)
def test_a_parameter_of_our_types_receives_ours_whatever_its_name(
    pipe: Pipe, annotation: object, receives: str
) -> None:
    """C1: by type, also a string annotation and an optional one, and before a step's name."""

    def use(source, it=None):  # type: ignore[no-untyped-def]
        return 1

    use.__annotations__ = {"source": annotation, "it": annotation}
    pipe.step(source)
    pipe.step(use)
    assert pipe.receives("use") == {"source": receives, "it": receives}


def test_a_step_name_is_its_output_with_hyphens_read_as_underscores(pipe: Pipe) -> None:
    """C2, C9: data flows by name."""
    pipe.step(source, name="Load-Data")
    pipe.step(lambda load_data: 1, name="use")
    assert pipe.receives("use") == {"load_data": "step:Load-Data"}


def test_conventional_names_receive_token_and_step_name(pipe: Pipe) -> None:
    """C2, C3: by convention."""
    pipe.step(lambda token, cancel, step_name: 1, name="use")
    assert pipe.receives("use") == {"token": "token", "cancel": "token", "step_name": "step_name"}


def test_a_steps_name_wins_over_a_convention(pipe: Pipe) -> None:
    """C2: `cancel` may be a step, and then is one."""
    pipe.step(source, name="cancel")
    pipe.step(lambda cancel: 1, name="use")
    assert pipe.receives("use") == {"cancel": "step:cancel"}


def test_a_conventional_name_with_another_type_is_a_problem(pipe: Pipe) -> None:
    """C13: a token for some service is not our CancelToken."""

    def use(token: str, step_name: int) -> int:
        return 1

    pipe.step(use)
    assert "`token` always receives a CancelToken, not a str; rename it" in pipe.problems()
    assert "`step_name` always receives a str, not a int; rename it" in pipe.problems()


@pytest.mark.parametrize("name", ["state", "context", "config", "work_dir", "error", "answer"])
def test_names_that_will_mean_something_are_refused_meanwhile(pipe: Pipe, name: str) -> None:
    """C2: what later releases bring cannot be used for anything else now."""
    space: dict[str, object] = {}
    exec(f"def use({name}): return 1", space)
    pipe.step(space["use"])
    assert f"`{name}` is planned, but this version of Stepwell does not have it yet" in pipe.problems()


def test_short_names_of_what_is_not_there_are_ordinary_names(pipe: Pipe) -> None:
    """C2: without state and context, `s`, `c` and `ctx` are inputs."""
    pipe.step(lambda s, c, ctx: 1, name="use")
    assert pipe.receives("use") == {"s": "input:s", "c": "input:c", "ctx": "input:ctx"}


def test_the_one_unknown_parameter_of_a_map_is_its_item(pipe: Pipe) -> None:
    """C4: whatever it is called, beside steps, tokens and parameters with a default."""
    pipe.step(lambda: [1], name="rows")
    pipe.map(over="rows", name="use")(lambda path, token, rows, limit=3: 1)
    assert pipe.receives("use") == {"path": "item", "token": "token", "rows": "step:rows", "limit": "input:limit"}


def test_a_parameter_called_item_leaves_the_others_to_the_run(pipe: Pipe) -> None:
    """C4: `item` is the item, other unknown ones are inputs."""
    pipe.step(lambda: [1], name="rows")
    pipe.map(over="rows", name="use")(lambda folder, item: 1)
    assert pipe.receives("use") == {"folder": "input:folder", "item": "item"}


def test_several_unknown_parameters_of_a_map_are_a_problem(pipe: Pipe) -> None:
    """C4, C13: which one is the item?"""
    pipe.step(lambda: [1], name="rows")
    pipe.map(over="rows", name="use")(lambda left, right: 1)
    assert "which parameter receives the item, `left` or `right`? call it `item`" in pipe.problems()


def test_a_lone_parameter_with_a_default_still_receives_the_item(pipe: Pipe) -> None:
    """C4: the item has to go somewhere."""
    pipe.step(lambda: [1], name="rows")
    pipe.map(over="rows", name="use")(lambda path="x": 1)
    assert pipe.receives("use") == {"path": "item"}


def test_a_map_that_takes_the_whole_list_under_its_name_is_told_so(pipe: Pipe) -> None:
    """C13: the item that was given the name of the list."""
    pipe.step(lambda: [1], name="rows")

    def use(rows):  # type: ignore[no-untyped-def]
        return rows

    pipe.map(over="rows")(use)
    assert "no parameter of this map receives the item; call one `item`; `rows` is the whole output" in pipe.problems()


def test_an_item_outside_of_a_map_is_a_problem(pipe: Pipe) -> None:
    """C13: there is no item to receive."""
    pipe.step(lambda item: 1, name="use")
    assert "`item` receives what a map runs over, and this is none" in pipe.problems()


def test_a_steps_own_output_cannot_be_its_parameter(pipe: Pipe) -> None:
    """C13: it is not there when the step starts."""
    pipe.step(lambda use: 1, name="use")
    pipe.step(lambda x: 1, name="other", inputs={"x": "other"})
    assert "`use` has the step's own name" in pipe.problems()
    assert "`x` is given the step's own output by inputs=" in pipe.problems()


def test_everything_left_is_an_input_of_the_run(pipe: Pipe) -> None:
    """C5: optional where it has a default."""

    def use(folder: str, limit: int = 3, *, deep: bool = False) -> int:
        return 1

    pipe.step(use)
    plan = pipe.compile()
    assert [(one.name, one.default, one.keyword_only) for one in plan.steps[0].parameters][1:] == [
        ("limit", 3, False),
        ("deep", False, True),
    ]
    assert {name: (one.required, one.annotation) for name, one in plan.inputs.items()} == {
        "folder": (True, str),
        "limit": (False, int),
        "deep": (False, bool),
    }


def test_a_known_name_is_injected_even_where_it_has_a_default(pipe: Pipe) -> None:
    """C5: a default makes it optional, not unknown."""
    pipe.step(source)
    pipe.step(lambda source=None, token=None: 1, name="use")
    assert pipe.receives("use") == {"source": "step:source", "token": "token"}


def test_positional_only_parameters_stay_in_their_order(pipe: Pipe) -> None:
    """C13: arguments are given by position as far as the function has positions."""

    def use(source, folder, /, *rest, deep=1, **others):  # type: ignore[no-untyped-def]
        return 1

    pipe.step(source)
    pipe.step(use)
    found = pipe.planned("use").parameters
    assert [(one.name, one.keyword_only) for one in found] == [("source", False), ("folder", False), ("deep", True)]


def test_a_private_parameter_with_a_default_is_left_alone(pipe: Pipe) -> None:
    """C5: `_seen=…` is the function's own business; without a default it can be no input."""
    pipe.step(lambda a, _seen=(): 1, name="use")
    assert pipe.receives("use") == {"a": "input:a", "_seen": "bound"}
    pipe.step(lambda _other: 1, name="wrong")
    assert "`_other` can be no input" in pipe.problems()


def test_values_given_by_the_builder_reach_parameters_and_keywords(pipe: Pipe) -> None:
    """A4: bound by name, and by `**kwargs` where no parameter has the name."""
    pipe.bind(lambda retry, **rest: 1, {"retry": 7, "more": 8}, name="use")
    assert [(one.name, one.source, one.default, one.keyword_only) for one in pipe.planned("use").parameters] == [
        ("retry", "bound", 7, False),
        ("more", "bound", 8, True),
    ]


def test_a_value_for_no_parameter_is_a_problem_with_the_way_out(pipe: Pipe) -> None:
    """A4, A10: misspelt parameters and misspelt options."""
    pipe.bind(lambda workers: 1, {"worker": 1, "retires": 3}, name="use")
    assert (
        "`worker` is no option of a step and no parameter of its function; did you mean `workers`?" in pipe.problems()
    )
    assert "`retires` is no option of a step and no parameter of its function; did you mean `retry`?" in pipe.problems()


def test_a_parameter_is_not_bound_twice(pipe: Pipe) -> None:
    """A4: a value and a step's output for one parameter."""
    pipe.step(source)
    pipe.bind(lambda x: 1, {"x": 1}, name="use", inputs={"x": "source"})
    assert "`x` is given a value and, by inputs=, a step's output" in pipe.problems()


def test_inputs_for_no_parameter_are_a_problem(pipe: Pipe) -> None:
    """A10, C13: the parameter's name is wrong."""
    pipe.step(source)
    pipe.step(lambda rows: 1, name="use", inputs={"row": "source"})
    assert "inputs names `row`, which is no parameter of its function; did you mean `rows`?" in pipe.problems()


def test_what_a_partial_has_bound_is_no_input(pipe: Pipe) -> None:
    """A6: any callable can be a step."""

    def use(a, b, c, d):  # type: ignore[no-untyped-def]
        return 1

    pipe.step(partial(use, 1, c=3), name="use")
    assert pipe.receives("use") == {"b": "input:b", "d": "input:d"}


def test_a_when_has_parameters_of_its_own(pipe: Pipe) -> None:
    """B8: conditions are injected like steps; inputs= holds for them too."""
    pipe.step(source)
    pipe.step(lambda: 1, name="use", when=lambda source, rows, limit=1: True, inputs={"rows": "source"})
    guard = pipe.planned("use").guard
    assert guard is not None
    assert [(one.name, one.source) for one in guard.parameters] == [
        ("source", "step"),
        ("rows", "step"),
        ("limit", "input"),
    ]


def test_a_when_cannot_ask_for_what_an_attempt_has(pipe: Pipe) -> None:
    """B8, C13: it decides before there is one."""

    def when(token, item, step: StepContext) -> bool:  # type: ignore[no-untyped-def]
        return True

    pipe.step(lambda: [1], name="rows")
    pipe.map(over="rows", name="use", when=when)(lambda item: 1)
    text = pipe.problems()
    assert text.count("asks for what only an attempt has") == 2
    assert "`item` of its `when` receives what a map runs over" in text


def test_an_annotation_that_leads_nowhere_is_told_with_the_way_out(pipe: Pipe) -> None:
    """C13: a name that exists for the type checker only."""

    def use(a: Decimal, b: int) -> Decimal:
        return a

    pipe.step(use)
    text = pipe.problems()
    assert "the annotation of `a`, 'Decimal', cannot be resolved (name 'Decimal' is not defined)" in text
    assert "its return annotation, 'Decimal', cannot be resolved" in text
    assert "not under TYPE_CHECKING" in text
