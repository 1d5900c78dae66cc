"""The physical limits of a durable store: one table, inline commits, group commits, and a writer thread for asyncio."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from time import time

import apsw
import msgspec

ROW = 100
"""Bytes of payload in a row: a small fact, in msgpack."""

INSERT = "INSERT INTO journal VALUES (?, ?, ?, ?, ?)"
Record = tuple[str, int, str, str, bytes]


class Fact(msgspec.Struct, frozen=True):
    """A recorded end of a step or item, as lean as one can be."""

    at: float
    output: object
    padding: str = ""


PADDING = "·" * ((ROW - 15) // 2)


def record(seq: int, run: str = "run") -> Record:
    """One row, encoded."""
    return run, seq, "ITEM_COMPLETED", f"work[{seq}]", msgspec.msgpack.encode(Fact(time(), seq, PADDING))


def database(path: Path) -> apsw.Connection:
    """A new database that is synced at each commit."""
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE journal (run TEXT, seq INTEGER, kind TEXT, path TEXT, data BLOB, PRIMARY KEY (run, seq)) "
        "WITHOUT ROWID"
    )
    return connection


def commit(connection: apsw.Connection, records: list[Record]) -> None:
    """All of them in one transaction, synced."""
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(INSERT, records)
    connection.execute("COMMIT")


class WriterThread:
    """Group commit for asyncio: a thread takes all that is queued, commits it, and wakes the waiters in one call."""

    def __init__(self, path: Path) -> None:
        self._connection = database(path)
        self._loop = asyncio.get_running_loop()
        self._queued: list[tuple[Record, asyncio.Future[None]]] = []
        self._news = threading.Semaphore(0)
        self._closed = False
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def append(self, row: Record) -> asyncio.Future[None]:
        """Queue a row; the future is done once it is synced."""
        done = self._loop.create_future()
        self._queued.append((row, done))
        if len(self._queued) == 1:
            self._news.release()
        return done

    def close(self) -> None:
        """End the thread and close the file."""
        self._closed = True
        self._news.release()
        self._thread.join()
        self._connection.close()

    def _write(self) -> None:
        while True:
            self._news.acquire()
            if self._closed:
                return
            batch, self._queued = self._queued, []
            if batch:
                commit(self._connection, [row for row, _ in batch])
                self._loop.call_soon_threadsafe(_wake, [done for _, done in batch])


def _wake(waiting: list[asyncio.Future[None]]) -> None:
    for done in waiting:
        done.set_result(None)
