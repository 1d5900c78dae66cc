"""A full disk, a store that was deleted, a folder that may only be read: what the terminal says, and the way on."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stepwell.cli.checkup import of_store
from stepwell.journal.sqlite import place

pytest.importorskip("resource", reason="limits and rights of POSIX")  # and loaded while there are rights to load it

HARMED = """
import os
import resource
import shutil
from stepwell import Pipeline

pipe = Pipeline("harmed")

@pipe.step
async def collect() -> int:
    harm = os.environ.get("HARM", "")
    if harm == "full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    elif harm:
        shutil.rmtree("kept")
    return 100

@pipe.step
async def large(collect: int) -> str:
    return "x" * 1000 * collect

@pipe.step
async def report(large: str) -> int:
    return len(large)
"""


def test_a_file_that_may_not_grow_stops_the_run_and_says_how_to_go_on(desk: Any) -> None:
    """S24: what was told stays, nothing more is told, and a resume goes on."""
    desk.write("harmed.py", HARMED)
    done = desk.apart("run", "harmed.py", "--store", "kept/a.db", env={**os.environ, "HARM": "full"})
    assert (done.code, done.out) == (75, "")
    assert "may not become that long (File too large): raise the limit (`ulimit -f`), then resume" in done.err
    assert f"run {done.run_id} has stopped here, with 1 of 3 steps recorded; then:" in done.err
    assert done.err.endswith(f"  stepwell resume {done.run_id} --store kept/a.db\n")
    assert "Large... ok" not in done.err
    assert desk("db", "check", "--store", "kept/a.db").code == 0
    again = desk("resume", "last", "--store", "kept/a.db")
    assert (again.code, again.out) == (0, "100000\n")


def test_a_store_that_was_deleted_under_the_run_is_noticed(desk: Any) -> None:
    """S24: nothing is told of a run that nobody will find."""
    desk.write("harmed.py", HARMED)
    done = desk.apart("run", "harmed.py", "--store", "kept/a.db", env={**os.environ, "HARM": "deleted"})
    assert (done.code, done.out) == (75, "")
    assert "kept/a.db was removed or replaced while this process was writing to it" in done.err
    assert "stepwell resume" not in done.err
    assert "... ok" not in done.err


def test_a_network_is_refused_with_the_reason(desk: Any, digest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = desk.write("mounts", f"1 0 8:1 / / rw - ext4 x rw\n2 1 0:4 / {desk.folder} rw - cifs //server/share rw\n")
    monkeypatch.setattr(place, "MOUNTS", mounts)
    monkeypatch.setattr(place.sys, "platform", "linux")
    done = desk("run", digest, "--folder", "x")
    assert done.code == 75
    assert "would be on a network file system (cifs)" in done.err
    assert "name a store on a disk of this machine with `--store`" in done.err
    assert not (desk.folder / ".stepwell" / "stepwell.db").exists()


@pytest.fixture
def shut(desk: Any, digest: Path) -> Iterator[Path]:
    """A store of somebody else, in a folder that may only be read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = folder / "a.db"
        (folder / "harmed.py").write_text(HARMED, encoding="utf-8")
        assert desk("run", digest, "--folder", "x", "--store", store).code == 0
        rights = {one: one.stat().st_mode for one in (folder, *folder.rglob("*"))}
        for one in rights:
            one.chmod(0o555 if one.is_dir() else 0o444)
        was = os.geteuid()
        if was == 0:
            os.seteuid(65534)
        yield store
        os.seteuid(was)
        for one, mode in rights.items():
            one.chmod(mode)


@pytest.mark.parametrize("words", ["ls", "show last", "events last", "db check"])
def test_a_store_that_may_only_be_read_can_be_looked_at(desk: Any, shut: Path, words: str) -> None:
    done = desk(*words.split(), "--store", shut)
    assert (done.code, done.err) == (0, "")
    assert done.out


def test_a_store_that_may_only_be_read_takes_no_run_and_says_why(desk: Any, shut: Path) -> None:
    done = desk("run", shut.with_name("harmed.py"), "--store", shut)
    assert done.code == 75
    assert "may not be written by you; give yourself the right to, or name another store" in done.err


def test_a_store_in_a_folder_that_one_may_not_look_into_is_told(desk: Any, shut: Path) -> None:
    was = os.geteuid()
    os.seteuid(os.getuid())
    shut.parent.chmod(0o000)
    os.seteuid(was)
    told = [desk(*words.split(), "--store", shut) for words in ("ls", "db check")]
    (check,) = of_store(shut)  # what `doctor` says of it
    os.seteuid(os.getuid())
    shut.parent.chmod(0o555)
    os.seteuid(was)
    assert [done.code for done in told] == [75, 75]
    for said in (*(done.err for done in told), check.text):
        assert f"you have no right to {shut} (Permission denied); give yourself the right to" in said


def test_a_log_that_was_deleted_under_the_run_is_told_and_a_resume_goes_on(desk: Any) -> None:
    """S24, S1: what was told is there, and nothing of it runs again."""
    desk.write("harmed.py", HARMED.replace('shutil.rmtree("kept")', 'os.remove("kept/a.db-wal")'))
    done = desk.apart("run", "harmed.py", "--store", "kept/a.db", env={**os.environ, "HARM": "log"})
    assert (done.code, done.out) == (75, "")
    assert "kept/a.db-wal was removed while this process was writing to it" in done.err
    assert done.err.endswith(f"  stepwell resume {done.run_id} --store kept/a.db\n")
    again = desk("resume", "last", "--store", "kept/a.db")
    assert (again.code, again.out) == (0, "100000\n")
    assert desk("db", "check", "--store", "kept/a.db").code == 0
