"""What each parameter receives: the rules in the order in which they count, decided once, before anything runs.

given (`inputs=`, bound) → by type → a step's name → by convention → the item of a map → an input of the run
"""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import Annotated, Union, get_args, get_origin

from msgspec import Struct

from stepwell.control import CancelToken, StepContext
from stepwell.definition import later
from stepwell.definition.readers import READERS
from stepwell.definition.spec import StepSpec
from stepwell.definition.suggest import did_you_mean
from stepwell.ids import NAME
from stepwell.plan.inputs import Inputs
from stepwell.plan.names import Names, Problems
from stepwell.plan.plan import UNSET, Parameter, Source
from stepwell.plan.returns import plain_class
from stepwell.plan.shape import EMPTY, Asked, Shape


class Ground(Struct, frozen=True):
    """What the parameters of all steps are decided upon."""

    names: Names
    inputs: Inputs
    problems: Problems


class Question(Struct, frozen=True):
    """One parameter of one step; `of_guard` says that it is of the step's `when`."""

    ground: Ground
    number: int
    spec: StepSpec
    asked: Asked
    of_guard: bool

    def answer(self, source: Source, *, step: int = -1, input: str = "", default: object = UNSET) -> Parameter:
        """The parameter with its source."""
        asked = self.asked
        known = asked.default if default is UNSET else default
        return Parameter(asked.name, source, step, input, known, asked.keyword_only)

    def complain(self, message: str) -> Parameter:
        """A problem; the parameter that comes back only stands for it, as no plan will be made."""
        whose = "of its `when` " if self.of_guard else ""
        self.ground.problems.add(self.spec, f"the parameter `{self.asked.name}` {whose}{message}")
        return self.answer("bound", default=None)


def parameters(ground: Ground, number: int, spec: StepSpec, shape: Shape, *, of_guard: bool = False) -> list[Parameter]:
    """What each parameter of a step, or of its `when`, receives, in the order of the function."""
    for complaint in shape.complaints:
        ground.problems.add(spec, f"of its `when`, {complaint}" if of_guard else complaint)
    decided: dict[str, Parameter] = {}
    open_questions: list[Question] = []
    for asked in shape.asked:
        question = Question(ground, number, spec, asked, of_guard)
        found = next(filter(None, (rule(question) for rule in RULES)), None)
        if found is None:
            open_questions.append(question)
        else:
            decided[asked.name] = found
    item = _item(ground, spec, open_questions) if spec.kind == "map" and not of_guard else ""
    for question in open_questions:
        name = question.asked.name
        decided[name] = question.answer("item") if name == item else _input(question)
    return [decided[asked.name] for asked in shape.asked]


def _given(question: Question) -> Parameter | None:
    """`inputs=` of the step, or a value that `add_step` was given for it."""
    name, spec = question.asked.name, question.spec
    if name in spec.bound:
        return question.answer("bound", default=spec.bound[name])
    if name not in spec.inputs:
        return None
    step = question.ground.names.resolve(spec.inputs[name], spec, f"inputs of `{name}`")
    if step is None:
        return question.answer("bound", default=None)
    if step == question.number:
        return question.complain("is given the step's own output by inputs=, which is not there when it starts")
    return question.answer("step", step=step)


def _by_type(question: Question) -> Parameter | None:
    wanted = _without_none(question.asked.annotation)
    if wanted is not StepContext and wanted is not CancelToken:
        return None
    if question.of_guard:
        return question.complain("asks for what only an attempt has; a `when` decides before there is one")
    return question.answer("context" if wanted is StepContext else "token")


def _by_name(question: Question) -> Parameter | None:
    step = question.ground.names.named(question.asked.name)
    if step is None:
        return None
    if step == question.number:
        return question.complain("has the step's own name: its output is not there when it starts; rename one of them")
    return question.answer("step", step=step)


