"""One entry of a log file as text: time, path, attempt, what, message, parted by tabs; further lines begin with one."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Literal

from stepwell.events import LogLine

_PRINTED: dict[str, Literal["stdout", "stderr"]] = {"stdout": "stdout", "stderr": "stderr"}
_TABS = str.maketrans("\t\n", "  ")


def spelled(line: LogLine) -> bytes:
    r"""The entry, with its line end.

    >>> spelled(LogLine("01J", 0, 0.5, "measure[a]", 2, "log", "it is\nso", "INFO", "lab"))
    b'1970-01-01T00:00:00.500000Z\tmeasure[a]\t2\tINFO lab\tit is\n\tso\n'
    """
    at = datetime.fromtimestamp(line.at, UTC).isoformat(timespec="microseconds")[:-6]
    what = f"{line.level} {line.logger}".translate(_TABS) if line.stream == "log" else line.stream
    text = line.text.replace("\n", "\n\t")
    return f"{at}Z\t{line.path}\t{line.attempt}\t{what}\t{text}\n".encode("utf-8", "backslashreplace")


def read_row(run_id: str, row: str) -> LogLine | None:
    """The entry that this row begins; None for what is no such row."""
    parts = row.split("\t", 4)
    if len(parts) < 5:
        return None
    at, path, attempt, what, text = parts
    try:
        when, number = datetime.fromisoformat(at).timestamp(), int(attempt)
    except ValueError:
        return None
    if printed := _PRINTED.get(what):
        return LogLine(run_id, 0, when, sys.intern(path), number, printed, text)
    level, _, logger = what.partition(" ")
    return LogLine(run_id, 0, when, sys.intern(path), number, "log", text, level, logger)
