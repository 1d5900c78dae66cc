"""What every store must keep to, as tests: subclass it and give a `store` fixture (pytest, anyio).

class TestMyStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = MyStore(tmp_path / "runs.db")
        yield store
        store.close()
"""

from __future__ import annotations

import asyncio

import pytest

from stepwell import events as ev
from stepwell.errors import LeaseLost, PayloadLost, StoreError
from stepwell.events import Event, Payload
from stepwell.journal.port import Lease, Request, Store
from stepwell.testing.store_contract_facts import LookContract
from stepwell.testing.store_contract_index import IndexContract
from stepwell.testing.store_deeds import BOUND, born, durable, seqs, value


class JournalContract:
    """Facts: in order, without a gap, one end a path, by one owner."""

    async def test_what_was_appended_is_read_back_in_order(self, store: Store) -> None:
        lease = store.create("R", "p", "")
        assert lease is not None
        written = [
            ev.RunStarted("R", 1, 1.5, pipeline="p", inputs=value(store, b"i"), fingerprints={"a": "x"}),
            ev.StepStarted("R", 2, 2.5, "a", 1),
            ev.StepCompleted("R", 3, 3.5, "a", 1, value(store, b"o"), degraded=True),
            ev.RunFinished("R", 4, 4.5, status="completed", not_run=("b",)),
        ]
        await durable(store, lease, *written[:2])
        await durable(store, lease, *written[2:], alone=True)
        assert list(store.read("R")) == written
        assert list(store.read("R", 2)) == written[2:]
        assert list(store.read("R", 1, 2)) == written[1:3]
        assert list(store.read("R", 4)) == []
        assert list(store.read("nobody")) == []

    async def test_many_appends_in_flight_keep_their_order(self, store: Store) -> None:
        lease = await born(store, "R")
        waits = [store.append(lease, [ev.StepStarted("R", seq, 1.0, f"s{seq}", 1)]) for seq in range(2, 300)]
        await asyncio.wait_for(asyncio.gather(*(one for one in waits if one is not None)), BOUND)
        assert seqs(store, "R") == list(range(1, 300))

    async def test_an_append_without_facts_is_durable_at_once(self, store: Store) -> None:
        lease = await born(store, "R")
        assert store.append(lease, []) is None

    @pytest.mark.parametrize("alone", [False, True])
    @pytest.mark.parametrize("wrong", [1, 3])
    async def test_a_gap_or_a_repetition_is_refused_whole(self, store: Store, wrong: int, alone: bool) -> None:
        lease = await born(store, "R")
        with pytest.raises(StoreError, match="expected"):
            await durable(store, lease, ev.StepStarted("R", wrong, 1.0, "a", 1), alone=alone)
        two = ev.StepStarted("R", 2, 1.0, "a", 1), ev.StepStarted("R", 4, 1.0, "b", 1)
        with pytest.raises(StoreError, match="expected"):
            await durable(store, lease, *two, alone=alone)
        await durable(store, lease, ev.StepStarted("R", 2, 1.0, "a", 1), alone=alone)
        assert seqs(store, "R") == [1, 2]

    async def test_a_fact_of_another_run_is_refused(self, store: Store) -> None:
        lease = await born(store, "R")
        with pytest.raises(StoreError):
            await durable(store, lease, ev.StepStarted("Q", 2, 1.0, "a", 1))
        assert seqs(store, "R") == [1]

    @pytest.mark.parametrize("alone", [False, True])
    async def test_a_path_gets_one_end_only(self, store: Store, alone: bool) -> None:
        lease = await born(store, "R")
        await durable(store, lease, ev.StepSkipped("R", 2, 1.0, "a"), ev.ItemFailed("R", 3, 1.0, "m[k]", 1))
        for second in (ev.StepFailed("R", 5, 1.0, "a", 1), ev.ItemCompleted("R", 5, 1.0, "m[k]", 1)):
            with pytest.raises(LeaseLost, match=second.path.replace("[", r"\[")):
                await durable(store, lease, ev.StepSkipped("R", 4, 1.0, "b"), second, alone=alone)
        await durable(store, lease, ev.StepSkipped("R", 4, 1.0, "b"), alone=alone)
        assert seqs(store, "R") == [1, 2, 3, 4]

    async def test_ends_of_other_paths_runs_and_visits_are_no_second_ends(self, store: Store) -> None:
        one, two = await born(store, "R"), await born(store, "Q")
        await durable(store, one, ev.StepSkipped("R", 2, 1.0, "a"), ev.StepSkipped("R", 3, 1.0, "a/b"))
        await durable(store, two, ev.StepSkipped("Q", 2, 1.0, "a"))
        await durable(store, one, ev.StepReset("R", 4, 1.0, paths=("a",)), ev.StepSkipped("R", 5, 1.0, "a#2"))
        await durable(store, one, ev.StepRetrying("R", 6, 1.0, "c", 1), ev.StepRetrying("R", 7, 1.0, "c", 2))
        assert seqs(store, "R") == list(range(1, 8))

    async def test_what_is_refused_of_one_run_harms_no_other(self, store: Store) -> None:
        leases = [await born(store, f"R{number}") for number in range(6)]
        waits = list[object]()
        for number, lease in enumerate(leases):
            seq = 7 if number == 2 else 2
            waits.append(_attempt(store, lease, ev.StepSkipped(lease.run_id, seq, 1.0, "a")))
            waits.append(
                _attempt(store, lease, ev.StepSkipped(lease.run_id, seq + 1, 1.0, "a" if number == 4 else "b"))
            )
        results = [await one if asyncio.isfuture(one) else one for one in waits]
        failed = [number // 2 for number, result in enumerate(results) if isinstance(result, Exception)]
        assert failed == [2, 2, 4]
        assert [seqs(store, lease.run_id)[-1] for lease in leases] == [3, 3, 1, 3, 2, 3]

    async def test_a_value_is_loaded_by_what_was_read(self, store: Store) -> None:
        lease = await born(store, "R")
        for seq, size in ((2, 0), (3, 1), (4, 16 * 1024), (5, 16 * 1024 + 1), (6, 3_000_000)):
            await durable(store, lease, ev.StepCompleted("R", seq, 1.0, f"s{seq}", 1, Payload(b"x" * size)))
            (read,) = store.read("R", seq - 1)
            assert isinstance(read, ev.StepCompleted)
            assert isinstance(read.output, Payload)
            assert store.load(read.output) == b"x" * size

    async def test_a_value_that_nobody_has_is_lost(self, store: Store) -> None:
        for digest in ("", "0" * 64, "../../etc/passwd"):
            with pytest.raises(PayloadLost):
                store.load(Payload(None, digest, 3))

    async def test_a_follower_is_told_of_facts_and_requests(self, store: Store) -> None:
        lease, other = await born(store, "R"), await born(store, "Q")
        heard = asyncio.Event()
        end = store.follow("R", heard.set)
        await durable(store, lease, ev.StepStarted("R", 2, 1.0, "a", 1))
        await asyncio.wait_for(heard.wait(), BOUND)
        heard.clear()
        store.ask(Request("x", "R", "cancel", 1.0))
        await asyncio.wait_for(heard.wait(), BOUND)
        end()
        await durable(store, other, ev.StepStarted("Q", 2, 1.0, "a", 1))
        end()

    async def test_a_follower_of_requests_hears_of_no_facts(self, store: Store) -> None:
        lease = await born(store, "R")
        heard, facts = asyncio.Event(), asyncio.Event()
        ends = [store.follow("R", heard.set, facts=False), store.follow("R", facts.set)]
        await durable(store, lease, ev.StepStarted("R", 2, 1.0, "a", 1))
        await asyncio.wait_for(facts.wait(), BOUND)
        assert not heard.is_set()
        store.ask(Request("x", "R", "cancel", 1.0))
        await asyncio.wait_for(heard.wait(), BOUND)
        for end in ends:
            end()

    async def test_a_follower_that_has_ended_hears_nothing(self, store: Store) -> None:
        lease = await born(store, "R")
        heard, goes_on = list[str](), asyncio.Event()
        ends = [store.follow("R", lambda: heard.append("ended")), store.follow("R", goes_on.set)]
        ends[0]()
        await durable(store, lease, ev.StepStarted("R", 2, 1.0, "a", 1))
        await asyncio.wait_for(goes_on.wait(), BOUND)
        ends[1]()
        assert not heard


def _attempt(store: Store, lease: Lease, event: Event) -> object:
    """Append, and give what becomes of it, now or later."""
    try:
        future = store.append(lease, [event])
    except StoreError as error:
        return error
    return asyncio.ensure_future(_outcome(future)) if future is not None else None


async def _outcome(future: asyncio.Future[None]) -> object:
    try:
        return await asyncio.wait_for(future, BOUND)
    except StoreError as error:
        return error


class StoreContract(JournalContract, LookContract, IndexContract):
    """All that a store must keep to."""

    async def test_closing_twice_is_harmless_and_nothing_is_written_after(self, store: Store) -> None:
        lease = await born(store, "R")
        future = store.append(lease, [ev.StepStarted("R", 2, 1.0, "a", 1)])
        store.close()
        store.close()
        if future is not None:  # what was queued was written
            await asyncio.wait_for(future, BOUND)
        with pytest.raises(StoreError, match="closed"):
            store.append(lease, [ev.StepStarted("R", 3, 1.0, "b", 1)])
        with pytest.raises(StoreError, match="closed"):
            store.create("Q", "p", "")
        store.release(lease)
