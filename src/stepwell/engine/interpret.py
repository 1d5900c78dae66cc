"""What an attempt returned, as an outcome: a value becomes the output, a control value says something else."""

from __future__ import annotations

from typing import cast

from msgspec import Struct

from stepwell.clock import seconds
from stepwell.codecs import oversize as limit
from stepwell.control import NOTHING, Control, Goto, Output, Raise, Retry, Skip, Stop
from stepwell.definition.functions import own_name
from stepwell.engine.outcome import Again, Completed, Jump, Outcome, Skipped
from stepwell.errors import CodecError
from stepwell.events import Payload
from stepwell.ids import canonical
from stepwell.plan.plan import Plan, PlanStep
from stepwell.text import clean


class Form(Struct, frozen=True):
    """How outputs are recorded: `bytes` or as they are; `checked`, even where they are not in bytes."""

    bytes: bool
    checked: bool


def interpret(plan: Plan, step: PlanStep, value: object, form: Form) -> Outcome:
    """The outcome of a value; raises what `Raise` holds, and CodecError for what cannot be recorded."""
    if isinstance(value, Control):
        if isinstance(value, Skip):
            return Skipped(clean(str(value.reason)))
        if isinstance(value, Retry):
            after = None if value.after is None else seconds(value.after, "Retry(after=)")
            return Again(after, clean(str(value.reason)))
        if isinstance(value, Raise):
            raise value.exception
        if isinstance(value, Goto):
            best = value.best
            target = _target(plan, step, value)
            return Jump(target, None if best is NOTHING else _completed(step, best, form))
        stops = isinstance(value, Stop)
        value = cast("Stop[object] | Output[object]", value).value
        if stops and value is None:
            return Completed(None, None, stops=True)
        return _completed(step, value, form, stops=stops)
    return _completed(step, value, form)


def _completed(step: PlanStep, value: object, form: Form, *, stops: bool = False) -> Completed:
    """The value as it is handed on, and as it is recorded."""
    route = None if step.routes is None or stops else _route(step, value)
    if step.ephemeral:
        return Completed(value, None, stops, route)
    codec = step.codec
    try:
        codec.check(value)
        if form.bytes:
            data = codec.verify(value) if form.checked else codec.encode(value)
            if len(data) > limit.LARGEST:
                raise CodecError(limit.oversize(data))
            return Completed(codec.decode(data), Payload.of(data), stops, route)
        if form.checked and len(data := codec.verify(value)) > limit.LARGEST:
            raise CodecError(limit.oversize(data))
    except CodecError as error:
        what = f"the value of the Stop that `{step.name}` returned" if stops else f"what `{step.name}` returned"
        way_out = "; declare it in the return annotation: `Stop[…]`" if stops else ""
        raise CodecError(f"{what} cannot be recorded (`$` is the value): {error}{way_out}") from error
    return Completed(value, value, stops, route)


def _target(plan: Plan, step: PlanStep, goto: Goto) -> int:
    """The step that a jump leads to: one of those that the step has declared."""
    if not isinstance(goto.step, str) and not callable(goto.step):  # pyright: ignore[reportUnnecessaryComparison]
        raise TypeError(f"Goto takes a step, its name or its function, not {goto.step!r}")
    name = goto.step if isinstance(goto.step, str) else own_name(goto.step) or repr(goto.step)
    for number in step.goto:
        target = plan.steps[number]
        if target.function is goto.step or canonical(target.name) == canonical(name):
            return number
    known = ", ".join(f"`{plan.steps[number].name}`" for number in step.goto) or "none"
    raise ValueError(f"it returned Goto to `{name}`, and declares {known}; add it to its option goto=[…]")


def _route(step: PlanStep, value: object) -> tuple[int, ...]:
    """Where a switch leads with this value; True is not 1 here."""
    routes = step.routes
    if routes is None:
        return ()
    for known, targets in routes.by_value:
        if known == value and isinstance(known, bool) == isinstance(value, bool):
            return targets
    if routes.default is not None:
        return routes.default
    known_values = ", ".join(repr(known) for known, _ in routes.by_value)
    raise ValueError(f"the switch returned {value!r}, and its routes are {known_values}; add this one or default=")
