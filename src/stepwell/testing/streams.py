"""Generator steps in a test: run as they are, or played by a mock that yields what it was given."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from typing import cast

from stepwell.control import Control, Output
from stepwell.plan.plan import PlanStep
from stepwell.testing.clock import VirtualClock

Called = Callable[[tuple[object, ...], dict[str, object]], object]
"""Notes a call and makes it: gives the generator, or what a mock has instead."""


def stream(step: PlanStep, called: Called, clock: VirtualClock, *, mocked: bool) -> Callable[..., object]:
    """The generator function that stands in for that of the step, of the same kind."""

    async def on_loop(*args: object, **kwargs: object) -> AsyncGenerator[object]:
        made = called(args, kwargs)
        if inspect.isawaitable(made):
            with clock.awaiting(made):
                made = await cast("Awaitable[object]", made)
        if not inspect.isasyncgen(made):
            for value in _values(step, made, mocked=mocked):
                yield value
            return
        generator = cast("AsyncGenerator[object]", made)
        try:
            while True:
                with clock.awaiting(generator):
                    try:
                        value = await anext(generator)
                    except StopAsyncIteration:
                        return
                yield value
        finally:
            await generator.aclose()

    def plainly(*args: object, **kwargs: object) -> Generator[object, None, object]:
        made = called(args, kwargs)
        if inspect.isgenerator(made):
            return (yield from cast("Generator[object, None, object]", made))
        yield from _values(step, made, mocked=mocked)
        return None

    return on_loop if step.mode == "async" else plainly


def _values(step: PlanStep, made: object, *, mocked: bool) -> Iterable[object]:
    """What is yielded of a mock's value: the items where a map runs over them; else it is the output."""
    one: list[object] = [made]
    if isinstance(made, Control) or not mocked:
        return one
    if inspect.isgenerator(made) or step.yields is not None:
        return cast("Iterable[object]", made)
    return [Output(made)]
