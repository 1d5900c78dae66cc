"""Opening a store's file: for writing, made where it is missing; for reading, as little as possible."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import apsw

from stepwell.errors import StoreBusy, StoreError
from stepwell.journal.sqlite import schema
from stepwell.journal.sqlite.database import READ, READ_URI, WRITE, Database, connect, one
from stepwell.journal.sqlite.disk import make_folder

PATIENCE = 60.0
"""Seconds that a busy store is waited for."""

PAGE = 1024
"""Bytes. Small rows of many runs end up on many pages, and each page that was touched is written to the WAL whole."""


_MARKS = (
    "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) "
    "FROM pragma_application_id, pragma_user_version"
)


class Patience:
    """The busy handler of one connection: short, jittered waits, so that no process is starved by another.

    A waiter that sleeps longer than the gap between two transactions of a busy writer would never meet the gap; two
    that sleep equally long would meet each other.
    """

    def __init__(self) -> None:
        self.default = self.limit = PATIENCE
        self._since = 0.0

    def __call__(self, tries: int) -> bool:
        """Sleep, and say whether to try again."""
        now = time.monotonic()
        if not tries:
            self._since = now
        passed = now - self._since
        if passed >= self.limit:
            return False
        time.sleep(random.uniform(0.00002, 0.00015) if passed < 0.1 else random.uniform(0.0005, 0.002))
        return True


def open_to_write(path: Path, sync: str, patience: Patience) -> Database:
    """A connection that may write, to a store of this version; folder, file and tables are made where missing."""
    _no_folder(path)
    try:
        make_folder(path.parent, sync == "full")
    except OSError as error:
        raise StoreError(
            f"the folder {path.parent} of the store cannot be made: {error.strerror}; "
            "make it, or name another place with `--store` or STEPWELL_STORE"
        ) from error
    try:
        db = connect(str(path), WRITE)
        try:
            db.set_busy_handler(patience)
            _make_ours(db, path)
            level = "FULL" if sync == "full" else "NORMAL"
            db.execute(f"PRAGMA synchronous = {level}")
            if sync == "full":  # on macOS a plain fsync does not reach the disk
                db.execute("PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON")
            db.execute("PRAGMA wal_autocheckpoint = 0")  # the writer chooses the moment
            db.execute("PRAGMA temp_store = MEMORY")
        except BaseException:
            db.close()
            raise
    except apsw.Error as error:
        raise told(path, error, "opened for writing") from error
    return db


def _no_folder(path: Path) -> None:
    if path.is_dir():
        raise StoreError(f"{path} is a folder; name the file of a store in it, such as {path / 'runs.db'}")


def open_to_read(path: Path) -> Database | None:
    """A connection that only reads; None while there is no store at all."""
    _no_folder(path)
    try:
        if not path.exists():
            return None
        try:
            return _open_to_read(str(path), path)
        except (apsw.CantOpenError, apsw.ReadOnlyError):
            # A folder that cannot be written has no room for the WAL's index. Without a WAL nothing is missed by
            # reading the file as it is: nobody can write there anyway.
            wal = path.with_name(f"{path.name}-wal")
            if wal.exists() and wal.stat().st_size:
                raise
            return _open_to_read(f"{path.absolute().as_uri()}?immutable=1", path)
    except apsw.Error as error:
        raise told(path, error, "read") from error
    except OSError as error:
        raise StoreError(f"the store {path} cannot be read: {error.strerror}; give yourself the right to") from error


def _open_to_read(name: str, path: Path) -> Database | None:
    db = connect(name, READ_URI if name.startswith("file:") else READ)
    try:
        db.set_busy_handler(Patience())
        if not _is_ours(db, path):
            db.close()
            return None
        if one(db, "PRAGMA user_version") < schema.VERSION:
            db.close()
            open_to_write(path, "full", Patience()).close()
            return _open_to_read(name, path)
    except BaseException:
        db.close()
        raise
    return db


def _is_ours(db: Database, path: Path) -> bool:
    """Whether the file is a store of this version; False where it is empty; raises StoreError for anything else."""
    # In one statement: another process may be making it at this moment.
    application, version, tables = db.execute(_MARKS).fetchall()[0]
    if application != schema.APPLICATION_ID:
        if not version and not application and not tables:
            return False
        raise StoreError(
            f"{path} is an SQLite database, but not one of Stepwell's (its application_id is {application}); "
            "name another file with `--store` or STEPWELL_STORE"
        )
    if version > schema.VERSION:
        raise StoreError(
            f"{path} was written by a newer Stepwell (its schema is {version}, this one knows up to {schema.VERSION}); "
            "upgrade with `pip install --upgrade stepwell`"
        )
    return True


def _make_ours(db: Database, path: Path) -> None:
    if _is_ours(db, path) and one(db, "PRAGMA user_version") == schema.VERSION:
        return
    version = one(db, "PRAGMA user_version")
    if not version:
        path.chmod(0o600)  # before there is anything in it; the WAL gets the same mode
        db.execute(f"PRAGMA page_size = {PAGE}")
        _patiently(lambda: db.execute("PRAGMA journal_mode = WAL").fetchall())
    else:
        _back_up(db, path.with_name(f"{path.name}.schema-{version}.bak"))
    db.execute("BEGIN IMMEDIATE")
    try:
        version = one(db, "PRAGMA user_version")  # another process may have been quicker
        for number in range(version, schema.VERSION):
            db.execute(schema.MIGRATIONS[number])
        db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}; PRAGMA user_version = {schema.VERSION}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _back_up(db: Database, copy: Path) -> None:
    """Keep the store as it was before its tables change."""
    if not copy.exists():
        db.execute("VACUUM INTO ?", (str(copy),))
        copy.chmod(0o600)


def _patiently(call: Callable[[], object]) -> None:
    """Turning the WAL on does not always ask the busy handler: wait here."""
    give_up = time.monotonic() + PATIENCE
    while True:
        try:
            call()
            return
        except apsw.BusyError:
            if time.monotonic() >= give_up:
                raise
            time.sleep(random.uniform(0.001, 0.005))


def told(path: Path, error: Exception, what: str) -> StoreError:
    """What went wrong, in the user's words, with the way out."""
    start = f"the store {path} cannot be {what}"
    if isinstance(error, StoreError):
        return error
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return StoreBusy(
            f"{start}: another process has held it for {PATIENCE:.0f} s; look for a program that keeps it open "
            f"(`fuser {path}`), end it and try again"
        )
    if isinstance(error, apsw.FullError):
        return StoreError(f"{start}: the disk is full; make room, then resume the run (what was recorded is safe)")
    if isinstance(error, apsw.NotADBError):
        return StoreError(
            f"{start}: it is {_nature(path)}, not an SQLite database; "
            "name another file with `--store` or STEPWELL_STORE, or restore a backup"
        )
    if isinstance(error, apsw.CorruptError):
        return StoreError(f"{start}: it is damaged ({error}); keep a copy and restore a backup")
    if isinstance(error, apsw.CantOpenError | apsw.ReadOnlyError | apsw.PermissionsError | apsw.AuthError):
        return StoreError(f"{start}: {_obstacle(path)}")
    if isinstance(error, apsw.IOError | OSError):
        return StoreError(f"{start}: the disk reports an error ({error}); check the disk, then resume the run")
    return StoreError(f"{start}: {type(error).__name__}: {error}")


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
    right = "give yourself the right to, or name another store with `--store` or STEPWELL_STORE"
    if path.is_dir():
        return "it is a folder; name a file in it"
    if not path.parent.is_dir():
        return f"{path.parent} is not a folder; name another store with `--store` or STEPWELL_STORE"
    if path.exists() and not _may(path, os.R_OK):
        return f"its file may not be read by you; {right}"
    if path.exists() and not _may(path, os.W_OK):
        if path.with_name(f"{path.name}-wal").exists():
            return f"its last records are in {path.name}-wal still; copy both files to a folder of your own, or {right}"
        return f"its file may not be written by you; {right}"
    if not _may(path.parent, os.W_OK):
        return f"the folder {path.parent} may not be written by you; {right}"
    return f"something stands in the way; {right}"


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)
