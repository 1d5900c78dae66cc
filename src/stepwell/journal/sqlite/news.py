"""News of runs: at once what this process wrote, within a moment what others did."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import apsw

from stepwell.errors import StoreError
from stepwell.journal.followers import Followers
from stepwell.journal.sqlite.database import Database, one
from stepwell.journal.sqlite.readers import Readers

POLL = 0.05
"""Seconds between two looks at what others have written."""

_SEQ = "SELECT seq FROM run WHERE run_id = ?"
_ASKED = "SELECT run_id, max(inbox.rowid) FROM inbox JOIN run USING (run) WHERE taken = 0 GROUP BY inbox.run"


class News:
    """Tells followers; while there are any, one thread looks at the store's `data_version`."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._followers = Followers()
        self._followed = self._followers.by_run
        self._listeners = Followers()
        """Told of requests only."""
        self._own: dict[str, int] = {}
        """Up to which fact of a run its followers were told as it was written here."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def follow(self, run_id: str, call: Callable[[], None], *, facts: bool) -> Callable[[], None]:
        """Call on the running loop at each news of the run, until what this gives back is called."""
        end = (self._followers if facts else self._listeners).add(run_id, call)
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._watch, name="stepwell-news", daemon=True)
                self._thread.start()
        return end

    def wrote(self, seqs: Mapping[str, int]) -> None:
        """This process has written facts of these runs, up to these numbers."""
        if self._followed:
            told = [run_id for run_id in seqs if run_id in self._followed]
            for run_id in told:
                self._own[run_id] = seqs[run_id]
            self._followers.tell(*told)

    def asked(self, run_id: str) -> None:
        """This process has left a request."""
        self._followers.tell(run_id)
        self._listeners.tell(run_id)

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
                    if not self._followed and not self._listeners.by_run:
                        self._thread = None
                        self._own.clear()
                        return
                try:
                    db = db or self._readers.open()
                    if db is not None:
                        version = self._look(db, version, marks)
                except (apsw.Error, StoreError):  # they will meet it when they read
                    self._followers.tell(*self._followers.runs())
                    self._listeners.tell(*self._listeners.runs())
                self._stop.wait(POLL)
        finally:
            if db is not None:
                db.close()

    def _look(self, db: Database, before: int | None, marks: dict[str, tuple[int, int]]) -> int:
        """Tell of each run that has changed since the look before, and of its facts at the first look.

        `marks` has the last fact and the last open request of each run, as they were at that look.
        """
        version: int = one(db, "PRAGMA data_version")
        followed, listened = self._followers.runs(), self._listeners.runs()
        runs = {*followed, *listened}
        if version == before and runs <= marks.keys():
            return version
        for run_id in marks.keys() - runs:
            del marks[run_id]
        asked: dict[str, int] = dict(db.execute(_ASKED).fetchall())
        wanted = {run_id for run_id in runs if asked.get(run_id, 0) > marks.get(run_id, (0, 0))[1]}
        told = set(wanted)
        for run_id in followed:
            seq = one(db, _SEQ, (run_id,)) or 0
            if seq > max(marks.get(run_id, (-1, 0))[0], self._own.get(run_id, -1)):
                told.add(run_id)
            marks[run_id] = (seq, asked.get(run_id, 0))
        for run_id in runs.difference(followed):
            marks[run_id] = (-1, asked.get(run_id, 0))
        self._followers.tell(*told)
        self._listeners.tell(*wanted)
        return version
