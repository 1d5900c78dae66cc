"""The files of a SQLite store: what may be opened, who may read them, and what is said where that fails."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import pytest

from stepwell import events as ev
from stepwell.errors import PayloadLost, RunLive, RunNotFound, StoreError
from stepwell.events import Payload
from stepwell.journal.port import Request
from stepwell.journal.sqlite import SqliteStore, connect, schema
from stepwell.testing.store_deeds import born, durable

from .conftest import Other

NOBODY = 65534


def test_opening_a_store_that_is_not_there_makes_nothing(path: Path) -> None:
    store = SqliteStore(path)
    assert not store.runs()
    assert store.get("R") is None
    assert not store.read("R")
    with pytest.raises(RunNotFound):
        store.claim("R")
    with pytest.raises(RunNotFound):
        store.ask(Request("x", "R", "cancel", 1.0))
    store.close()
    assert list(path.parent.iterdir()) == []


async def test_only_the_user_may_read_what_is_written(path: Path) -> None:
    store = SqliteStore(path.parent / "new" / "deep" / "runs.db")
    lease = await born(store, "R")
    await durable(store, lease, ev.StepCompleted("R", 2, 1.0, "a", 1, Payload(b"x" * 20_000)))
    made = list((path.parent / "new").rglob("*"))
    assert {one.name for one in made} >= {"runs.db", "runs.db-wal", "runs.db.blobs", "runs.db.owners", "gate.lock"}
    for one in made:
        if one != store.path.parent:
            assert stat.S_IMODE(one.stat().st_mode) in ((0o700,) if one.is_dir() else (0o600,)), one
    store.close()


async def test_closing_leaves_one_file_and_no_locks(path: Path) -> None:
    store = SqliteStore(path)
    await born(store, "R")
    store.runs()
    store.close()
    assert sorted(one.name for one in path.parent.iterdir()) == ["runs.db", "runs.db.owners"]


@pytest.mark.parametrize("content", [b"to do: buy milk\n" * 100, b"xy", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_named_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"runs\.db.*--store"):
        SqliteStore(path)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    db = apsw.Connection(str(path))
    db.execute("CREATE TABLE t (x); PRAGMA application_id = 77")
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not one of Stepwell's"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    store = SqliteStore(path)
    assert not store.runs()
    assert store.create("R", "p", "") is not None
    store.close()


async def test_a_store_of_a_newer_version_is_refused(path: Path) -> None:
    store = SqliteStore(path)
    await born(store, "R")
    store.close()
    db = apsw.Connection(str(path))
    db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    db.close()
    with pytest.raises(StoreError, match=r"newer Stepwell.*pip install --upgrade stepwell"):
        SqliteStore(path)


async def test_an_older_store_is_backed_up_and_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore(path)
    await born(store, "R")
    store.close()
    newer = (*schema.MIGRATIONS, "ALTER TABLE run ADD COLUMN mood TEXT")
    monkeypatch.setattr(schema, "MIGRATIONS", newer)
    monkeypatch.setattr(schema, "VERSION", len(newer))
    store = SqliteStore(path)
    assert [row.run_id for row in store.runs()] == ["R"]
    assert store.claim("R").epoch == 2
    store.close()
    columns = {}
    for name in ("runs.db", "runs.db.schema-1.bak"):
        db = apsw.Connection(str(path.with_name(name)))
        columns[name] = "mood" in [row[1] for row in db.execute("PRAGMA table_info (run)")]
        assert db.execute("SELECT run_id FROM run").fetchall() == [("R",)]
        db.close()
    assert columns == {"runs.db": True, "runs.db.schema-1.bak": False}


def content(path: Path) -> bytes:
    return path.read_bytes()


def put(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def take_away(path: Path, state: str) -> None:
    path.unlink(missing_ok=True)
    if state == "empty":
        path.touch()


def tear(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


async def test_a_torn_file_is_an_error_and_never_an_empty_store(path: Path) -> None:
    store = SqliteStore(path)
    lease = await born(store, "R")
    for seq in range(2, 400):
        await durable(store, lease, ev.StepSkipped("R", seq, 1.0, f"step-with-a-name-{seq}"), alone=True)
    store.close()
    tear(path)
    with pytest.raises(StoreError, match=r"damaged.*restore a backup"):
        SqliteStore(path).read("R")


async def test_a_store_whose_file_is_gone_while_its_log_is_there_is_refused_and_its_log_left_alone(
    path: Path, other: Callable[..., Other]
) -> None:
    """S3, S24: SQLite would take it for a new one and delete the log, with all that is recorded in it."""
    owner = other("hold", path, "R")
    owner.hear()
    owner.kill()
    wal, whole = path.with_name("runs.db-wal"), content(path)
    log = content(wal)
    assert log
    for state in ("empty", "gone"):
        take_away(path, state)
        for deed in (SqliteStore, lambda place: connect.open_to_write(place, "full", connect.Patience())):
            with pytest.raises(StoreError, match=rf"runs\.db is {state}, and its last records are in runs\.db-wal"):
                deed(path)
        assert content(wal) == log
    put(path, whole)
    store = SqliteStore(path)
    assert [row.run_id for row in store.runs()] == ["R"]
    store.close()


def test_the_mere_header_of_a_log_holds_nothing_and_stands_in_nobodys_way(path: Path) -> None:
    path.touch()
    path.with_name("runs.db-wal").write_bytes(b"\x37\x7f\x06\x82" + bytes(28))
    store = SqliteStore(path)
    assert store.runs() == []
    assert store.create("R", "p", "") is not None
    store.close()


async def test_the_file_alone_is_a_store_from_its_first_moment(path: Path, other: Callable[..., Other]) -> None:
    """S24: not a database of somebody else where its log is lost."""
    owner = other("hold", path, "R")
    owner.hear()
    owner.kill()
    path.with_name("runs.db-wal").unlink()
    db = connect.open_as_it_is(path)
    assert db.execute("PRAGMA application_id").fetchall() == [(schema.APPLICATION_ID,)]
    assert db.execute("SELECT count(*) FROM sqlite_schema").fetchall() > [(1,)]
    db.close()


def test_a_store_whose_making_ended_before_its_log_was_turned_on_gets_it_later(path: Path) -> None:
    connect.open_to_write(path, "full", connect.Patience()).close()
    db = apsw.Connection(str(path))
    assert db.execute("PRAGMA journal_mode = DELETE").fetchall() == [("delete",)]
    db.close()
    with closing(connect.open_to_write(path, "full", connect.Patience())) as again:
        assert again.execute("PRAGMA journal_mode").fetchall() == [("wal",)]


async def test_a_store_that_was_emptied_is_no_new_store(path: Path) -> None:
    """S3: a key would start its run once more."""
    store = SqliteStore(path)
    await born(store, "R", key="once")
    store.close()
    take_away(path, "empty")
    with pytest.raises(StoreError, match="is empty, though there was something in it"):
        SqliteStore(path)
    take_away(path, "gone")
    SqliteStore(path).close()


def test_a_store_that_was_left_half_made_is_brought_in_order(path: Path) -> None:
    """A power cut in the middle of making it leaves a rollback journal, which a reader cannot play back."""
    path.parent.joinpath("make").mkdir()
    made = path.parent / "make" / "runs.db"
    db = apsw.Connection(str(made))
    db.execute("PRAGMA page_size = 1024; CREATE TABLE t (x); PRAGMA user_version = 0")
    db.execute("PRAGMA cache_spill = ON; PRAGMA cache_size = 1; BEGIN; DROP TABLE t; CREATE TABLE big (x)")
    db.execute("INSERT INTO big VALUES (zeroblob(100000)), (zeroblob(100000))")
    for one in made.parent.iterdir():
        put(path.with_name(one.name), content(one))
    db.execute("ROLLBACK")
    db.close()
    assert path.with_name("runs.db-journal").exists()
    with pytest.raises(StoreError, match="not one of Stepwell's"):  # it is read again, as it was before
        SqliteStore(path)
    assert content(path) == content(made)


async def test_a_link_to_a_store_is_that_store(path: Path) -> None:
    """S13: whoever comes by the link sees the same owners, and the same values in files."""
    link = path.parent / "elsewhere" / "link.db"
    link.parent.mkdir()
    store = SqliteStore(path)
    await born(store, "R")
    link.symlink_to(path)
    linked = SqliteStore(link)
    assert [row.status for row in linked.runs()] == ["running"]
    with pytest.raises(RunLive):
        linked.claim("R")
    linked.close()
    store.close()
    assert [one.name for one in link.parent.iterdir()] == ["link.db"]


async def test_a_lease_that_no_store_has_written_is_damage(path: Path) -> None:
    store = SqliteStore(path)
    await born(store, "R")
    store.close()
    db = apsw.Connection(str(path))
    db.execute("UPDATE lease SET epoch = 9223372036854775807")
    db.close()
    store = SqliteStore(path)
    with pytest.raises(StoreError, match=r"R: its lease is damaged"):
        store.claim("R")
    store.close()


async def test_text_that_is_none_is_damage_and_told(path: Path) -> None:
    store = SqliteStore(path)
    await born(store, "R")
    store.close()
    db = apsw.Connection(str(path))
    db.execute("UPDATE run SET pipeline = CAST(x'ff' AS TEXT)")
    db.close()
    store = SqliteStore(path)
    with pytest.raises(StoreError, match=r"damaged.*db check"):
        store.runs()
    store.close()


def test_a_folder_is_no_store(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreError, match="folder"):
        SqliteStore(path)


def test_a_folder_that_cannot_be_made_is_named(path: Path) -> None:
    path.write_text("a file", encoding="utf-8")
    store = SqliteStore(path / "below" / "runs.db")
    with pytest.raises(StoreError, match=r"folder .*below.*cannot be made"):
        store.create("R", "p", "")
    store.close()


@pytest.mark.parametrize("name", ["nul\0l", "half \ud800", "x" * 300, "loop.db"])
def test_what_can_be_no_file_is_an_error_of_the_store(path: Path, name: str) -> None:
    path.with_name("loop.db").symlink_to("loop.db")
    with pytest.raises(StoreError, match=r"cannot be the file of a store|is no name for a file|cannot be read"):
        SqliteStore(path.with_name(name)).create("R", "p", "")


def test_an_unknown_level_of_durability_is_refused(path: Path) -> None:
    with pytest.raises(StoreError, match='"full"'):
        SqliteStore(path, sync="maybe")


@contextmanager
def unprivileged() -> Iterator[None]:
    """Rights to files hold for everybody but root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that anybody may look into."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def forbid(folder: Path) -> None:
    """Let everybody read what is in the folder, and nobody write."""
    for one in (folder, *folder.glob("runs.db*")):
        one.chmod(0o555 if one.is_dir() else 0o444)


