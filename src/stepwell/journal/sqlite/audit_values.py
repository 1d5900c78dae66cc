"""The values that lie in files: whether each that a fact names is there as it was written, and what else lies there."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from stepwell.journal.sqlite.audit_runs import MOST
from stepwell.journal.sqlite.blobs import BlobFolder
from stepwell.journal.sqlite.database import Database, one
from stepwell.journal.sqlite.owners import Owners

_PAGE = "SELECT digest, size, run_id, seq, path FROM temp.named WHERE digest > ? ORDER BY digest LIMIT 200"
_FRESH = 60.0
"""Seconds within which the fact that names a new file may still be on its way."""


@dataclass(slots=True)
class ValuesAudit:
    """How many files are named and whole, which are lost, and what nobody needs."""

    files: int = 0
    bytes: int = 0
    lost: int = 0
    faults: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """The run that names a lost value, and which it is; the first of them."""
    orphans: int = 0
    """Files that no fact names."""
    orphan_bytes: int = 0
    unfinished: int = 0
    """Files that a process had begun which is gone."""
    unfinished_bytes: int = 0


def audit_values(db: Database, blobs: BlobFolder, owners: Owners, progress: Callable[[str], None]) -> ValuesAudit:
    """Read every file that is named in `temp.named`, and look for those that are not."""
    found = ValuesAudit()
    total = one(db, "SELECT count(*) FROM temp.named")
    last = b""
    while page := db.execute(_PAGE, (last,)).fetchall():
        for digest, size, run_id, seq, path in page:
            if found.files % 100 == 0:
                progress(f"{found.files:,} of {total:,} values")
            found.files += 1
            fault = _fault(blobs, bytes(digest).hex(), size)
            if not fault:
                found.bytes += size
                continue
            found.lost += 1
            if len(found.faults) < MOST:
                found.faults.append((run_id, f"the value of `{path or 'inputs'}` (fact {seq}): {fault}"))
        last = page[-1][0]
    _audit_folder(db, blobs, owners, found)
    return found


def _fault(blobs: BlobFolder, digest: str, size: int) -> str:
    """What is wrong with a file, read piece by piece; "" if nothing is."""
    place = blobs.place(digest)
    try:
        with place.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == digest:
                return ""
            there = file.tell()
    except FileNotFoundError:
        return f"{place} is gone"
    except OSError as error:
        return f"{place} cannot be read: {error.strerror}"
    return f"{place} is damaged ({f'{there:,} bytes of {size:,}' if there != size else 'other bytes'})"


def _audit_folder(db: Database, blobs: BlobFolder, owners: Owners, found: ValuesAudit) -> None:
    recent = time.time() - _FRESH
    for entry in blobs.files():
        try:
            named = one(db, "SELECT 1 FROM temp.named WHERE digest = ?", (bytes.fromhex(entry.name),))
        except ValueError:
            named = None
        there = None if named else _look(entry)
        if there is not None and there.st_mtime < recent:
            found.orphans += 1
            found.orphan_bytes += there.st_size
    for owner, entry in blobs.unfinished():
        there = None if owners.alive(owner) else _look(entry)
        if there is not None:
            found.unfinished += 1
            found.unfinished_bytes += there.st_size


def _look(entry: os.DirEntry[str]) -> os.stat_result | None:
    """What it is; None where it has gone meanwhile."""
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
