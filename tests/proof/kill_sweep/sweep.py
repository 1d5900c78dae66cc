"""One case of the sweep: run, kill, look; resume, kill, look; resume to the end, look at everything."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from stepwell import events as ev
from stepwell.failpoints import NAMES
from stepwell.journal.sqlite.store import SqliteStore

from .. import counts
from ..judge import environment, look_at_run, read_trace, the_file_is_whole, told_is_recorded, what_was_asked_is_done
from .workloads import KEY, WORKLOADS

SCRIPT = Path(__file__).with_name("workloads.py")
TIMEOUT = 60.0
"""Seconds within which any stage must have ended or be dead."""
SAMPLE = 84
"""Cases in each run of the suite; the long size is all of them."""
RESUME = "resume"
"""The name under which it is known what a resume reaches."""


@dataclass(frozen=True)
class Kill:
    """The n-th time that an instant is reached."""

    point: str
    hit: int

    def __str__(self) -> str:
        return f"{self.point}@{self.hit}"


@dataclass(frozen=True)
class Case:
    """A workload, where its first process dies, and where the second one may."""

    workload: str
    first: Kill
    second: Kill

    def __str__(self) -> str:
        return f"{self.workload} {self.first} then {self.second}"


@dataclass(frozen=True)
class Undisturbed:
    """What a workload does when nobody disturbs it."""

    hits: dict[str, int]
    status: str
    output: object


@dataclass
class Folder:
    """The store of one case, with its trace."""

    path: Path
    sync: str = "full"
    """What the records survive: both levels survive what is done here."""
    kills: int = 0
    errors: list[str] = field(default_factory=list[str])

    @property
    def trace(self) -> list[list[str]]:
        """The lines of the trace so far, in words."""
        return read_trace(self.path / "trace")

    def stage(self, workload: str, mode: str, *, kill: Kill | None = None, count: bool = False) -> bool:
        """One process, from its start to its end or death; True where it was killed."""
        env = environment(SYNC=self.sync)
        if kill is not None:
            env["STEPWELL_FAILPOINT"] = str(kill)
        if count:
            env["STEPWELL_FAILPOINT_COUNTS"] = str(self.path / "hits")
        done = subprocess.run(
            [sys.executable, str(SCRIPT), workload, str(self.path), mode],
            env=env, capture_output=True, text=True, timeout=TIMEOUT, check=False,
        )  # fmt: skip
        killed = done.returncode == -signal.SIGKILL
        assert killed or done.returncode == 0, f"{mode} ended with {done.returncode}: {done.stderr[-3000:]}"
        assert "database is locked" not in done.stderr, done.stderr
        assert not killed or kill is not None
        self.kills += killed
        return killed


def undisturbed(workload: str) -> Undisturbed:
    """The workload run once without harm, by whichever process of the session comes first."""
    known = counts.place() / f"undisturbed-{workload}.json"
    with FileLock(f"{known}.lock"):
        if not known.exists():
            folder = Folder(counts.place() / f"undisturbed-{workload}")
            folder.path.mkdir()
            if workload == RESUME:
                folder.stage("chain", "run", kill=Kill("sqlite.commit:after", 3))
            folder.stage(*(("chain", "resume") if workload == RESUME else (workload, "run")), count=True)
            hits = Counter((folder.path / "hits").read_text(encoding="ascii").split())
            if workload.startswith("cancel"):
                folder.stage(workload, "resume")
            result = json.loads((folder.path / "result").read_text(encoding="utf-8"))
            known.write_text(json.dumps({"hits": hits, **result}), encoding="utf-8")
    found = json.loads(known.read_text(encoding="utf-8"))
    return Undisturbed(found["hits"], found["status"], found["output"])


def all_cases() -> list[Case]:
    """Every workload, every instant that it reaches, at its first, middle and last hit; in an order by content."""
    cases: list[Case] = []
    for workload in WORKLOADS:
        feeds = [point for point in undisturbed(workload).hits if point.startswith("engine.feed")]
        again = sorted(undisturbed(RESUME).hits) + feeds
        for point, most in undisturbed(workload).hits.items():
            for hit in sorted({1, (most + 1) // 2, most}):
                mark = _mark(f"{workload} {point} {hit}")
                second = Kill(again[mark % len(again)], 1 + (mark >> 16) % 3)
                cases.append(Case(workload, Kill(point, hit), second))
    return sorted(cases, key=lambda case: _mark(str(case)))


def _mark(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def chosen_cases() -> list[Case]:
    """All, or a sample: first each instant twice and each workload three times, then whatever the order gives."""
    cases = all_cases()
    late = only_in_a_resume()
    points: Counter[str] = Counter()
    workloads: Counter[str] = Counter()
    chosen: list[Case] = []
    for case in cases:
        # What only a resume reaches is met by a second kill alone, at its first hit.
        second = case.second.point if case.second.hit == 1 else ""
        rare = second in late and points[second] < 2
        if points[case.first.point] < 2 or workloads[case.workload] < 3 or rare:
            points[case.first.point] += 1
            points[second] += rare
            workloads[case.workload] += 1
            chosen.append(case)
    rest = [case for case in cases if case not in set(chosen)]
    return chosen + rest[: max(0, counts.size(SAMPLE, len(cases)) - len(chosen))]


def only_in_a_resume() -> set[str]:
    """Instants that no first process reaches."""
    first = {point for workload in WORKLOADS for point in undisturbed(workload).hits}
    return undisturbed(RESUME).hits.keys() - first


def named_instants() -> set[str]:
    """Every instant that is named in the code that an App with a store loads."""
    return set(NAMES)  # SqliteStore is imported above, and `stepwell` loads all that an App does


def sweep(case: Case, path: Path) -> Counter[str]:
    """One case from its first process to its end; AssertionError where a promise is broken."""
    folder = Folder(path, "full" if _mark(str(case)) >> 8 & 3 else "process")
    reached: Counter[str] = Counter({f"sync={folder.sync}": 1})
    killed = folder.stage(case.workload, "run", kill=case.first)
    killed = killed or ["helper-killed"] in folder.trace
    reached["killed"] += killed
    reached[f"at {case.first.point}"] += killed
    look(folder)
    mode = "resume" if _mark(str(case)) % 2 else "again"
    again = folder.stage(case.workload, mode, kill=case.second)
    reached["killed again during the resume"] += again
    reached[f"at {case.second.point}"] += again
    look(folder)
    for mode in ("resume", "again", "resume"):  # the first may find no run, or one that somebody wants cancelled
        folder.stage(case.workload, mode)
        if folder.trace[-1] == ["result", undisturbed(case.workload).status]:
            break
    facts = look(folder)
    what_was_asked_is_done(folder.trace, facts)
    reached["resumes in the record"] += sum(isinstance(fact, ev.RunResumed) for fact in facts)
    the_end_is_that_of_an_undisturbed_run(folder, undisturbed(case.workload), facts)
    return reached


def look(folder: Folder) -> Sequence[ev.Event]:
    """All that must be true of the store whenever nobody is at it; gives the facts of the run."""
    path = folder.path / "store.db"
    if not path.exists():
        assert not any(line[0] == "told" for line in folder.trace), "somebody was told of facts, and there is no store"
        return ()
    the_file_is_whole(path)
    store = SqliteStore(path)
    try:
        rows = store.runs()
        assert len(rows) <= 1, f"one key has several runs: {rows} (S15)"
        if not rows:
            told_is_recorded(folder.trace, ())
            return ()
        assert rows[0].key == KEY, f"the run was begun with the key {KEY!r}, and its row says {rows[0].key!r} (S15)"
        return look_at_run(store, rows[0], folder.trace, folder.kills)
    finally:
        store.close()


def the_end_is_that_of_an_undisturbed_run(folder: Folder, calm: Undisturbed, facts: Sequence[ev.Event]) -> None:
    """Status and output are those of a run that nobody killed."""
    result = json.loads((folder.path / "result").read_text(encoding="utf-8"))
    assert isinstance(facts[-1], ev.RunFinished), f"the run has not ended: {facts[-1]}"
    assert (result["status"], result["output"]) == (calm.status, calm.output), f"{result}, and undisturbed {calm}"
