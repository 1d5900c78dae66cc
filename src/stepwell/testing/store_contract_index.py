"""The half of the store's contract that is about runs, their owners and requests; see `store_contract`."""

from __future__ import annotations

import pytest

from stepwell import events as ev
from stepwell.errors import LeaseLost, RunError, RunLive, RunNotFound
from stepwell.journal.port import Request, Store
from stepwell.testing.store_deeds import born, durable, seqs, started


class IndexContract:
    """Runs, who owns them, and what is asked of them."""

    async def test_a_run_is_seen_from_its_first_fact_on(self, store: Store) -> None:
        lease = store.create("R", "p", "k")
        assert lease is not None
        assert store.get("R") is None
        assert store.with_key("p", "k") is None
        assert not store.runs()
        assert not store.find("R")
        with pytest.raises(RunNotFound):
            store.claim("R")
        await durable(store, lease, started("R", key="k"))
        row = store.get("R")
        assert row is not None
        assert row == store.with_key("p", "k")
        assert [*store.runs(), *store.find("r")] == [row, row]

    async def test_the_row_says_what_the_facts_say(self, store: Store) -> None:
        lease = store.create("R", "p", "k")
        assert lease is not None
        first = ev.RunStarted("R", 1, 10.0, pipeline="p", key="k", target="f.py", fingerprints={"a": "1", "m": "2"})
        await durable(store, lease, first, ev.StepStarted("R", 2, 11.0, "a", 1), ev.StepCompleted("R", 3, 12.0, "a", 1))
        await durable(store, lease, ev.ItemCompleted("R", 4, 13.0, "m[0]", 1), ev.StepFailed("R", 5, 14.0, "m", 1))
        row = store.get("R")
        assert row is not None
        assert (row.pipeline, row.key, row.target, row.status, row.reason) == ("p", "k", "f.py", "running", "")
        assert (row.started_at, row.updated_at, row.ended_at, row.seq) == (10.0, 14.0, None, 5)
        assert (row.steps, row.done) == (2, 1)
        await durable(store, lease, ev.RunFinished("R", 6, 15.0, status="failed", reason="m"))
        row = store.get("R")
        assert row is not None
        assert (row.status, row.reason, row.ended_at) == ("failed", "m", 15.0)
        again = ev.RunResumed("R", 7, 16.0), ev.StepReset("R", 8, 16.0, paths=("m[0]", "m"), cause="resume")
        await durable(store, lease, *again)
        row = store.get("R")
        assert row is not None
        assert (row.status, row.reason, row.ended_at, row.done) == ("running", "", None, 1)
        await durable(store, lease, ev.StepSkipped("R", 9, 17.0, "m#2"), ev.RunBlocked("R", 10, 18.0, reason="lost"))
        row = store.get("R")
        assert row is not None
        assert (row.status, row.reason, row.ended_at, row.done) == ("blocked", "lost", None, 2)

    async def test_runs_are_listed_the_latest_first_and_by_status_and_pipeline(self, store: Store) -> None:
        for number in range(5):
            run_id, pipeline = f"R{number}", "pq"[number % 2]
            lease = await born(store, run_id, 100.0 + number, pipeline=pipeline)
            if number < 3:
                await durable(store, lease, ev.RunFinished(run_id, 2, 200.0, status="completed"))
            if number == 3:
                store.release(lease)
        assert [row.run_id for row in store.runs()] == ["R4", "R3", "R2", "R1", "R0"]
        assert [row.run_id for row in store.runs(limit=2)] == ["R4", "R3"]
        assert [row.run_id for row in store.runs(status="completed")] == ["R2", "R1", "R0"]
        assert [row.run_id for row in store.runs("completed", "p", 1)] == ["R2"]
        assert [row.run_id for row in store.runs(status="running")] == ["R4"]
        assert [row.run_id for row in store.runs(status="interrupted")] == ["R3"]
        assert not store.runs(status="failed")

    async def test_of_runs_that_began_at_one_instant_the_one_created_last_comes_first(self, store: Store) -> None:
        for run_id in ("R5", "R9", "R1", "R3"):
            await born(store, run_id, 100.0)
        assert [row.run_id for row in store.runs()] == ["R3", "R1", "R9", "R5"]
        assert [row.run_id for row in store.runs(limit=1)] == ["R3"]
        assert [row.run_id for row in store.find("R")] == ["R3", "R1", "R9", "R5"]

    async def test_a_run_is_found_by_how_its_id_begins(self, store: Store) -> None:
        for number, run_id in enumerate(("01ABC", "01ABD", "01AB%", "01B_")):
            await born(store, run_id, 100.0 + number)
        assert [row.run_id for row in store.find("01ab")] == ["01AB%", "01ABD", "01ABC"]
        assert [row.run_id for row in store.find("01ab", 2)] == ["01AB%", "01ABD"]
        assert [row.run_id for row in store.find("01AB%")] == ["01AB%"]
        assert [row.run_id for row in store.find("01b_")] == ["01B_"]
        assert store.get("01ab") is None
        assert not store.find("02")

    async def test_a_key_starts_one_run_of_a_pipeline(self, store: Store) -> None:
        await born(store, "R", key="k")
        assert store.create("Q", "p", "k") is None
        assert store.get("Q") is None
        assert store.create("S", "other", "k") is not None
        assert store.create("T", "p", "") is not None
        assert store.create("U", "p", "") is not None
        assert store.with_key("p", "") is None

    async def test_a_key_that_started_nothing_is_free_again(self, store: Store) -> None:
        lease = store.create("R", "p", "k")
        assert lease is not None
        assert store.create("Q", "p", "k") is None
        store.release(lease)
        again = store.create("R", "p", "k")
        assert again is not None
        await durable(store, again, started("R", key="k"))

    async def test_an_id_names_one_run(self, store: Store) -> None:
        await born(store, "R")
        with pytest.raises(RunError, match="R"):
            store.create("R", "p", "")

    async def test_a_run_has_one_owner(self, store: Store) -> None:
        lease = await born(store, "R")
        with pytest.raises(RunLive):
            store.claim("R")
        store.release(lease)
        row = store.get("R")
        assert row is not None
        assert row.status == "interrupted"
        second = store.claim("R")
        assert second.epoch > lease.epoch
        with pytest.raises(LeaseLost):
            await durable(store, lease, ev.StepStarted("R", 2, 1.0, "a", 1))
        with pytest.raises(LeaseLost):
            store.taken(lease, "x")
        store.release(lease)  # what was lost can be given up
        await durable(store, second, ev.StepStarted("R", 2, 1.0, "a", 1))
        assert seqs(store, "R") == [1, 2]

    async def test_what_does_not_exist_cannot_be_owned_or_asked(self, store: Store) -> None:
        with pytest.raises(RunNotFound):
            store.claim("R")
        with pytest.raises(RunNotFound):
            store.ask(Request("x", "R", "cancel", 1.0))
        assert list(store.requests("R")) == []
        assert store.get("R") is None

    async def test_a_request_is_kept_until_it_is_taken_and_never_doubled(self, store: Store) -> None:
        lease = await born(store, "R")
        first, second = Request("b", "R", "cancel", 1.0, "why"), Request("a", "R", "cancel", 2.0)
        for request in (first, second, Request("b", "R", "cancel", 3.0)):
            store.ask(request)
        assert list(store.requests("R")) == [first, second]
        store.taken(lease, "b")
        store.taken(lease, "unknown")
        store.ask(first)
        assert list(store.requests("R")) == [second]
