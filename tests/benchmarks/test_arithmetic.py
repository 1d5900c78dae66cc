"""Medians, ratios, goals, and the rule of three repeats."""

import pytest

from benchmarks.arithmetic import Figures, fails, falls_below_half, ratio, shortfall, slowness, worse_by
from benchmarks.rows import LESS, MORE, ROWS, Bound, Row, chosen

COST = Row("W1", "a chain", "µs", LESS, (10, 10, 10), ("await", "task"), (Bound(6), Bound(1, "task")), usual=1.0)
RATE = Row("W3", "a map", "items/s", MORE, (10, 10, 10), ("workers",), (Bound(100),), usual=200.0)


def sides(**values: float | list[float]) -> dict[str, Figures]:
    return {name: Figures(10, value if isinstance(value, list) else [value]) for name, value in values.items()}


def test_the_middle_of_several_samples_counts() -> None:
    assert Figures(1, [9.0, 1.0, 2.0]).median == 2.0
    assert Figures(1, [1.0, 2.0]).median == 1.5
    assert Figures(1).median is None


def test_a_ratio_says_how_many_times_worse_whichever_way_is_better() -> None:
    assert worse_by(COST, 6.0, 2.0) == 3.0
    assert worse_by(RATE, 50.0, 200.0) == 4.0
    assert ratio(COST, sides(stepwell=6.0, **{"await": 2.0}), "stepwell", "await") == 3.0
    assert ratio(COST, sides(stepwell=6.0), "stepwell", "await") is None


def test_a_figure_of_nothing_is_no_division_by_zero() -> None:
    assert worse_by(RATE, 0.0, 100.0) == float("inf")
    assert worse_by(COST, 0.0, 0.0) == 1.0


def test_all_bounds_of_a_goal_must_hold() -> None:
    assert shortfall(COST, sides(stepwell=3.0, task=6.0)) == 0.5
    assert shortfall(COST, sides(stepwell=6.0, task=3.0)) == 2.0


def test_one_bound_is_enough_where_a_goal_says_or() -> None:
    either = Row("W7", "a resume", "ms", LESS, (1, 1, 1), ("rows",), (Bound(120), Bound(2.5, "rows")), either=True)
    assert shortfall(either, sides(stepwell=240.0, rows=192.0)) == 0.5


def test_nothing_measured_is_neither_met_nor_missed() -> None:
    assert shortfall(COST, {"stepwell": Figures(1, note="not yet")}) is None
    assert not falls_below_half(COST, {"stepwell": Figures(1, note="not yet")})


@pytest.mark.parametrize(("value", "bad"), [(99.0, False), (51.0, False), (49.0, True)])
def test_below_half_of_a_goal_is_bad_and_just_missing_it_is_not(value: float, bad: bool) -> None:
    assert falls_below_half(RATE, sides(stepwell=value, workers=200.0)) is bad


def test_a_machine_that_is_slow_now_eases_goals_in_units_and_never_tightens_them() -> None:
    slow, quick = sides(stepwell=30.0, workers=100.0), sides(stepwell=30.0, workers=800.0)
    assert slowness(RATE, slow) == 2.0
    assert slowness(RATE, quick) == 1.0
    assert not falls_below_half(RATE, slow)
    assert falls_below_half(RATE, quick)


def test_goals_that_refer_to_a_limit_are_not_eased() -> None:
    assert falls_below_half(COST, sides(stepwell=7.0, task=3.0, **{"await": 10.0}))


@pytest.mark.parametrize(
    ("repeats", "failing"),
    [([True], False), ([True, True], False), ([True, True, True], True), ([True, True, False], False)],
)
def test_only_three_bad_repeats_and_no_good_one_fail_a_row(repeats: list[bool], failing: bool) -> None:
    assert fails(repeats) is failing


def test_rows_are_chosen_by_their_name_or_their_workload() -> None:
    assert [row.id for row in chosen("w6, W1")] == ["W1", "W6.100", "W6.1000", "W6.chains"]
    assert chosen("") == list(ROWS)
    with pytest.raises(ValueError, match=r"no row W99; there are W1, "):
        chosen("W99")


def test_every_goal_refers_to_a_limit_of_its_own_row() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert {bound.of for bound in row.goal} <= {"", *row.limits}, row.id
