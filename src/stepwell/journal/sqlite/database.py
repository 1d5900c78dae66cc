"""What is used of an apsw connection, typed: its own stubs need a newer Python than the oldest that is supported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, cast

import apsw

READ = apsw.SQLITE_OPEN_READONLY
READ_URI = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
WRITE = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
PASSIVE = apsw.SQLITE_CHECKPOINT_PASSIVE
NOOP = apsw.SQLITE_CHECKPOINT_NOOP
NO_CHECKPOINT_ON_CLOSE = apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE


class Rows(Protocol):
    """The rows of a statement."""

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All that are left."""
        ...


class Statements(Protocol):
    """What runs statements: a connection, or a cursor of it, which takes half the time a statement where it is kept.

    The rows of one statement of a cursor are gone with the next one.
    """

    def execute(self, statements: str, bindings: Sequence[object] = ..., /) -> Rows:
        """Run statements."""
        ...

    def executemany(self, statements: str, bindings: Iterable[Sequence[object]], /) -> Rows:
        """Run a statement once for each of these."""
        ...


class Database(Statements, Protocol):
    """A connection; no two threads may use one at the same time."""

    @property
    def in_transaction(self) -> bool:
        """Whether one was begun and not ended."""
        ...

    def cursor(self) -> Statements:
        """What runs one statement after the other."""
        ...

    def changes(self) -> int:
        """How many rows the latest statement changed."""
        ...

    def last_insert_rowid(self) -> int:
        """The number of the latest row."""
        ...

    def wal_checkpoint(self, *, mode: int) -> tuple[int, int]:
        """Copy pages from the WAL; gives how many it has and how many of them are copied."""
        ...

    def set_wal_hook(self, callable: Callable[[Any, str, int], int] | None, /) -> None:
        """Call after each commit with the number of pages in the WAL."""
        ...

    def set_busy_handler(self, callable: Callable[[int], bool] | None, /) -> None:
        """Ask this whether to try again."""
        ...

    def config(self, op: int, value: int, /) -> int:
        """Set an option."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


def connect(name: str, flags: int) -> Database:
    """Open a file; raises apsw.Error."""
    return cast("Database", apsw.Connection(name, flags=flags))


def one(db: Statements, sql: str, values: tuple[object, ...] = ()) -> Any:
    """The first column of the first row, or None."""
    rows = db.execute(sql, values).fetchall()
    return rows[0][0] if rows else None


def is_second(error: apsw.ConstraintError) -> bool:
    """Whether a unique index has refused a row."""
    return getattr(error, "extendedresult", 0) == apsw.SQLITE_CONSTRAINT_UNIQUE
