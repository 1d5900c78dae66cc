"""Making sure that the disk has it: files and the folders that name them."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from stepwell.failpoints import failpoint


def make_folder(folder: Path, sync: bool) -> None:
    """The folder and those above it, private where they are new, and durable where that is wanted; raises OSError."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sync:
        for each in missing:
            sync_folder(each.parent)


def make_file(path: Path) -> None:
    """An empty file that only we may read, where there is none; what SQLite puts beside it gets the same rights."""
    with suppress(FileExistsError, PermissionError):  # SQLite says the latter better
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def sync_file(path: Path) -> None:
    """A file that somebody else has written."""
    handle = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        sync_handle(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """The names in a folder."""
    if sys.platform == "win32":  # a folder cannot be opened there; NTFS journals its names
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        sync_handle(handle)
    finally:
        os.close(handle)


@failpoint("blob.sync")
def sync_handle(handle: int) -> None:
    """What was written through this handle."""
    if sys.platform == "darwin":  # fsync stops at the disk's cache there
        import fcntl

        fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
    else:
        os.fsync(handle)
