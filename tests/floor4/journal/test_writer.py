"""The writer: at once where it can, together where it must, and never again after a failure."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import apsw
import pytest

from stepwell import events as ev
from stepwell.errors import LeaseLost, StoreBusy, StoreError
from stepwell.events import Payload
from stepwell.journal.sqlite import SqliteStore, connect, wal, writer
from stepwell.testing.store_deeds import BOUND, born, durable, seqs

from .conftest import Other


def skipped(seq: int, run_id: str = "R") -> ev.Event:
    return ev.StepSkipped(run_id, seq, 1.0, f"s{seq}")


async def test_a_lone_chain_is_written_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "QUICK", 60.0)  # however busy the machine is
    store = SqliteStore(path)
    lease = store.create("R", "p", "")
    assert lease is not None
    assert store.append(lease, [ev.RunStarted("R", 1, 1.0)], alone=True) is None
    assert [store.append(lease, [skipped(seq)], alone=True) for seq in range(2, 20)] == [None] * 18
    assert seqs(store, "R") == list(range(1, 20))
    assert not [thread for thread in threading.enumerate() if "writer" in thread.name and str(path) in thread.name]
    store.close()


async def test_what_is_queued_is_written_before_what_comes_alone(path: Path) -> None:
    store = SqliteStore(path)
    lease = await born(store, "R")
    waits = [store.append(lease, [skipped(seq)], alone=seq % 3 == 0) for seq in range(2, 200)]
    await asyncio.wait_for(asyncio.gather(*(one for one in waits if one is not None)), BOUND)
    assert seqs(store, "R") == list(range(1, 200))
    store.close()


async def test_where_commits_are_slow_the_loop_is_spared(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "QUICK", 0.0)
    store = SqliteStore(path)
    lease = await born(store, "R")
    for seq in range(2, 10):
        future = store.append(lease, [skipped(seq)], alone=True)
        if future is not None:
            await future
    future = store.append(lease, [skipped(10)], alone=True)
    assert future is not None
    await future
    store.close()


async def test_chains_of_several_runs_share_commits(path: Path) -> None:
    store = SqliteStore(path)
    leases = [await born(store, f"R{number}") for number in range(20)]
    futures = [store.append(lease, [skipped(2, lease.run_id)], alone=True) for lease in leases]
    assert sum(future is None for future in futures) <= 1
    await asyncio.gather(*(future for future in futures if future is not None))
    store.close()


async def test_many_waiters_are_woken_with_few_calls(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    calls = list[object]()
    wake = loop.call_soon_threadsafe

    def count(call: Callable[..., object], *arguments: Any, **options: Any) -> asyncio.Handle:
        calls.append(call)
        return wake(call, *arguments, **options)

    store = SqliteStore(path)
    lease = await born(store, "R")
    monkeypatch.setattr(loop, "call_soon_threadsafe", count)
    futures = [store.append(lease, [skipped(seq)]) for seq in range(2, 502)]
    await asyncio.wait_for(asyncio.gather(*(one for one in futures if one is not None)), BOUND)
    assert len(calls) < 50
    store.close()


async def test_of_many_rows_in_one_transaction_only_a_refused_batch_is_missing(path: Path) -> None:
    """S2: many rows go into one statement, and the second end of one path still harms no other run."""
    store = SqliteStore(path)
    leases = [await born(store, f"R{number}") for number in range(25)]
    twice = [skipped(2, "R7"), ev.StepSkipped("R7", 3, 1.0, "s2")]
    futures = [
        store.append(lease, twice if lease.run_id == "R7" else [skipped(seq, lease.run_id) for seq in (2, 3)])
        for lease in leases
    ]
    results = await asyncio.gather(*(one for one in futures if one is not None), return_exceptions=True)
    assert [type(one) for one in results if one is not None] == [LeaseLost]
    for lease in leases:
        assert seqs(store, lease.run_id) == ([1] if lease.run_id == "R7" else [1, 2, 3])
    store.close()


async def test_a_waiter_that_was_cancelled_harms_nobody(path: Path) -> None:
    store = SqliteStore(path)
    lease = await born(store, "R")
    one, two = store.append(lease, [skipped(2)]), store.append(lease, [skipped(3)])
    assert one is not None
    assert two is not None
    one.cancel()
    await asyncio.wait_for(two, BOUND)
    assert seqs(store, "R") == [1, 2, 3]
    store.close()


async def test_a_busy_store_is_waited_for(path: Path) -> None:
    store = SqliteStore(path)
    lease = await born(store, "R")
    db = apsw.Connection(str(path))
    db.execute("BEGIN IMMEDIATE")
    future = store.append(lease, [skipped(2)], alone=True)
    assert future is not None
    done, _ = await asyncio.wait([future], timeout=0.2)
    assert not done
    assert seqs(store, "R") == [1]  # readers wait for nobody
    db.execute("COMMIT")
    db.close()
    await asyncio.wait_for(future, BOUND)
    store.close()


async def test_a_store_that_stays_busy_is_told_with_the_way_out(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "PATIENCE", 0.2)
    store = SqliteStore(path)
    lease = await born(store, "R")
    db = apsw.Connection(str(path))
    db.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="fuser"):
        await durable(store, lease, skipped(2), alone=True)
    with pytest.raises(StoreBusy, match="another process"):
        store.create("Q", "p", "")
    db.execute("COMMIT")
    db.close()
    await durable(store, lease, skipped(2))  # being busy is no failure of the disk
    store.close()


class Faulty(apsw.VFS):
    """A file system on which syncing and writing fail when told to."""

    def __init__(self) -> None:
        self.sync_error: Exception | None = None
        self.write_error: Exception | None = None
        self.syncs = 0
        self.fails_at = 0
        super().__init__("faulty", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return FaultyFile(self, name, flags)


class FaultyFile(apsw.VFSFile):
    def __init__(self, vfs: Faulty, name: Any, flags: list[int]) -> None:
        self._vfs = vfs
        super().__init__("unix", name, flags)

    def xSync(self, flags: int) -> None:
        self._vfs.syncs += 1
        if self._vfs.syncs == self._vfs.fails_at:
            raise apsw.IOError("this once")
        if self._vfs.sync_error is not None:
            raise self._vfs.sync_error
        super().xSync(flags)

    def xWrite(self, data: Any, offset: int) -> None:
        if self._vfs.write_error is not None:
            raise self._vfs.write_error
        super().xWrite(data, offset)


@pytest.fixture
def faulty() -> Iterator[Faulty]:
    vfs = Faulty()
    yield vfs
    vfs.unregister()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("alone", [False, True])
async def test_a_failed_sync_is_never_tried_again(path: Path, faulty: Faulty, alone: bool) -> None:
    store = SqliteStore(path)
    lease, other = await born(store, "R"), await born(store, "Q")
    faulty.sync_error = apsw.IOError("the disk is gone")
    with pytest.raises(StoreError, match="disk"):
        await durable(store, lease, skipped(2), alone=alone)
    faulty.sync_error = None
    syncs = faulty.syncs
    for wish in ((lease, skipped(2)), (other, skipped(2, "Q"))):
        with pytest.raises(StoreError, match="disk"):
            await durable(store, *wish, alone=alone)
    with pytest.raises(StoreError, match="disk"):
        store.create("S", "p", "")
    store.close()
    assert faulty.syncs == syncs
    again = SqliteStore(path)
    assert again.claim("R").epoch == 2
    again.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_store_that_cannot_be_made_says_what_the_disk_said(path: Path, faulty: Faulty) -> None:
    """S24: whichever sync fails, and though SQLite has undone it all already."""
    said: list[str] = []
    for number in range(1, 10):
        store = SqliteStore(path.with_name(f"{number}.db"))
        faulty.syncs, faulty.fails_at = 0, number
        try:
            store.create("R", "p", "")
        except StoreError as error:
            said.append(str(error))
        store.close()
        if faulty.syncs < number:
            break
    assert len(said) > 3
    assert all("the disk reports an error" in one for one in said)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_full_disk_fails_all_that_is_queued_and_says_so(path: Path, faulty: Faulty) -> None:
    store = SqliteStore(path)
    lease = await born(store, "R")
    faulty.write_error = apsw.FullError("no room")
    futures = [store.append(lease, [skipped(seq)]) for seq in range(2, 10)]
    results = await asyncio.gather(*(one for one in futures if one is not None), return_exceptions=True)
    assert len(results) == 8
    assert all(isinstance(result, StoreError) and "disk is full" in str(result) for result in results)
    with pytest.raises(StoreError, match="disk is full"):
        store.append(lease, [skipped(2)])
    faulty.write_error = None
    assert seqs(store, "R") == [1]
    store.close()


async def test_an_error_that_nobody_thought_of_leaves_nobody_waiting(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SqliteStore(path)
    lease = await born(store, "R")

    def fail(*_: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(writer.Transactions, "write", fail)
    with pytest.raises(StoreError, match="ZeroDivisionError"):
        await durable(store, lease, skipped(2))
    store.close()


async def test_the_wal_stays_small_however_long_a_chain_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "PAGES", 60)
    store = SqliteStore(path, sync="process")
    lease = await born(store, "R")
    for seq in range(2, 600):
        await durable(store, lease, skipped(seq), alone=True)
    assert size(path.with_name("runs.db-wal")) < 200 * (connect.PAGE + 24)
    store.close()


async def test_the_wal_bears_several_large_commits_before_it_is_copied(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "PAGES", 8)
    copies, copy = list[int](), wal.Wal.copy

    def note(one: wal.Wal) -> None:
        copies.append(one.pages)
        copy(one)

    store = SqliteStore(path, sync="process")
    lease = await born(store, "R")
    monkeypatch.setattr(wal.Wal, "copy", note)
    for first in range(2, 4002, 200):
        await durable(store, lease, *(skipped(seq) for seq in range(first, first + 200)), alone=True)
    assert len(copies) > 2
    assert min(copies) >= 3 * 8
    store.close()


async def test_the_wal_is_copied_when_there_is_nothing_to_do(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "IDLE", 0.02)
    loop, copied, copy = asyncio.get_running_loop(), asyncio.Event(), wal.Wal.copy

    def note(one: wal.Wal) -> None:
        copy(one)
        loop.call_soon_threadsafe(copied.set)

    monkeypatch.setattr(wal.Wal, "copy", note)
    store = SqliteStore(path)
    lease = await born(store, "R")
    await durable(store, lease, *(skipped(seq) for seq in range(2, 100)))
    await asyncio.wait_for(copied.wait(), BOUND)
    assert size(path) > 4000
    store.close()


def size(path: Path) -> int:
    return path.stat().st_size


async def test_readers_on_many_threads_see_whole_batches(path: Path) -> None:
    store = SqliteStore(path)
    lease = await born(store, "R")
    stop = threading.Event()

    def look() -> int:
        looks = 0
        while not stop.is_set():
            found = seqs(store, "R", limit=10_000)
            assert found == list(range(1, len(found) + 1))
            assert len(found) % 2 == 1
            looks += 1
        return looks

    with ThreadPoolExecutor(4) as threads:
        lookers = [threads.submit(look) for _ in range(4)]
        for seq in range(2, 200, 2):
            await durable(store, lease, skipped(seq), skipped(seq + 1))
        stop.set()
        assert min(looker.result(BOUND) for looker in lookers) > 0
    store.close()


async def test_a_step_takes_little_room_on_disk(path: Path) -> None:
    store = SqliteStore(path, sync="process")
    lease = await born(store, "R")
    steps = 2000
    for number in range(steps):
        name, seq = f"collect-{number}", 2 + 2 * number
        output = Payload(b"\x83\xa4name\xa5alpha\xa5words\x2a")
        pair = ev.StepStarted("R", seq, 1.7e9, name, 1), ev.StepCompleted("R", seq + 1, 1.7e9, name, 1, output)
        await durable(store, lease, *pair, alone=True)
    store.close()
    assert size(path) / steps <= 300


@pytest.mark.parametrize("steps", [8])
@pytest.mark.parametrize(
    "instant",
    [
        f"{name}:{side}"
        for name in (
            "sqlite.enter", "sqlite.create", "sqlite.begin", "sqlite.write", "sqlite.commit", "sqlite.acknowledge",
            "blob.write", "blob.sync", "blob.rename",
        )
        for side in ("before", "after")
    ],
)  # fmt: skip
@pytest.mark.parametrize(("hit", "sync"), [(1, "full"), (2, "process")])
def test_a_process_killed_anywhere_loses_nothing_it_had_acknowledged(
    path: Path, other: Callable[..., Other], instant: str, hit: int, sync: str, steps: int
) -> None:
    """S1, S5: at both levels of durability."""
    died = other("chain", path, "R", steps, STEPWELL_FAILPOINT=f"{instant}@{hit}", SYNC=sync)
    said = [int(line.split()[1]) for line in died.hear_all() if line.startswith("acknowledged")]
    assert died.process.wait(BOUND) != 0 or hit == 2
    store = SqliteStore(path)
    kept = seqs(store, "R")
    store.close()
    assert said == list(range(1, len(said) + 1))
    assert kept[: len(said)] == said
    assert len(kept) - len(said) <= 1
    again = other("chain", path, "R", steps)
    assert again.hear_until("end") == "end"
    again.end()
    store = SqliteStore(path)
    assert seqs(store, "R") == list(range(1, steps + 1))
    for event in store.read("R", 1):
        assert isinstance(event, ev.StepCompleted)
        assert isinstance(event.output, Payload)
        data = store.load(event.output)
        assert data == b"%d" % event.seq * (20_000 if event.seq % 3 == 0 else 1)
    store.close()
    db = apsw.Connection(str(path))
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
