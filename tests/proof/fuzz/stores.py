"""Real stores, made once a session, that are copied and then damaged; and the right answers about the runs in them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import apsw
from filelock import FileLock

import stepwell
from stepwell.journal.sqlite.store import SqliteStore

from .. import counts
from .pipes import KEY, WITNESS

SCRIPT = Path(__file__).with_name("pipes.py")
SOURCE = Path(stepwell.__file__).parents[1]
HALF = "half"
"""The key of the run whose process was killed."""
NAME = "runs.db"


@dataclass(frozen=True)
class Known:
    """A run as it is in an undamaged store, and what a resume makes of it."""

    run_id: str
    pipeline: str
    key: str
    facts: tuple[str, ...]
    """Each in words that say all of it."""
    status: str
    """After a resume."""
    output: object
    again: frozenset[str]
    """What a resume executes, by path."""
    done: frozenset[str]
    """What is recorded as completed, by path."""


@dataclass(frozen=True)
class Kit:
    """Folders, each with a store called NAME: after a kill, the same without a WAL, before that run, and a stranger."""

    live: Path
    whole: Path
    older: Path
    other: Path

    def copy(self, which: str, target: Path) -> Path:
        """A store to be damaged; gives its file."""
        shutil.copytree(getattr(self, which), target)
        return target / NAME


def process(store: Path, *arguments: str, witness: Path) -> int:
    """A process with a pipeline, to its end or death."""
    env = {**os.environ, "PYTHONPATH": str(SOURCE), WITNESS: str(witness)}
    env.pop("COVERAGE_PROCESS_CONFIG", None)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(store), *arguments],
        env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


def kit() -> Kit:
    """The stores, made by whichever process of the session comes first."""
    base = counts.place() / "fuzz-stores"
    found = Kit(*(base / name for name in ("live", "whole", "older", "other")))
    with FileLock(f"{base}.lock"):
        if not base.exists():
            base.mkdir()
            _make(found, base / "witness")
    return found


def _make(stores: Kit, witness: Path) -> None:
    stores.live.mkdir()
    store = stores.live / NAME
    process(store, "many", KEY, witness=witness)
    process(store, "broken", KEY, witness=witness)
    shutil.copytree(stores.live, stores.older)
    assert process(store, "many", HALF, "note[no 3]", witness=witness) < 0
    assert store.with_name(f"{NAME}-wal").stat().st_size
    shutil.copytree(stores.live, stores.whole)
    db = apsw.Connection(str(stores.whole / NAME))
    db.execute("SELECT * FROM run").fetchall()  # the WAL is opened by a look at a table only
    db.close()
    assert not (stores.whole / f"{NAME}-wal").exists()
    stores.other.mkdir()
    process(stores.other / NAME, "many", HALF, "told", witness=witness)


def facts(store: Path, run_id: str) -> tuple[str, ...]:
    """All that is recorded of a run, each fact in words."""
    opened = SqliteStore(store)
    try:
        return tuple(map(repr, opened.read(run_id, 0, 10_000)))
    finally:
        opened.close()
