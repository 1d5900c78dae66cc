"""Going through a whole store and saying what is not right in it; nothing is changed, and memory is bounded.

the file ──► the runs, a page at a time ──► the values that their facts name ──► who owns what
              (each page in a short read transaction, so that a store in use is not held up)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from stepwell.errors import StoreError
from stepwell.journal.sqlite import schema
from stepwell.journal.sqlite.audit_runs import NOT_ITS_FAULT, RunsAudit, audit_runs
from stepwell.journal.sqlite.audit_values import ValuesAudit, audit_values
from stepwell.journal.sqlite.blobs import BlobFolder
from stepwell.journal.sqlite.connect import open_as_it_is
from stepwell.journal.sqlite.database import Database, connect, one
from stepwell.journal.sqlite.kind import refuse, size_of
from stepwell.journal.sqlite.owners import Owners, process_of
from stepwell.journal.sqlite.trouble import told

_FAULTS = 20
_OBJECTS = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name"
_OWNED = "SELECT run_id, owner FROM lease JOIN run USING (run) WHERE owner <> '' AND status = 'running' ORDER BY run_id"
_UNBORN = "SELECT count(*) FROM run WHERE seq = 0"


@dataclass(slots=True)
class Audit:
    """What was found; each part is None where it could not be looked at, and `damage` says why."""

    bytes: int
    wal: int = 0
    """Bytes of the WAL's file."""
    free: int = 0
    """Bytes of pages that nothing is on."""
    backups: int = 0
    """Bytes of the copies that were made before the tables changed."""
    application: int | None = None
    version: int = 0
    """Of its tables; this Stepwell writes `schema.VERSION`."""
    damage: list[str] = field(default_factory=list[str])
    runs: RunsAudit | None = None
    values: ValuesAudit | None = None
    unborn: int = 0
    """Runs that hold an id and a key, and have no fact yet."""
    live: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    interrupted: list[str] = field(default_factory=list[str])
    locks: int = 0
    """Lock files of processes that are gone."""

    @property
    def is_ours(self) -> bool:
        """Whether the file is a store."""
        return self.application == schema.APPLICATION_ID


def audit(path: Path, progress: Callable[[str], None]) -> Audit:
    """Go through all of it; raises StoreError only where the file cannot be opened by us at all.

    `progress` is told now and then how far it is.
    """
    found = Audit(size_of(path), size_of(path.with_name(f"{path.name}-wal")))
    found.backups = sum(size_of(copy) for copy in path.parent.glob(f"{path.name}.schema-*.bak"))
    try:
        refuse(path)
        db = open_as_it_is(path)
    except StoreError as error:
        found.damage.append(str(error))
        return found
    except (apsw.NotADBError, apsw.CorruptError) as error:
        found.damage.append(str(told(path, error, "read")))
        return found
    except (apsw.Error, OSError) as error:
        raise told(path, error, "read") from error
    try:
        try:
            _audit(db, path, found, progress)
        except (*NOT_ITS_FAULT, OSError) as error:
            raise told(path, error, "read") from error
        except (apsw.Error, UnicodeDecodeError) as error:
            found.damage.append(str(error))
    finally:
        db.close()
    return found


def _audit(db: Database, path: Path, found: Audit, progress: Callable[[str], None]) -> None:
    found.application, found.version = (one(db, f"PRAGMA {name}") for name in ("application_id", "user_version"))
    if not found.is_ours or found.version > schema.VERSION:
        return
    found.free = one(db, "PRAGMA freelist_count") * one(db, "PRAGMA page_size")
    progress("the database")
    try:
        lines = [str(row[0]) for row in db.execute(f"PRAGMA integrity_check({_FAULTS})").fetchall()]
        found.damage += [line for line in lines if line != "ok"]
    except apsw.Error as error:
        found.damage.append(str(error))
    if found.version < schema.VERSION:
        return
    found.damage += _altered(db)
    blobs = BlobFolder(path, sync=False)
    owners = Owners(path, tidies=False)
    found.runs = audit_runs(db, progress)
    found.values = audit_values(db, blobs, owners, progress)
    _audit_owners(db, owners, found)


def _altered(db: Database) -> list[str]:
    """Tables and indexes that are not as this version makes them; without them the store's own laws do not hold."""
    fresh = connect(":memory:", apsw.SQLITE_OPEN_READWRITE)
    try:
        for migration in schema.MIGRATIONS:
            fresh.execute(migration)
        expected = {row[:2]: row[2] for row in fresh.execute(_OBJECTS).fetchall()}
    finally:
        fresh.close()
    there = {row[:2]: row[2] for row in db.execute(_OBJECTS).fetchall()}
    return [
        f"the {kind} `{name}` {'was altered' if (kind, name) in there else 'is missing'}"
        for (kind, name), sql in expected.items()
        if there.get((kind, name)) != sql
    ]


def _audit_owners(db: Database, owners: Owners, found: Audit) -> None:
    for run_id, owner in db.execute(_OWNED).fetchall():
        if owners.alive(owner):
            found.live.append((run_id, process_of(owner)))
        else:
            found.interrupted.append(run_id)
    found.unborn = one(db, _UNBORN)
    found.locks = sum(not owners.alive(owner) for owner in owners.known())
