"""What is recorded of a failure whose exception cannot be told."""

from __future__ import annotations

import pytest

from stepwell import Pipeline
from stepwell.engine.outcome import Failed, failure
from stepwell.events import Failure


class Odd(Exception):
    """What it says more is the user's code, which raises."""

    @property
    def __notes__(self) -> list[str]:  # type: ignore[override]
        raise RuntimeError("x")


def odd() -> BaseException:
    return Odd("odd")


def misplaced() -> BaseException:
    error = SyntaxError("bad")
    error.lineno, error.offset, error.text = 1, 1, 5  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    return error


def long_chain() -> BaseException:
    error: BaseException | None = None
    for number in range(3_000):
        following = ValueError(number)
        following.__context__ = error
        error = following
    assert error is not None
    return error


def recorded(error: BaseException) -> Failure:
    failed = Failed("error", "exception", error)
    return failure(failed, path="a", step="a", item=None, attempt=1, retryable=False)


def test_a_traceback_that_cannot_be_formatted_says_why() -> None:
    """E8: notes and causes are the user's code."""
    found = recorded(odd())
    assert (found.type, found.message) == ("Odd", "odd")
    # From Python 3.13 on it is Python itself that says so.
    assert found.traceback in (
        "(its traceback cannot be had: RuntimeError)",
        f"{Odd.__module__}.Odd: odd\nIgnored error getting __notes__: RuntimeError('x')\n",
    )
    assert "cannot be had" in recorded(misplaced()).traceback


@pytest.mark.parametrize("make", [odd, misplaced, long_chain])
def test_an_exception_that_cannot_be_formatted_is_the_failure_of_its_step(make: object) -> None:
    """E8: `await run` never raises for a step, and the run has its end."""
    pipe = Pipeline("odd")

    @pipe.step
    async def work() -> int:
        raise make()  # type: ignore[operator]

    result = pipe.run_sync()
    assert (result.status, result.failures[0].path) == ("failed", "work")
