"""What stands in for a step in a test, and the book of all calls: an overlay on the plan, never a change of it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from msgspec.structs import replace

from stepwell.control import StepContext
from stepwell.definition.spec import Function
from stepwell.ids import parse_path
from stepwell.plan.plan import UNSET, Guard, Mode, Parameter, Plan, PlanStep
from stepwell.testing.clock import VirtualClock
from stepwell.testing.process import CONTEXT
from stepwell.testing.streams import stream

Effect = object
"""An exception (or its class) is raised, a function is called and its value taken, anything else is the value."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a step's function, or of its mock: what each parameter received, for which item, in which attempt."""

    step: str
    path: str
    attempt: int
    args: Mapping[str, object]
    """By the names of the function's parameters."""
    item: object = None
    """What a map's item was; its key stands in `path`."""
    key: str | None = None
    """What the item is known by; None where the step is no map."""


class Mock:
    """What a step does instead of what its function says."""

    def __init__(self, name: str, returns: object, raises: object, side_effect: object) -> None:
        given = [one for one in (returns, raises, side_effect) if one is not UNSET]
        if len(given) > 1:
            raise TypeError(f"the mock of `{name}` takes one of returns=, raises= and side_effect=, not {len(given)}")
        if raises is not UNSET and not _is_exception(raises):
            raise TypeError(f"raises= of `{name}` takes an exception or its class, not {raises!r}")
        self.name = name
        self._always: Effect = None if returns is UNSET else returns
        self._raises = raises is not UNSET
        self._list: Iterator[Effect] | None = None
        self._count = 0
        effects: list[Effect] = []
        if raises is not UNSET:
            self._always = raises
        elif isinstance(side_effect, Sequence) and not isinstance(side_effect, (str, bytes)):
            effects = list(cast("Sequence[Effect]", side_effect))
            self._list, self._count = iter(effects), len(effects)
        elif side_effect is not UNSET:
            if not callable(side_effect) and not _is_exception(side_effect):
                raise TypeError(f"side_effect= of `{name}` takes a function or a list, not {side_effect!r}")
            self._always = side_effect
            effects = [side_effect]
        self._effects = returns is UNSET
        functions = [one for one in effects if callable(one) and not _is_exception(one)]
        self._blocks = bool(functions) and not any(_is_async(one) for one in functions)

    def mode(self, mode: Mode) -> Mode:
        """A function that may block stands in for one in a thread there; everything else is made on the loop."""
        return "thread" if mode == "thread" and self._blocks else "async"

    def act(self, args: Mapping[str, object]) -> object:
        """One call: gives a value or an awaitable, or raises."""
        effect = self._always if self._list is None else next(self._list, UNSET)
        if effect is UNSET:
            raise AssertionError(f"the mock of `{self.name}` has {self._count} side effects, and this call is one more")
        if self._effects and _is_exception(effect):
            raise cast("BaseException", effect)
        if self._effects and callable(effect):
            return _called(effect, args)
        return effect


def _is_exception(effect: object) -> bool:
    return isinstance(effect, BaseException) or (isinstance(effect, type) and issubclass(effect, BaseException))


def _is_async(effect: object) -> bool:
    return inspect.iscoroutinefunction(effect) or inspect.iscoroutinefunction(getattr(effect, "__call__", None))  # noqa: B004 - asked whether it is async, not whether it is there


def _called(function: Callable[..., object], args: Mapping[str, object]) -> object:
    """The call with those of the step's arguments that it names; else with all of them, in their order."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return function(*args.values())
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return function(**args)
    needed = [one for one in parameters if one.default is one.empty]
    if all(one.name in args and one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY) for one in needed):
        return function(**{one.name: args[one.name] for one in parameters if one.name in args})
    return function(*args.values())


class Overlay:
    """The plan as a test runs it: mocks in the place of functions, and every call written down."""

    def __init__(self, clock: VirtualClock) -> None:
        self.mocks: dict[str, Mock] = {}
        self.calls: dict[str, list[Call]] = {}
        """By run."""
        self._clock = clock

    def plan(self, plan: Plan) -> Plan:
        """The overlay on this plan."""
        return replace(plan, steps=tuple(self._step(step) for step in plan.steps))

    def _step(self, step: PlanStep) -> PlanStep:
        mock = self.mocks.get(step.name)
        mode = step.mode if mock is None else mock.mode(step.mode)
        names = [parameter.name for parameter in step.parameters if not parameter.keyword_only]

        def called(args: Sequence[object], kwargs: dict[str, object]) -> object:
            context = cast("StepContext", kwargs.pop(CONTEXT))
            by_name = {**dict(zip(names, args, strict=True)), **kwargs}
            self._note(step, context, by_name)
            return step.function(*args, **kwargs) if mock is None else mock.act(by_name)

        async def on_loop(*args: object, **kwargs: object) -> object:
            value = called(args, kwargs)
            if not inspect.isawaitable(value):
                return value
            with self._clock.awaiting(value):
                return await cast("Awaitable[object]", value)

        def plainly(*args: object, **kwargs: object) -> object:
            value = called(args, kwargs)
            if mock is not None and inspect.iscoroutine(value):
                value.close()
                raise TypeError(
                    f"the mock of `{step.name}` gave a coroutine in a thread; make the mock an async function"
                )
            return value

        function: object = on_loop if mode == "async" else plainly
        if step.streams:
            mode = step.mode
            function = stream(step, called, self._clock, mocked=mock is not None)
        parameters = (*step.parameters, Parameter(CONTEXT, "context", keyword_only=True))
        guard = None if step.guard is None else self._guard(step.guard)
        return replace(step, function=cast("Function", function), parameters=parameters, mode=mode, guard=guard)

    def _guard(self, guard: Guard) -> Guard:
        """An async `when` is under way like a step."""

        async def awaited(value: object) -> object:
            with self._clock.awaiting(value):
                return await cast("Awaitable[object]", value)

        def ask(*args: object, **kwargs: object) -> object:
            answer = guard.function(*args, **kwargs)
            return awaited(answer) if inspect.isawaitable(answer) else answer

        return replace(guard, function=cast("Function", ask))

    def _note(self, step: PlanStep, context: StepContext, args: Mapping[str, object]) -> None:
        item = next((args[one.name] for one in step.parameters if one.source == "item"), None)
        key = parse_path(context.path)[-1].key
        call = Call(step.name, context.path, context.attempt, args, item, key)
        self.calls.setdefault(context.run_id, []).append(call)
