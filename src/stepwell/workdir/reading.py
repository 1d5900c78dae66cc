"""Reading the log of a run: what there is, and, asked again, what came since; also while another process writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from stepwell.events import LogLine
from stepwell.workdir.row import read_row
from stepwell.workdir.writing import file_name, numbers


class LogReader:
    """Gives the entries of one run's log in order, each once; where files in the middle are gone, a line says so."""

    def __init__(self, folder: Path, run_id: str) -> None:
        self.folder = folder
        self._run_id = run_id
        self._number = 0
        self._place = 0

    def read(self) -> Iterator[LogLine]:
        """What was not read yet; raises OSError where it may not be read."""
        while True:
            # Looked up first: a file that has a successor gets nothing more.
            later = [number for number in numbers(self.folder) if number > self._number]
            last: LogLine | None = None
            if self._number:
                for last in self._rest_of_file():
                    yield last
            if not later:
                return
            if self._number and later[0] > self._number + 1:
                yield self._gap(self._number + 1, later[0] - 1, last)
            self._number, self._place = later[0], 0

    def _rest_of_file(self) -> Iterator[LogLine]:
        try:
            file = (self.folder / file_name(self._number)).open("rb")
        except FileNotFoundError:  # it was the oldest, and gone before it was read
            return
        entry: LogLine | None = None
        more: list[str] = []
        with file:
            file.seek(self._place)
            for data in file:
                if not data.endswith(b"\n"):
                    break  # it is being written
                self._place += len(data)
                row = data[:-1].decode("utf-8", "replace")
                begun = None if row.startswith("\t") else read_row(self._run_id, row)
                if begun is None:
                    more.append(row.removeprefix("\t"))
                    continue
                if entry is not None:
                    yield _whole(entry, more)
                entry, more = begun, []
        if entry is not None:
            yield _whole(entry, more)

    def _gap(self, first: int, last: int, before: LogLine | None) -> LogLine:
        names = file_name(first) if first == last else f"{file_name(first)} to {file_name(last)}"
        text = f"log cut: more was logged than is kept; {names} is gone, what follows is newer"
        return LogLine(self._run_id, 0, 0.0 if before is None else before.at, "", 0, "log", text, "WARNING", "stepwell")


def _whole(entry: LogLine, more: list[str]) -> LogLine:
    return entry if not more else msgspec.structs.replace(entry, text="\n".join([entry.text, *more]))
