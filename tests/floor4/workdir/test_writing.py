"""Writing the log of a run: private files, at once, and not without end."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stepwell.events import LogLine
from stepwell.workdir.reading import LogReader
from stepwell.workdir.writing import LogWriter, file_name, numbers


def said(number: int) -> LogLine:
    return LogLine("01J", 0, float(number), "measure[a]", 1, "stdout", f"line {number}")


def texts(folder: Path) -> list[str]:
    return [line.text for line in LogReader(folder, "01J").read()]


def test_no_file_is_made_before_the_first_entry(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path / "work" / "01J")
    writer.close()
    assert not (tmp_path / "work").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_log_files_are_for_this_user_alone(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path / "01J")
    writer.write(said(1))
    writer.close()
    assert (tmp_path / "01J" / file_name(1)).stat().st_mode & 0o777 == 0o600


def test_an_entry_is_in_the_file_before_write_returns(tmp_path: Path) -> None:
    """So `kill -9` loses none."""
    writer = LogWriter(tmp_path)
    writer.write(said(1))
    assert (tmp_path / file_name(1)).read_text().endswith("line 1\n")
    writer.close()


def test_another_writer_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    for number in (1, 2):
        writer = LogWriter(tmp_path)
        writer.write(said(number))
        writer.close()
    assert texts(tmp_path) == ["line 1", "line 2"]
    assert numbers(tmp_path) == [1]


def test_a_row_that_a_crash_has_torn_does_not_spoil_the_next(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path)
    writer.write(said(1))
    writer.close()
    with (tmp_path / file_name(1)).open("ab") as file:
        file.write(b"2026-01-01T00:00:00.0000")
    writer = LogWriter(tmp_path)
    writer.write(said(2))
    writer.close()
    assert texts(tmp_path)[-1] == "line 2"


def test_of_a_log_that_is_too_large_the_middle_goes(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path, file_bytes=500, files=3)
    for number in range(200):
        writer.write(said(number))
    writer.close()
    kept = numbers(tmp_path)
    assert len(kept) == 3
    assert kept[0] == 1
    assert all((tmp_path / file_name(number)).stat().st_size <= 500 for number in kept)
    read = texts(tmp_path)
    assert read[0] == "line 0"
    assert read[-1] == "line 199"
    (cut,) = [text for text in read if not text.startswith("line")]
    assert cut.startswith("log cut: more was logged than is kept; log-000002.txt to log-")


def test_a_folder_that_cannot_be_made_raises_what_the_disk_said(tmp_path: Path) -> None:
    (tmp_path / "work").write_text("no folder")
    with pytest.raises(OSError, match="work"):
        LogWriter(tmp_path / "work" / "01J").write(said(1))


def test_numbers_of_a_folder_that_is_not_there_are_none(tmp_path: Path) -> None:
    assert numbers(tmp_path / "nowhere") == []
