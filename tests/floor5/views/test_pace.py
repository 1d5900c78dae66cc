"""Rate and time left of a map, with times that the test sets (J5)."""

from __future__ import annotations

from stepwell.views.pace import Pace


def steady(pace: Pace, rate: int, seconds: int, *, since: float = 0.0, before: int = 0) -> int:
    pace.begin(since, before)
    for second in range(1, seconds + 1):
        pace.note(since + second, before + rate * second)
    return before + rate * seconds


def test_nothing_is_said_before_it_means_something() -> None:
    """J5: not out of the first item, nor out of the first second."""
    pace = Pace()
    assert pace.rate(0, 5.0) is None
    pace.begin(0.0, 0)
    pace.note(0.5, 400)
    assert pace.rate(400, 1.0) is None
    assert pace.rate(4, 10.0) is None
    assert pace.rate(400, 4.0) == 100.0


def test_the_rate_of_late_counts_and_not_that_of_the_whole() -> None:
    """J5: a slow beginning is forgotten after half a minute."""
    pace = Pace()
    done = steady(pace, 1, 60)
    for second in range(61, 121):
        done += 50
        pace.note(float(second), done)
    assert pace.rate(done, 120.0) == 50.0
    assert pace.left(500, done, 120.0) == 10.0


def test_slow_items_are_measured_over_as_long_as_it_takes() -> None:
    pace = Pace()
    pace.begin(0.0, 0)
    for count in range(1, 21):
        pace.note(60.0 * count, count)
    assert pace.rate(20, 1200.0) == 1 / 60


def test_a_stall_lowers_the_rate() -> None:
    pace = Pace()
    done = steady(pace, 10, 60)
    assert pace.rate(done, 60.0) == 10.0
    assert (pace.rate(done, 360.0) or 0) < 0.1


def test_what_ended_before_a_resume_says_nothing_about_now() -> None:
    """J5: 900 items of yesterday are no rate."""
    pace = Pace()
    steady(pace, 100, 9)
    assert steady(pace, 2, 10, since=90_000.0, before=900) == 920
    assert pace.rate(920, 90_010.0) == 2.0


def test_a_hundred_thousand_items_leave_few_marks() -> None:
    pace = Pace()
    pace.begin(0.0, 0)
    for count in range(100_000):
        pace.note(count / 1000, count)
    assert len(pace._marks) <= 128
    assert round(pace.rate(99_999, 100.0) or 0) == 1000
