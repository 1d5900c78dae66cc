"""What is recorded in codes and tracebacks, in the words of people (O2)."""

from __future__ import annotations

import doctest
import traceback
from pathlib import Path

import pytest

from stepwell.views import frames, words


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(words).failed == 0


@pytest.mark.parametrize(
    ("recorded", "said"),
    [
        ("not_reached", "no branch led to it"),
        ("no_value", "a value that it needs was not made"),
        ("upstream_failed: fetch", "fetch failed before it"),
        ("upstream_failed", "upstream_failed"),
        ("a user's: own words", "a user's: own words"),
        ("", ""),
    ],
)
def test_a_reason_is_told_in_words_and_a_users_own_stays(recorded: str, said: str) -> None:
    assert words.reason(recorded) == said


def test_the_frame_is_the_innermost_of_the_users_own(tmp_path: Path) -> None:
    source = "import json\ndef read(text):\n    return json.loads(text)\n\nread('{')\n"
    path = tmp_path / "mine.py"
    path.write_text(source)
    try:
        exec(compile(source, str(path), "exec"), {})
    except ValueError:
        found = frames.own_frame(traceback.format_exc())
    assert found is not None
    assert (found.file, found.line, found.function, found.source) == (str(path), 3, "read", "return json.loads(text)")


def test_of_chained_exceptions_the_last_counts() -> None:
    text = (
        'Traceback (most recent call last):\n  File "/x/one.py", line 1, in f\n    first()\nKeyError: 1\n\n'
        "The above exception was the direct cause of the following exception:\n\n"
        'Traceback (most recent call last):\n  File "/x/two.py", line 2, in g\n    second()\nValueError: 2\n'
    )
    assert frames.own_frame(text) == frames.Frame("/x/two.py", 2, "g", "second()")


def test_without_a_frame_of_the_user_a_librarys_stands_in_and_ours_never() -> None:
    library = '  File "/v/site-packages/lib/x.py", line 3, in h\n    work()\n'
    ours = f'  File "{Path(frames.__file__).parent.parent}/engine/x.py", line 3, in h\n    work()\n'
    found = frames.own_frame(library)
    assert found is not None
    assert found.line == 3
    assert frames.own_frame(ours) is None
    assert frames.own_frame("") is None
