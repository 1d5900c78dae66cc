"""Several processes at one store at once (S13, and "Several processes share one store" in contract.md)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stepwell import App, Pipeline
from stepwell.journal.sqlite.store import SqliteStore
from stepwell.testing.invariants import check_invariants

from ..judge import environment, the_file_is_whole
from .sharing import ITEMS
from .sweep import TIMEOUT

SCRIPT = Path(__file__).with_name("sharing.py")


def test_two_processes_run_while_a_third_lists_shows_and_cancels(tmp_path: Path) -> None:
    """S10, S13, S17: nobody meets "database is locked", and each run ends as it should."""
    env = environment()
    processes = {
        mode: subprocess.Popen(
            [sys.executable, str(SCRIPT), str(tmp_path), mode],
            env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for mode in ("work", "wait", "look")
    }  # fmt: skip
    said: dict[str, object] = {}
    for mode, process in processes.items():
        out, err = process.communicate(timeout=TIMEOUT)
        assert process.returncode == 0, f"{mode}: {err[-3000:]}"
        assert "locked" not in err, err
        said[mode] = json.loads(out)
    assert said["work"] == {"status": "completed", "output": sum(n * n for n in range(ITEMS))}
    assert said["wait"] == {"status": "cancelled", "output": None}
    looked = said["look"]
    assert isinstance(looked, dict)
    assert looked["runs"] == [["wait", "cancelled"], ["work", "completed"]]
    the_file_is_whole(tmp_path / "store.db")
    store = SqliteStore(tmp_path / "store.db")
    for row in store.runs():
        check_invariants(store.read(row.run_id, 0, 1 << 20))
    store.close()


@pytest.mark.parametrize("on_disk", [False, True])
async def test_the_same_call_with_key_and_run_id_goes_on_with_its_run(tmp_path: Path, on_disk: bool) -> None:
    """S15: the key decides before the id does, so that a command can be given again as it stands."""
    pipe = Pipeline("same")

    @pipe.step
    async def one() -> int:
        return 1

    async with App(tmp_path / "store.db" if on_disk else None) as app:
        first = await app.run(pipe, key="k", run_id="mine")
        again = await app.run(pipe, key="k", run_id="mine")
        assert (first.run_id, again.run_id, again.output) == ("mine", "mine", 1)
