"""The quick check: one good repeat is enough, and what is not there yet is not asked for."""

from collections.abc import Iterator

import pytest

from benchmarks import quick
from benchmarks.arithmetic import Figures, Sides
from benchmarks.rows import MORE, Bound, Row

ROW = Row("W3", "a map", "items/s", MORE, (10, 10, 10), ("workers",), (Bound(100),))


def repeats(*values: float | str) -> quick.Measure:
    """Gives these figures, or failures, one after the other."""
    left: Iterator[float | str] = iter(values)

    def measure(row: Row) -> Sides:
        value = next(left)
        own = Figures(10, note=value) if isinstance(value, str) else Figures(10, [value])
        return {"workers": Figures(10, [200.0]), "stepwell": own}

    return measure


def test_a_row_that_is_bad_once_gets_another_chance() -> None:
    assert quick.check(ROW, repeats(10.0, 20.0, 60.0))[1] is False


def test_a_row_that_is_bad_three_times_fails() -> None:
    assert quick.check(ROW, repeats(10.0, 20.0, 30.0))[1] is True


def test_a_workload_that_breaks_three_times_fails() -> None:
    assert quick.check(ROW, repeats("ValueError: x", "ValueError: x", "ValueError: x"))[1] is True


def test_what_is_not_there_yet_does_not_fail() -> None:
    assert quick.check(ROW, repeats("not yet: no generators"))[1] is False


def test_the_exit_code_and_the_last_line_tell_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    assert quick.quick([ROW], repeats(100.0)) == 0
    assert quick.quick([ROW], repeats(1.0, 1.0, 1.0)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ok    W3")
    assert lines[1].startswith("0 below half")
    assert lines[2].startswith("FAIL  W3")
    assert lines[3].endswith("W3")


def test_rows_that_have_no_goal_or_no_quick_size_are_left_out() -> None:
    without = [Row("W9", "x", "ms", MORE, (1, 1, 1)), Row("W3", "x", "ms", MORE, (1, 0, 1), (), (Bound(1),))]
    assert quick.quick(without, repeats()) == 0


def test_a_row_that_is_known_to_be_low_is_told_and_does_not_fail(capsys: pytest.CaptureFixture[str]) -> None:
    row = Row(
        "W4", "runs", "runs/s", MORE, (10, 10, 10), ("workers",), (Bound(100),), known="it waits for a better core"
    )
    assert quick.quick([row], repeats(1.0, 1.0, 1.0)) == 0
    assert capsys.readouterr().out.startswith("low   W4")
