"""A pipeline half compiled: references are numbers, parameters have sources; what the rules look at."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from stepwell.codecs.port import Codec
from stepwell.definition.spec import Definition, StepRef, StepSpec
from stepwell.graph import Edge
from stepwell.plan.names import Problems
from stepwell.plan.plan import UNSET, Guard, Parameter, Routes
from stepwell.plan.ports import Codecs, Condition, codec_of
from stepwell.plan.returns import stream_type, value_type, yielded
from stepwell.plan.shape import EMPTY, Asked, Shape, Shapes
from stepwell.plan.signature import Ground, keywords, parameters
from stepwell.plan.sources import lambda_text


class DraftStep(Struct):
    """One step with what was found out about it so far; `value` is the type of what its function gives."""

    number: int
    spec: StepSpec
    shape: Shape
    value: object = EMPTY
    codec: Codec | None = None
    yields: Codec | None = None
    """Of a generator that a map runs over: the codec of one item."""
    parameters: tuple[Parameter, ...] = ()
    guard: Guard | None = None
    after: tuple[int, ...] = ()
    to: tuple[int, ...] = ()
    routes: Routes | None = None
    over: int | None = None
    goto: tuple[int, ...] = ()
    ephemeral: bool = False


class Draft(Struct):
    """The whole pipeline, half compiled."""

    definition: Definition
    ground: Ground
    problems: Problems
    steps: list[DraftStep] = field(default_factory=list[DraftStep])
    edges: list[Edge] = field(default_factory=list[Edge])
    output: int | None = None


class Values:
    """Type and codec of what each function gives, found once a shape."""

    def __init__(self, codecs: Codecs, problems: Problems) -> None:
        self._codecs = codecs
        self._problems = problems
        self._known: dict[tuple[int, bool], tuple[object, Codec | None]] = {}

    def of(self, shape: Shape, spec: StepSpec, *, listed: bool) -> tuple[object, Codec | None]:
        """The declared type without control types, and its codec, or None and a problem."""
        found = self._known.get((id(shape), listed))
        if found is None:
            value = stream_type(shape.returns, listed=listed) if shape.streams else value_type(shape.returns)
            what = "what it yields" if shape.streams else "what it returns"
            found = value, codec_of(self._codecs, value, what, spec, self._problems)
            self._known[id(shape), listed] = found
        return found

    def settle(self, draft: Draft) -> None:
        """Find type and codec of what each step gives; who runs over whom is known."""
        listed = {step.over for step in draft.steps}
        for step in draft.steps:
            spec, shape = step.spec, step.shape
            step.ephemeral = (spec.durability or draft.definition.durability) == "ephemeral"
            in_list = step.number in listed and spec.kind != "map"
            if step.ephemeral:  # it is handed on as it is, and may be of a type that cannot be recorded
                step.value = stream_type(shape.returns, listed=in_list) if shape.streams else value_type(shape.returns)
                step.codec = self._codecs.codec(EMPTY)
                continue
            step.value, step.codec = self.of(shape, spec, listed=in_list)
            if shape.streams and in_list and step.codec is not None:
                item = yielded(shape.returns)
                step.yields = codec_of(self._codecs, EMPTY if item is None else item, "an item", spec, self._problems)


def draft_step(draft: Draft, number: int, shapes: Shapes, condition: Condition | None) -> DraftStep:
    """All references of one step resolved."""
    spec, ground = draft.definition.steps[number], draft.ground
    shape = shapes.of(spec.function, spec)
    step = DraftStep(number, spec, shape)
    step.guard = _guard(ground, number, spec, shapes, condition)
    asked_by_guard = () if step.guard is None else tuple(one.name for one in step.guard.parameters)
    step.parameters = (
        *parameters(ground, number, spec, shape),
        *keywords(ground, number, spec, shape, asked_by_guard),
    )
    step.after = _numbers(ground, spec, spec.after, "after")
    step.to = _numbers(ground, spec, spec.to, "to")
    step.goto = _numbers(ground, spec, spec.goto, "goto")
    if spec.kind == "switch":
        routes = [(route, _numbers(ground, spec, refs, f"the route {route!r}")) for route, refs in spec.routes]
        default = None if spec.default is None else _numbers(ground, spec, spec.default, "default")
        step.routes = Routes(tuple(routes), default)
    if spec.over is not None:
        step.over = ground.names.resolve(spec.over, spec, "over")
    return step


def _numbers(ground: Ground, spec: StepSpec, refs: Sequence[StepRef], option: str) -> tuple[int, ...]:
    found = (ground.names.resolve(ref, spec, option) for ref in refs)
    return tuple(number for number in found if number is not None)


def _guard(ground: Ground, number: int, spec: StepSpec, shapes: Shapes, condition: Condition | None) -> Guard | None:
    """The step's `when`, with what its own parameters receive."""
    when = spec.when
    if when is None:
        return None
    if not isinstance(when, str):
        shape = shapes.of(when, spec)
        text = lambda_text(when) or str(getattr(when, "__name__", when))
        return Guard(when, tuple(parameters(ground, number, spec, shape, of_guard=True)), text)
    if condition is None:
        message = f"this version of Stepwell reads no conditions from text, such as {when!r}; give a function"
        ground.problems.add(spec, message)
        return None
    try:
        function, names, steps = condition(when)
    except Exception as error:  # the compiler of conditions says what is wrong with the text, in its own words
        ground.problems.add(spec, f"the condition {when!r} cannot be read: {error}")
        return None
    for name in sorted(steps):
        ground.names.resolve(name, spec, f"the condition {when!r}")
    from_text = Shape(tuple(Asked(name, EMPTY, UNSET, keyword_only=True) for name in names))
    return Guard(function, tuple(parameters(ground, number, spec, from_text, of_guard=True)), when)
