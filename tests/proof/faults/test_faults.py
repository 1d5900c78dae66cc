"""Full disks, errors of reading, writing and syncing, half writes, locks: at every operation (S1-S5, S21, S24)."""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from dataclasses import asdict

import pytest
from filelock import FileLock

from .. import counts
from .cases import Calm, Case, chosen_cases
from .play import calm, play
from .scenes import SCENES
from .theatre import Theatre, theatre

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the calls are replaced by the numbers Linux has")

PARTS = 8
"""The cases are dealt out to so many tests, so that several processes can share the work."""

UNTIL_MENDED: dict[str, str] = {}
"""What is known to be broken, and told: its number in the list of bugs. What is mended is struck off here."""


def calm_scene(stage: Theatre, scene: str) -> Calm:
    """A scene that nobody disturbs, played by whichever process of the session comes first."""
    kept = counts.place() / f"calm {scene}.json"
    with FileLock(f"{kept}.lock"):
        if not kept.exists():
            kept.write_text(json.dumps(asdict(calm(stage, scene))), encoding="utf-8")
    found = json.loads(kept.read_text(encoding="utf-8"))
    return Calm(found["counts"], found["again"], tuple(result and tuple(result) for result in found["results"]))


def chosen(stage: Theatre) -> tuple[list[Case], dict[str, Calm]]:
    """What is played: the cases of this size, or one that was told as broken, in STEPWELL_FAULT."""
    if told := os.environ.get("STEPWELL_FAULT"):
        case = Case.of(told)
        return [case], {case.scene: calm_scene(stage, case.scene)}
    known = {scene: calm_scene(stage, scene) for scene in SCENES}
    kept = counts.place() / "chosen faults.json"
    with FileLock(f"{kept}.lock"):
        if not kept.exists():
            kept.write_text(json.dumps([str(case) for case in chosen_cases(known)]), encoding="utf-8")
    return [Case.of(told) for told in json.loads(kept.read_text(encoding="utf-8"))], known


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_a_run_on_a_failing_disk_is_blocked_and_goes_on_once_it_is_mended(part: int) -> None:
    """S1, S2, S3, S4, S5, S21 and S24, in all cases of this part."""
    met: Counter[str] = Counter()
    broken: list[str] = []
    with theatre() as stage:
        cases, known = chosen(stage)
        for case in cases[part::PARTS]:
            try:
                met += play(stage, case, known[case.scene])
            except AssertionError as error:
                reason = next((why for what, why in UNTIL_MENDED.items() if re.search(what, str(error))), "")
                if reason:
                    met[f"known to be broken: {reason}"] += 1
                else:
                    broken.append(f"STEPWELL_FAULT='{case}'\n    {str(error)[:3000]}")
            met["cases"] += 1
    counts.tell("I/O faults", met)
    assert not broken, f"{len(broken)} of {met['cases']} cases:\n" + "\n".join(broken)


def test_each_operation_is_refused_in_each_way() -> None:
    """The sample leaves nothing out of what a store asks of its disk."""
    with theatre() as stage:
        cases, known = chosen(stage)
    asked = {operation for one in known.values() for operation in one.counts}
    for what in ("write wal", "sync wal", "write db", "sync db", "lock shm", "map shm", "write blobs", "rename blobs"):
        assert what in asked, f"no scene asks for `{what}`"
    refused = {case.first.operation for case in cases}
    assert asked <= refused, f"never refused: {sorted(asked - refused)}"
