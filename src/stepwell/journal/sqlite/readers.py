"""Connections that only read: as many as there are threads that read at the same time, for short transactions."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from stepwell.journal import refusals
from stepwell.journal.sqlite.connect import open_to_read
from stepwell.journal.sqlite.database import Database
from stepwell.journal.sqlite.trouble import told


class Readers:
    """Lends connections; there are none while there is no store."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[Database] = []
        self._closed = False

    def open(self) -> Database | None:
        """A connection of one's own, to be closed by the caller."""
        return open_to_read(self._path)

    def rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows at once, so that no reader keeps the WAL from being reset; none while there is no store."""
        with self.lend() as db:
            return [] if db is None else db.execute(sql, values).fetchall()

    @contextmanager
    def lend(self) -> Generator[Database | None]:
        """A connection for one short use; raises StoreError."""
        if self._closed:
            raise refusals.closed(f"the store {self._path}")
        db: Database | None
        try:
            db = self._idle.pop()  # in one step, whichever thread this is
        except IndexError:
            db = self.open()
        try:
            yield db
        except (apsw.Error, UnicodeDecodeError) as error:
            raise told(self._path, error, "read") from error
        finally:
            if db is not None:
                if self._closed:
                    db.close()
                else:
                    self._idle.append(db)

    def close(self) -> None:
        """Close what is idle, and what is lent when it comes back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()
