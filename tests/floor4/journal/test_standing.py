"""A store whose file is removed or replaced under a running process acknowledges nothing more (S24)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from stepwell import events as ev
from stepwell.errors import StoreError
from stepwell.events import Payload
from stepwell.journal.port import Request
from stepwell.journal.sqlite import SqliteStore
from stepwell.journal.sqlite.kind import size_of
from stepwell.journal.sqlite.transaction import Transactions
from stepwell.testing.store_deeds import born, durable, seqs

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows keeps a file that is open where it is")


def replace(path: Path) -> None:
    copy = path.with_name("copy")
    shutil.copy(path, copy)
    copy.replace(path)


def take_its_place(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.touch()


def skipped(seq: int) -> ev.Event:
    return ev.StepSkipped("R", seq, 1.0, f"s{seq}")


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: shutil.rmtree(path.parent), replace])
@pytest.mark.parametrize("alone", [True, False])
async def test_what_would_be_lost_is_not_acknowledged(
    tmp_path: Path, harm: Callable[[Path], None], alone: bool
) -> None:
    """S24: neither is what comes after it."""
    path = tmp_path / "store" / "runs.db"
    store = SqliteStore(path)
    lease = await born(store, "R")
    await durable(store, lease, skipped(2), alone=alone)
    harm(path)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"runs\.db was removed or replaced"):
            await durable(store, lease, skipped(3), alone=alone)
    with pytest.raises(StoreError, match="removed or replaced"):
        store.create("Q", "p", "")
    store.close()


async def test_a_request_to_a_store_that_is_gone_is_refused(path: Path) -> None:
    """S24."""
    store = SqliteStore(path)
    await born(store, "R")
    take_its_place(path)
    with pytest.raises(StoreError, match="removed or replaced"):
        store.ask(Request("x", "R", "cancel", 1.0))
    store.close()


async def test_a_store_that_took_its_place_is_left_alone(path: Path) -> None:
    """Closing the old one would else remove the log of the new one."""
    old = SqliteStore(path)
    await born(old, "R")
    for one in path.parent.glob("runs.db*"):
        one.rename(path.with_name(f"old-{one.name}"))
    new = SqliteStore(path)
    await born(new, "N")
    old.close()
    assert [row.run_id for row in SqliteStore(path).runs()] == ["N"]
    new.close()
    moved = SqliteStore(path.with_name("old-runs.db"))
    assert [row.run_id for row in moved.runs()] == ["R"]
    moved.close()


@pytest.mark.parametrize("alone", [True, False])
async def test_a_log_that_was_removed_is_noticed_and_what_was_in_it_is_copied_in_time(path: Path, alone: bool) -> None:
    """S1, S24: what was acknowledged is there afterwards, and the fact that was refused is not."""
    store = SqliteStore(path)
    lease = await born(store, "R")
    await durable(store, lease, skipped(2), alone=alone)
    path.with_name("runs.db-wal").unlink()
    for _ in range(2):
        with pytest.raises(StoreError, match=r"runs\.db-wal was removed.*copied into the store.*nothing.*is lost"):
            await durable(store, lease, skipped(3), alone=alone)
    store.close()
    again = SqliteStore(path)
    assert [row.status for row in again.runs()] == ["interrupted"]
    lease = again.claim("R")
    assert seqs(again, "R") == [1, 2]
    await durable(again, lease, skipped(3), alone=alone)
    again.close()


async def test_a_log_that_was_replaced_is_not_copied(path: Path) -> None:
    """S24: another process may have it open by now."""
    store = SqliteStore(path)
    lease = await born(store, "R")
    replace(path.with_name("runs.db-wal"))
    with pytest.raises(StoreError, match=r"runs\.db-wal was removed or replaced.*would be lost"):
        await durable(store, lease, skipped(2))
    store.close()


@pytest.mark.parametrize("alone", [True, False])
async def test_a_log_that_is_gone_at_the_end_of_a_run_is_noticed_before_the_end_is_told(
    path: Path, alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S24: also where it went during the last commit."""
    store = SqliteStore(path)
    lease = await born(store, "R")
    commit = Transactions._commit

    def unlucky(self: Transactions) -> None:
        commit(self)
        path.with_name("runs.db-wal").unlink(missing_ok=True)

    monkeypatch.setattr(Transactions, "_commit", unlucky)
    with pytest.raises(StoreError, match=r"runs\.db-wal was removed"):
        await durable(store, lease, ev.RunFinished("R", 2, 2.0, status="completed"), alone=alone)
    store.close()


