"""A pipeline written down without the floors above: decorators that keep specs, and their compilation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from stepwell.codecs.values import Codecs
from stepwell.definition.options import Written, step_spec
from stepwell.definition.spec import Definition, Function, Kind, StepSpec
from stepwell.errors import DefinitionError
from stepwell.plan.compile import compile_plan
from stepwell.plan.plan import Plan, PlanStep


@dataclass
class Pipe:
    """Steps in the order in which they were written down."""

    specs: list[StepSpec] = field(default_factory=list)
    settings: dict[str, object] = field(default_factory=dict)

    def step(self, function: Function | None = None, /, **options: object) -> Function:
        return self._add("step", function, options) if function else lambda one: self._add("step", one, options)

    def map(self, **options: object) -> Callable[[Function], Function]:
        return lambda one: self._add("map", one, options)

    def switch(self, **options: object) -> Callable[[Function], Function]:
        return lambda one: self._add("switch", one, options)

    def bind(self, function: Function, bound: Mapping[str, object], **options: object) -> None:
        self.specs.append(step_spec(Written("step", function, options, bound=bound)))

    def _add(self, kind: Kind, function: Function, options: Mapping[str, object]) -> Function:
        self.specs.append(step_spec(Written(kind, function, options)))
        return function

    def compile(self, **arguments: object) -> Plan:
        return compile_plan(Definition("test", tuple(self.specs), **self.settings), Codecs(), **arguments)

    def problems(self) -> str:
        """What is wrong, each problem in a line; fails where nothing is."""
        with pytest.raises(DefinitionError) as caught:
            self.compile()
        return "\n".join(f"{problem.step}: {problem.message}" for problem in caught.value.problems)

    def planned(self, name: str) -> PlanStep:
        return next(step for step in self.compile().steps if step.name == name)

    def receives(self, name: str) -> dict[str, str]:
        """By parameter of a step, from where: `step:a`, `input:b`, `item`, …"""
        plan = self.compile()
        (step,) = (step for step in plan.steps if step.name == name)
        return {
            one.name: f"step:{plan.steps[one.step].name}"
            if one.source == "step"
            else f"input:{one.input}"
            if one.source == "input"
            else one.source
            for one in step.parameters
        }


@pytest.fixture
def pipe() -> Pipe:
    return Pipe()
