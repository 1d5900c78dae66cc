"""The rows of runs as they are looked up: what none was ever given is told, whatever SQLite makes of it."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from stepwell import events as ev
from stepwell.errors import StoreError
from stepwell.journal.sqlite import SqliteStore
from stepwell.testing.store_deeds import durable


async def filled(path: Path) -> None:
    store = SqliteStore(path)
    lease = store.create("R", "p", "k")
    assert lease is not None
    await durable(store, lease, ev.RunStarted("R", 1, 1.0, pipeline="p"), ev.StepStarted("R", 2, 2.0, "a", 1))
    store.close()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("started_at = 9e999", "started_at"),
        ("updated_at = -1.0", "updated_at"),
        ("ended_at = 1e300", "ended_at"),
        ("seq = -1", "seq"),
        ("steps = -9", "steps"),
        ("done = -9", "done"),
    ],
)
async def test_a_row_that_nobody_has_written_is_damage(path: Path, change: str, name: str) -> None:
    """S24: nothing that reads it later meets what it cannot take."""
    await filled(path)
    db = apsw.Connection(str(path))
    db.execute(f"UPDATE run SET {change}")
    db.close()
    store = SqliteStore(path)
    for look in (store.runs, lambda: store.find("R"), lambda: store.get("R"), lambda: store.with_key("p", "k")):
        with pytest.raises(StoreError, match=rf"run R: its row is damaged \({name} cannot be .*restore a backup"):
            look()
    store.close()


async def test_where_the_rows_of_runs_are_gone_no_run_takes_their_place(path: Path) -> None:
    """S15: its key is not found any more; it is not begun anew among the facts of the one that is lost."""
    await filled(path)
    db = apsw.Connection(str(path))
    db.execute("DELETE FROM run")
    db.close()
    store = SqliteStore(path)
    with pytest.raises(StoreError, match=r"run Q cannot be made: .* restore a backup"):
        store.create("Q", "p", "k")
    assert not store.runs()
    store.close()


async def test_a_run_whose_row_forgot_its_facts_is_not_begun_anew(path: Path) -> None:
    """S15: its row says that it was never started, so it would be cleared away, and its key with it."""
    await filled(path)
    db = apsw.Connection(str(path))
    db.execute("UPDATE run SET seq = 0")
    db.close()
    store = SqliteStore(path)
    with pytest.raises(StoreError, match="run R: its row says that it has no facts, and it has"):
        store.create("Q", "p", "k")
    store.close()
    db = apsw.Connection(str(path))
    assert db.execute("SELECT count(*) FROM run").fetchall() == [(1,)]
    db.close()
