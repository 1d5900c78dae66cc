"""The store in memory keeps the contract; without `retain` it keeps no more than somebody reads."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from stepwell import events as ev
from stepwell.errors import LeaseLost, PayloadLost, StoreError
from stepwell.events import Payload
from stepwell.journal.memory import MemoryStore
from stepwell.journal.port import Store
from stepwell.testing.store_contract import StoreContract
from stepwell.testing.store_deeds import born, durable, seqs


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Iterator[Store]:
        store = MemoryStore()
        yield store
        store.close()


async def test_facts_are_the_objects_that_were_given() -> None:
    store = MemoryStore()
    lease = await born(store, "R")
    output = object()
    event = ev.StepCompleted("R", 2, 1.0, "a", 1, output)
    assert store.append(lease, [event], True) is None
    assert store.read("R", 1)[0] is event


async def test_a_run_that_nobody_follows_keeps_no_facts() -> None:
    store = MemoryStore(retain=False)
    lease = await born(store, "R")
    store.append(lease, [ev.StepSkipped("R", 2, 1.0, "a")])
    with pytest.raises(StoreError, match="not kept"):
        store.read("R")
    assert seqs(store, "R", 2) == []
    with pytest.raises(LeaseLost):
        store.append(lease, [ev.StepSkipped("R", 3, 1.0, "a")])
    row = store.get("R")
    assert row is not None
    assert (row.seq, row.done) == (2, 1)


async def test_facts_are_kept_while_somebody_follows() -> None:
    store = MemoryStore(retain=False)
    lease = store.create("R", "p", "")
    assert lease is not None
    end = store.follow("R", lambda: None)
    await durable(store, lease, ev.RunStarted("R", 1, 1.0))
    await durable(store, lease, ev.StepSkipped("R", 2, 1.0, "a"))
    assert seqs(store, "R") == [1, 2]
    end()
    await durable(store, lease, ev.StepSkipped("R", 3, 1.0, "b"))
    with pytest.raises(StoreError, match="not kept"):
        store.read("R", 2)
    await asyncio.sleep(0)


async def test_a_value_without_its_bytes_is_lost() -> None:
    with pytest.raises(PayloadLost):
        MemoryStore().load(Payload(None, "0" * 64, 1))
