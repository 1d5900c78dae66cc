"""What may be the file of a store, by its kind and its name; looked at before anything is opened, made or changed."""

from __future__ import annotations

import stat
import time
from pathlib import Path

from stepwell.errors import StoreError

PARTS = ("-wal", "-shm", "-journal")
"""Ends of the names that SQLite gives to what belongs to a file."""

_WAL_HEADER = 32
"""Bytes of a WAL that holds nothing; two power cuts in a row while a store is made can leave that alone."""
_KINDS = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
_ANOTHER = "name another one with `--store` or STEPWELL_STORE"


def refuse_kind(path: Path) -> None:
    """Raise StoreError for what is there and is no file, and for a name that SQLite would take for its own.

    A pipe would be waited for, for ever, and a device would be written to; also raises OSError.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        mode = stat.S_IFREG
    if stat.S_ISDIR(mode):
        raise a_folder(path)
    if not stat.S_ISREG(mode):
        raise StoreError(f"{path} is {_KINDS.get(stat.S_IFMT(mode), 'something else')}, not a file; {_ANOTHER}")
    for end in PARTS:
        if path.name.endswith(end):
            whose = path.name.removesuffix(end)
            raise StoreError(f"{path} would be taken for a part of the store {whose}, and removed with it; {_ANOTHER}")


def a_folder(path: Path) -> StoreError:
    """What is said of a folder."""
    return StoreError(f"{path} is a folder; name the file of a store in it, such as {path / 'runs.db'}")


def refuse(path: Path) -> None:
    """Raise StoreError for what can be no store, and where one has been whose file is gone or was emptied.

    SQLite would take that for a new file, and delete the WAL with all that is recorded in it.
    """
    refuse_kind(path)
    if size_of(path):
        return
    wal = path.with_name(f"{path.name}-wal")
    if size_of(wal) > _WAL_HEADER:
        what = "empty" if path.exists() else "gone"
        raise StoreError(
            f"the store {path} is {what}, and its last records are in {wal.name} still; put the file back from "
            f"a backup, beside that one, or move {wal.name} away to start anew"
        )
    if path.exists() and any(path.with_name(path.name + end).is_dir() for end in (".owners", ".blobs")):
        give_up = time.monotonic() + 1.0  # another process may be making it at this moment
        while time.monotonic() < give_up:
            if size_of(path):
                return
            time.sleep(0.01)
        raise StoreError(
            f"the store {path} is empty, though there was something in it; restore a backup, or remove it to start anew"
        )


def size_of(path: Path) -> int:
    """Bytes of a file; 0 where there is none."""
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0
