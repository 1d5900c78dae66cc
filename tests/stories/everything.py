"""One pipeline with everything in it, for the tests that let its process die."""

from __future__ import annotations

from collections.abc import Mapping

from stepwell import Pipeline, RetryPolicy, StepContext
from stepwell.testing import Harness


def everything() -> Pipeline:
    """A diamond, a map with a retry, a switch, a skipped step and one that is tolerated, in one run."""
    pipe = Pipeline("everything", on_failure="finish")

    @pipe.step
    async def numbers(n: int) -> list[int]:
        return list(range(n))

    @pipe.map(over=numbers, concurrency=2, retry=RetryPolicy(5, delay="3s", jitter=0))
    async def square(item: int, ctx: StepContext) -> int:
        if item == 1 and ctx.attempt == 1:
            raise OSError("once")
        return item * item

    @pipe.step
    async def side(numbers: list[int]) -> int:
        return len(numbers)

    @pipe.switch(to={"odd": "on_odd", "even": "on_even"})
    def parity(square: list[int]) -> str:
        return "odd" if sum(square) % 2 else "even"

    @pipe.step
    def on_odd() -> str:
        return "odd!"

    @pipe.step
    def on_even() -> str:
        return "even!"

    @pipe.step(when=lambda side: side > 100)
    async def never() -> str:
        return "never"

    @pipe.step(critical=False)
    async def extra() -> str:
        raise ValueError("tolerated")

    @pipe.step
    async def report(
        square: list[int], side: int, on_odd: str = "", on_even: str = "", never: str = "", extra: str = "-"
    ) -> str:
        return f"{square} {side} {on_odd}{on_even}{never}{extra}"

    return pipe


def executions(h: Harness) -> Mapping[str, int]:
    """How often each step or item was executed in the last run and its resumes."""
    counts: dict[str, int] = {}
    for name in everything().steps():
        for call in h.calls(name):
            key = call.path.partition("#")[0]
            counts[key] = counts.get(key, 0) + 1
    return counts
