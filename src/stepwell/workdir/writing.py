"""Writing the log of a run: entries are appended to numbered files; of a log that is too large the middle goes.

One file a run, not one a step or item: a map of a million items must not make a million files, and the order of what
was said is kept. Each entry is written at once, without a buffer, so that `kill -9` loses none.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from stepwell.events import LogLine
from stepwell.workdir.folder import make_private
from stepwell.workdir.row import spelled

FILE_BYTES = 8 * 2**20
"""A file that has grown to this is followed by the next."""
FILES = 8
"""So many are kept: the first, and the newest."""
_NAME = re.compile(r"log-([0-9]{6,})\.txt\Z")
_FLAGS = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_APPEND
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def file_name(number: int) -> str:
    """What the log file of this number is called; the first is 1."""
    return f"log-{number:06}.txt"


def numbers(folder: Path) -> list[int]:
    """Which log files there are in a run's folder."""
    try:
        return sorted(int(found[1]) for name in os.listdir(folder) if (found := _NAME.match(name)))  # noqa: PTH208
    except OSError:
        return []


class LogWriter:
    """Appends to the log of one run; the folder and the first file are made with the first entry.

    Of `files` files with `file_bytes` each the first is kept, and the newest. To be called from one thread at a time.
    """

    def __init__(self, folder: Path, *, file_bytes: int = FILE_BYTES, files: int = FILES) -> None:
        self.folder = folder
        self._file_bytes = file_bytes
        self._files = files
        self._number = 0
        self._size = 0
        self._handle: int | None = None

    def write(self, line: LogLine) -> None:
        """Append one entry; raises OSError where the disk does not take it."""
        data = spelled(line)
        handle = self._handle
        if handle is None:
            make_private(self.folder)
            handle = self._open((numbers(self.folder) or [1])[-1])
        if self._size and self._size + len(data) > self._file_bytes:
            handle = self._next()
        self._size += len(data)
        while data:  # a disk that is nearly full takes a part, and raises at the rest
            data = data[os.write(handle, data) :]

    def close(self) -> None:
        """Nothing more will come."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            with contextlib.suppress(OSError):
                os.close(handle)

    def _open(self, number: int) -> int:
        """The file of this number, at its end; a row that a crash has torn is ended."""
        path = self.folder / file_name(number)
        handle = self._handle = os.open(path, _FLAGS, 0o600)
        self._number = number
        self._size = os.fstat(handle).st_size
        if self._size and _last_byte(path) != b"\n":
            self._size += os.write(handle, b"\n")
        return handle

    def _next(self) -> int:
        """The next file; where there are too many, the oldest but the first goes."""
        self.close()
        handle = self._open(self._number + 1)
        later = numbers(self.folder)[1:]
        for number in later[: max(0, len(later) + 1 - self._files)]:
            with contextlib.suppress(OSError):  # somebody reads it, on Windows; it goes with the next
                (self.folder / file_name(number)).unlink()
        return handle


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1)
