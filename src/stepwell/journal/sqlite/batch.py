"""What the writer has in its hands: the runs that this store owns, and the facts that are to be written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from stepwell.errors import StoreError
from stepwell.events import LARGE, Event, EventKind
from stepwell.journal import refusals
from stepwell.journal.done import is_done, is_item
from stepwell.journal.port import Lease
from stepwell.journal.sqlite.rows import STEP_ENDS, Row, seed_of, to_row

_TURNS = frozenset({
    EventKind.RUN_STARTED, EventKind.RUN_RESUMED, EventKind.RUN_FINISHED, EventKind.RUN_BLOCKED, EventKind.STEP_RESET,
})  # fmt: skip
"""Kinds that change more of the run's row than its last fact and its count of ended steps."""


class Held:
    """A run that this store owns: its number in the tables, and its last durable fact."""

    __slots__ = ("counted", "ended", "lease", "number", "seed", "seq", "version")

    def __init__(self, lease: Lease, number: int, seq: int) -> None:
        self.lease = lease
        self.number = number
        self.seed = seed_of(lease.run_id)
        self.seq = seq
        """-1 where the lease was found to be lost."""
        self.version: int | None = None
        """The store's `data_version` when the lease was last looked at."""
        self.ended: set[str] = set()
        self.counted = 0
        """`ended` is right as of this fact; only kept up to date where STEP_RESETs need it."""


class Batch:
    """The facts of one append, as rows, and who waits for them."""

    __slots__ = ("done", "future", "held", "large", "loop", "rows", "turns")

    def __init__(self, held: Held, events: Sequence[Event]) -> None:
        self.held = held
        number, seed, run_id = held.number, held.seed, held.lease.run_id
        self.rows: list[Row] = []
        self.done = 0
        self.turns: list[Event] | None = None
        self.large: list[int] | None = None
        for event in events:
            if event.run_id != run_id:
                raise refusals.other_run(run_id, event.run_id)
            row = to_row(number, seed, event)
            if row[2] in STEP_ENDS and not is_item(row[4]):
                self.done += is_done(event)
            elif event.kind in _TURNS:
                self.turns = [*(self.turns or ()), event]
            value = row[7]
            if value is not None and len(value) > LARGE:
                self.large = [*(self.large or ()), len(self.rows)]
            self.rows.append(row)
        self.future: asyncio.Future[None] | None = None
        self.loop: asyncio.AbstractEventLoop | None = None

    def wait(self) -> asyncio.Future[None]:
        """The future of the running loop that ends when the facts are durable."""
        self.loop = asyncio.get_running_loop()
        self.future = self.loop.create_future()
        return self.future


Refused = list[tuple[Batch, StoreError]]
"""Batches of which nothing was written, and why."""

Outcome = tuple[asyncio.Future[None], StoreError | None]
"""Who waits for a batch, and why it was not written."""


def end_all(outcomes: Sequence[Outcome]) -> None:
    """Tell them, on their loop."""
    for future, error in outcomes:
        if future.done():  # cancelled
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
