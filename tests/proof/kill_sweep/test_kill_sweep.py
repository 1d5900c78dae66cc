"""SIGKILL at every named instant, a resume that is killed too, and a resume to the end (S1-S7, S9, S10, S13)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from .. import counts
from .sweep import chosen_cases, named_instants, only_in_a_resume, sweep, undisturbed
from .workloads import WORKLOADS

PARTS = 12
"""The cases are dealt out to so many tests, so that several processes can share the work."""


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_a_killed_run_goes_on_to_the_end_of_an_undisturbed_one(part: int, tmp_path: Path) -> None:
    """S1, S2, S3, S4, S5, S6, S7, S9, S10, S13, in all cases of this part."""
    reached: Counter[str] = Counter()
    broken: list[str] = []
    for number, case in enumerate(chosen_cases()[part::PARTS]):
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            reached += sweep(case, folder)
        except AssertionError as error:
            broken.append(f"{case} (in {folder}):\n    {str(error)[:3000]}")
        reached["cases"] += 1
        reached[f"workload {case.workload}"] += 1
    counts.tell("kill sweep", reached)
    assert not broken, f"{len(broken)} of {reached['cases']} cases:\n" + "\n".join(broken)


def test_every_named_instant_is_reached_by_some_workload_and_killed_at() -> None:
    """The sweep leaves no fail point out: one that nobody reaches proves nothing."""
    reached = {point for workload in WORKLOADS for point in undisturbed(workload).hits}
    reached |= only_in_a_resume()
    assert named_instants() <= reached, f"never reached: {sorted(named_instants() - reached)}"
    killed = {kill.point for case in chosen_cases() for kill in (case.first, case.second)}
    assert named_instants() <= killed, f"never killed at: {sorted(named_instants() - killed)}"
