"""The SQLite store: the three ports, each call handed to the part that does it."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import get_args

from stepwell.errors import StoreError
from stepwell.events import Event, Payload
from stepwell.journal import refusals
from stepwell.journal.port import Lease, Request, RunRow, Sync, Wanted
from stepwell.journal.sqlite.batch import Batch, Held
from stepwell.journal.sqlite.blobs import BlobFolder
from stepwell.journal.sqlite.connect import Patience, open_to_write
from stepwell.journal.sqlite.facts import Facts
from stepwell.journal.sqlite.index import Index
from stepwell.journal.sqlite.kind import a_folder
from stepwell.journal.sqlite.leases import Leases
from stepwell.journal.sqlite.news import News
from stepwell.journal.sqlite.owners import Owners
from stepwell.journal.sqlite.readers import Readers
from stepwell.journal.sqlite.writer import Writer


class SqliteStore:
    """One SQLite file, with folders `<store>.blobs` and `<store>.owners` beside it; any number of processes share it.

    `sync="full"`: what is acknowledged survives a power cut. `sync="process"`: it survives the death of the process,
    at many times the rate of a lone chain. Opening it reads at most the file's header; the file, its folder and this
    process's lock are made at the first write. Calls that write and wait for others for up to a minute are `create`,
    `claim`, `release`, `ask` and `taken`.
    """

    encodes = True

    def __init__(self, path: str | os.PathLike[str], sync: Sync = "full") -> None:
        if sync not in get_args(Sync):
            raise refusals.unknown_sync(sync)
        self.path = _place(path)
        self._sync = sync
        self._readers = Readers(self.path)
        self._facts = Facts(self._readers)
        self._blobs = BlobFolder(self.path, sync == "full")
        self._owners = Owners(self.path)
        self._index = Index(self._readers, self._owners)
        self._news = News(self._readers)
        self._held: dict[str, Held] = {}
        self._opening = threading.Lock()
        self._leases: Leases | None = None
        self._writer: Writer | None = None
        self._closed = False
        self._readers.rows("SELECT 1")  # a file that is no store is refused here, not in the middle of a run

    def _open(self) -> Leases:
        """What writes, made when it is first needed."""
        leases = self._leases
        if leases is None:
            with self._opening:
                if self._closed:
                    raise refusals.closed(f"the store {self.path}")
                leases = self._leases or self._make()
        return leases

    def _make(self) -> Leases:
        patience = Patience()
        db = open_to_write(self.path, self._sync, patience)
        try:
            self._owners.enter()
        except BaseException:
            db.close()
            raise
        self._writer = Writer(self.path, db, patience, self._blobs, self._owners.me)
        self._writer.on_written(self._news.wrote)
        self._leases = Leases(self._writer, self._owners, self._sync, self._held)
        self._leases.sweep()
        self._blobs.sweep(self._owners.alive)
        return self._leases

    # --- facts --------------------------------------------------------------------------------------------------------

    def append(self, lease: Lease, events: Sequence[Event], alone: bool = False) -> asyncio.Future[None] | None:
        """Write these facts: None where they are durable, else the future of it."""
        held = self._held.get(lease.run_id)
        writer = self._writer
        if held is None or writer is None or held.lease.epoch != lease.epoch:
            raise self._not_held(lease)
        if not events:
            return None
        return writer.append(Batch(held, events), alone, len(self._held) == 1)

    def _not_held(self, lease: Lease) -> StoreError:
        return refusals.closed(f"the store {self.path}") if self._closed else refusals.lease_lost(lease.run_id)

    def read(
        self, run_id: str, after: int = 0, limit: int = 1000, wanted: Wanted | None = None, *, latest: bool = False
    ) -> Sequence[Event]:
        """Facts with `seq > after`, in order."""
        return self._facts.read(run_id, after, limit, wanted, latest)

    def count_items(
        self, run_id: str, maps: Collection[str], after: int = 0, but: Collection[str] = ()
    ) -> Mapping[str, Mapping[str, int]]:
        """How many items of each of these maps have come to what."""
        return self._facts.count_items(run_id, maps, after, but)

    def follow(self, run_id: str, call: Callable[[], None], *, facts: bool = True) -> Callable[[], None]:
        """Call on the running loop when there may be news; without `facts` only when there may be requests."""
        return self._news.follow(run_id, call, facts=facts)

    # --- values -------------------------------------------------------------------------------------------------------

    def load(self, payload: Payload) -> bytes:
        """The bytes of a recorded value; raises PayloadLost."""
        return self._blobs.load(payload) if payload.data is None else payload.data

    # --- the index ----------------------------------------------------------------------------------------------------

    def create(self, run_id: str, pipeline: str, key: str) -> Lease | None:
        """Own a new run, seen by nobody before its RUN_STARTED."""
        return self._open().create(run_id, pipeline, key)

    def claim(self, run_id: str) -> Lease:
        """Own an existing run whose owner, if any, is gone."""
        if not self.path.exists():
            raise refusals.not_found(run_id)
        return self._open().claim(run_id)

    def release(self, lease: Lease) -> None:
        """Give it up; a run that has no fact yet is forgotten, its key is free again."""
        if self._leases is not None and not self._closed:
            self._leases.release(lease)

    def get(self, run_id: str) -> RunRow | None:
        """The run of exactly this id."""
        return self._index.get(run_id)

    def find(self, prefix: str, limit: int = 10) -> Sequence[RunRow]:
        """Runs whose id begins so, the latest first."""
        return self._index.find(prefix, limit)

    def with_key(self, pipeline: str, key: str) -> RunRow | None:
        """The run of this pipeline that was started with this key."""
        return self._index.with_key(pipeline, key)

    def runs(self, status: str = "", pipeline: str = "", limit: int = 100) -> Sequence[RunRow]:
        """Runs, the latest first."""
        return self._index.runs(status, pipeline, limit)

    # --- requests -----------------------------------------------------------------------------------------------------

    def ask(self, request: Request) -> None:
        """Leave a request for whoever runs the run; durable when this returns."""
        if not self.path.exists():
            raise refusals.not_found(request.run_id)
        self._open().ask(request)
        self._news.asked(request.run_id)

    def requests(self, run_id: str) -> Sequence[Request]:
        """What is asked and not taken, oldest first."""
        return self._index.requests(run_id)

    def taken(self, lease: Lease, request_id: str) -> None:
        """It is in the journal: drop it."""
        if self._leases is None or self._closed:
            raise self._not_held(lease)
        self._leases.taken(lease, request_id)

    def close(self) -> None:
        """Write what is queued, give up all leases, end the threads, close the files."""
        with self._opening:
            if self._closed:
                return
            self._closed = True
        self._news.close()
        self._readers.close()  # before the writer: SQLite clears the WAL away when its last connection could write
        if self._writer is not None and self._leases is not None:
            self._writer.finish()
            self._leases.release_all()
            self._writer.close()
        self._owners.leave()


def _place(path: str | os.PathLike[str]) -> Path:
    """The file itself, not a link to it: what lies beside a store must be the same for all who use it."""
    place = Path(path).absolute()
    try:
        str(place).encode()
        if "\0" in str(place):
            raise ValueError("it holds a NUL")
        if place.name in ("", ".."):
            raise a_folder(place)
        return place.resolve() if place.is_symlink() else place
    except OSError:  # in a folder that we may not look into, which is told when it is opened
        return place
    except (ValueError, RuntimeError) as error:  # half a character; a link to itself
        raise StoreError(f"{str(place)!r} cannot be the file of a store: {error}; name another one") from error
