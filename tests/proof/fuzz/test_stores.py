"""Damaged stores: whatever is asked of one, there is a right answer or a clear error (S3, S15, S24)."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from .. import counts
from . import damage
from .known import unknown
from .law import KINDS, judged, right, tried
from .pipes import KEY, WITNESS
from .stores import SOURCE, kit

SEEDS = counts.size(6, 600)
"""Damaged stores of each kind."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_store_gives_the_right_answer_or_a_clear_error(kind: str, tmp_path: Path) -> None:
    """S3, S15, S24: nothing is started over in silence, and nothing is invented."""
    found: Counter[str] = Counter()
    wrong: list[str] = []
    for seed in range(SEEDS):
        case = tried(kind, seed, tmp_path / str(seed))
        told = unknown(judged(case, found))
        found["damaged stores"] += 1
        found["looks at them"] += len(case.seen)
        if told:
            wrong.append(f"{case.name} ({case.which}, {case.run.pipeline} {case.run.key}): {case.told}")
            wrong += [f"    {one}" for one in told]
    counts.tell("fuzz", found)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("way", [damage.cut, damage.noise, damage.blob], ids=lambda way: way.__name__)
def test_the_command_itself_meets_a_damaged_store_without_a_traceback(way: damage.Damage, tmp_path: Path) -> None:
    """S3, S24: a real process for each, so that nothing of this one is in the way."""
    stores = kit()
    run = right(stores)["many", KEY]
    wrong: list[str] = []
    env = {**os.environ, "PYTHONPATH": str(SOURCE), WITNESS: str(tmp_path / "witness")}
    env.pop("COVERAGE_PROCESS_CONFIG", None)
    for seed, command in enumerate(("show", "resume", "events")):
        store = stores.copy("whole", tmp_path / str(seed))
        told = way(stores, store, random.Random(seed))
        done = subprocess.run(
            [sys.executable, "-m", "stepwell", command, run.run_id, "--store", str(store)],
            env=env, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        if "Traceback" in done.stderr or (done.returncode and not done.stderr.strip()):
            wrong.append(f"{told}: {command} ended with {done.returncode}: {done.stderr[-1500:]}")
    counts.tell("fuzz", {"commands as processes": 3})
    assert not unknown(wrong), "\n".join(wrong)
    assert not (tmp_path / "witness").exists(), "a completed step ran again"