def _by_convention(question: Question) -> Parameter | None:
    name = question.asked.name
    if name in later.PARAMETERS:
        return question.complain(f"will receive something else: {later.not_yet(f'`{name}`', 'rename it meanwhile')}")
    if name == "item" and (question.spec.kind != "map" or question.of_guard):
        return question.complain("receives what a map runs over, and this is none; use @pipe.map, or rename it")
    if name in ("token", "cancel"):
        return _conventional(question, "token", CancelToken)
    if name == "step_name":
        return _conventional(question, "step_name", str)
    return None


def _conventional(question: Question, source: Source, kind: type) -> Parameter:
    """What the name stands for, unless the annotation says that something else was meant."""
    declared = plain_class(_without_none(question.asked.annotation))
    if declared is not None and not issubclass(kind, declared):
        return question.complain(f"always receives a {kind.__name__}, not a {declared.__name__}; rename it")
    if question.of_guard and source == "token":
        return question.complain("asks for what only an attempt has; a `when` decides before there is one")
    return question.answer(source)


RULES: tuple[Callable[[Question], Parameter | None], ...] = (_given, _by_type, _by_name, _by_convention)
"""The first that answers decides; what none of them answers is the item of a map or an input of the run."""


def _item(ground: Ground, spec: StepSpec, unknown: Sequence[Question]) -> str:
    """The parameter that receives the item: the one called so, else the only one that nothing else gives a value."""
    names = [question.asked.name for question in unknown]
    without_default = [question.asked.name for question in unknown if question.asked.default is UNSET]
    candidates = ["item"] if "item" in names else without_default or names
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        several = " or ".join(f"`{name}`" for name in candidates)
        ground.problems.add(spec, f"which parameter receives the item, {several}? call it `item`")
        return candidates[0]
    over = spec.over if isinstance(spec.over, str) else getattr(spec.over, "__name__", "")
    takes_all = f"; `{over}` is the whole output of that step" if over and _takes(spec, str(over)) else ""
    ground.problems.add(spec, f"no parameter of this map receives the item; call one `item`{takes_all}")
    return ""


def _takes(spec: StepSpec, name: str) -> bool:
    code = getattr(spec.function, "__code__", None)
    return code is not None and name.replace("-", "_") in code.co_varnames


def _input(question: Question) -> Parameter:
    asked = question.asked
    if asked.name in ("self", "cls"):
        return question.complain("is what a method belongs to; make a step of the bound method, `thing.method`")
    if not NAME.match(asked.name):
        if asked.default is not UNSET:
            return question.answer("bound", default=asked.default)  # `_seen=…` is the function's own business
        return question.complain("can be no input: an input's name begins with a letter of a-z; rename it")
    question.ground.inputs.ask(question.spec, asked)
    return question.answer("input", input=asked.name)


def keywords(
    ground: Ground, number: int, spec: StepSpec, shape: Shape, asked_elsewhere: Sequence[str]
) -> list[Parameter]:
    """What is bound by a name that no parameter has: for `**kwargs`, else a mistake."""
    known = [asked.name for asked in shape.asked]
    found: list[Parameter] = []
    for name in [name for name in (*spec.bound, *spec.inputs) if name not in known]:
        if shape.any_keyword:
            asked = Asked(name, EMPTY, UNSET, keyword_only=True)
            answer = _given(Question(ground, number, spec, asked, of_guard=False))
            found.extend([answer] if answer else [])
        elif name not in asked_elsewhere:
            message = f"`{name}` is no option of a step and no parameter of its function"
            if name in spec.inputs:
                message = f"inputs names `{name}`, which is no parameter of its function"
            words = known if name in spec.inputs else [*known, *READERS]
            ground.problems.add(spec, message + did_you_mean(name, words, what="parameters" if known else ""))
    for name in spec.bound.keys() & spec.inputs.keys():
        ground.problems.add(spec, f"`{name}` is given a value and, by inputs=, a step's output; leave one of them out")
    return found


def _without_none(annotation: object) -> object:
    """The one type of an `Optional[…]`, without what `Annotated` adds; else the annotation itself."""
    for _ in range(8):  # as deep as anybody nests the two
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, types.UnionType):
            kinds = [one for one in get_args(annotation) if one is not type(None)]
            if len(kinds) != 1:
                return annotation
            annotation = kinds[0]
        else:
            break
    return annotation
