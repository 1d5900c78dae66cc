"""The way out of a misspelling."""

from __future__ import annotations

from stepwell.definition.suggest import closest, did_you_mean


def test_the_nearest_name_is_found_whatever_its_spelling() -> None:
    """A10: hyphens and case are no difference."""
    assert closest("load-dta", ["Load_Data", "report"]) == "Load_Data"
    assert closest("zzz", ["Load_Data"]) == ""


def test_without_a_near_name_the_first_ones_are_listed() -> None:
    """A10: what there is to choose from, and how many more."""
    assert did_you_mean("zzz", "abc", what="steps", limit=2) == "; the steps are `a`, `b` and 1 more"
    assert did_you_mean("zzz", [], what="steps") == ""
    assert did_you_mean("zzz", ["a"]) == ""
