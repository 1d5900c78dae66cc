"""Log records: to their attempt with level and logger, and on to the handlers that the program has."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stepwell.capture.capture import Capture
from stepwell.events import LogLine


class Kept(list[LogLine]):
    """Keeps what is said."""

    def say(self, line: LogLine) -> None:
        self.append(line)

    def close(self) -> None:
        pass


@contextlib.contextmanager
def program(*handlers: logging.Handler, level: int = logging.WARNING) -> Iterator[logging.Logger]:
    """The root logger as a program has it; pytest puts handlers of its own there, anew for each part of a test."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    root.handlers[:] = handlers
    root.setLevel(level)
    try:
        yield root
    finally:
        root.handlers[:], root.level = before


@contextlib.contextmanager
def attempt(lines: Kept, *, tee: bool = True) -> Iterator[Capture]:
    """An attempt that has begun."""
    capture = Capture("01J", lines, lambda: 1.0, tee=tee)
    capture.begin("a", 1)
    try:
        yield capture
    finally:
        capture.close()


@pytest.fixture
def lines() -> Kept:
    return Kept()


def told(lines: list[LogLine]) -> list[tuple[str, str, str]]:
    return [(line.level, line.logger, line.text) for line in lines]


def test_where_nobody_configures_logging_info_is_heard(lines: Kept) -> None:
    with program() as root:
        with attempt(lines):
            logging.getLogger("lab").info("one %s", 1)
            logging.getLogger("lab").debug("two")
        assert root.level == logging.WARNING
    assert told(lines) == [("INFO", "lab", "one 1")]


def test_info_that_no_handler_expects_reaches_none(lines: Kept) -> None:
    """A run must not make the rest of the program talkative."""
    stream = io.StringIO()
    own = logging.getLogger("lab.own")
    own.addHandler(handler := logging.StreamHandler(stream))
    with program() as root:
        with attempt(lines) as capture:
            own.info("kept")
            own.warning("both")
            capture.end(capture.begin("b", 1))
            own.info("of nobody")
            capture.begin("c", 1)
            root.setLevel(logging.INFO)
            own.info("wanted")
        assert root.level == logging.INFO
    own.removeHandler(handler)
    assert [line.text for line in lines] == ["kept", "both", "wanted"]
    assert stream.getvalue() == "both\nwanted\n"


def test_where_somebody_does_their_level_counts(lines: Kept) -> None:
    loud = logging.getLogger("lab.loud")
    loud.setLevel(logging.DEBUG)
    with program(level=logging.ERROR) as root, attempt(lines):
        logging.getLogger("lab").warning("no")
        loud.debug("yes")
        assert root.level == logging.ERROR
    loud.setLevel(logging.NOTSET)
    assert told(lines) == [("DEBUG", "lab.loud", "yes")]


def test_a_root_with_handlers_keeps_its_level(lines: Kept) -> None:
    """Else a console that shows warnings would show more while a run goes on."""
    with program(logging.NullHandler()) as root, attempt(lines):
        assert root.level == logging.WARNING
        logging.getLogger("lab").info("no")
    assert told(lines) == []


def test_a_configuration_that_a_step_makes_works_and_stays(lines: Kept) -> None:
    stream = io.StringIO()
    with program() as root:
        with attempt(lines):
            logging.basicConfig(level=logging.DEBUG, stream=stream, format="%(message)s")
            logging.getLogger("lab").debug("now")
        assert root.level == logging.DEBUG
    assert (told(lines), stream.getvalue()) == ([("DEBUG", "lab", "now")], "now\n")


def test_a_record_that_a_handler_prints_is_heard_once(lines: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    with program() as root, attempt(lines):
        root.addHandler(logging.StreamHandler(sys.stderr))
        logging.getLogger("lab").warning("once")
    assert told(lines) == [("WARNING", "lab", "once")]
    assert capsys.readouterr().err == "once\n"


def test_the_last_resort_still_speaks(lines: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    """With a handler of ours on the root logger it would not."""
    with program(), attempt(lines):
        logging.getLogger("lab").warning("nobody is there")
    assert told(lines) == [("WARNING", "lab", "nobody is there")]
    assert capsys.readouterr().err == "nobody is there\n"


def test_a_logger_that_does_not_propagate_is_heard(lines: Kept) -> None:
    logger = logging.getLogger("lab.alone")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    with program(), attempt(lines):
        logger.error("here")
    assert told(lines) == [("ERROR", "lab.alone", "here")]


def test_a_traceback_belongs_to_its_record(lines: Kept) -> None:
    with program(), attempt(lines):
        try:
            raise ValueError("inner")
        except ValueError:
            logging.getLogger("lab").exception("it broke", stack_info=True)
    ((level, _, text),) = told(lines)
    assert level == "ERROR"
    assert text.startswith("it broke\nTraceback")
    assert "\nValueError: inner\nStack (most recent call last):" in text


def test_a_record_with_wrong_arguments_is_told_and_harms_nothing(lines: Kept) -> None:
    with program(), attempt(lines) as capture:
        record = logging.LogRecord("lab", logging.INFO, "f.py", 1, "one %d", ("two",), None)
        capture.record(capture.begin("a", 1), record)
    ((_, _, text),) = told(lines)
    assert text.startswith("'one %d' (TypeError")


def test_a_wrapper_that_came_later_stays_in_place(lines: Kept) -> None:
    """Others wrap the same method; what is over ours is not taken away."""
    before = logging.Logger.callHandlers
    with program(), attempt(lines):
        ours = logging.Logger.callHandlers

        def theirs(logger: logging.Logger, record: logging.LogRecord) -> None:
            ours(logger, record)

        setattr(logging.Logger, "callHandlers", theirs)  # noqa: B010
    assert logging.Logger.callHandlers is theirs
    logging.getLogger("lab").warning("after")
    setattr(logging.Logger, "callHandlers", before)  # noqa: B010
    assert told(lines) == []


def test_without_tee_only_handlers_of_a_console_are_silent(
    lines: Kept, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class Prints(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            print("printed", record.getMessage())

    file = logging.FileHandler(tmp_path / "own.log")
    with program(file, logging.StreamHandler(sys.stderr), Prints()), attempt(lines, tee=False):
        logging.getLogger("lab").warning("to the file")
    file.close()
    assert (tmp_path / "own.log").read_text() == "to the file\n"
    assert told(lines) == [("WARNING", "lab", "to the file")]
    assert capsys.readouterr() == ("", "")
