"""Reading the log of a run: each entry once, while it is being written, cut or torn."""

from __future__ import annotations

from pathlib import Path

from stepwell.events import LogLine
from stepwell.workdir.reading import LogReader
from stepwell.workdir.row import spelled
from stepwell.workdir.writing import LogWriter, file_name


def said(text: str) -> LogLine:
    return LogLine("01J", 0, 5.0, "a", 1, "log", text, "INFO", "lab")


def test_what_came_since_is_read_once(tmp_path: Path) -> None:
    writer, reader = LogWriter(tmp_path), LogReader(tmp_path, "01J")
    assert list(reader.read()) == []
    writer.write(said("one"))
    assert [line.text for line in reader.read()] == ["one"]
    assert list(reader.read()) == []
    writer.write(said("two"))
    assert [line.text for line in reader.read()] == ["two"]
    writer.close()


def test_an_entry_of_several_lines_stays_one(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path)
    for text in ("bad\nTraceback\n\n  end", "next", "tab\there\n\tindented"):
        writer.write(said(text))
    writer.close()
    assert [line.text for line in LogReader(tmp_path, "01J").read()] == [
        "bad\nTraceback\n\n  end",
        "next",
        "tab\there\n\tindented",
    ]


def test_a_row_that_is_being_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    path, row, reader = tmp_path / file_name(1), spelled(said("whole")), LogReader(tmp_path, "01J")
    path.write_bytes(row[:20])
    assert list(reader.read()) == []
    path.write_bytes(row)
    assert list(reader.read()) == [said("whole")]


def test_a_follower_goes_on_over_many_files(tmp_path: Path) -> None:
    writer, reader = LogWriter(tmp_path, file_bytes=200), LogReader(tmp_path, "01J")
    read: list[str] = []
    for number in range(100):
        writer.write(said(str(number)))
        if number % 7 == 0:
            read += [line.text for line in reader.read()]
    writer.close()
    read += [line.text for line in reader.read()]
    assert [int(text) for text in read if "cut" not in text] == list(range(100))


def test_bytes_that_are_no_text_are_shown_and_harm_nothing(tmp_path: Path) -> None:
    (tmp_path / file_name(1)).write_bytes(spelled(said("one")) + b"\xff\xfe junk\n" + spelled(said("two")))
    assert [line.text for line in LogReader(tmp_path, "01J").read()] == ["one\n\ufffd\ufffd junk", "two"]
