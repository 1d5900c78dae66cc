"""The write-ahead log: copied into the store when it is long, or when there is nothing else to do."""

from __future__ import annotations

import apsw

from stepwell.failpoints import failpoint
from stepwell.journal.sqlite.database import NOOP, PASSIVE, Database, one

PAGES = 1_000
"""Pages (1 MB) from which on the WAL is long. It is kept short so that it is written over again and again: syncing a
file that grows takes half as long again as syncing one that has its size, and copying costs little beside that."""

COMMITS = 12
"""Copying syncs twice, so it waits for so many commits where they are large, though not for three times the pages."""

_FRAME = 24
"""Bytes before each page in the WAL."""


class Wal:
    """How much one connection has seen in the WAL. Copied on that connection, so that no writer is at it meanwhile:
    only a WAL that was copied to its end can begin anew, and beside a busy writer that would never be.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._mark = PAGES
        self._commits = 0
        """Since it was copied."""
        self.pages = 0
        """Pages in the WAL at the latest commit; 0 once they are copied."""
        self.bytes = 0
        """What its file had at the latest commit at least."""
        self._frame = _FRAME + int(one(db, "PRAGMA page_size"))
        db.set_wal_hook(self._note)

    def _note(self, _db: object, _name: str, pages: int) -> int:
        self._commits += 1
        self.pages = pages
        self.bytes = pages * self._frame
        return 0

    @property
    def is_long(self) -> bool:
        """Whether it should be copied now."""
        return self.pages >= self._mark and (self._commits >= COMMITS or self.pages >= self._mark + 2 * PAGES)

    @failpoint("sqlite.checkpoint")
    def copy(self) -> bool:
        """Copy as far as no reader stands in the way; what is left waits until as much has come to it.

        Gives whether that was all of it.
        """
        try:
            pages, copied = self._db.wal_checkpoint(mode=PASSIVE)
        except apsw.BusyError:  # another process is at it
            pages, copied, whole = self.pages, 0, False
        else:
            whole = pages == copied
        self._mark = max(0, pages - copied) + PAGES
        self._commits = self.pages = 0
        return whole

    def bytes_now(self) -> int:
        """What its file has to have now; others may have begun it anew."""
        self.bytes = self._db.wal_checkpoint(mode=NOOP)[0] * self._frame
        return self.bytes

    def store_bytes(self) -> int:
        """Bytes that the store's file has to have once all is copied."""
        return int(one(self._db, "PRAGMA page_count")) * int(one(self._db, "PRAGMA page_size"))
