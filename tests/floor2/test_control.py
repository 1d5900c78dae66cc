"""What a step may say and ask: tokens that are cancelled once, and values that are only data."""

from __future__ import annotations

import threading

import pytest

from stepwell.control import CONTROLS, Cancelled, CancelToken, Goto, Output, Raise, Retry, Skip, StepContext, Stop
from stepwell.errors import StepwellError


def test_a_fresh_token_lets_the_step_go_on() -> None:
    token = CancelToken()
    token.check()
    assert not token.cancelled
    assert token.wait(0) is False


def test_a_cancelled_token_raises_with_its_reason() -> None:
    token = CancelToken()
    token.cancel("enough")
    assert token.cancelled
    with pytest.raises(Cancelled, match="enough"):
        token.check()


def test_the_first_reason_of_a_cancel_stands() -> None:
    token = CancelToken()
    token.cancel("first")
    token.cancel("second")
    assert token.reason == "first"


def test_a_thread_that_waits_is_woken_by_the_cancel() -> None:
    token, woken = CancelToken(), list[bool]()
    thread = threading.Thread(target=lambda: woken.append(token.wait(30)))
    thread.start()
    token.cancel("now")
    thread.join(5)
    assert woken == [True]


def test_being_cancelled_is_one_of_stepwells_own_errors() -> None:
    assert issubclass(Cancelled, StepwellError)


def test_control_values_are_data_and_equal_by_content() -> None:
    error = ValueError("no")
    assert (Stop(1), Skip("x"), Retry("2s"), Raise(error)) == (Stop(1), Skip("x"), Retry("2s"), Raise(error))
    assert Stop() == Stop(None)
    assert (Goto("a", best=1), Output(2)) == (Goto("a", best=1), Output(2))
    assert Goto("a") != Goto("a", best=None)
    assert (Stop, Skip, Retry, Raise, Goto, Output) == CONTROLS


def test_no_control_value_can_be_changed_after_the_fact() -> None:
    with pytest.raises(AttributeError):
        Skip("x").reason = "y"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def test_a_context_shows_everything_but_its_token() -> None:
    context = StepContext("run", "m[a]", "m", 2, "run:m[a]", CancelToken())
    assert "m[a]" in repr(context)
    assert "CancelToken" not in repr(context)