needs_rights = pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")


@needs_rights
async def test_a_store_in_a_read_only_folder_can_be_read(public: Path) -> None:
    path = public / "runs.db"
    store = SqliteStore(path)
    lease = await born(store, "R")
    await durable(store, lease, ev.RunFinished("R", 2, 2.0, status="completed"))
    store.close()
    forbid(public)
    with unprivileged():
        reader = SqliteStore(path)
        assert [row.run_id for row in reader.runs()] == ["R"]
        assert len(reader.read("R")) == 2
        with pytest.raises(StoreError, match="may not be written"):
            reader.create("Q", "p", "")
        reader.close()


@needs_rights
def test_a_store_whose_process_died_in_a_read_only_folder_says_what_to_do(
    public: Path, other: Callable[..., Other]
) -> None:
    path = public / "runs.db"
    owner = other("hold", path, "R")
    owner.hear()
    owner.kill()
    path.with_name("runs.db-shm").unlink()
    forbid(public)
    with unprivileged(), pytest.raises(StoreError, match="copy"):
        SqliteStore(path)


@needs_rights
def test_a_store_that_may_not_be_read_is_named(public: Path) -> None:
    store = SqliteStore(public / "runs.db")
    store.create("R", "p", "")
    store.close()
    with unprivileged(), pytest.raises(StoreError, match=r"runs\.db.*may not be read"):
        SqliteStore(public / "runs.db")


