"""One case: play a scene on a disk that fails, look at what is left, mend the disk, go on to the end, look again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from . import laws
from .cases import Calm, Case
from .disk import Fault
from .scenes import SCENES, Stage, Witness
from .theatre import Theatre


def calm(theatre: Theatre, scene: str) -> Calm:
    """What a scene asks of its disk and comes to when nobody disturbs it; and what going on with it asks."""
    with theatre.folder() as folder:
        witnesses = _witnesses(scene)
        theatre.stage(scene, folder, witnesses, "run", None)
        counts = dict(theatre.disk.counts)
        results = [witness.result for witness in witnesses]
    with theatre.folder() as folder:
        witnesses = _witnesses(scene)
        halfway = Fault("write wal", counts["write wal"] // 2 + 1, "full", "for good")
        theatre.stage(scene, folder, witnesses, "run", halfway)
        theatre.stage(scene, folder, witnesses, "again", None)
        if SCENES[scene].cancelled:
            results = [witness.result for witness in witnesses]
    return Calm(counts, dict(theatre.disk.counts), tuple(results))


def play(theatre: Theatre, case: Case, known: Calm) -> Counter[str]:
    """One case from its first process to its end; AssertionError where a promise is broken."""
    met: Counter[str] = Counter()
    witnesses = _witnesses(case.scene)
    with theatre.folder() as folder:
        for mode, fault in (("run", case.first), ("again", case.second)):
            if fault is not None:
                stage = theatre.stage(case.scene, folder, witnesses, mode, fault)
                _note(met, theatre, stage, fault)
                laws.nothing_was_synced_again(theatre.disk, SCENES[case.scene])
                for witness in witnesses:
                    witness.kills += bool(theatre.disk.struck)
                laws.look(folder / "store.db", witnesses)
        _go_on(theatre, case, folder, witnesses, known)
    met["resumed to the end"] += bool(met["runs blocked"])
    return met


def _go_on(theatre: Theatre, case: Case, folder: Path, witnesses: list[Witness], known: Calm) -> None:
    """On a disk that is mended everything comes to the end of an undisturbed run."""
    for _ in range(2 if SCENES[case.scene].cancelled else 1):  # one that was cancelled first ends so
        stage = theatre.stage(case.scene, folder, witnesses, "again", None)
        if stage.errors:
            raise AssertionError(f"the disk is mended, and still: {stage.errors!r}") from stage.errors[0]
    laws.look(folder / "store.db", witnesses)
    for witness, result in zip(witnesses, known.results, strict=True):
        assert witness.result == result, f"it came to {witness.result}, and undisturbed to {result}"


def _note(met: Counter[str], theatre: Theatre, stage: Stage, fault: Fault) -> None:
    if not theatre.disk.struck:
        met["never came to the operation"] += 1
        return
    met[f"fault: {fault.way} {fault.lasts}"] += 1
    met[f"at: {fault.operation}"] += 1
    met["runs blocked" if stage.errors else "borne without harm"] += 1


def _witnesses(scene: str) -> list[Witness]:
    return [Witness(f"{number} {name}") for number, name in enumerate(SCENES[scene].runs)]
