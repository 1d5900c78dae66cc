"""One run of the map: killed and resumed at random instants, looked at after each, until it ends."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock

from stepwell import events as ev
from stepwell.journal.sqlite.store import SqliteStore

from .. import counts
from ..judge import environment, look_at_run, read_trace, the_file_is_whole, what_was_asked_is_done
from .group import ITEMS

SCRIPT = Path(__file__).with_name("nursery.py")
MOST = 8
"""After so many kills nobody disturbs the run any more."""

Facts = Mapping[str, Sequence[ev.Event]]
"""The facts of each run in the store."""


@dataclass(frozen=True)
class Stage:
    """What became of one group of processes."""

    killed: bool
    codes: list[int]
    seconds: float


@dataclass(frozen=True)
class Undisturbed:
    """How long the group takes when nobody disturbs it, and what each run gives."""

    seconds: float
    results: dict[str, object]


class Nursery:
    """The process that forks the groups."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        """How long a whole run takes now: delays are drawn from within it. A machine that is busy takes longer."""
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def stage(self, folder: Path, number: int, delay: float | None) -> Stage:
        """One group, killed after so many seconds if it lives that long."""
        order = json.dumps({"folder": str(folder), "stage": number, "delay": delay})
        pipes = self._process.stdin, self._process.stdout
        assert pipes[0] is not None
        assert pipes[1] is not None
        pipes[0].write(order + "\n")
        pipes[0].flush()
        done = Stage(**json.loads(pipes[1].readline()))
        wrong = (folder / "stderr").read_text(encoding="utf-8")
        assert set(done.codes) <= {0, -signal.SIGKILL}, f"stage {number} ended with {done.codes}: {wrong[-3000:]}"
        assert not done.killed or delay is not None, f"stage {number} has not ended after {done.seconds:.0f} s"
        assert "database is locked" not in wrong, wrong
        return done


def undisturbed() -> Undisturbed:
    """Known to all processes of the session; the least of three times."""
    known = counts.place() / "undisturbed-many.json"
    with FileLock(f"{known}.lock"):
        if not known.exists():
            seconds: list[float] = []
            folders = [counts.place() / f"undisturbed-many-{number}" for number in range(3)]
            with Nursery(0.0) as nursery:
                for folder in folders:
                    folder.mkdir()
                    seconds.append(nursery.stage(folder, 0, None).seconds)
            known.write_text(json.dumps({"seconds": min(seconds), "results": results(folders[0])}), encoding="utf-8")
    return Undisturbed(**json.loads(known.read_text(encoding="utf-8")))


def results(folder: Path) -> dict[str, object]:
    """What each run has come to, as somebody was told."""
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.result"))}


def one_run(nursery: Nursery, calm: Undisturbed, seed: int, folder: Path) -> Counter[str]:
    """From the first group to the end; AssertionError where a promise is broken."""
    chance = random.Random(seed)
    reached: Counter[str] = Counter(runs=1)
    kills = 0
    while True:
        delay = chance.uniform(0.0, nursery.seconds) if kills < MOST else None
        stage = nursery.stage(folder, reached["groups"], delay)
        reached["groups"] += 1
        kills += stage.killed
        facts = look(folder, kills)
        if not stage.killed:
            break
        reached["kills"] += 1
        _note(facts, reached)
        if "many" not in facts:
            nursery.seconds *= 1.3
    if reached["groups"] == 1:
        nursery.seconds = stage.seconds
    for name, result in results(folder).items():
        must = calm.results["beside0" if name.startswith("beside") else name]
        assert result == must, f"{name} has come to {result}, and undisturbed to {must}"
    assert {"many", "beside0", "patient"} <= facts.keys(), f"only {sorted(facts)} are recorded"
    every_item_is_there_once_and_in_order(facts["many"])
    what_was_asked_is_done(read_trace(folder / "patient.trace"), facts["patient"])
    a_cancel_that_is_recorded_is_kept(facts["patient"])
    reached["resumes in the record"] += sum(isinstance(fact, ev.RunResumed) for one in facts.values() for fact in one)
    return reached


def look(folder: Path, kills: int) -> Facts:
    """All that must be true of the store and of each run in it, now that nobody is at it."""
    path = folder / "store.db"
    traces = {file.stem: read_trace(file) for file in folder.glob("*.trace")}
    if not path.exists():
        assert not traces, "something was executed or told, and there is no store"
        return {}
    the_file_is_whole(path)
    store = SqliteStore(path)
    try:
        rows = {row.run_id: row for row in store.runs()}
        assert traces.keys() <= rows.keys(), f"of {traces.keys() - rows.keys()} nothing is recorded (S1)"
        return {name: look_at_run(store, row, traces.get(name, ()), kills) for name, row in rows.items()}
    finally:
        store.close()


def every_item_is_there_once_and_in_order(facts: Sequence[ev.Event]) -> None:
    """S7: of each item one end, under its own key; the list is that of the source."""
    (expanded,) = (fact for fact in facts if isinstance(fact, ev.MapExpanded) and fact.path == "measure")
    assert [int(key.partition(" ")[0]) for key in expanded.keys or ()] == list(range(ITEMS))
    ends = [fact for fact in facts if isinstance(fact, ev.ItemCompleted) and fact.path.startswith("measure[")]
    assert sorted(fact.index for fact in ends) == list(range(ITEMS)), "an item has no end, or two (S7)"
    joins = [fact for fact in facts if isinstance(fact, ev.StepCompleted) and fact.path == "report"]
    assert len(joins) == 1, f"the join has {len(joins)} ends"


def a_cancel_that_is_recorded_is_kept(facts: Sequence[ev.Event]) -> None:
    """S10: whichever process died after it, nothing begins before the run has ended as cancelled; then it may go on."""
    asked = 0
    cancelled: int | None = None
    for fact in facts:
        if isinstance(fact, ev.RunCancelled):
            asked, cancelled = asked + 1, fact.seq
        elif isinstance(fact, ev.RunFinished):
            assert cancelled is None or fact.status == "cancelled", f"cancelled, and ended as {fact.status} (S10)"
            cancelled = None
        elif isinstance(fact, ev.StepStarted | ev.RunResumed):
            assert cancelled is None, f"fact {cancelled} cancels the run, and fact {fact.seq} goes on with it (S10)"
    assert asked, "the run was asked to end, and nothing in its record says so (S10)"


def _note(facts: Facts, reached: Counter[str]) -> None:
    """Where this kill has met the map."""
    if "many" not in facts:
        reached["killed before the run was born"] += 1
        return
    many = facts["many"]
    done = sum(isinstance(fact, ev.ItemCompleted) and fact.path.startswith("measure[") for fact in many)
    if isinstance(many[-1], ev.RunFinished):
        reached["killed after the run had ended"] += 1
    elif 0 < done < ITEMS:
        reached["killed among the items"] += 1
    else:
        reached["killed before or after the items"] += 1
