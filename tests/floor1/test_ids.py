"""Names of things: run ids that sort by time, and paths that lead back to where they came from (S6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.ids import NAME, Segment, canonical, escape, parse_path, path_text, ulid, unescape

NAMES = st.from_regex(NAME, fullmatch=True)


def test_run_ids_sort_by_time_whatever_chance_gives() -> None:
    early, late = ulid(1_000, b"\xff" * 10), ulid(1_001, bytes(10))
    assert early < late
    assert len(early) == len(late) == 26


def test_run_ids_of_one_millisecond_differ_by_chance() -> None:
    assert ulid(5, bytes(10)) != ulid(5, bytes(9) + b"\x01")


def test_two_names_are_equal_whatever_their_case_and_hyphens() -> None:
    assert canonical("Load-Data") == canonical("load_data")
    assert canonical("load") != canonical("load2")


@pytest.mark.parametrize("name", ["", "1a", "_a", "a b", "a/b", "a.b", "ä", "a\n"])
def test_what_is_no_name_is_told_apart(name: str) -> None:
    assert NAME.match(name) is None


@given(st.text())
def test_a_key_survives_its_escape(key: str) -> None:
    assert unescape(escape(key)) == key


@given(NAMES, st.none() | st.text(), st.integers(1, 999))
def test_a_path_leads_back_to_its_name_key_and_visit(name: str, key: str | None, visit: int) -> None:
    """S6: a step's identity is its name, the item's key and the visit, and its text loses none of them."""
    assert parse_path(path_text(name, key, visit)) == (Segment(name, key, visit),)


@given(st.text(), st.text())
def test_two_keys_never_share_a_path(one: str, other: str) -> None:
    """S6: no two items of a map can be taken for one another."""
    assert (path_text("m", one) == path_text("m", other)) == (one == other)


def test_a_path_of_several_levels_is_parsed_level_by_level() -> None:
    found = parse_path("parent#3/measure[a%2Fb]#2")
    assert found == (Segment("parent", None, 3), Segment("measure", "a/b", 2))
    assert "/".join(map(str, found)) == "parent#3/measure[a%2Fb]#2"


def test_the_first_visit_is_not_written() -> None:
    assert path_text("draft") == "draft"
    assert path_text("draft", visit=2) == "draft#2"
    assert path_text("draft", "", 1) == "draft[]"


@pytest.mark.parametrize("text", ["", "/", "a//b", "a[b", "a]", "a#0", "a#x", "a#1#2", "a[b]c"])
def test_what_is_no_path_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="is no path; expected name"):
        parse_path(text)
