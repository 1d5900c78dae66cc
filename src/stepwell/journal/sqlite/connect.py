"""Opening a store's file: for writing, made where it is missing; for reading, as little as possible."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import apsw

from stepwell.errors import StoreError
from stepwell.journal.sqlite import schema
from stepwell.journal.sqlite.database import READ, READ_URI, WRITE, Database, connect, one
from stepwell.journal.sqlite.disk import make_file, make_folder
from stepwell.journal.sqlite.kind import refuse, refuse_kind, size_of
from stepwell.journal.sqlite.place import refuse_network
from stepwell.journal.sqlite.trouble import PATIENCE, told

PAGE = 1024
"""Bytes. Small rows of many runs end up on many pages, and each page that was touched is written to the WAL whole."""

LONGEST = 4 << 20
"""Bytes that the file of the WAL keeps once it begins anew; one very large transaction makes it longer for a while."""

CACHE = 16 << 20
"""Bytes of pages that the writer keeps, once it has had them: a hundred runs that go on at once write to hundreds of
pages in turn, and with SQLite's usual 2 MB each step of theirs read six of them anew."""

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
    try:
        refuse(path)
    except OSError as error:
        raise told(path, error, "opened for writing") from error
    refuse_network(path)
    try:
        make_folder(path.parent, sync == "full")
    except OSError as error:
        raise StoreError(
            f"the folder {path.parent} of the store cannot be made: {error.strerror}; "
            "make it, or name another place with `--store` or STEPWELL_STORE"
        ) from error
    try:
        make_file(path)
        db = connect(str(path), WRITE)
        try:
            db.set_busy_handler(patience)
            if sync == "full":  # on macOS a plain fsync does not reach the disk
                db.execute("PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON")
            _make_ours(db, path)
            level = "FULL" if sync == "full" else "NORMAL"
            db.execute(f"PRAGMA synchronous = {level}")
            db.execute("PRAGMA wal_autocheckpoint = 0")  # the writer chooses the moment
            db.execute(f"PRAGMA journal_size_limit = {LONGEST}; PRAGMA temp_store = MEMORY")
            db.execute(f"PRAGMA cache_size = -{CACHE >> 10}")
        except BaseException:
            db.close()
            raise
    except (apsw.Error, OSError) as error:
        raise told(path, error, "opened for writing") from error
    return db


def open_to_read(path: Path) -> Database | None:
    """A connection that only reads; None while there is no store at all."""
    try:
        refuse(path)
        if not size_of(path):  # not there, or being made at this moment
            return None
        try:
            return _checked(open_as_it_is(path), path)
        except apsw.ReadOnlyError as error:
            if getattr(error, "extendedresult", 0) != apsw.SQLITE_READONLY_ROLLBACK:
                raise
        # Whoever was making it died on the way; only one who may write can undo what was begun.
        open_to_write(path, "full", Patience()).close()
        return _checked(open_as_it_is(path), path)
    except (apsw.Error, OSError) as error:
        raise told(path, error, "read") from error


def _checked(db: Database, path: Path) -> Database | None:
    try:
        if not _is_ours(db, path):
            db.close()
            return None
        if one(db, "PRAGMA user_version") < schema.VERSION:
            db.close()
            open_to_write(path, "full", Patience()).close()
            return _checked(open_as_it_is(path), path)
    except BaseException:
        db.close()
        raise
    return db


def open_as_it_is(path: Path) -> Database:
    """A connection that reads a file of any version and changes nothing; raises apsw.Error, OSError, StoreError."""
    refuse_kind(path)
    wal = path.with_name(f"{path.name}-wal")
    try:
        return _opened(str(path), READ)
    except (apsw.CantOpenError, apsw.ReadOnlyError) as error:
        # A folder that cannot be written has no room for the WAL's index. Without a WAL nothing is missed by reading
        # the file as it is: nobody can write there anyway.
        halfway = getattr(error, "extendedresult", 0) == apsw.SQLITE_READONLY_ROLLBACK
        if halfway or size_of(wal) or not path.exists():
            raise
        return _opened(f"{path.absolute().as_uri()}?immutable=1", READ_URI)


def _opened(name: str, flags: int) -> Database:
    db = connect(name, flags)
    try:
        db.set_busy_handler(Patience())
        one(db, "PRAGMA schema_version")
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
    """The tables of this version, and then the WAL: so the file says what it is from its first moment, without one."""
    if not (_is_ours(db, path) and one(db, "PRAGMA user_version") == schema.VERSION):
        _make_tables(db, path)
    _patiently(lambda: db.execute("PRAGMA journal_mode = WAL").fetchall())
    one(db, "PRAGMA schema_version")  # from here on the WAL is there


def _make_tables(db: Database, path: Path) -> None:
    version = one(db, "PRAGMA user_version")
    if version:
        _back_up(db, path.with_name(f"{path.name}.schema-{version}.bak"))
    else:
        db.execute(f"PRAGMA page_size = {PAGE}")
    db.execute("BEGIN IMMEDIATE")
    try:
        version = one(db, "PRAGMA user_version")  # another process may have been quicker
        for number in range(version, schema.VERSION):
            db.execute(schema.MIGRATIONS[number])
        db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}; PRAGMA user_version = {schema.VERSION}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # after an error of the disk SQLite has rolled back already
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
