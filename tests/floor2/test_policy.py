"""When a step is tried again, and after how long: pure arithmetic, chance comes in as an argument (S9)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.policy import RetryPolicy


def test_the_wait_grows_by_the_backoff_up_to_its_maximum() -> None:
    policy = RetryPolicy(attempts=9, delay="1s", backoff=3.0, max_delay="10s", jitter=0)
    assert [policy.wait(failed, 0.9) for failed in (1, 2, 3, 4)] == [1, 3, 9, 10]


def test_a_wait_that_grows_beyond_any_number_is_the_maximum() -> None:
    assert RetryPolicy(attempts=5000, backoff=10.0, max_delay="1m", jitter=0).wait(4000, 0.5) == 60


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 50), st.floats(0, 1))
def test_chance_moves_the_wait_by_at_most_the_jitter(chance: float, failed: int, jitter: float) -> None:
    calm = RetryPolicy(attempts=99, jitter=0).wait(failed, 0.5)
    wait = RetryPolicy(attempts=99, jitter=jitter).wait(failed, chance)
    assert calm * (1 - jitter) - 1e-9 <= wait <= calm * (1 + jitter) + 1e-9


def test_without_conditions_every_failure_is_tried_again() -> None:
    policy = RetryPolicy()
    assert all(policy.covers(kind, ValueError()) for kind in ("error", "timeout", "codec", "cancelled"))
    assert policy.covers("timeout", None)


def test_with_exceptions_only_those_and_their_kin_are_tried_again() -> None:
    policy = RetryPolicy(on=(OSError,))
    assert policy.covers("error", ConnectionError())
    assert not policy.covers("error", ValueError())
    assert not policy.covers("error", None)


def test_with_kinds_only_those_are_tried_again() -> None:
    policy = RetryPolicy(kinds=("timeout",))
    assert policy.covers("timeout", None)
    assert not policy.covers("error", TimeoutError())


def test_exceptions_and_kinds_together_cover_either() -> None:
    policy = RetryPolicy(on=(OSError,), kinds=("timeout",))
    assert policy.covers("timeout", ValueError())
    assert policy.covers("error", OSError())
    assert not policy.covers("error", ValueError())


def test_what_is_excepted_is_never_tried_again() -> None:
    policy = RetryPolicy(on=(OSError,), unless=(FileNotFoundError,))
    assert policy.covers("error", OSError())
    assert not policy.covers("error", FileNotFoundError())


class Shut(OSError):
    """Nothing of it can be had, not even its class."""

    def __getattribute__(self, name: str) -> object:
        raise RuntimeError(f"nobody may see its {name}")


def test_an_exception_that_does_not_tell_its_class_is_covered_by_its_type() -> None:
    """E8: a policy that raised here would take the run with it."""
    assert RetryPolicy(on=(OSError,)).covers("error", Shut())
    assert not RetryPolicy(on=(ValueError,)).covers("error", Shut())
    assert not RetryPolicy(unless=(OSError,)).covers("error", Shut())
    assert RetryPolicy(unless=(ValueError,)).covers("error", Shut())


def test_a_failure_without_an_exception_is_covered_by_its_kind_only() -> None:
    assert RetryPolicy(kinds=("timeout",)).covers("timeout", None)
    assert not RetryPolicy(on=(OSError,)).covers("timeout", None)
    assert RetryPolicy(unless=(OSError,)).covers("timeout", None)


def test_one_exception_class_may_stand_for_a_tuple() -> None:
    one: Any = OSError
    assert RetryPolicy(on=one).on == (OSError,)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"attempts": 0}, "at least 1"), ({"attempts": True}, "whole number"), ({"attempts": 2.0}, "whole number"),
        ({"backoff": 0.5}, "at least 1"), ({"backoff": float("nan")}, "at least 1"),
        ({"jitter": 1.5}, "between 0 and 1"), ({"jitter": -0.1}, "between 0 and 1"),
        ({"delay": "soon"}, "retry delay must be like"),
        ({"max_delay": -1}, "retry max_delay must be like"), ({"kinds": ("fire",)}, "fire"),
    ],
)  # fmt: skip
def test_a_policy_that_makes_no_sense_is_refused_in_words(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RetryPolicy(**options)


@pytest.mark.parametrize("given_", ["OSError", (1,), int])
def test_what_is_no_exception_class_is_refused(given_: Any) -> None:
    with pytest.raises(TypeError, match="exception classes"):
        RetryPolicy(on=given_)
