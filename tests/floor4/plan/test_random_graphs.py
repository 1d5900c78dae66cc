"""Whatever is written down compiles, or gives a DefinitionError, and never anything else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.codecs.values import Codecs
from stepwell.definition.options import Written, step_spec
from stepwell.definition.spec import Definition, StepSpec
from stepwell.errors import DefinitionError, Problem
from stepwell.plan.compile import compile_plan
from stepwell.plan.plan import UNSET, Plan

NAMES = [f"s{number}" for number in range(7)]
REFS = st.sampled_from([*NAMES, "S-0", "nowhere"])
PARAMETERS = st.lists(
    st.sampled_from([*NAMES, "item", "token", "step_name", "x", "y", "s", "_z"]), unique=True, max_size=4
)
ANNOTATIONS = st.sampled_from(["", "int", "list[int]", "str | None", "StepContext", "Missing"])


@st.composite
def functions(draw: st.DrawFn) -> Callable[..., object]:
    """Functions with parameters called like steps, inputs and conventions, some of them with defaults."""
    required = draw(PARAMETERS)
    optional = [name for name in draw(PARAMETERS) if name not in required]
    annotation = {name: draw(ANNOTATIONS) for name in (*required, *optional)}
    parts = [name + (f": '{annotation[name]}'" if annotation[name] else "") for name in required]
    parts += [name + (f": '{annotation[name]}'" if annotation[name] else "") + " = None" for name in optional]
    kind = draw(st.sampled_from(["def", "async def"]))
    returns = draw(st.sampled_from(["", " -> int", " -> list[int]", " -> 'set[str]'", " -> None"]))
    space: dict[str, Callable[..., object]] = {}
    exec(f"{kind} function({', '.join(parts)}){returns}: return None", space)
    return space["function"]


@st.composite
def specs(draw: st.DrawFn) -> StepSpec:
    kind = draw(st.sampled_from(["step", "step", "map", "switch"]))
    options: dict[str, object] = {"name": draw(st.sampled_from(NAMES))}
    if draw(st.booleans()):
        options["after"] = draw(st.lists(REFS, max_size=2))
    if draw(st.booleans()):
        options["when"] = draw(functions() | st.just("s0 > 1"))
    if draw(st.booleans()):
        options["inputs"] = draw(st.dictionaries(st.sampled_from(["x", "s1"]), REFS, max_size=2))
    if kind == "map":
        options["over"] = draw(REFS)
    elif kind == "switch":
        options["to"] = draw(st.dictionaries(st.integers(0, 3) | st.none(), st.lists(REFS, max_size=2), max_size=3))
        options["default"] = draw(st.none() | REFS)
    elif draw(st.booleans()):
        options["to"] = draw(REFS)
    return step_spec(Written(kind, draw(functions()), options))


def holds_together(plan: Plan) -> None:
    """What the engine relies on."""
    count = len(plan.steps)
    rank = {name: place for place, name in enumerate(plan.graph.names)}
    assert len(rank) == count == len(plan.graph.after)
    left = [len(before) for before in plan.graph.before]
    ready = [number for number in range(count) if not left[number]]
    for number in ready:
        for link in plan.graph.after[number]:
            left[link.target] -= 1
            if not left[link.target]:
                ready.append(link.target)
    assert len(ready) == count, "every step can come to its end"
    for step in plan.steps:
        guard = step.guard.parameters if step.guard else ()
        for one in (*step.parameters, *guard):
            assert (one.source == "step") == (one.step >= 0)
            assert (one.source == "input") == (one.input in plan.inputs)
            if one.source == "step":
                assert one.step in plan.graph.before[step.number]
        assert (step.kind == "map") == (step.fan is not None) == ("item" in {one.source for one in step.parameters})
        assert (step.kind == "switch") == (step.routes is not None)
        keyword_only = [one.keyword_only for one in step.parameters]
        assert keyword_only == sorted(keyword_only), "positions first"
    for spec in plan.inputs.values():
        assert spec.required == (spec.default is UNSET)
    assert plan.last


@given(st.lists(specs(), max_size=7))
def test_any_pipeline_compiles_or_tells_its_problems(written: list[StepSpec]) -> None:
    """A9, A10, A11, A12, C13: no other error, and a plan that holds together."""
    problems: tuple[Problem, ...] = ()
    try:
        plan = compile_plan(Definition("any", tuple(written)), Codecs())
    except DefinitionError as error:
        problems = error.problems
    else:
        holds_together(plan)
        return
    assert problems
    assert all(problem.message and str(problem) for problem in problems)


@st.composite
def sound_pipelines(draw: st.DrawFn) -> list[StepSpec]:
    """Pipelines in which every reference leads backwards, a route to a step of its own, and every type is left out."""
    written: list[StepSpec] = []
    for number in range(draw(st.integers(1, 8))):
        name, before = f"n{number}", [spec.name for spec in written]
        kind = draw(st.sampled_from(["step", "map", "switch"])) if before else "step"
        some = st.lists(st.sampled_from(before), unique=True, max_size=3) if before else st.just([])
        # A step that needs two routes is refused; with a default each parameter may be without a value.
        optional = draw(some)
        needed = ["x"] * draw(st.booleans()) + ["item"] * (kind == "map")
        options: dict[str, object] = {"name": name, "after": draw(some)}
        if kind == "map":
            options["over"] = draw(st.sampled_from(before))
        elif kind == "switch":
            written.append(step_spec(Written("step", untyped, {"name": f"{name}_branch"})))
            options["to"] = {draw(st.integers()): f"{name}_branch", "else": []}
        space: dict[str, Callable[..., object]] = {}
        exec(f"def function({', '.join([*needed, *(f'{one}=None' for one in optional)])}): return 1", space)
        written.append(step_spec(Written(kind, space["function"], options)))
    return written


@given(sound_pipelines())
def test_a_sound_pipeline_of_all_kinds_of_steps_compiles(written: list[StepSpec]) -> None:
    """A1, A8, B7, D5: and its plan holds together."""
    holds_together(compile_plan(Definition("sound", tuple(written)), Codecs()))


@given(st.lists(st.lists(st.integers(0, 30), max_size=3), min_size=1, max_size=30))
def test_a_graph_without_a_circle_always_compiles(before: list[list[int]]) -> None:
    """A8: edges that lead forward only."""
    written = [
        step_spec(Written("step", nothing, {"name": f"n{n}", "after": [f"n{one % n}" for one in refs if n]}))
        for n, refs in enumerate(before)
    ]
    holds_together(compile_plan(Definition("forward", tuple(written)), Codecs()))


@given(st.integers(2, 40), st.data())
def test_a_circle_is_always_found_and_shown(size: int, data: st.DataObject) -> None:
    """A9: wherever it is."""
    start = data.draw(st.integers(1, size - 1))
    end = data.draw(st.integers(0, start - 1))
    written = [
        step_spec(Written("step", nothing, {"name": f"n{n}", "after": [f"n{n - 1}"] if n else [], "to": []}))
        for n in range(size)
    ]
    written[end] = step_spec(Written("step", nothing, {"name": f"n{end}", "after": [f"n{start}"]}))
    with pytest.raises(DefinitionError, match=f"wait for each other: n{end} -> .*n{start} -> n{end};"):
        compile_plan(Definition("circle", tuple(written)), Codecs())


def untyped():  # type: ignore[no-untyped-def]
    return []


def nothing() -> None:
    return None
