"""Looking at a store without changing it, and at how fast its folder takes a commit; for `stepwell doctor`."""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import apsw

from stepwell.errors import StoreError
from stepwell.journal.port import Sync
from stepwell.journal.sqlite import schema
from stepwell.journal.sqlite.connect import open_as_it_is
from stepwell.journal.sqlite.database import WRITE, Database, connect, one
from stepwell.journal.sqlite.owners import Owners, process_of
from stepwell.journal.sqlite.trouble import told

MENDED = (3, 51, 3)
"""The first SQLite that cannot damage a store that several processes have open: the WAL-reset bug is mended in it."""
_COMMITS = 9
_FAULTS = 5
_OWNED = "SELECT run_id, owner FROM lease JOIN run USING (run) WHERE owner <> '' AND status = 'running' ORDER BY run_id"


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found: the version of the tables, damage, and which runs have an owner, dead or alive."""

    schema: int
    known: int
    """The version that this Stepwell writes."""
    damage: tuple[str, ...] = ()
    live: tuple[tuple[str, str], ...] = ()
    """Runs that a living process has: id, and that process in words."""
    interrupted: tuple[str, ...] = ()


def sqlite_version() -> tuple[int, ...]:
    """The version of the SQLite that is used, which is not that of Python's own module."""
    return tuple(int(part) for part in apsw.sqlite_lib_version().split("."))


def examine(path: Path) -> Examined:
    """Read all of a store and check that it is whole; raises StoreError for what cannot be read or is none."""
    try:
        return _examined(open_as_it_is(path), path)
    except (apsw.Error, OSError) as error:
        raise told(path, error, "read") from error


def _examined(db: Database, path: Path) -> Examined:
    try:
        application, version = (one(db, f"PRAGMA {name}") for name in ("application_id", "user_version"))
        if application != schema.APPLICATION_ID:
            raise StoreError(
                f"{path} is an SQLite database, but not one of Stepwell's; name another file with `--store`"
            )
        found = [str(row[0]) for row in db.execute(f"PRAGMA quick_check({_FAULTS})").fetchall()]
        damage = tuple(line for line in found if line != "ok")
        if damage or version > schema.VERSION:
            return Examined(version, schema.VERSION, damage)
        owners = Owners(path)
        live: list[tuple[str, str]] = []
        interrupted: list[str] = []
        for run_id, owner in db.execute(_OWNED).fetchall():
            if owners.alive(owner):
                live.append((run_id, process_of(owner)))
            else:
                interrupted.append(run_id)
        return Examined(version, schema.VERSION, (), tuple(live), tuple(interrupted))
    finally:
        db.close()


def time_commit(folder: Path, sync: Sync) -> float:
    """Seconds that a commit takes in this folder; raises StoreError. What it writes for that, it removes."""
    probe = folder / f".stepwell-probe-{os.getpid()}.db"
    try:
        db = connect(str(probe), WRITE)
        try:
            db.execute("PRAGMA journal_mode = WAL").fetchall()
            level = "FULL" if sync == "full" else "NORMAL"
            db.execute(f"PRAGMA synchronous = {level}; PRAGMA fullfsync = ON; CREATE TABLE probe (value BLOB)")
            took: list[float] = []
            for _ in range(_COMMITS):
                before = time.perf_counter()
                db.execute("INSERT INTO probe VALUES (zeroblob(512))")
                took.append(time.perf_counter() - before)
            return statistics.median(took)
        finally:
            db.close()
    except apsw.Error as error:
        raise told(probe, error, "written") from error
    finally:
        for end in ("", "-wal", "-shm", "-journal"):
            probe.with_name(probe.name + end).unlink(missing_ok=True)
