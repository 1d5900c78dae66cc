"""Who owns a run, and what is asked of it: the few writes that are made one at a time, on the caller's thread."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from stepwell.errors import StoreError
from stepwell.failpoints import failpoint
from stepwell.journal import refusals
from stepwell.journal.port import Lease, Request
from stepwell.journal.sqlite.batch import Held
from stepwell.journal.sqlite.database import Database, one
from stepwell.journal.sqlite.owners import Owners, process_of
from stepwell.journal.sqlite.writer import Writer

_UNBORN = (
    "SELECT run.run, run_id, pipeline, key, coalesce(owner, '') FROM run LEFT JOIN lease USING (run) WHERE seq = 0"
)


class Leases:
    """Creates, claims and gives up runs for one owner."""

    def __init__(self, writer: Writer, owners: Owners, sync: str, held: dict[str, Held]) -> None:
        self._writer = writer
        self._owners = owners
        self._level = "FULL" if sync == "full" else "NORMAL"
        self._held = held

    @failpoint("sqlite.create")
    def create(self, run_id: str, pipeline: str, key: str) -> Lease | None:
        """Own a new run; None where one of this pipeline with this key exists."""
        me = self._owners.me
        same = " AND (run_id = ? OR (pipeline = ? AND key = ? AND key <> ''))"
        with self._transaction(synced=False) as db:
            for number, *_, owner in db.execute(_UNBORN + same, (run_id, pipeline, key)).fetchall():
                if not owner or not self._owners.alive(owner):  # it was never started, and nobody will start it
                    _forget(db, number)
            if key and one(db, "SELECT 1 FROM run WHERE pipeline = ? AND key = ?", (pipeline, key)):
                return None  # before the id counts: the same call with both is to find its run
            if one(db, "SELECT 1 FROM run WHERE run_id = ?", (run_id,)):
                raise refusals.id_taken(run_id)
            db.execute("INSERT INTO run (run_id, pipeline, key) VALUES (?, ?, ?)", (run_id, pipeline, key))
            number = db.last_insert_rowid()
            if one(db, "SELECT 1 FROM journal WHERE run = ? LIMIT 1", (number,)):
                raise StoreError(
                    f"run {run_id} cannot be made: the store holds facts of a run whose row is gone; it is damaged: "
                    "restore a backup"
                )
            db.execute("INSERT INTO lease VALUES (?, ?, 1)", (number, me))
        lease = Lease(run_id, me, 1)
        self._held[run_id] = Held(lease, number, 0)
        return lease

    @failpoint("sqlite.claim")
    def claim(self, run_id: str) -> Lease:
        """Own an existing run whose owner, if any, is gone."""
        me = self._owners.me
        with self._transaction(synced=False) as db:
            rows = db.execute(
                "SELECT run, seq, owner, epoch FROM run JOIN lease USING (run) WHERE run_id = ? AND seq > 0", (run_id,)
            ).fetchall()
            if not rows:
                raise refusals.not_found(run_id)
            number, seq, owner, epoch = rows[0]
            if owner and self._owners.alive(owner):
                raise refusals.live(run_id, process_of(owner))
            if not 0 < epoch < 1 << 62:
                raise StoreError(f"run {run_id}: its lease is damaged (epoch {epoch}); restore a backup")
            epoch += 1
            db.execute("UPDATE lease SET owner = ?, epoch = ? WHERE run = ?", (me, epoch, number))
        lease = Lease(run_id, me, epoch)
        self._held[run_id] = Held(lease, number, seq)
        return lease

    @failpoint("sqlite.release")
    def release(self, lease: Lease) -> None:
        """Give it up; a run that has no fact yet is forgotten."""
        held = self._held.get(lease.run_id)
        if held is None or held.lease.epoch != lease.epoch:
            return
        with self._transaction(synced=False) as db:
            _give_up(db, held)
        del self._held[lease.run_id]

    def release_all(self) -> None:
        """Give up what is still owned."""
        try:
            if self._held:
                with self._transaction(synced=False) as db:
                    for held in self._held.values():
                        _give_up(db, held)
        except StoreError:  # the store has failed: when this owner's lock is gone, they read as given up all the same
            pass
        self._held.clear()

    def sweep(self) -> None:
        """Clear away what dead owners have left: their locks, and the runs that they never started."""
        self._owners.sweep()
        with self._writer.connection() as db:
            unborn = db.execute(_UNBORN).fetchall()
        dead = [row for row in unborn if not row[-1] or not self._owners.alive(row[-1])]
        if dead:
            with self._transaction(synced=False) as db:
                for number, *_ in dead:
                    _forget(db, number)

    @failpoint("sqlite.ask")
    def ask(self, request: Request) -> None:
        """Leave a request; one whose id is there already is dropped."""
        with self._transaction(synced=True) as db:
            number = one(db, "SELECT run FROM run WHERE run_id = ? AND seq > 0", (request.run_id,))
            if number is None:
                raise refusals.not_found(request.run_id)
            db.execute(
                "INSERT INTO inbox (id, run, kind, at, reason) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                (request.id, number, request.kind, request.at, request.reason),
            )

    @failpoint("sqlite.taken")
    def taken(self, lease: Lease, request_id: str) -> None:
        """The request is in the journal: drop it; raises LeaseLost where the run is somebody else's."""
        with self._transaction(synced=True) as db:
            number = one(
                db,
                "SELECT run FROM run JOIN lease USING (run) WHERE run_id = ? AND owner = ? AND epoch = ?",
                (lease.run_id, lease.owner, lease.epoch),
            )
            if number is None:
                raise refusals.lease_lost(lease.run_id)
            db.execute("UPDATE inbox SET taken = 1 WHERE id = ? AND run = ?", (request_id, number))

    @contextmanager
    def _transaction(self, synced: bool) -> Generator[Database]:
        """One transaction. Who owns a run need not be synced: what a power cut undoes of it was owned by the dead,
        and every fact that was written under a lease comes after it in the WAL, and is synced with it.
        """
        with self._writer.connection() as db:
            db.execute(f"PRAGMA synchronous = {self._level if synced else 'NORMAL'}")
            try:
                db.execute("BEGIN IMMEDIATE")
                try:
                    yield db
                    db.execute("COMMIT")
                except BaseException:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
                    raise
            finally:
                db.execute(f"PRAGMA synchronous = {self._level}")


def _give_up(db: Database, held: Held) -> None:
    mine = (held.number, held.lease.owner, held.lease.epoch)
    db.execute("UPDATE lease SET owner = '' WHERE run = ? AND owner = ? AND epoch = ?", mine)
    if db.changes() and one(db, "SELECT 1 FROM run WHERE run = ? AND seq = 0", (held.number,)):
        _forget(db, held.number)


def _forget(db: Database, number: int) -> None:
    """Remove a run that has no facts; its key is free again."""
    run_id = one(
        db,
        "SELECT run_id FROM run WHERE run = ? AND seq = 0 AND EXISTS (SELECT 1 FROM journal WHERE run = ?)",
        (number, number),
    )
    if run_id is not None:
        raise StoreError(
            f"run {run_id}: its row says that it has no facts, and it has; the store is damaged: restore a backup"
        )
    db.execute("DELETE FROM run WHERE run = ? AND seq = 0", (number,))
    if db.changes():
        db.execute("DELETE FROM lease WHERE run = ?", (number,))
