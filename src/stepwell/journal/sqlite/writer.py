"""The one writer of a store in this process: group commit on a thread, or at once for a lone chain."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import apsw

from stepwell.errors import StoreBusy, StoreError
from stepwell.failpoints import failpoint
from stepwell.journal import refusals
from stepwell.journal.sqlite.batch import Batch, Held, Outcome, Refused, end_all
from stepwell.journal.sqlite.blobs import BlobFolder
from stepwell.journal.sqlite.connect import Patience
from stepwell.journal.sqlite.database import NO_CHECKPOINT_ON_CLOSE, Database
from stepwell.journal.sqlite.rows import outside
from stepwell.journal.sqlite.standing import Standing
from stepwell.journal.sqlite.transaction import Transactions
from stepwell.journal.sqlite.trouble import told
from stepwell.journal.sqlite.wal import Wal

QUICK = 0.003
"""Seconds: a commit that takes less may be made on the event loop's own thread."""

LONELY = 0.005
"""Seconds without a fact of another run, after which a run counts as the only one that writes."""

IDLE = 0.5
"""Seconds without work after which the WAL is copied into the store."""


class Writer:
    """Takes batches from any thread and writes them through one connection."""

    def __init__(self, path: Path, db: Database, patience: Patience, blobs: BlobFolder, owner: str) -> None:
        self._path = path
        self._db = db
        self._patience = patience
        self._blobs = blobs
        self._owner = owner
        self._transactions = Transactions(db)
        self._told: Callable[[Mapping[str, int]], None] = lambda _seqs: None
        self._failed: StoreError | None = None
        self._closing = False
        self._closed = False
        # The queue and whether the thread waits for it, under `_state`; the connection under `_gate`, which is had
        # only after `_turnstile`: so that one who waits for the connection is next, however eager the others are.
        self._state = threading.Lock()
        self._bell = threading.Condition(self._state)
        self._queue: deque[Batch] = deque()
        self._pending = 0
        self._waits = False
        self._thread: threading.Thread | None = None
        self._turnstile = threading.Lock()
        self._gate = threading.Lock()
        self._times: deque[float] = deque([0.0] * 5, maxlen=5)
        self._quick = True
        self._latest: Held | None = None
        self._since = 0.0
        self._wal = Wal(db)
        self._standing = Standing(path, self._wal)

    def on_written(self, call: Callable[[Mapping[str, int]], None]) -> None:
        """Call with the last durable fact of each run that has new ones, on whichever thread."""
        self._told = call

    # --- from outside -------------------------------------------------------------------------------------------------

    def append(self, batch: Batch, alone: bool, only: bool) -> asyncio.Future[None] | None:
        """Write now and give None, or have the thread write and give the future of it.

        Here only where nothing else goes on (`alone`) in this run, and no other run writes: `only` says that this store
        owns no other. Many chains, each alone within its run, share the thread's commits.
        """
        if batch.held is not self._latest:
            self._latest = batch.held
            self._since = time.monotonic()
        lonely = only or time.monotonic() - self._since > LONELY
        if alone and lonely and self._quick and batch.large is None and self._write_here(batch):
            return None
        future = batch.wait()
        with self._state:
            self.check()
            self._queue.append(batch)
            self._pending += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=f"stepwell-writer {self._path}", daemon=True)
                self._thread.start()
            elif self._waits:
                self._bell.notify()
        return future

    def check(self) -> None:
        """Raise where nothing is written any more."""
        if self._failed is not None:
            raise self._failed
        if self._closing:
            raise refusals.closed(f"the store {self._path}")

    @contextmanager
    def connection(self) -> Generator[Database]:
        """The connection, for a short transaction on this thread; raises StoreError."""
        with self._turnstile:
            self._gate.acquire()
        try:
            if self._failed is not None:
                raise self._failed
            if self._closed:
                raise refusals.closed(f"the store {self._path}")
            self._look()
            yield self._db
        except (apsw.Error, UnicodeDecodeError) as error:  # whoever began a transaction has rolled it back
            raise self._note_failure(error) from error
        finally:
            self._gate.release()

    def finish(self) -> None:
        """Write what is queued, take no more of it, and end the thread."""
        with self._state:
            self._closing = True
            self._bell.notify()
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        """Close the connection; after `finish`."""
        with self._gate:
            self._copy_wal()
            if self._failed is not None:  # what could not be synced once is not tried again; the WAL stays for the next
                self._db.config(NO_CHECKPOINT_ON_CLOSE, 1)
            self._closed = True
            self._db.close()

    # --- on the caller's thread ---------------------------------------------------------------------------------------

    def _write_here(self, batch: Batch) -> bool:
        """Write at once if nobody else is at it, in this process or another one."""
        with self._state:
            self.check()
            if self._pending:
                return False
            self._pending = 1
        done = False
        try:
            if not self._gate.acquire(blocking=False):
                return False
            try:
                self._patience.limit = 0.0
                done = self._write_alone(batch)
            finally:
                self._patience.limit = self._patience.default
                self._gate.release()
        finally:
            with self._state:
                self._pending -= 1
        return done

    def _write_alone(self, batch: Batch) -> bool:
        self._look()
        start = time.perf_counter()
        try:
            refused = self._transactions.write((batch,))
        except apsw.BusyError:
            return False
        except apsw.Error as error:
            raise self._note_failure(error) from error
        self._note_time(time.perf_counter() - start)
        if refused:
            raise refused[0][1]
        if batch.turns is not None:  # the end of a run is told only where it will be found
            self._look()
        if self._wal.is_long:
            self._copy_wal()
        self._told({batch.held.lease.run_id: batch.rows[-1][1]})
        return True

    # --- on the thread ------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            batches = self._take()
            if batches is None:
                return
            if not batches:
                with self._gate:
                    self._copy_wal()
                continue
            refused = self._write(batches)
            with self._state:
                self._pending -= len(batches)
            self._acknowledge(batches, refused)

    def _take(self) -> list[Batch] | None:
        """All that is queued; nothing where it is time to tidy up; None at the end."""
        with self._state:
            while not self._queue:
                if self._closing:
                    return None
                self._waits = True
                rung = self._bell.wait(IDLE if self._wal.pages else None)
                self._waits = False
                if not rung and not self._queue:
                    return []
            batches = list(self._queue)
            self._queue.clear()
            return batches

    def _write(self, batches: list[Batch]) -> Refused:
        if self._failed is not None:
            return [(batch, self._failed) for batch in batches]
        with self._turnstile:
            self._gate.acquire()
        try:
            for batch in batches:
                if batch.large is not None:
                    self._save_large(batch)
            start = time.perf_counter()
            self._standing.check()
            refused = self._transactions.write(batches)
            self._note_time(time.perf_counter() - start)
            if any(batch.turns is not None for batch in batches):
                self._standing.check()
            if self._wal.is_long:
                self._copy_wal()
            return refused
        except Exception as error:
            failure = self._note_failure(error)
            return [(batch, failure) for batch in batches]
        finally:
            self._gate.release()

    def _save_large(self, batch: Batch) -> None:
        for index in batch.large or ():
            row = batch.rows[index]
            batch.rows[index] = outside(row, batch.held.seed, self._blobs.save(row[7] or b"", self._owner))

    @failpoint("sqlite.acknowledge")
    def _acknowledge(self, batches: Sequence[Batch], refused: Refused) -> None:
        """Tell all who wait, with one call a loop, and all who follow."""
        errors = dict(refused)
        by_loop: dict[asyncio.AbstractEventLoop, list[Outcome]] = {}
        seqs: dict[str, int] = {}
        for batch in batches:
            error = errors.get(batch)
            if error is None:
                seqs[batch.held.lease.run_id] = batch.rows[-1][1]
            if batch.loop is not None and batch.future is not None:
                by_loop.setdefault(batch.loop, []).append((batch.future, error))
        for loop, outcomes in by_loop.items():
            try:
                loop.call_soon_threadsafe(end_all, outcomes)
            except RuntimeError:  # the loop is closed: nobody waits any more
                pass
        self._told(seqs)

    # --- on either, behind the gate -----------------------------------------------------------------------------------

    def _note_failure(self, error: Exception) -> StoreError:
        """A store that failed to write takes nothing more: what its disk really holds is no longer known."""
        failure = told(self._path, error, "written")
        if not isinstance(failure, StoreBusy) and self._failed is None:
            self._failed = failure
        return failure

    def _look(self) -> None:
        """Raise, and take nothing more, where the store's file is no longer there: it would be lost."""
        try:
            self._standing.check()
        except StoreError as error:
            raise self._note_failure(error) from None

    def _copy_wal(self) -> None:
        if self._failed is None:
            try:
                self._standing.check()
                self._wal.copy()
            except (apsw.Error, StoreError) as error:
                self._note_failure(error)

    def _note_time(self, seconds: float) -> None:
        self._times.append(seconds)
        if (seconds < QUICK) is not self._quick:
            self._quick = sorted(self._times)[2] < QUICK
