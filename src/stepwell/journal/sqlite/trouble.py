"""What went wrong with a store, in the user's words, with the way out."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import apsw

from stepwell.errors import StoreBusy, StoreError

PATIENCE = 60.0
"""Seconds that a busy store is waited for."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_MANY = (errno.EMFILE, errno.ENFILE)
_SHUT = (errno.EACCES, errno.EPERM, errno.EROFS)
_NO_NAME = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EINVAL)
_RIGHT = "give yourself the right to, or name another store with `--store` or STEPWELL_STORE"
_ROOM = "the disk is full, or your share of it; make room, then resume the run (what was recorded is safe)"
_LIMIT = "raise the limit (`ulimit -f`), then resume the run (what was recorded is safe)"


def told(path: Path, error: Exception, what: str) -> StoreError:
    """The error that the store at this path cannot be `what` because of another error."""
    start = f"the store {path} cannot be {what}"
    if isinstance(error, StoreError):
        return error
    if isinstance(error, apsw.BusyError | apsw.LockedError | apsw.ProtocolError):
        long = "all the time" if isinstance(error, apsw.ProtocolError) else f"for {PATIENCE:.0f} s"
        return StoreBusy(
            f"{start}: another process has held it {long}; look for a program that keeps it open "
            f"(`fuser {path}`), end it and try again"
        )
    extended = getattr(error, "extendedresult", 0)
    if isinstance(error, apsw.FullError) or extended == apsw.SQLITE_IOERR_SHMSIZE:  # the first to need more room
        return StoreError(f"{start}: {_ROOM}")
    if isinstance(error, apsw.NotADBError):
        return StoreError(
            f"{start}: it is {_nature(path)}, not an SQLite database; "
            "name another file with `--store` or STEPWELL_STORE, or restore a backup"
        )
    if isinstance(error, apsw.CorruptError | UnicodeDecodeError):
        return StoreError(
            f"{start}: it is damaged ({error}), or its disk cannot be read: look at the disk and its log first. "
            "`stepwell db check` says what is left of it; keep a copy of all its files and restore a backup"
        )
    if extended == apsw.SQLITE_READONLY_ROLLBACK:
        return StoreError(f"{start}: whoever was making it died on the way; `stepwell ls` brings it in order")
    if isinstance(error, apsw.CantOpenError | apsw.ReadOnlyError | apsw.PermissionsError | apsw.AuthError):
        return StoreError(f"{start}: {_obstacle(path)}")
    if isinstance(error, apsw.IOError):
        word = apsw.mapping_extended_result_codes.get(extended, "")
        said = _disk(f"{error}, {word}" if word else str(error))
        limit = f"; or a file may not become that long: {_LIMIT}" if extended == apsw.SQLITE_IOERR_WRITE else ""
        return StoreError(f"{start}: {said}{limit}")
    if isinstance(error, OSError):
        return StoreError(f"{start}: {of_system(error)}")
    return StoreError(f"{start}: {type(error).__name__}: {error}")


def of_system(error: OSError) -> str:
    """What the system says about a file beside the store."""
    name = str(error.filename or "")
    if error.errno in _FULL:
        return _ROOM
    if error.errno == errno.EFBIG:
        return f"{name or 'a file'} may not become that long ({error.strerror}): {_LIMIT}"
    if error.errno in _MANY:
        return f"{error.strerror}: raise the limit (`ulimit -n`) or have fewer open, then resume the run"
    if error.errno == errno.EEXIST:
        return f"{name or 'a file beside it'} is a file, and the store needs a folder of that name: move it away"
    if error.errno in _SHUT:
        return f"you have no right to {name or 'a file beside it'} ({error.strerror}); {_RIGHT}"
    if error.errno in _NO_NAME:
        return f"{name or 'this'} is no name for a file ({error.strerror}); name another store with `--store`"
    if error.errno == errno.ENOENT:
        return f"{name or 'a folder beside it'} is gone: somebody has removed it; put it back, then resume the run"
    return _disk(f"{name}: {error.strerror}" if name else error.strerror or str(error))


def _disk(said: str) -> str:
    return (
        f"the disk reports an error ({said}); look at the disk and its log, run `stepwell db check`, "
        "then resume the run (what was recorded before is safe if the disk is)"
    )


def _nature(path: Path) -> str:
    """What the file seems to be. Only for files that SQLite has refused: closing it would drop SQLite's locks."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        return "a file that cannot be looked at"
    if head.startswith(b"SQLite format 3"):
        return "a damaged or encrypted file"
    return f"a file that begins with {head.decode('latin-1')!r}"


def _obstacle(path: Path) -> str:
    """What stands in the way of a file that cannot be opened, and the way around it."""
    if path.is_dir():
        return "it is a folder; name a file in it"
    if not path.parent.is_dir():
        return f"{path.parent} is not a folder; name another store with `--store` or STEPWELL_STORE"
    if path.exists() and not _may(path, os.R_OK):
        return f"its file may not be read by you; {_RIGHT}"
    if path.exists() and not _may(path, os.W_OK):
        if path.with_name(f"{path.name}-wal").exists():
            return (
                f"its last records are in {path.name}-wal still; copy both files to a folder of your own, or {_RIGHT}"
            )
        return f"its file may not be written by you; {_RIGHT}"
    if not _may(path.parent, os.W_OK):
        return f"the folder {path.parent} may not be written by you; {_RIGHT}"
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:  # SQLite does not say that too many files are open
        return of_system(error)
    return f"something stands in the way; {_RIGHT}"


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)
