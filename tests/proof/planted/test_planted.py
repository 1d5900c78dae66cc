"""Mistakes that are made on purpose are found: by the proof that is there for them, and in the words of its law."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .. import counts
from .finding import EACH_RUN, FOUND, NotFound, Place, in_the_suite
from .mistakes import MISTAKES

PLACES = [(name, place) for name, places in FOUND.items() for place in places]
if not counts.LONG:
    PLACES = [(name, places[0]) for name, places in list(FOUND.items())[:EACH_RUN]]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "place"), PLACES, ids=[f"{name} by {place.proof}" for name, place in PLACES])
def test_a_mistake_that_was_planted_is_found(name: str, place: Place, tmp_path: Path) -> None:
    """A proof that holds with a mistake in the code proves nothing about it; the same case holds without it."""
    if place.proof == "random kill" and sys.platform == "win32":
        pytest.skip("Windows has no process groups that can be killed as a whole")
    cases = place.find(name, tmp_path)
    counts.tell("planted", {"found": 1, f"by the {place.proof}": 1, "cases that it took": cases})


def test_a_mistake_that_no_proof_finds_is_told(tmp_path: Path) -> None:
    """A proof that looks elsewhere: it holds, and that is said."""
    place = in_the_suite("tests/floor1/test_ids.py", "test", "never")
    with pytest.raises(NotFound, match="not unique"):
        place.find("no-unique-ends", tmp_path)


def test_every_mistake_has_a_proof_that_is_to_find_it() -> None:
    """And says in a line what is wrong."""
    assert FOUND.keys() == MISTAKES.keys()
    assert all((make.__doc__ or "").strip() for make in MISTAKES.values())
