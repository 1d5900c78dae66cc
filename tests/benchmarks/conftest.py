"""The benchmarks lie beside the package, so the project's folder is on the path; a sample is taken once only."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

sys.path.insert(0, str(ROOT))


@pytest.fixture(autouse=True)
def no_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """A workload runs once, since nobody looks at its figure."""
    monkeypatch.setattr("benchmarks.timing.BUDGET", 0.0)
