"""What is recorded is what was done, and the workload does everything that a power cut could come in the middle of."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter
from pathlib import Path

import pytest

from .disk import Disk, Made, Noted, Removed, Renamed, Resized, Synced, Wrote
from .recorder import recording
from .recording import Recording, record
from .workload import STORE, work

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the recorder watches the calls of Linux")


@pytest.mark.parametrize("sync", ["full", "process"])
def test_the_log_gives_the_folder_as_it_is_byte_by_byte(sync: str, tmp_path: Path) -> None:
    """Whatever a store does to its disk is in the log."""
    with recording(tmp_path, {}) as recorder:
        asyncio.run(work(tmp_path, recorder.note, sync=sync, fresh=True))
    disk = Disk()
    for entry in recorder.log:
        disk.take(entry)
    found = {
        str(path.relative_to(tmp_path)): None if path.is_dir() else path.read_bytes() for path in tmp_path.rglob("*")
    }
    assert disk.image("kept", random.Random(0)) == found


def test_a_file_that_came_by_another_way_is_not_overlooked(tmp_path: Path) -> None:
    with recording(tmp_path, {}), (tmp_path / "file").open("wb") as file:
        file.write(b"a")
        with pytest.raises(AssertionError, match="file came into the folder by a call that the recorder does not"):
            os.fsync(file.fileno())


def test_outside_of_a_recording_nothing_is_watched(tmp_path: Path) -> None:
    plain = os.fsync
    with recording(tmp_path, {}):
        assert os.fsync is not plain
    assert os.fsync is plain


def met(recording: Recording) -> Counter[str]:
    """What the power can be cut in the middle of."""
    paths: dict[int, str] = {0: ""}
    seen: Counter[str] = Counter()
    for entry in recording.log:
        match entry:
            case Made():
                paths[entry.node] = f"{paths[entry.parent]}/{entry.name}".lstrip("/")
                seen["a folder is made" if entry.is_folder else f"made {_kind(paths[entry.node])}"] += 1
            case Wrote():
                again = paths[entry.node].endswith("-wal") and entry.offset == 0
                seen[f"begun {_kind(paths[entry.node])}" if again else f"written {_kind(paths[entry.node])}"] += 1
            case Synced():
                seen[f"synced {_kind(paths[entry.node])}"] += 1
            case Resized():
                seen[f"resized {_kind(paths[entry.node])}"] += 1
            case Removed():
                seen["removed"] += 1
            case Renamed():
                seen["renamed"] += 1
            case Noted():
                seen[f"known: {entry.what[0]}"] += 1
    return seen


def _kind(path: str) -> str:
    ends = {STORE: "store", f"{STORE}-wal": "wal", f"{STORE}-journal": "journal"}
    return ends.get(path, "value" if "/unfinished/" in path else "other")


def test_the_workload_does_all_that_the_power_may_be_cut_in_the_middle_of(tmp_path: Path) -> None:
    """Making, writing, copying and beginning anew, large values, closing, opening again; and somebody who knows."""
    seen = met(record(tmp_path / "store", {}))
    at_least = {
        "made journal": 1, "made store": 1, "made wal": 2, "begun wal": 3, "written wal": 100, "synced wal": 15,
        "written store": 30, "synced store": 3, "made value": 5, "written value": 5, "synced value": 5, "renamed": 5,
        "a folder is made": 5, "removed": 3, "known: told": 80, "known: began": 20, "known: asked": 1,
        "known: result": 10,
    }  # fmt: skip
    assert not (missing := {what: seen[what] for what, most in at_least.items() if seen[what] < most}), missing