class TestValuesInFiles:
    """Values over 16 KiB."""

    async def saved(self, store: SqliteStore, data: bytes) -> Payload:
        lease = await born(store, "R")
        await durable(store, lease, ev.StepCompleted("R", 2, 1.0, "a", 1, Payload(data)), alone=True)
        (read,) = store.read("R", 1)
        assert isinstance(read, ev.StepCompleted)
        assert isinstance(read.output, Payload)
        assert read.output.data is None
        assert read.output.size == len(data)
        return read.output

    def file(self, path: Path, payload: Payload) -> Path:
        return path.with_name("runs.db.blobs") / payload.digest[:2] / payload.digest

    async def test_a_large_value_is_a_file_named_by_its_digest(self, path: Path) -> None:
        store = SqliteStore(path)
        payload = await self.saved(store, b"x" * 20_000)
        assert self.file(path, payload).read_bytes() == b"x" * 20_000
        assert not list((path.with_name("runs.db.blobs") / "unfinished").iterdir())
        store.close()

    async def test_a_damaged_or_missing_value_is_lost_and_never_given(self, path: Path) -> None:
        store = SqliteStore(path)
        payload = await self.saved(store, b"x" * 20_000)
        file = self.file(path, payload)
        for damage in (b"y" + b"x" * 19_999, b"x" * 19_999, b""):
            file.write_bytes(damage)
            with pytest.raises(PayloadLost, match="damaged"):
                store.load(payload)
        file.unlink()
        with pytest.raises(PayloadLost, match="gone"):
            store.load(payload)
        store.close()

    async def test_a_value_that_cannot_be_read_at_this_moment_is_not_lost(self, path: Path) -> None:
        """S24: a resume reads it another time; nobody is told to restore a backup."""
        store = SqliteStore(path)
        payload = await self.saved(store, b"x" * 20_000)
        file = self.file(path, payload)
        file.unlink()
        file.mkdir()
        with pytest.raises(StoreError, match=r"cannot be read \(.*resume") as caught:
            store.load(payload)
        assert not isinstance(caught.value, PayloadLost)
        store.close()

    async def test_a_value_that_is_written_again_mends_its_damaged_file(self, path: Path) -> None:
        store = SqliteStore(path)
        payload = await self.saved(store, b"x" * 20_000)
        store.close()
        self.file(path, payload).write_bytes(b"damaged")
        store = SqliteStore(path)
        lease = await born(store, "Q")
        await durable(store, lease, ev.StepCompleted("Q", 2, 1.0, "a", 1, Payload(b"x" * 20_000)))
        assert store.load(payload) == b"x" * 20_000
        store.close()

    async def test_what_the_dead_did_not_finish_is_cleared_away(self, path: Path, other: Callable[..., Other]) -> None:
        died = other("chain", path, "R", 10, STEPWELL_FAILPOINT="blob.rename:before@1")
        died.hear_all()
        assert died.process.wait() != 0
        unfinished = path.with_name("runs.db.blobs") / "unfinished"
        assert len(list(unfinished.iterdir())) == 1
        store = SqliteStore(path)
        store.claim("R")
        assert not list(unfinished.iterdir())
        store.close()

    async def test_a_blob_folder_that_cannot_be_made_stops_all_writing(self, path: Path) -> None:
        store = SqliteStore(path)
        path.with_name("runs.db.blobs").write_text("in the way", encoding="utf-8")
        lease = await born(store, "R")
        with pytest.raises(StoreError, match=r"cannot be written"):
            await durable(store, lease, ev.StepCompleted("R", 2, 1.0, "a", 1, Payload(b"x" * 20_000)))
        with pytest.raises(StoreError, match=r"cannot be written"):
            await durable(store, lease, ev.StepCompleted("R", 2, 1.0, "a", 1, Payload(b"x")))
        store.close()
