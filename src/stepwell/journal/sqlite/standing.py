"""Whether the files of a store still stand where they were opened.

A file that is removed, or replaced by another one, takes all that is written to it, and is gone with the process.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import apsw

from stepwell.errors import StoreError
from stepwell.journal.sqlite.wal import Wal


class Standing:
    """The store's file and its WAL, known by their numbers in the file system; on Windows both stay while open."""

    __slots__ = ("_log", "_log_number", "_number", "_size", "_store", "_wal")

    def __init__(self, path: Path, wal: Wal) -> None:
        self._wal = wal
        self._store = str(path)
        self._log = f"{path}-wal"
        self._number, self._size = _seen(self._store)
        self._log_number, _ = _seen(self._log)

    def check(self) -> None:
        """Raise StoreError where one of them is gone, is another one now, or was cut; takes three microseconds."""
        if sys.platform == "win32":
            return
        try:
            store = os.stat(self._store)  # noqa: PTH116 - a Path costs more than the look
            if store.st_ino == self._number and store.st_size >= self._size:
                self._size = store.st_size
                log = os.stat(self._log)  # noqa: PTH116
                if log.st_ino == self._log_number and log.st_size >= self._wal.bytes:
                    return
        except OSError:
            pass
        self._look_closer()

    def _look_closer(self) -> None:
        number, size = _seen(self._store)
        if number != self._number:
            raise _fallen(self._store, "was removed or replaced")
        if size < self._size and not 0 < _asked(self._wal.store_bytes) <= size:
            raise _fallen(self._store, f"was cut to {size:,} bytes")
        self._size = size  # somebody has made the store smaller, as SQLite does it
        number, size = _seen(self._log)
        if number == self._log_number:
            if not 0 <= _asked(self._wal.bytes_now) <= size:
                raise _fallen(self._log, f"was cut to {size:,} bytes")
            return
        # What has no name any more can still be read by who has it open: copied now, nothing of it is lost. One who
        # only reads makes an empty one by that name.
        if size or _asked(self._wal.copy) < 1:
            raise _fallen(self._log, "was removed or replaced")
        raise StoreError(
            f"{self._log} was removed while this process was writing to it; what was in it was copied into the store "
            "at once, so nothing that is recorded is lost, and nothing more is written: resume the run. Whatever "
            "cleans up in that folder must leave a store alone"
        )


def _asked(question: Callable[[], int]) -> int:
    """The answer of SQLite; -1 where there is none."""
    try:
        return question()
    except apsw.Error:
        return -1


def _fallen(name: str, how: str) -> StoreError:
    return StoreError(
        f"{name} {how} while this process was writing to it, so nothing more is written: "
        "it would be lost. Put it back from a backup with all files beside it and resume, or start anew; "
        "whatever cleans up in that folder must leave a store alone"
    )


def _seen(name: str) -> tuple[int, int]:
    """The number of the file, and its bytes; zeros where there is none."""
    try:
        found = os.stat(name)  # noqa: PTH116
    except OSError:
        return 0, 0
    return found.st_ino, found.st_size
