"""What an attempt's function is called with: each parameter from where the plan says."""

from __future__ import annotations

from collections.abc import Sequence

from stepwell.control import StepContext
from stepwell.engine.values import Values
from stepwell.plan.plan import UNSET, Parameter


def bind(
    parameters: Sequence[Parameter], values: Values, item: object = UNSET, context: StepContext | None = None
) -> tuple[list[object], dict[str, object]]:
    """The positional and the keyword arguments of one call."""
    args: list[object] = []
    kwargs: dict[str, object] = {}
    for parameter in parameters:
        source = parameter.source
        if source == "step":
            value = values.step(parameter.step)
            if value is UNSET:
                value = parameter.default
        elif source == "item":
            value = item
        elif source == "input":
            value = values.input(parameter.input)
        else:
            value = _special(parameter, context)
        if parameter.keyword_only:
            kwargs[parameter.name] = value
        else:
            args.append(value)
    return args, kwargs


def _special(parameter: Parameter, context: StepContext | None) -> object:
    """A bound value, or something of the attempt itself."""
    if parameter.source == "bound":
        return parameter.default
    if context is None:
        raise AssertionError(f"parameter `{parameter.name}` asks for the attempt's context and there is none")
    if parameter.source == "token":
        return context.token
    return context.step_name if parameter.source == "step_name" else context
