"""Commands that messages propose can be typed as they stand, in the shells of each system."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.cli.typed import typed

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no sh here")
@given(st.lists(WORDS, min_size=20, max_size=20))
def test_a_shell_takes_each_word_for_what_it_is(words: list[str]) -> None:
    line = "printf '%s\\0' " + " ".join(typed(word, "linux") for word in words)
    done = subprocess.run(["sh", "-c", line], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == words


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (r"C:\runs\a.db", r"C:\runs\a.db"),
        (r"C:\my runs\a.db", r'"C:\my runs\a.db"'),
        ("a & b", '"a & b"'),
        ("", '""'),
        ("ends with one \\", '"ends with one \\\\"'),
    ],
)
def test_on_windows_double_quotes_stand_where_they_are_needed(word: str, said: str) -> None:
    assert typed(word, "win32") == said