@pytest.mark.parametrize("left", [0, 2048])
async def test_a_file_that_was_cut_in_its_place_is_noticed(path: Path, left: int) -> None:
    """S24: as by `: > runs.db`, or what rotates logs."""
    store = SqliteStore(path)
    await born(store, "R")
    store.close()
    store = SqliteStore(path)
    lease = store.claim("R")
    os.truncate(path, left)
    with pytest.raises(StoreError, match=rf"runs\.db was cut to {left:,} bytes"):
        await durable(store, lease, skipped(2))
    store.close()


@pytest.mark.parametrize("alone", [True, False])
async def test_a_log_that_was_cut_in_its_place_is_not_copied_over_what_was_whole(path: Path, alone: bool) -> None:
    """S24: zeros would be taken for pages, and the runs of before would be gone with it."""
    store = SqliteStore(path)
    await born(store, "R")
    store.close()
    store = SqliteStore(path)
    lease = store.claim("R")
    await durable(store, lease, skipped(2), alone=alone)
    os.truncate(path.with_name("runs.db-wal"), 0)
    with pytest.raises(StoreError, match=r"runs\.db-wal was cut to 0 bytes"):
        await durable(store, lease, skipped(3), alone=alone)
    store.close()
    again = SqliteStore(path)
    assert seqs(again, "R") == [1]
    again.close()


async def test_a_log_that_somebody_has_emptied_as_sqlite_does_it_is_gone_on_with(path: Path) -> None:
    store = SqliteStore(path)
    lease = await born(store, "R")
    db = apsw.Connection(str(path))
    assert db.execute("SELECT count(*) FROM run").fetchall() == [(1,)]
    db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    db.close()
    assert size_of(path.with_name("runs.db-wal")) == 0
    await durable(store, lease, skipped(2))
    assert seqs(store, "R") == [1, 2]
    store.close()


async def test_an_empty_log_that_only_a_reader_has_made_anew_keeps_nothing_from_being_copied(path: Path) -> None:
    """S24: whoever looks at the store meanwhile opens the log by its name, and makes it."""
    store = SqliteStore(path)
    lease = await born(store, "R")
    log = path.with_name("runs.db-wal")
    log.unlink()
    log.touch()
    with pytest.raises(StoreError, match="nothing that is recorded is lost"):
        await durable(store, lease, skipped(2))
    store.close()
    again = SqliteStore(path)
    assert seqs(again, "R") == [1]
    again.close()


async def test_a_store_that_somebody_has_made_smaller_as_sqlite_does_it_goes_on(path: Path) -> None:
    store = SqliteStore(path)
    lease = await born(store, "R")
    db = apsw.Connection(str(path))
    db.execute("CREATE TABLE large (x); INSERT INTO large VALUES (zeroblob(300000))")
    db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    await durable(store, lease, skipped(2))
    large = size_of(path)
    db.execute("DROP TABLE large; VACUUM")
    db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    db.close()
    assert size_of(path) < large
    await durable(store, lease, skipped(3))
    assert seqs(store, "R") == [1, 2, 3]
    store.close()


async def test_a_large_value_is_written_again_where_its_file_was_cleaned_up(path: Path) -> None:
    """S3: a record never names a file that this process only remembers."""
    store = SqliteStore(path)
    lease = await born(store, "R")
    await durable(store, lease, ev.StepCompleted("R", 2, 1.0, "a", 1, Payload(b"x" * 20_000)))
    (file,) = (one for one in path.with_name("runs.db.blobs").rglob("*") if one.is_file())
    file.unlink()
    await durable(store, lease, ev.StepCompleted("R", 3, 1.0, "b", 1, Payload(b"x" * 20_000)))
    assert file.read_bytes() == b"x" * 20_000
    store.close()


async def test_a_folder_of_values_that_is_gone_stops_the_store_and_is_named(path: Path) -> None:
    """S24."""
    store = SqliteStore(path)
    lease = await born(store, "R")
    await durable(store, lease, ev.StepCompleted("R", 2, 1.0, "a", 1, Payload(b"x" * 20_000)))
    shutil.rmtree(path.with_name("runs.db.blobs"))
    with pytest.raises(StoreError, match=r"runs\.db\.blobs.* is gone: somebody has removed it"):
        await durable(store, lease, ev.StepCompleted("R", 3, 1.0, "b", 1, Payload(b"x" * 20_000)))
    assert seqs(store, "R") == [1, 2]
    store.close()
