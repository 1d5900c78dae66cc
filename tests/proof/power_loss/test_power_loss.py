"""The power is cut at every write and sync of a store; what is left is looked at, and gone on from (S1-S3, S5, S17)."""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from pathlib import Path

import pytest

from .. import counts
from .cuts import RESUMED, gone_on, pages, prove
from .recording import record

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the recorder watches the calls of Linux")

PARTS = 4
"""The cuts are dealt out to so many tests, so that several processes can share the work."""
CUTS = counts.size(5_000, 200_000)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_that_anybody_knew_of_is_lost_when_the_power_is_cut(part: int, tmp_path: Path) -> None:
    """S1, S2, S3, S5, S17, and F10, F11, M4 of the features: in all cuts of this part, and in cuts of what goes on."""
    reached: Counter[str] = Counter()
    broken: list[str] = []
    for seed in itertools.count(part, PARTS):
        sweep = prove(record(tmp_path / "store", {}, pages=pages(seed)), tmp_path / "shelf", seed, RESUMED)
        sweeps = [sweep]
        for number, after in enumerate(gone_on(sweep, tmp_path / "again")):
            if number == 0:  # the power may be cut again while one goes on
                sweeps.append(prove(after, tmp_path / "shelf", seed))
        for one in sweeps:
            reached += one.reached
            broken.append(one.told(tmp_path))
        if reached["cuts"] >= CUTS // PARTS:
            break
    counts.tell("power loss", reached)
    assert not any(broken), "\n".join(filter(None, broken))


@pytest.mark.slow
def test_a_store_that_is_to_survive_its_process_only_keeps_the_first_facts_of_each_run(tmp_path: Path) -> None:
    """`sync="process"`: a power cut may take the latest facts; never one in the middle, and the file stays whole."""
    sweep = prove(record(tmp_path / "store", {}, sync="process"), tmp_path / "shelf", 1, RESUMED)
    again = [prove(after, tmp_path / "shelf", 1) for after in gone_on(sweep, tmp_path / "again")][:1]
    counts.tell("power loss", sweep.reached + sum((one.reached for one in again), Counter()))
    assert not any(told := [one.told(tmp_path) for one in (sweep, *again)]), "\n".join(told)
    assert sweep.forgotten, "nothing was lost in any cut: then a store with this level syncs more than it has to"
