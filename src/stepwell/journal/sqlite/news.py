"""News of runs: at once what this process wrote, within a moment what others did."""

from __future__ import annotations

import threading
from collections.abc import Callable

import apsw

from stepwell.errors import StoreError
from stepwell.journal.followers import Followers
from stepwell.journal.sqlite.database import Database, one
from stepwell.journal.sqlite.readers import Readers

POLL = 0.05
"""Seconds between two looks at what others have written."""

_MARK = "SELECT seq, (SELECT count(*) FROM inbox WHERE inbox.run = run.run) FROM run WHERE run_id = ?"


class News:
    """Tells followers; while there are any, one thread looks at the store's `data_version`."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._followers = Followers()
        self._followed = self._followers.by_run
        self._own: dict[str, int] = {}
        """Up to which fact of a run its followers were told as it was written here."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def follow(self, run_id: str, call: Callable[[], None]) -> Callable[[], None]:
        """Call on the running loop at each news of the run, until what this gives back is called."""
        end = self._followers.add(run_id, call)
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._watch, name="stepwell-news", daemon=True)
                self._thread.start()
        return end

    def wrote(self, run_id: str, seq: int) -> None:
        """This process has written facts of the run."""
        if run_id in self._followed:
            self._own[run_id] = seq
            self._followers.tell(run_id)

    def asked(self, run_id: str) -> None:
        """This process has left a request."""
        self._followers.tell(run_id)

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        thread = self._thread
        if thread is not None:
            thread.join()

    def _watch(self) -> None:
        version: int | None = None
        marks: dict[str, tuple[int, int]] = {}
        db: Database | None = None
        try:
            while not self._stop.is_set():
                with self._lock:
                    if not self._followed:
                        self._thread = None
                        self._own.clear()
                        return
                try:
                    db = db or self._readers.open()
                    if db is not None:
                        version = self._look(db, version, marks)
                except (apsw.Error, StoreError):  # they will meet it when they read
                    for run_id in self._followers.runs():
                        self._followers.tell(run_id)
                self._stop.wait(POLL)
        finally:
            if db is not None:
                db.close()

    def _look(self, db: Database, before: int | None, marks: dict[str, tuple[int, int]]) -> int:
        """Tell the followers of each run that has changed since the look before; all of them at the first."""
        version: int = one(db, "PRAGMA data_version")
        if version == before and all(run_id in marks for run_id in self._followed):
            return version
        followed = self._followers.runs()
        for run_id in marks.keys() - set(followed):
            del marks[run_id]
        for run_id in followed:
            rows = db.execute(_MARK, (run_id,)).fetchall()
            seq, asked = mark = rows[0] if rows else (0, 0)
            last = marks.get(run_id)
            marks[run_id] = mark
            if last is None or asked != last[1] or (seq != last[0] and seq > self._own.get(run_id, 0)):
                self._followers.tell(run_id)
        return version
