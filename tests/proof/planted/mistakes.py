"""The mistakes: each changes the code of a running process as a careless change of the source would.

`STEPWELL_PLANT=name` plants one in a process that has `soil/` on its path; `plant(name, put)` in this one.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any

import apsw

from stepwell import events as ev
from stepwell.api import session
from stepwell.engine.runner import Runner
from stepwell.journal.sqlite import blobs, schema, store, transaction
from stepwell.journal.sqlite.batch import Batch
from stepwell.journal.sqlite.leases import Leases
from stepwell.journal.sqlite.owners import Owners
from stepwell.journal.sqlite.rows import outside
from stepwell.journal.sqlite.store import SqliteStore
from stepwell.journal.sqlite.transaction import Transactions
from stepwell.journal.sqlite.writer import Writer
from stepwell.state import fold
from stepwell.state.items import MapState
from stepwell.state.state import COMPLETED, State

Put = Callable[[Any, Any, Any], None]
"""Puts a new thing in the place of an old one: owner, name, thing."""

MISTAKES: dict[str, Callable[[Put], None]] = {}
"""Each by its name; its docstring says what is wrong."""


def mistake(function: Callable[[Put], None]) -> Callable[[Put], None]:
    """List it."""
    MISTAKES[function.__name__.replace("_", "-")] = function
    return function


def put_for_good(owner: Any, name: Any, thing: Any) -> None:
    """In the dictionary, or on the class or module."""
    if isinstance(owner, MutableMapping):
        owner[name] = thing
    else:
        setattr(owner, name, thing)


def plant(name: str, put: Put = put_for_good) -> None:
    """Make this mistake."""
    MISTAKES[name](put)


def after_folding(put: Put, kind: type[ev.Event], do: Callable[[State, Any], None]) -> None:
    """Do this after such an event was folded."""
    rightly = fold.FOLDS[kind]

    def wrongly(state: State, event: ev.Event) -> None:
        rightly(state, event)
        do(state, event)

    put(fold.FOLDS, kind, wrongly)


# --- the store --------------------------------------------------------------------------------------------------------


@mistake
def acknowledged_before_commit(put: Put) -> None:
    """Facts are said to be durable when they are queued; they are committed a few milliseconds later."""
    append, write = Writer.append, Transactions.write

    def too_early(self: Writer, batch: Batch, alone: bool, only: bool) -> None:
        append(self, batch, False, only)

    def later(self: Transactions, batches: Sequence[Batch]) -> object:
        time.sleep(0.005)
        return write(self, batches)

    put(Writer, "append", too_early)
    put(Transactions, "write", later)


@mistake
def not_synced(put: Put) -> None:
    """The level of `sync="full"` is NORMAL: a commit is not synced."""
    rightly, begin = store.open_to_write, Leases.__init__

    def wrongly(path: Any, sync: str, patience: Any) -> Any:
        return rightly(path, "process", patience)

    def level(self: Leases, writer: Any, owners: Any, sync: str, held: Any) -> None:
        begin(self, writer, owners, "process", held)

    put(store, "open_to_write", wrongly)
    put(Leases, "__init__", level)


@mistake
def no_unique_ends(put: Put) -> None:
    """The index on the ends of paths is not unique: a second end is not refused."""
    tables = tuple(part.replace("CREATE UNIQUE INDEX journal_end", "CREATE INDEX journal_end") for part in _tables())
    put(schema, "MIGRATIONS", tables)


def _tables() -> tuple[str, ...]:
    return schema.MIGRATIONS


@mistake
def no_epoch(put: Put) -> None:
    """Nobody looks whether the run belongs to somebody else by now before facts are written."""
    rightly = Transactions._check

    def wrongly(self: Transactions, batches: Sequence[Batch]) -> object:
        (version,) = self._db.execute("PRAGMA data_version").fetchall()[0]
        for batch in batches:
            batch.held.version = version
        return rightly(self, batches)

    put(Transactions, "_check", wrongly)


@mistake
def blob_after_row(put: Put) -> None:
    """A large value becomes a file after the row that speaks of it was committed."""
    rightly = Transactions.write
    late: list[tuple[Writer, bytes]] = []

    def outline(self: Writer, batch: Batch) -> None:
        for index in batch.large or ():
            data = batch.rows[index][7] or b""
            batch.rows[index] = outside(batch.rows[index], batch.held.seed, hashlib.sha256(data).digest())
            late.append((self, data))

    def wrongly(self: Transactions, batches: Sequence[Batch]) -> object:
        refused = rightly(self, batches)
        while late:
            writer, data = late.pop()
            writer._blobs.save(data, writer._owner)
        return refused

    put(Writer, "_save_large", outline)
    put(Transactions, "write", wrongly)


@mistake
def row_in_a_transaction_of_its_own(put: Put) -> None:
    """The row of a run is brought up to date after the facts were committed, not with them."""
    rightly, project = Transactions.write, transaction.project
    late: list[list[Batch]] = []

    def wrongly(self: Transactions, batches: Sequence[Batch]) -> object:
        refused = rightly(self, batches)
        while late:
            self._db.execute("BEGIN IMMEDIATE")
            project(self._db, late.pop())
            self._db.execute("COMMIT")
        return refused

    put(transaction, "project", lambda _, batches: late.append(list(batches)))
    put(Transactions, "write", wrongly)


@mistake
def request_dropped_when_read(put: Put) -> None:
    """Who reads what is asked of a run drops it, before it stands in the journal."""
    rightly = SqliteStore.requests

    def wrongly(self: SqliteStore, run_id: str) -> object:
        found = rightly(self, run_id)
        for request in found:
            self.taken(self._held[run_id].lease, request.id)
        return found

    put(SqliteStore, "requests", wrongly)


@mistake
def key_not_looked_at(put: Put) -> None:
    """A key that has a run already begins another one."""
    rightly = Leases.create

    def wrongly(self: Leases, run_id: str, pipeline: str, key: str) -> object:
        return rightly(self, run_id, pipeline, "")

    put(Leases, "create", wrongly)


@mistake
def the_living_taken_for_dead(put: Put) -> None:
    """Whoever looks whether the owner of a run is alive is told that it is not."""
    put(Owners, "alive", lambda self, owner: False)


@mistake
def blob_not_synced(put: Put) -> None:
    """A large value is renamed to its name without being synced."""
    put(blobs, "sync_handle", lambda handle: None)


@mistake
def blob_name_not_synced(put: Put) -> None:
    """A large value is synced, and the folder that it was renamed in is not."""
    put(blobs, "sync_folder", lambda folder: None)


@mistake
def failure_not_remembered(put: Put) -> None:
    """A store that could not write goes on as if nothing had happened when the next facts come."""
    rightly = Writer._note_failure

    def wrongly(self: Writer, error: Exception) -> object:
        failure = rightly(self, error)
        self._failed = None
        return failure

    put(Writer, "_note_failure", wrongly)


@mistake
def failed_write_acknowledged(put: Put) -> None:
    """What the disk refused is said to be durable."""
    rightly = Transactions.write

    def wrongly(self: Transactions, batches: Sequence[Batch]) -> object:
        try:
            return rightly(self, batches)
        except (apsw.FullError, apsw.IOError):
            for batch in batches:
                batch.held.seq = batch.rows[-1][1]
            return []

    put(Transactions, "write", wrongly)


@mistake
def digest_not_checked(put: Put) -> None:
    """The bytes of a large value are handed out without a look at their digest."""
    rightly = blobs.BlobFolder.load

    def wrongly(self: blobs.BlobFolder, payload: ev.Payload) -> bytes:
        file = self._folder / payload.digest[:2] / payload.digest
        return file.read_bytes() if file.is_file() else rightly(self, payload)

    put(blobs.BlobFolder, "load", wrongly)


# --- the engine -------------------------------------------------------------------------------------------------------


def _rides_along(put: Put, kind: type[ev.Event]) -> None:
    """Facts of this kind are held back, and written with those that come next."""
    rightly = Runner._append
    held: dict[Runner, list[ev.Event]] = {}

    def wrongly(self: Runner, batch: list[ev.Event], alone: bool) -> object:
        if any(isinstance(fact, kind) for fact in batch):
            held[self] = [*held.pop(self, ()), *batch]
            return None
        if batch:
            batch = [*held.pop(self, ()), *batch]
        return rightly(self, batch, alone)

    put(Runner, "_append", wrongly)


@mistake
def run_begun_unrecorded(put: Put) -> None:
    """The first steps of a run begin before RUN_STARTED is durable: it rides along with what comes next."""
    _rides_along(put, ev.RunStarted)


@mistake
def items_begun_unrecorded(put: Put) -> None:
    """The items of a map begin before their list is durable: it rides along with the first end."""
    _rides_along(put, ev.MapExpanded)


@mistake
def attempts_counted_anew(put: Put) -> None:
    """A resume numbers attempts from 1 again."""

    def forget(state: State, event: ev.RunResumed) -> None:
        state.attempts = [0] * len(state.attempts)
        for items in state.maps.values():
            items.attempts.clear()

    after_folding(put, ev.RunResumed, forget)


@mistake
def retries_counted_anew(put: Put) -> None:
    """A resume gives every step all of its retries again."""

    def forget(state: State, event: ev.RunResumed) -> None:
        state.spent.clear()

    after_folding(put, ev.RunResumed, forget)


@mistake
def waits_forgotten(put: Put) -> None:
    """A resume begins at once what was to wait for its next attempt."""

    def forget(state: State, event: ev.RunResumed) -> None:
        state.timers = sorted((0.0, number, kind) for _, number, kind in state.timers)

    after_folding(put, ev.RunResumed, forget)


@mistake
def items_named_by_a_counter(put: Put) -> None:
    """An item is named by how many were started before it in its process, not by its place or key."""
    rightly = MapState.path
    orders: dict[MapState, dict[int, int]] = {}

    def wrongly(self: MapState, name: str, index: int) -> str:
        order = orders.setdefault(self, {})
        return rightly(self, name, order.setdefault(index, len(order)))

    put(MapState, "path", wrongly)


@mistake
def results_in_the_order_of_their_ends(put: Put) -> None:
    """The results of a map are put one behind the other as they are recorded."""

    def misplace(state: State, event: ev.ItemCompleted) -> None:
        items = state.maps[state.graph.number[event.path.rpartition("[")[0]]]
        result, items.results[event.index] = items.results[event.index], None
        items.results[items.results.index(None)] = result

    after_folding(put, ev.ItemCompleted, misplace)


@mistake
def all_runs_again(put: Put) -> None:
    """A resume runs again what has completed, too."""
    rightly = session.resets

    def wrongly(plan: Any, state: State) -> Any:
        found = rightly(plan, state)
        done = [state.paths[number] for number, status in enumerate(state.steps) if status == COMPLETED]
        return type(found)((*found.paths, *(path for path in done if path not in found.paths)), found.whole)

    put(session, "resets", wrongly)


@mistake
def stop_forgotten(put: Put) -> None:
    """A resume goes on with a run in which a step has returned `Stop`."""

    def forget(state: State, event: ev.RunResumed) -> None:
        state.halt = ""

    after_folding(put, ev.RunResumed, forget)


@mistake
def skipped_counts_as_not_reached(put: Put) -> None:
    """What follows a step whose `when` was false finds a dead edge there."""

    def dead(state: State, event: ev.StepSkipped) -> None:
        for link in state.graph.after[state.at[event.path]]:
            state.live[link.target] -= 1

    after_folding(put, ev.StepSkipped, dead)


@mistake
def one_item_too_many(put: Put) -> None:
    """An item of a map that waits for its retry holds no slot, and gives back another one's."""

    def miscount(state: State, event: ev.ItemRetrying) -> None:
        state.maps[state.graph.number[event.path.rpartition("[")[0]]].running -= 1

    after_folding(put, ev.ItemRetrying, miscount)
