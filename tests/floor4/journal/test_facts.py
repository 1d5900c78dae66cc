"""Facts as they are read: all of them, each in its place, or a clear error."""

from __future__ import annotations

import random
from pathlib import Path

import apsw
import pytest

from stepwell import events as ev
from stepwell.errors import StoreError
from stepwell.journal.sqlite import SqliteStore
from stepwell.journal.sqlite.rows import COLUMNS
from stepwell.testing.store_deeds import durable


async def filled(path: Path) -> None:
    store = SqliteStore(path)
    lease = store.create("R", "p", "")
    assert lease is not None
    steps = [ev.StepStarted("R", seq, float(seq), f"s{seq}", 1) for seq in range(2, 9)]
    await durable(store, lease, ev.RunStarted("R", 1, 1.0, pipeline="p"), *steps)
    store.close()


def change(path: Path, sql: str) -> None:
    db = apsw.Connection(str(path))
    db.execute(sql)
    db.close()


def misplace(path: Path, chance: random.Random) -> None:
    """Put one page in the place of another, or swap them."""
    whole = path.read_bytes()
    one, two = (1024 * place for place in chance.sample(range(1, len(whole) // 1024), 2))
    data = bytearray(whole)
    data[two : two + 1024] = whole[one : one + 1024]
    if chance.random() < 0.5:
        data[one : one + 1024] = whole[two : two + 1024]
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("sql", "seq"),
    [
        ("DELETE FROM journal WHERE seq = 3", 3),
        ("DELETE FROM journal WHERE seq > 6", 7),
        ("DELETE FROM journal WHERE seq < 3", 1),
        ("DELETE FROM journal", 1),
        ("DELETE FROM journal WHERE seq = 8; UPDATE run SET seq = 9", 8),
    ],
)
async def test_a_fact_that_is_lost_is_named(path: Path, sql: str, seq: int) -> None:
    """S3: also where it was the last one."""
    await filled(path)
    change(path, sql)
    store = SqliteStore(path)
    with pytest.raises(StoreError, match=rf"run R: fact {seq} is missing; .*restore a backup"):
        store.read("R")
    store.close()


@pytest.mark.parametrize(("seq", "missing"), [("'x'", 8), ("7", 8), ("7.5", 8), ("NULL", 8)])
async def test_a_number_that_is_none_or_comes_twice_is_told_in_words(path: Path, seq: str, missing: int) -> None:
    """S3, S24: on a damaged page SQLite holds to no law of the table."""
    await filled(path)
    change(
        path,
        f"ALTER TABLE journal RENAME TO strict; CREATE TABLE journal ({COLUMNS}, run); "
        f"INSERT INTO journal SELECT {COLUMNS}, run FROM strict; UPDATE journal SET seq = {seq} WHERE seq = 8",
    )
    store = SqliteStore(path)
    with pytest.raises(StoreError, match=rf"run R: fact {missing} is missing; .*restore a backup"):
        store.read("R")
    store.close()


async def test_facts_are_read_page_by_page_to_their_end(path: Path) -> None:
    await filled(path)
    store = SqliteStore(path)
    for after in range(10):
        for limit in (1, 3, 8, 100):
            seqs = [fact.seq for fact in store.read("R", after, limit)]
            assert seqs == [*range(after + 1, min(9, after + 1 + limit))]
    assert not store.read("nobody")
    store.close()


@pytest.mark.parametrize("seed", range(12))
async def test_a_page_that_stands_in_anothers_place_is_told_in_words(path: Path, seed: int) -> None:
    """S3, S24: a number may be a text there, or come twice, and none be missing in between."""
    await filled(path)
    misplace(path, random.Random(seed))
    try:
        store = SqliteStore(path)
        found = store.read("R")
    except StoreError:
        return
    store.close()
    assert [fact.seq for fact in found] in ([*range(1, 9)], [])
