"""The three ports of a store: `Journal` (facts), `Blobs` (large values), `Index` (runs, leases, requests).

A store is one object that is all three. Calls that read are short and may be made on the event loop; `append` may only
be called by the owner of the run's lease and gives back None where the facts are durable already. `create`, `claim`,
`release`, `ask` and `taken` write before they return: in a store that other processes share they wait for those.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from stepwell.events import Event, EventKind, Payload

Sync = Literal["full", "process"]
"""What a durable fact survives: a power cut too, or the death of the process only."""


class Lease(Struct, frozen=True):
    """The right to write one run's facts; `epoch` grows with each owner, and a stale one is refused."""

    run_id: str
    owner: str
    epoch: int


class RunRow(Struct, frozen=True):
    """One run as the index knows it, in the words of `api.md`; `status` is `interrupted` where its owner is gone."""

    run_id: str
    pipeline: str
    status: str
    started_at: float
    updated_at: float
    ended_at: float | None = None
    key: str = ""
    target: str = ""
    reason: str = ""
    steps: int = 0
    """How many steps the pipeline has."""
    done: int = 0
    """How many of them are behind it: a resume would leave them as they are (`journal.done`)."""
    seq: int = 0
    """The last fact's number."""


class Request(Struct, frozen=True):
    """What somebody wants of a run, left for its owner; `id` makes saying it twice harmless."""

    id: str
    run_id: str
    kind: Literal["cancel"]
    at: float
    reason: str = ""


class Wanted(Struct, frozen=True):
    """Which facts of a run somebody asks for: of these kinds, and about this step, item or visit; empty means all.

    >>> wanted = Wanted(step="measure")
    >>> [wanted.about(path) for path in ("measure", "measure[7]", "measure#2", "measured")]
    [True, True, True, False]
    """

    kinds: frozenset[EventKind] = frozenset()
    step: str = ""

    def takes(self, fact: Event) -> bool:
        """Whether this fact is one of them."""
        return (not self.kinds or fact.kind in self.kinds) and self.about(fact.path)

    def about(self, path: str) -> bool:
        """Whether a fact of this path is about the step: itself, one of its items or visits, or a step inside it."""
        step = self.step
        return not step or path == step or (path.startswith(step) and path[len(step)] in "[#/")


class Journal(Protocol):
    """The append-only list of facts of each run."""

    def append(self, lease: Lease, events: Sequence[Event], alone: bool = False) -> asyncio.Future[None] | None:
        """Write these facts, in one transaction, after all that were appended before.

        None: they are durable. Otherwise the future of the running loop ends when they are. Facts are refused whole,
        at once by raising or later through the future: with `LeaseLost` (another owner, also where a path would get a
        second end) or `StoreError` (a gap in `seq`, a failed disk: then all that is appended after it is refused too).
        `alone` says that nothing else of this run goes on meanwhile, so that the store may write at once on this
        thread.
        """
        ...

    def read(
        self, run_id: str, after: int = 0, limit: int = 1000, wanted: Wanted | None = None, *, latest: bool = False
    ) -> Sequence[Event]:
        """Facts with `seq > after`, in order, at most `limit`; values are `Payload`s, or as they were given.

        With `wanted` only those, which is quick where they are few among many; with `latest` the last ones of them
        and not the first.
        """
        ...

    def count_items(
        self, run_id: str, maps: Collection[str], after: int = 0, but: Collection[str] = ()
    ) -> Mapping[str, Mapping[str, int]]:
        """How many items of each of these maps have come to what, as `journal.items` counts it.

        Counted are facts with `seq > after`, but for those of these paths.
        """
        ...

    def follow(self, run_id: str, call: Callable[[], None], *, facts: bool = True) -> Callable[[], None]:
        """Call on the running loop whenever the run may have new facts or requests; gives back the call that ends this.

        What this process wrote is told at once, what another one wrote within 100 ms. Without `facts` only requests
        are told.
        """
        ...


class Blobs(Protocol):
    """Large values, by content."""

    def load(self, payload: Payload) -> bytes:
        """The bytes of a recorded value, wherever they lie; raises `PayloadLost` where they are gone or damaged."""
        ...


class Index(Protocol):
    """What there is in the store, who owns it, and what is wanted of it."""

    def create(self, run_id: str, pipeline: str, key: str) -> Lease | None:
        """Own a new run, not yet visible; None where a run of this pipeline with this (non-empty) key exists.

        It becomes visible with its RUN_STARTED; until then `with_key` does not find it either. Given up, or left by a
        process that died, before that, it is forgotten and its key is free again. Raises RunError where the id is
        taken.
        """
        ...

    def claim(self, run_id: str) -> Lease:
        """Own an existing run whose owner, if any, is gone; raises `RunNotFound` or `RunLive`."""
        ...

    def release(self, lease: Lease) -> None:
        """Give it up; a lease that was lost is no error."""
        ...

    def get(self, run_id: str) -> RunRow | None:
        """The run of exactly this id."""
        ...

    def find(self, prefix: str, limit: int = 10) -> Sequence[RunRow]:
        """Runs whose id begins so (case folded), the latest first."""
        ...

    def with_key(self, pipeline: str, key: str) -> RunRow | None:
        """The run of this pipeline that was started with this key."""
        ...

    def runs(self, status: str = "", pipeline: str = "", limit: int = 100) -> Sequence[RunRow]:
        """Runs, the latest first."""
        ...

    def ask(self, request: Request) -> None:
        """Leave a request for the run's owner; one whose id is there already is dropped."""
        ...

    def requests(self, run_id: str) -> Sequence[Request]:
        """What is asked of a run and has not been taken yet, oldest first."""
        ...

    def taken(self, lease: Lease, request_id: str) -> None:
        """The request is in the journal now (or can have no effect any more): drop it; raises `LeaseLost`.

        Its id stays known: asking again under it does nothing.
        """
        ...


class Store(Journal, Blobs, Index, Protocol):
    """All three; `encodes` says whether values must be given as `Payload`s."""

    encodes: bool

    def close(self) -> None:
        """Write what is queued, give up all leases, close files and threads."""
        ...
