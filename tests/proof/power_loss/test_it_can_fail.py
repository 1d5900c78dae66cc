"""A proof that cannot fail proves nothing: each sync that a store makes is left out once, and that is noticed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from stepwell.journal.sqlite import blobs

from ..judge import SOURCE
from .cuts import Sweep, chosen_cuts
from .disk import ROOT, Made, Noted, Renamed, Synced
from .look import Shelf
from .recording import Recording, record
from .workload import STORE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the recorder watches the calls of Linux")

SEEDS = 6
"""How often the power is cut at every moment, until it must have been noticed."""
MAKING = 20
"""So many entries of the log are about the making of the store: a short time, in which the power is cut more often."""

LEFT_OUT: dict[str, Callable[[str], bool]] = {
    "the WAL": lambda path: path == f"{STORE}-wal",
    "the file": lambda path: path == STORE,
    "the journal of its making": lambda path: path == f"{STORE}-journal",
    "the folder above the store's": lambda path: path == "",
    "the store's folder": lambda path: path == str(Path(STORE).parent),
    "a large value": lambda path: "/unfinished/" in path,
    "the folder of a large value": lambda path: path.startswith(f"{STORE}.blobs/") and "/unfinished" not in path,
    "the folder of those folders": lambda path: path == f"{STORE}.blobs",
}


def without(recording: Recording, left_out: Callable[[str], bool]) -> Recording:
    """The same as if these had never been synced."""
    paths = {ROOT: ""}
    log = list(recording.log)
    for at, entry in enumerate(log):
        if isinstance(entry, Made):
            paths[entry.node] = f"{paths[entry.parent]}/{entry.name}".lstrip("/")
        elif isinstance(entry, Renamed):
            paths[entry.node] = f"{paths[entry.new[0]]}/{entry.new[1]}"
        elif isinstance(entry, Synced) and left_out(paths[entry.node]):
            log[at] = Noted(("left out", ""))
    assert log != recording.log, "nothing was left out"
    return replace(recording, log=log)


def cut(recording: Recording, folder: Path, making: bool = False) -> Sweep:
    """Cut the power until it breaks a promise, or often enough."""
    sweep = Sweep(recording, Shelf(folder, recording.facts))
    for seed in range(SEEDS * MAKING if making else SEEDS):
        for at, disk, known in recording.states():
            if making and at > MAKING:
                break
            for one in chosen_cuts(at, seed, disk.is_settled):
                sweep.judge(one, disk.image(one.how, one.chance), known)
            if sweep.broken:
                return sweep
    return sweep


@pytest.mark.parametrize("what", LEFT_OUT)
def test_no_sync_can_be_left_out_unnoticed(what: str, tmp_path: Path) -> None:
    """S1 and S5: each kind of sync that the store makes is needed, and the proof sees that it is missing."""
    recording = record(tmp_path / "store", {})
    assert cut(without(recording, LEFT_OUT[what]), tmp_path / "shelf", making="making" in what).broken


@pytest.mark.parametrize("what", ["sync_handle", "sync_folder"])
def test_a_store_that_does_not_sync_large_values_is_noticed(what: str, tmp_path: Path) -> None:
    """The same with the mistake in the code: the recorder sees what is really done."""
    with mock.patch.object(blobs, what):
        recording = record(tmp_path / "store", {})
    assert cut(recording, tmp_path / "shelf").broken


def test_what_is_told_of_a_broken_promise_is_a_command_that_breaks_it_again(tmp_path: Path) -> None:
    recording = record(tmp_path / "store", {})
    sweep = cut(without(recording, LEFT_OUT["a large value"]), tmp_path / "shelf")
    _, command, promise, *_ = sweep.told(tmp_path).splitlines()
    setting, python, *words = command.split()
    assert (setting, python) == ("PYTHONPATH=tests", "python")
    path = os.pathsep.join(map(str, (Path(__file__).parents[2], SOURCE)))
    done = subprocess.run(
        [sys.executable, *words], env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path)},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    again, *_, where = done.stdout.splitlines()
    assert re.sub(r"/\S*(?=/kept)", "", again) == re.sub(r"/\S*(?=/kept)", "", promise.strip())
    assert (Path(where.removeprefix("see ")) / STORE).exists()
