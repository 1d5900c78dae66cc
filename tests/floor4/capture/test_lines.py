"""From pieces to lines: whole, bounded, without control characters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stepwell.capture.lines import LONGEST, split, tidy


@given(st.lists(st.text("ab\n", max_size=5)))
def test_pieces_come_to_the_lines_of_the_whole(pieces: list[str]) -> None:
    lines, held = [], ""
    for piece in pieces:
        more, held = split(held, piece)
        lines += more
    assert [*lines, held] == "".join(pieces).split("\n")


def test_a_progress_bar_comes_to_one_line() -> None:
    lines, held = [], ""
    for share in range(101):
        more, held = split(held, f"\r{share} %")
        lines += more
        assert len(held) < 10
    assert (lines, split(held, "\n")[0]) == ([], ["100 %"])


def test_a_bar_that_ends_each_state_with_a_return_shows_the_last() -> None:
    _, held = split("", "1 %\r")
    lines, held = split(held, "2 %\r")
    assert (lines, held) == ([], "2 %\r")
    assert split(held, "\n") == (["2 %"], "")


def test_line_ends_of_windows_are_line_ends() -> None:
    assert split("", "one\r\ntwo\r\n") == (["one", "two"], "")


def test_a_line_without_an_end_does_not_grow_for_ever() -> None:
    held = ""
    for _ in range(100):
        lines, held = split(held, "x" * 1000)
        assert lines == []
        assert len(held) <= LONGEST + 1
    (line,) = split(held, "\n")[0]
    assert line.endswith("… cut: longer than 16,384 characters")


def test_colours_and_control_characters_are_taken_out() -> None:
    assert tidy("\x1b[1;31mred\x1b[0m \x1b]0;title\x07bell\x07 nul\x00 c1\x9b") == "red bell\\x07 nul\\x00 c1\\x9b"


def test_halves_of_characters_are_spelled_out() -> None:
    assert tidy("caf\udce9 日本 é") == "caf\\udce9 日本 é"


@given(st.text())
def test_what_is_kept_can_be_written_and_shown(text: str) -> None:
    kept = tidy(text)
    kept.encode("utf-8")
    assert all(one.isprintable() or one in "\n\t" or ord(one) >= 160 for one in kept)
