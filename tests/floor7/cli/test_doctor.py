"""`stepwell doctor` checks machine, settings and store, and leaves nothing behind (O5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import pytest

from stepwell.api import settings_files
from stepwell.cli import checkup
from stepwell.journal.sqlite.schema import VERSION


@pytest.fixture(autouse=True)
def no_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_files, "user_file", lambda: tmp_path / "own.toml")


SLOW = """
import time
from stepwell import Pipeline

pipe = Pipeline("slow")

@pipe.step
def wait() -> None:
    open("begun", "w").close()
    time.sleep(60)
"""


def checks(done: Any) -> dict[str, dict[str, str]]:
    return {one["name"]: one for one in done.document["checks"]}


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_a_folder_without_a_store_is_well_and_stays_as_it_is(desk: Any) -> None:
    before = files(desk.folder)
    done = desk("doctor")
    assert done.code == 0
    assert files(desk.folder) == before
    assert "[OK] the store .stepwell/stepwell.db does not exist yet" in done.out
    assert "[FAIL]" not in done.out
    found = checks(desk("doctor", "--json"))
    assert list(found)[:6] == ["python", "stepwell", "sqlite", "libraries", "settings", "store"]
    assert found["sync"]["text"].startswith("sync=full: a record survives a power cut (a synced commit takes ")


def test_the_level_of_sync_that_counts_here_is_told_with_what_it_costs(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S1."""
    monkeypatch.setenv("STEPWELL_SYNC", "process")
    text = checks(desk("doctor", "--json"))["sync"]["text"]
    assert text.startswith("sync=process: a record survives a killed process, not a power cut (a commit takes ")


def test_a_store_is_read_to_its_end_and_its_runs_are_told(desk: Any, digest: Path) -> None:
    desk("run", digest, "--folder", "x", "--store", "a.db")
    before = files(desk.folder)
    found = checks(desk("doctor", "--json", "--store", "a.db"))
    assert found["content"]["text"] == f"the store is whole (schema {VERSION})"
    assert found["live"]["text"] == "no run is live"
    assert files(desk.folder) - before <= {"a.db-wal", "a.db-shm"}


def test_a_run_that_lives_and_one_whose_process_is_gone_are_told(desk: Any, wait_until: Any) -> None:
    slow = desk.write("slow.py", SLOW)
    process = desk.start("run", slow, "--store", "a.db")
    wait_until((desk.folder / "begun").exists)
    assert checks(desk("doctor", "--json", "--store", "a.db"))["live"]["text"].endswith(f"in process {process.pid}")
    process.kill()
    process.wait()
    found = checks(desk("doctor", "--json", "--store", "a.db"))
    assert found["live"]["text"] == "no run is live"
    assert found["interrupted"]["status"] == "warn"
    assert found["interrupted"]["way_out"].endswith("--store a.db` goes on with it")


def test_a_damaged_store_fails_with_a_way_out(desk: Any, digest: Path) -> None:
    """O5."""
    desk("run", digest, "--folder", "x", "--store", "a.db")
    place = desk.folder / "a.db"
    data = bytearray(place.read_bytes())
    for start in range(4096, len(data), 1024):
        data[start : start + 64] = b"\xff" * 64
    place.write_bytes(data)
    done = desk("doctor", "--store", "a.db")
    assert done.code == 1
    assert "[FAIL] the store" in done.out
    assert "restore a backup" in done.out


def test_what_is_no_store_is_told(desk: Any) -> None:
    desk.write("notes.db", "not a database " * 100)
    other = apsw.Connection(str(desk.folder / "other.db"))
    other.execute("CREATE TABLE x (y)")
    other.close()
    assert "not an SQLite database" in checks(desk("doctor", "--json", "--store", "notes.db"))["content"]["text"]
    assert "not one of Stepwell's" in checks(desk("doctor", "--json", "--store", "other.db"))["content"]["text"]
    assert "is a folder" in checks(desk("doctor", "--json", "--store", "."))["store"]["text"]
    assert "a part of the store x.db" in checks(desk("doctor", "--json", "--store", "x.db-wal"))["store"]["text"]
    assert checks(desk("doctor", "--json", "--store", "memory"))["store"]["status"] == "warn"


def test_wrong_settings_and_stray_variables_are_told_and_the_rest_is_checked(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O5: 3, as for each command that meets them."""
    desk.write("stepwell.toml", "strictt = true\n")
    monkeypatch.setenv("STEPWELL_PROGRES", "plain")
    done = desk("doctor", "--json")
    found = checks(done)
    assert done.code == 3
    assert "strictt" in found["settings"]["text"]
    assert found["variable"]["way_out"] == "did you mean STEPWELL_PROGRESS?"
    assert found["sync"]["status"] == "ok"


def test_a_folder_that_cannot_be_written_is_told(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup.os, "access", lambda *_: False)  # root may write everywhere
    done = desk("doctor")
    assert done.code == 1
    assert f"[FAIL] the folder {desk.folder} is read-only for you" in done.out


def test_an_old_sqlite_a_full_disk_and_a_network_are_told(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "sqlite_version", lambda: (3, 50, 1))
    monkeypatch.setattr(checkup, "file_system", lambda _: ("nfs4", True))
    monkeypatch.setattr(checkup.shutil, "disk_usage", lambda _: checkup.shutil._ntuple_diskusage(10, 9, 1))
    found = checks(desk("doctor", "--json"))
    assert [found[name]["status"] for name in ("sqlite", "file_system")] == ["fail", "fail"]
    assert all(found[name]["way_out"] for name in ("sqlite", "file_system"))
    monkeypatch.setattr(checkup, "file_system", lambda _: ("ext4", False))
    full = checks(desk("doctor", "--json"))["disk"]
    assert (full["status"], full["way_out"]) == ("fail", "make room")
