"""A store whose file is removed or replaced under a running process acknowledges nothing more (S24)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from stepwell import events as ev
from stepwell.errors import StoreError
from stepwell.events import Payload
from stepwell.journal.port import Request
from stepwell.journal.sqlite import SqliteStore
from stepwell.journal.sqlite.standing import Standing
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


def test_a_log_that_was_removed_is_noticed_when_it_is_to_be_copied(path: Path) -> None:
    path.touch()
    wal = path.with_name("runs.db-wal")
    wal.touch()
    standing = Standing(path)
    standing.check(wal=True)
    wal.unlink()
    standing.check()
    with pytest.raises(StoreError, match=r"runs\.db-wal was removed"):
        standing.check(wal=True)


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
