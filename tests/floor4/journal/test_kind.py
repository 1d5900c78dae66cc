"""What can be no file of a store is refused before anything is opened, made or changed."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from stepwell.errors import StoreError
from stepwell.journal.sqlite import SqliteStore
from stepwell.journal.sqlite.connect import Patience, open_as_it_is, open_to_write

on_posix = pytest.mark.skipif(os.name == "nt", reason="files of POSIX")


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket may only be short
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


def make_link_to_a_device(path: Path) -> None:
    _, slave = os.openpty()  # a device of our own, whatever may be done to it; open as long as this process
    path.symlink_to(os.ttyname(slave))


@on_posix
@pytest.mark.parametrize(
    ("make", "kind"), [(make_pipe, "a pipe"), (make_socket, "a socket"), (make_link_to_a_device, "a device")]
)
def test_what_is_no_plain_file_is_refused_and_left_as_it_is(path: Path, make: object, kind: str) -> None:
    """A pipe would be waited for, for ever; a device would get other rights for the whole machine."""
    assert callable(make)
    make(path)
    before, mode = sorted(path.parent.iterdir()), path.stat().st_mode
    for deed in (SqliteStore, open_as_it_is, lambda place: open_to_write(place, "full", Patience())):
        with pytest.raises(StoreError, match=rf"is {kind}, not a file; name another one with `--store`"):
            deed(path)
    assert (sorted(path.parent.iterdir()), path.stat().st_mode) == (before, mode)


@pytest.mark.parametrize("name", ["/", ".", "..", "/.."])
def test_a_path_without_a_name_of_its_own_is_a_folder(name: str) -> None:
    with pytest.raises(StoreError, match="is a folder; name the file of a store in it"):
        SqliteStore(name)


@pytest.mark.parametrize("end", ["-wal", "-shm", "-journal"])
def test_a_name_that_sqlite_gives_to_the_parts_of_a_store_is_refused(path: Path, end: str) -> None:
    """The store beside it would take that for its own, and remove it."""
    with pytest.raises(StoreError, match=rf"runs\.db{end} would be taken for a part of the store runs\.db"):
        SqliteStore(path.with_name(f"runs.db{end}"))
    assert list(path.parent.iterdir()) == []


@on_posix
def test_a_file_that_was_there_keeps_its_rights_and_a_new_one_is_private(path: Path) -> None:
    shared = path.with_name("shared.db")
    shared.touch()
    shared.chmod(0o640)
    for place in (shared, path):
        open_to_write(place, "full", Patience()).close()
    assert [stat.S_IMODE(place.stat().st_mode) for place in (shared, path)] == [0o640, 0o600]
