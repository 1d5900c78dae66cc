"""A store in one SQLite file, shared by any number of processes on one host."""

from stepwell.journal.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
