"""Which store is meant: a file, memory, or a store that somebody has made."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from stepwell.errors import StoreError
from stepwell.journal import refusals
from stepwell.journal.memory import MemoryStore
from stepwell.journal.port import Store, Sync

StorePath = str | Path


def open_store(where: StorePath | Store | None, *, sync: Sync = "full") -> Store:
    """The store at a path (SQLite), one in memory where none is given, or the store itself; raises StoreError."""
    if sync not in get_args(Sync):
        raise refusals.unknown_sync(sync)
    if where is None:
        return MemoryStore()
    if not isinstance(where, (str, Path)):
        if hasattr(where, "append"):
            return where
        raise StoreError(f"a store is the path of a file, or None for memory, not {where!r}")
    if str(where).startswith(("postgresql://", "postgres://")):
        raise StoreError("PostgreSQL stores are not in this version; give the path of a file")
    from stepwell.journal.sqlite.store import SqliteStore

    return SqliteStore(Path(where), sync=sync)
