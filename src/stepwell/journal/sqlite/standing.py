"""Whether the files of a store still stand where they were opened.

A file that is removed, or replaced by another one, takes all that is written to it, and is gone with the process.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from stepwell.errors import StoreError


class Standing:
    """The store's file and its WAL, known by their numbers in the file system."""

    __slots__ = ("_store", "_wal")

    def __init__(self, path: Path) -> None:
        self._store = (str(path), _number(str(path)))
        self._wal = (f"{path}-wal", _number(f"{path}-wal"))

    def check(self, wal: bool = False) -> None:
        """Raise StoreError where the file, or the WAL, is gone or is another one now; takes two microseconds each."""
        for name, number in (self._store, self._wal) if wal else (self._store,):
            if _number(name) != number:
                raise StoreError(
                    f"{name} was removed or replaced while this process was writing to it, so nothing more is written: "
                    "it would be lost. Put it back from a backup with all files beside it and resume, or start anew; "
                    "whatever cleans up in that folder must leave a store alone"
                )


def _number(name: str) -> int:
    """The number of the file; 0 where there is none, and on Windows: a file that is open stays there as it is."""
    if sys.platform == "win32":
        return 0
    try:
        return os.stat(name).st_ino  # noqa: PTH116 - a Path costs more than the look
    except OSError:
        return 0
