"""Those who only look at a store whose disk fails: told in one line what it is and what to do (S24)."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stepwell import App
from stepwell.cli.main import command

from .disk import Fault, Lasts
from .scenes import compiled, play_quietly
from .theatre import Theatre, bounded, theatre

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the calls are replaced by the numbers Linux has")

COMMANDS = (("ls",), ("show", "last"), ("events", "last"), ("events", "last", "--follow"), ("graph", "last"))
FAULTS = (
    ("read db", "broken"), ("read wal", "broken"), ("open db", "broken"), ("open db", "handles"),
    ("open db", "denied"), ("map shm", "memory"), ("stat db", "broken"),
)  # fmt: skip


@pytest.fixture(scope="module")
def stage() -> Iterator[Theatre]:
    with theatre() as found:
        yield found


@pytest.fixture
def store(stage: Theatre) -> Iterator[Path]:
    """With a run that has ended; its process died before the WAL was copied."""
    with stage.folder() as folder:
        stage.disk.begin(str(folder))
        asyncio.run(_make(folder))
        yield folder / "store.db"


async def _make(folder: Path) -> None:
    """A run in another store, which is copied while it is open."""
    async with App(folder / "made.db") as app:
        await play_quietly(app.run(compiled("map")))
        for ending in ("", "-wal"):  # not the WAL's index: that is made by whoever comes next
            shutil.copy(folder / f"made.db{ending}", folder / f"store.db{ending}")


@pytest.mark.parametrize("lasts", ["once", "for good"])
@pytest.mark.parametrize(("operation", "way"), FAULTS)
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_who_looks_at_a_failing_disk_is_told_so_in_one_line(
    stage: Theatre, store: Path, words: tuple[str, ...], operation: str, way: str, lasts: Lasts,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    refused = 0
    for nth in (1, 2, 5):
        stage.disk.begin(str(store.parent), Fault(operation, nth, way, lasts))
        with bounded():
            code = command([*words, "--store", str(store)])
        struck = bool(stage.disk.struck)
        refused += struck
        stage.disk.mend()
        said = capsys.readouterr()
        assert "Traceback" not in said.err, said.err
        assert "locked" not in said.err, said.err
        assert code in ((0, 75) if struck else (0,)), f"{code}: {said.err}"
        assert code == 0 or str(store) in said.err, said.err
    assert refused, f"`{operation}` is never asked for"
