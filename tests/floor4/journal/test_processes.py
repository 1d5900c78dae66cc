"""Several processes share one SQLite store: each run has one owner, the dead own nothing, nobody is starved."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from stepwell import events as ev
from stepwell.errors import LeaseLost, RunLive
from stepwell.journal.port import Request
from stepwell.journal.sqlite import SqliteStore
from stepwell.journal.sqlite.connect import PATIENCE
from stepwell.testing.store_deeds import BOUND, born, durable, seqs

from .conftest import Other

HEARD = 0.1
"""Seconds within which what another process wrote must be told."""

Start = Callable[..., Other]


def intact(path: Path) -> None:
    """SQLite finds nothing wrong with the file."""
    db = apsw.Connection(str(path))
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()


def test_the_run_of_a_live_process_cannot_be_had_and_that_of_a_dead_one_can(path: Path, other: Start) -> None:
    owner = other("hold", path, "R")
    assert owner.hear() == "holds"
    store = SqliteStore(path)
    row = store.get("R")
    assert row is not None
    assert row.status == "running"
    with pytest.raises(RunLive, match=str(owner.process.pid)):
        store.claim("R")
    owner.kill()
    row = store.get("R")
    assert row is not None
    assert row.status == "interrupted"
    assert [row.run_id for row in store.runs("interrupted")] == ["R"]
    assert store.claim("R").epoch == 2
    row = store.get("R")
    assert row is not None
    assert row.status == "running"
    store.close()


def test_the_lock_files_of_the_dead_are_cleared_away(path: Path, other: Start) -> None:
    owner = other("hold", path, "R")
    owner.hear()
    folder = path.with_name("runs.db.owners")
    assert len(list(folder.glob("*-*.lock"))) == 1
    owner.kill()
    store = SqliteStore(path)
    store.claim("R")
    assert [file.stem.partition("-")[0] for file in folder.glob("*-*.lock")] == [str(os.getpid())]
    store.close()
    assert [file.name for file in folder.iterdir()] == ["gate.lock"]


def test_a_key_whose_run_was_never_started_is_free_when_its_process_is_dead(path: Path, other: Start) -> None:
    owner = other("unborn", path, "k")
    assert owner.hear() == "holds"
    store = SqliteStore(path)
    assert store.create("R", "p", "k") is None
    owner.kill()
    assert store.create("R", "p", "k") is not None
    store.close()


@pytest.mark.parametrize("round_", range(3))
def test_of_many_processes_one_starts_the_run_of_a_key(path: Path, other: Start, round_: int) -> None:
    racers = [other("create", path, f"R{number}", "k") for number in range(5)]
    for racer in racers:
        assert racer.hear() == "ready"
    for racer in racers:
        racer.tell()
    assert sorted(racer.hear() for racer in racers) == ["created", *["none"] * 4]
    store = SqliteStore(path)
    row = store.with_key("p", "k")
    assert row is not None
    assert [one.run_id for one in store.runs()] == [row.run_id]
    store.close()


@pytest.mark.parametrize("round_", range(3))
def test_of_many_processes_one_takes_over_the_run_of_a_dead_one(path: Path, other: Start, round_: int) -> None:
    owner = other("hold", path, "R")
    owner.hear()
    racers = [other("claim", path, "R") for _ in range(5)]
    for racer in racers:
        assert racer.hear() == "ready"
    owner.kill()
    for racer in racers:
        racer.tell()
    assert sorted(racer.hear() for racer in racers) == ["claimed 2", *["live"] * 4]


def test_many_who_look_at_once_see_the_living_alive_and_the_dead_dead(path: Path, other: Start) -> None:
    living, dead = other("hold", path, "LIVING"), other("hold", path, "DEAD")
    living.hear()
    dead.hear()
    watchers = [other("probe", path, "LIVING", 300) for _ in range(3)]
    watchers += [other("probe", path, "DEAD", 300) for _ in range(3)]
    for watcher in watchers:
        assert watcher.hear() == "ready"
    dead.kill()
    for watcher in watchers:
        watcher.tell()
    assert [watcher.hear() for watcher in watchers] == ["running"] * 3 + ["interrupted"] * 3


async def test_an_owner_that_was_taken_for_dead_cannot_write(path: Path) -> None:
    one, two = SqliteStore(path), SqliteStore(path)
    lease = await born(one, "R")
    bystander = await born(one, "Q")
    for lock in path.with_name("runs.db.owners").glob("*-*.lock"):
        lock.unlink()  # somebody tidied up
    assert two.claim("R").epoch == 2
    good = one.append(bystander, [ev.StepSkipped("Q", 2, 1.0, "a")])
    bad = one.append(lease, [ev.StepSkipped("R", 2, 1.0, "a")])
    assert good is not None
    assert bad is not None
    await asyncio.wait_for(good, BOUND)
    with pytest.raises(LeaseLost, match="R"):
        await asyncio.wait_for(bad, BOUND)
    assert (seqs(two, "R"), seqs(two, "Q")) == ([1], [1, 2])
    one.close()
    row = two.get("R")
    assert row is not None
    assert row.status == "running"  # closing gave up only what it still had
    two.close()


async def test_what_another_process_writes_is_told_in_time(path: Path, other: Start) -> None:
    owner = other("hold", path, "R")
    owner.hear()
    store = SqliteStore(path)
    heard = asyncio.Event()
    end = store.follow("R", heard.set)
    await asyncio.wait_for(heard.wait(), BOUND)  # whoever comes is told once: there may be news already
    delays = list[float]()
    for number in range(5):
        heard.clear()
        owner.tell("write")
        await asyncio.to_thread(owner.hear)
        start = time.monotonic()
        await asyncio.wait_for(heard.wait(), BOUND)
        delays.append(time.monotonic() - start)
        assert seqs(store, "R")[-1] == number + 2
    assert sorted(delays)[2] < HEARD
    end()
    store.close()


async def test_what_another_process_asks_is_told(path: Path) -> None:
    one, two = SqliteStore(path), SqliteStore(path)
    await born(one, "R")
    heard = asyncio.Event()
    one.follow("R", heard.set)
    await asyncio.wait_for(heard.wait(), BOUND)
    heard.clear()
    two.ask(Request("x", "R", "cancel", 1.0, "enough"))
    await asyncio.wait_for(heard.wait(), BOUND)
    assert [request.reason for request in one.requests("R")] == ["enough"]
    one.close()
    two.close()


def test_two_processes_in_group_commit_are_fair_to_each_other(path: Path, other: Start) -> None:
    pair = [other("flood", path, f"R{number}", 100) for number in range(2)]
    for one in pair:
        assert one.hear() == "ready"
    for one in pair:
        one.tell()
    pair[0].hear_until("at 3000")
    pair[1].hear_until("at 1000")  # so that it was not starved, and both were at it together
    for one in pair:
        one.tell("stop")
    counts = [int(one.hear_until("done").split()[1]) for one in pair]
    assert min(counts) >= 0.2 * sum(counts), counts
    assert [one.end() for one in pair] == [0, 0]
    intact(path)
    store = SqliteStore(path)
    for number, count in enumerate(counts):
        row = store.get(f"R{number}")
        assert row is not None
        assert (row.seq, row.status) == (count + 1, "interrupted")
    store.close()


async def test_a_lone_chain_and_floods_write_side_by_side(path: Path, other: Start) -> None:
    floods = [other("flood", path, f"F{number}", 20) for number in range(2)]
    for one in floods:
        one.hear()
        one.tell()
    store = SqliteStore(path)
    lease = await born(store, "R")
    for seq in range(2, 100):
        await durable(store, lease, ev.StepSkipped("R", seq, 1.0, f"s{seq}"), alone=True)
    assert PATIENCE > BOUND  # no append may take so long: `durable` would have said so
    for one in floods:
        one.tell("stop")
        assert int(one.hear_until("done").split()[1]) > 0
        assert one.end() == 0
    assert seqs(store, "R") == list(range(1, 100))
    store.close()
    intact(path)
