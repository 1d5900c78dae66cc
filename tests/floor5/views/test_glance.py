"""Where the items of each map are counted."""

from __future__ import annotations

from stepwell import events as ev
from stepwell.views.glance import ITEM_KINDS, OTHER_KINDS, Section, sections


def test_maps_are_counted_from_where_they_last_lost_their_items_and_without_what_was_reset() -> None:
    facts = [
        ev.MapExpanded("R", 2, 1.0, "one", count=2),
        ev.MapExpanded("R", 3, 1.0, "two", count=2),
        ev.StepReset("R", 9, 1.0, paths=("one", "one[0]", "two[1]"), cause="resume"),
        ev.StepReset("R", 20, 1.0, paths=("two", "last"), cause="goto", whole=("two",)),
        ev.MapExpanded("R", 21, 1.0, "two#2", count=2),
        ev.StepReset("R", 30, 1.0, paths=("two[0]#2",), cause="resume"),
    ]
    assert sections(facts) == [
        Section(0, ("one",), frozenset({"one[0]"})),
        Section(20, ("two",), frozenset({"two[0]#2"})),
    ]


def test_maps_that_are_counted_from_the_same_fact_are_counted_together() -> None:
    facts = [ev.MapExpanded("R", seq, 1.0, name, count=2) for seq, name in ((2, "one"), (3, "two"), (4, "one"))]
    assert sections(facts) == [Section(0, ("one", "two"), frozenset())]
    assert sections([]) == []


def test_each_kind_of_fact_is_read_or_counted() -> None:
    assert frozenset(ev.FACTS) == ITEM_KINDS | OTHER_KINDS
    assert {kind for kind in ev.FACTS if kind.startswith("ITEM_")} == ITEM_KINDS
