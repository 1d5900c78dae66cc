"""The proofs say at the end how much they have tried."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from . import counts


@pytest.fixture(scope="session", autouse=True)
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where the proofs of this session, in whichever worker of xdist, leave their counts."""
    base = tmp_path_factory.getbasetemp()
    own = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "proof-counts"
    counts.settle(Path(os.environ.get(counts.PLACE, own)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One block for each proof that ran in this process."""
    for line in counts.told():
        terminalreporter.line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """A worker of xdist speaks for itself: who started it has no terminal for it, and need not know this folder."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        text = "\n".join(counts.told(str(os.getpid())))
        if text:
            sys.stderr.write(f"\n{os.environ['PYTEST_XDIST_WORKER']}\n{text}\n")
