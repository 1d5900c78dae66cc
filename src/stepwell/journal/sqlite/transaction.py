"""One transaction with the facts of many runs: what is refused of one run harms no other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import apsw

from stepwell.errors import StoreError
from stepwell.failpoints import failpoint
from stepwell.journal import refusals
from stepwell.journal.sqlite.batch import Batch, Held, Refused
from stepwell.journal.sqlite.database import Database, is_second, one
from stepwell.journal.sqlite.projection import project

_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT = f"INSERT INTO journal VALUES {_ROW}"
_TOGETHER = 16
"""Rows a statement, where there are many: each costs a quarter less, and Python's lock changes hands less often."""
_INSERT_TOGETHER = f"INSERT INTO journal VALUES {', '.join([_ROW] * _TOGETHER)}"
_OWNER = "SELECT owner, epoch FROM lease WHERE run = ?"


class Transactions:
    """Writes through one connection, which nobody else uses meanwhile."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._run = db.cursor()

    def write(self, batches: Sequence[Batch]) -> Refused:
        """Make the batches durable, but for those that are refused; raises apsw.Error, and then nothing was written."""
        self._begin()
        try:
            good, refused = self._check(batches)
            try:
                self._insert(good)
            except apsw.ConstraintError:
                self._run.execute("ROLLBACK")
                self._begin()
                good, refused = self._check(batches)
                good, ends = self._insert_one_by_one(good)
                refused += ends
            if good:
                project(self._run, good)
            self._commit()
        except BaseException:
            self._forget(batches)
            raise
        for batch in good:
            batch.held.seq = batch.rows[-1][1]
        return refused

    @failpoint("sqlite.begin")
    def _begin(self) -> None:
        self._run.execute("BEGIN IMMEDIATE")

    @failpoint("sqlite.commit")
    def _commit(self) -> None:
        self._run.execute("COMMIT")

    def _check(self, batches: Sequence[Batch]) -> tuple[list[Batch], Refused]:
        """Tell those apart whose run is somebody else's now, or whose facts do not follow on."""
        version = one(self._run, "PRAGMA data_version")
        good: list[Batch] = []
        refused: Refused = []
        tips: dict[Held, int] = {}
        for batch in batches:
            held = batch.held
            lease = held.lease
            tip = tips.get(held)
            if tip is None:
                # Unchanged: nobody else has written since this lease was last looked at, so it is as it was.
                if held.version != version:
                    if self._run.execute(_OWNER, (held.number,)).fetchall() != [(lease.owner, lease.epoch)]:
                        held.seq = -1
                    held.version = version
                tip = held.seq
            error = _out_of_order(batch, tip)
            if error is not None:
                refused.append((batch, error))
                continue
            tips[held] = batch.rows[-1][1]
            good.append(batch)
        return good, refused

    @failpoint("sqlite.write")
    def _insert(self, batches: Sequence[Batch]) -> None:
        rows = batches[0].rows if len(batches) == 1 else [row for batch in batches for row in batch.rows]
        together = len(rows) - len(rows) % _TOGETHER
        for start in range(0, together, _TOGETHER):
            self._run.execute(_INSERT_TOGETHER, [*chain.from_iterable(rows[start : start + _TOGETHER])])
        if together < len(rows):
            self._run.executemany(_INSERT, rows[together:] if together else rows)

    def _insert_one_by_one(self, batches: Sequence[Batch]) -> tuple[list[Batch], Refused]:
        """Each behind a savepoint; of a run whose batch is refused, those that follow it are refused with it."""
        good: list[Batch] = []
        refused: Refused = []
        broken: dict[Held, StoreError] = {}
        for batch in batches:
            error = broken.get(batch.held)
            if error is None:
                error = self._try(batch)
            if error is None:
                good.append(batch)
            else:
                broken[batch.held] = error
                refused.append((batch, error))
        return good, refused

    def _try(self, batch: Batch) -> StoreError | None:
        run_id = batch.held.lease.run_id
        self._run.execute("SAVEPOINT batch")
        path = ""
        try:
            for row in batch.rows:
                path = row[4]
                self._run.execute(_INSERT, row)
        except apsw.ConstraintError as error:
            self._run.execute("ROLLBACK TO batch; RELEASE batch")
            if is_second(error):
                return refusals.second_end(run_id, path)
            return StoreError(f"run {run_id}: the store refused the fact of `{path}`: {error}")
        self._run.execute("RELEASE batch")
        return None

    def _forget(self, batches: Sequence[Batch]) -> None:
        """Undo what is open; what was counted in it counts no more."""
        for batch in batches:
            batch.held.ended.clear()
            batch.held.counted = 0
        if self._db.in_transaction:
            try:
                self._run.execute("ROLLBACK")
            except apsw.Error:  # SQLite has rolled back already
                pass


def _out_of_order(batch: Batch, tip: int) -> StoreError | None:
    run_id = batch.held.lease.run_id
    if tip < 0:
        return refusals.lease_lost(run_id)
    for row in batch.rows:
        tip += 1
        if row[1] != tip:
            return refusals.gap(run_id, tip, row[1])
    return None
