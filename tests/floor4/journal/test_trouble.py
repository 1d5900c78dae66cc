"""What is said of a store that has failed: the thing, what happened, and what to do."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import apsw
import pytest

from stepwell.errors import StoreBusy, StoreError
from stepwell.journal.sqlite.trouble import told

PLACE = Path("/data/runs.db")


def of_system(number: int, name: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), name)


def of_sqlite(kind: type[apsw.Error], extended: int) -> apsw.Error:
    error = kind("disk I/O error")
    error.extendedresult = extended
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (apsw.FullError("full"), ["disk is full", "make room", "resume"]),
        (of_system(errno.ENOSPC), ["disk is full", "make room", "resume"]),
        (of_system(errno.EDQUOT), ["your share of it", "make room"]),
        (of_system(errno.EFBIG, "/data/x"), ["/data/x may not become that long", "ulimit -f", "resume"]),
        (of_system(errno.EMFILE), ["Too many open files", "ulimit -n", "resume"]),
        (of_system(errno.EEXIST, "/data/x"), ["/data/x is a file", "move it away"]),
        (of_sqlite(apsw.IOError, apsw.SQLITE_IOERR_SHMSIZE), ["disk is full", "make room"]),
        (of_sqlite(apsw.IOError, apsw.SQLITE_IOERR_WRITE), ["disk reports an error", "may not become that long"]),
        (
            of_system(errno.EACCES, "/data/runs.db.blobs/ab"),
            ["no right to /data/runs.db.blobs/ab", "give yourself the right"],
        ),
        (of_system(errno.EROFS, "/data/x"), ["no right to /data/x", "Read-only"]),
        (of_system(errno.ENOENT, "/data/x"), ["/data/x is gone", "put it back"]),
        (of_system(errno.ENAMETOOLONG, "/data/xxx"), ["/data/xxx is no name for a file", "name another"]),
        (of_system(errno.EIO, "/data/x"), ["disk reports an error", "/data/x", "db check"]),
        (of_sqlite(apsw.IOError, apsw.SQLITE_IOERR_FSYNC), ["disk reports an error", "SQLITE_IOERR_FSYNC", "db check"]),
        (apsw.CorruptError("malformed"), ["damaged (malformed)", "db check", "backup", "disk and its log"]),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), ["damaged", "backup"]),
        (of_sqlite(apsw.ReadOnlyError, apsw.SQLITE_READONLY_ROLLBACK), ["died on the way", "stepwell ls"]),
        (ZeroDivisionError("oh"), ["ZeroDivisionError: oh"]),
    ],
)
def test_each_trouble_is_told_with_the_store_and_the_way_out(error: Exception, words: list[str]) -> None:
    """S24."""
    said = str(told(PLACE, error, "written"))
    assert said.startswith("the store /data/runs.db cannot be written: ")
    assert [word for word in words if word not in said] == []


@pytest.mark.parametrize("kind", [apsw.BusyError, apsw.LockedError, apsw.ProtocolError])
def test_a_busy_store_is_an_error_of_its_own_kind(kind: type[apsw.Error]) -> None:
    error = told(PLACE, kind("busy"), "written")
    assert isinstance(error, StoreBusy)
    assert "end it and try again" in str(error)


def test_what_was_told_already_is_told_once() -> None:
    error = StoreError("it is so")
    assert told(PLACE, error, "written") is error
