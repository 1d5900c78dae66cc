"""Text is spelled out until it can be recorded and shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.text import clean


@pytest.mark.parametrize(
    ("given", "kept"),
    [("a\tb\nc", "a\tb\nc"), ("a\x00b", "a\\x00b"), ("\x9b", "\\x9b"), ("\udce9", "\\udce9"), ("é", "é")],
)
def test_what_cannot_be_shown_is_spelled_out(given: str, kept: str) -> None:
    assert clean(given) == kept


@given(st.text(st.characters()))
def test_clean_text_can_be_encoded_and_stays_as_it_is(text: str) -> None:
    kept = clean(text)
    kept.encode("utf-8")
    assert clean(kept) == kept
