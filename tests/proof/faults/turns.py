"""One thread at a time inside of SQLite, for as long as its system calls are made in Python.

`Connection.close` of apsw keeps Python's lock. A thread that is inside SQLite with a mutex, and is about to make a
system call, wants that lock: the two would wait for each other for ever. Only calls made in Python can do that,
so it is for the proof to see to it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator
from typing import Any

import apsw

_turn = threading.Lock()


class _Cursor(apsw.Cursor):
    def execute(self, *args: Any, **kwargs: Any) -> Any:
        with _turn:
            return super().execute(*args, **kwargs)

    def executemany(self, *args: Any, **kwargs: Any) -> Any:
        with _turn:
            return super().executemany(*args, **kwargs)

    def fetchall(self) -> list[Any]:
        with _turn:
            return super().fetchall()


class _Connection(apsw.Connection):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        with _turn:
            super().__init__(*args, **kwargs)
        self.cursor_factory = _Cursor

    def set_busy_handler(self, call: Callable[[int], bool] | None) -> None:
        def wait(tries: int) -> bool:
            """It waits for what another thread holds, which needs its turn to let go."""
            _turn.release()
            try:
                return call is not None and call(tries)
            finally:
                _turn.acquire()

        super().set_busy_handler(wait if call is not None else None)

    def wal_checkpoint(self, *args: Any, **kwargs: Any) -> Any:
        with _turn:
            return super().wal_checkpoint(*args, **kwargs)

    def close(self, *args: Any) -> None:
        with _turn:
            super().close(*args)


@contextlib.contextmanager
def in_turn() -> Generator[None]:
    """Whatever opens a connection meanwhile gets one that waits for its turn."""
    before = apsw.Connection
    apsw.Connection = _Connection  # type: ignore[misc]
    try:
        yield
    finally:
        apsw.Connection = before  # type: ignore[misc]
