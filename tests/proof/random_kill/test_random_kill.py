"""SIGKILL at random instants, of all processes at once, until the run ends (S1-S7, S9, S10, S13, S15)."""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest

from .. import counts
from .killing import Nursery, one_run, undisturbed

KILLS = counts.size(50, 2_000)
PARTS = 2 if not counts.LONG else 16
"""The kills are dealt out to so many tests, so that several processes can share the work."""
FIRST = 0 if "CI" in os.environ else random.randrange(1 << 40)
"""Delays come from this seed and those after it; with CI set they are the same each time, though not where they meet
the run."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups that can be killed as a whole")
@pytest.mark.parametrize("part", range(PARTS))
def test_a_map_of_a_thousand_ends_as_if_nobody_had_killed_it(part: int, tmp_path: Path) -> None:
    """S1, S2, S3, S4, S5, S7, S9, S10, S13, S15, after each of so many kills."""
    reached: Counter[str] = Counter()
    broken: list[str] = []
    seed = FIRST + part * 1_000_000
    calm = undisturbed()
    with Nursery(calm.seconds) as nursery:
        while reached["kills"] < KILLS / PARTS:
            seed += 1
            folder = tmp_path / str(seed)
            folder.mkdir()
            try:
                reached += one_run(nursery, calm, seed, folder)
                shutil.rmtree(folder)
            except AssertionError as error:
                reached["kills"] += 1
                broken.append(f"seed {seed} (in {folder}):\n    {str(error)[:3000]}")
    counts.tell("random kill", reached)
    assert not broken, f"{len(broken)} of {reached['runs'] + len(broken)} runs:\n" + "\n".join(broken)
    assert reached["killed among the items"], "no kill has met the map"
