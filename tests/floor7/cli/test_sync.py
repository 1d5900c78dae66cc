"""What a record survives is chosen by option, variable or file, and the disk is asked accordingly (S1)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

CHAIN = """
import os
from stepwell import Pipeline

pipe = Pipeline("chain")

@pipe.step
async def s0() -> int:
    return 1 // (not os.environ.get("BROKEN")) - 1
""" + "".join(
    f"""
@pipe.step
async def s{number}(s{number - 1}: int) -> int:
    return s{number - 1} + 1
"""
    for number in range(1, 20)
)


class Syncs(apsw.VFS):
    """Counts how often the disk is asked to have it."""

    def __init__(self) -> None:
        self.count = 0
        super().__init__("syncs", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return SyncsFile(self, name, flags)


class SyncsFile(apsw.VFSFile):
    def __init__(self, vfs: Syncs, name: Any, flags: list[int]) -> None:
        self._vfs = vfs
        super().__init__("unix", name, flags)

    def xSync(self, flags: int) -> None:
        self._vfs.count += 1
        super().xSync(flags)


@pytest.fixture
def syncs() -> Iterator[Syncs]:
    vfs = Syncs()
    yield vfs
    vfs.unregister()


@pytest.fixture
def chain(desk: Any) -> Path:
    path: Path = desk.write("chain.py", CHAIN)
    return path


def test_by_default_every_step_of_a_chain_is_synced(desk: Any, chain: Path, syncs: Syncs) -> None:
    """S1."""
    assert desk("run", chain, "--store", "a.db").out == "19\n"
    assert syncs.count >= 20


@pytest.mark.parametrize("said", ["option", "variable", "file", "resume"])
def test_a_run_may_ask_to_survive_a_killed_process_only(
    desk: Any, chain: Path, syncs: Syncs, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S1."""
    if said == "variable":
        monkeypatch.setenv("STEPWELL_SYNC", "process")
    if said == "file":
        desk.write("stepwell.toml", 'sync = "process"\n')
    options = ("--sync", "process") if said in ("option", "resume") else ()
    if said == "resume":
        monkeypatch.setenv("BROKEN", "1")
        assert desk("run", chain, "--store", "a.db", *options).code == 1
        monkeypatch.delenv("BROKEN")
        assert desk("resume", "last", "--store", "a.db", *options).out == "19\n"
    else:
        assert desk("run", chain, "--store", "a.db", *options).out == "19\n"
    assert syncs.count <= 15


def test_an_option_counts_more_than_a_file_and_a_wrong_word_is_refused(
    desk: Any, chain: Path, syncs: Syncs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPWELL_SYNC", "process")
    assert desk("run", chain, "--store", "a.db", "--sync", "full").code == 0
    assert syncs.count >= 20
    assert desk("run", chain, "--store", "a.db", "--sync", "never").code == 2
    monkeypatch.setenv("STEPWELL_SYNC", "never")
    done = desk("run", chain, "--store", "a.db")
    assert done.code == 3
    assert "`sync` must be 'full' or 'process', not 'never'" in done.err
