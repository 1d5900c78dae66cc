"""An entry of a log file: what is written is read again."""

from __future__ import annotations

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from stepwell.events import LogLine
from stepwell.workdir.row import read_row, spelled

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"))
WORD = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)


@given(st.sampled_from(["stdout", "stderr"]), TEXT, st.floats(0, 4e9), st.integers(0, 99))
def test_a_printed_line_is_read_as_it_was_written(
    stream: Literal["stdout", "stderr"], text: str, at: float, attempt: int
) -> None:
    line = LogLine("01J", 0, round(at, 6), "measure[a b%2F]#2", attempt, stream, text)
    row = spelled(line).decode()
    assert row.endswith("\n")
    read = read_row("01J", row[:-1])
    assert read is not None
    assert abs(read.at - line.at) < 1e-5
    assert (read.path, read.attempt, read.stream, read.text) == (line.path, attempt, stream, text)


@given(WORD, WORD, TEXT)
def test_a_record_keeps_its_level_and_logger(level: str, logger: str, text: str) -> None:
    row = spelled(LogLine("01J", 0, 1.5, "a", 1, "log", text, level, logger)).decode()
    assert read_row("01J", row[:-1]) == LogLine("01J", 0, 1.5, "a", 1, "log", text, level, logger)


def test_tabs_in_the_name_of_a_logger_do_not_tear_the_row() -> None:
    row = spelled(LogLine("01J", 0, 1.5, "a", 1, "log", "text", "INFO", "a\tb\nc")).decode()
    read = read_row("01J", row[:-1])
    assert read is not None
    assert (read.logger, read.text) == ("a b c", "text")


def test_what_is_no_row_is_none() -> None:
    for row in ("", "text", "2026-01-01T00:00:00Z\ta\tone\tstdout\ttext", "yesterday\ta\t1\tstdout\ttext"):
        assert read_row("01J", row) is None
