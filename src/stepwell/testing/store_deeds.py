"""What the tests of a store do again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from stepwell import events as ev
from stepwell.events import Event, Payload
from stepwell.journal.port import Lease, Store

BOUND = 5.0
"""Seconds that nothing here takes unless it is broken."""


async def durable(store: Store, lease: Lease, *events: Event, alone: bool = False) -> None:
    """Append, and wait until it is acknowledged."""
    future = store.append(lease, events, alone)
    if future is not None:
        await asyncio.wait_for(future, BOUND)


def value(store: Store, data: bytes) -> object:
    """A recorded value in the form that the store wants."""
    return Payload(data) if store.encodes else data


def started(run_id: str, at: float = 100.0, *, pipeline: str = "p", key: str = "", steps: Sequence[str] = ()) -> Event:
    """The first fact of a run."""
    return ev.RunStarted(run_id, 1, at, pipeline=pipeline, key=key, fingerprints=dict.fromkeys(steps, "f"))


async def born(store: Store, run_id: str, at: float = 100.0, *, pipeline: str = "p", key: str = "") -> Lease:
    """A run with its first fact."""
    lease = store.create(run_id, pipeline, key)
    assert lease is not None
    await durable(store, lease, started(run_id, at, pipeline=pipeline, key=key))
    return lease


def seqs(store: Store, run_id: str, after: int = 0, limit: int = 1000) -> list[int]:
    """The numbers of the facts that can be read."""
    return [event.seq for event in store.read(run_id, after, limit)]
