"""One case of the sweep: run, kill, look; resume, kill, look; resume to the end, look at everything."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import apsw
from filelock import FileLock

import stepwell
from stepwell import events as ev
from stepwell.failpoints import NAMES
from stepwell.journal.sqlite.store import SqliteStore
from stepwell.state.state import COMPLETED, State
from stepwell.testing.invariants import check_invariants
from stepwell.views.records import replay

from .. import counts
from .workloads import KEY, WORKLOADS

SCRIPT = Path(__file__).with_name("workloads.py")
SOURCE = Path(stepwell.__file__).parents[1]
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
    kills: int = 0
    errors: list[str] = field(default_factory=list[str])

    @property
    def trace(self) -> list[list[str]]:
        """The lines of the trace so far, in words."""
        try:
            text = (self.path / "trace").read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [line.split(" ") for line in text.splitlines()]

    def stage(self, workload: str, mode: str, *, kill: Kill | None = None, count: bool = False) -> bool:
        """One process, from its start to its end or death; True where it was killed."""
        env = {**os.environ, "PYTHONPATH": str(SOURCE)}
        for name in ("STEPWELL_FAILPOINT", "STEPWELL_FAILPOINT_COUNTS", "COVERAGE_PROCESS_CONFIG"):
            env.pop(name, None)
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
    if counts.LONG:
        return cases
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
    return chosen + rest[: max(0, SAMPLE - len(chosen))]


def only_in_a_resume() -> set[str]:
    """Instants that no first process reaches."""
    first = {point for workload in WORKLOADS for point in undisturbed(workload).hits}
    return undisturbed(RESUME).hits.keys() - first


def named_instants() -> set[str]:
    """Every instant that is named in the code that an App with a store loads."""
    return set(NAMES)  # SqliteStore is imported above, and `stepwell` loads all that an App does


def sweep(case: Case, path: Path) -> Counter[str]:
    """One case from its first process to its end; AssertionError where a promise is broken."""
    folder = Folder(path)
    reached: Counter[str] = Counter()
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
        facts = store.read(rows[0].run_id, 0, 1 << 20) if rows else ()
        told_is_recorded(folder, facts)
        if facts:
            state = check(facts)
            executions_are_bounded(folder, facts)
            row = rows[0]
            assert row.key == KEY
            status = "interrupted" if state.status == "running" else state.status
            expected = (status, len(state.steps), sum(stage >= COMPLETED for stage in state.steps), facts[-1].seq)
            assert (row.status, row.steps, row.done, row.seq) == expected, f"the row says {row}, the fold {expected}"
            assert row.updated_at == facts[-1].at
        for payload in payloads(facts):
            assert hashlib.sha256(store.load(payload)).hexdigest() == payload.digest or payload.data is not None
    finally:
        store.close()
    return facts


def check(facts: Sequence[ev.Event]) -> State:
    """The laws of the journal (S2, S6, S7, S17), and that nothing starts after a `Stop`."""
    finished = isinstance(facts[-1], ev.RunFinished)
    check_invariants(facts, over=finished)
    stopped = False
    for fact in facts:
        assert not (stopped and isinstance(fact, ev.StepStarted)), f"{fact.path} starts after the run was stopped"
        stopped = stopped or (isinstance(fact, ev.StepCompleted | ev.ItemCompleted) and fact.stops)
    state = replay(facts)
    assert finished or state.status == "running", state.status
    return state


def the_file_is_whole(path: Path) -> None:
    """`integrity_check` is ok, and no run has two owners."""
    db = apsw.Connection(str(path))
    try:
        db.set_busy_timeout(10_000)
        ask = cast("Callable[[str], Iterable[tuple[object, ...]]]", db.execute)  # pyright: ignore[reportUnknownMemberType]
        assert list(ask("PRAGMA integrity_check")) == [("ok",)]
        ends = "SELECT path, count(*) FROM journal WHERE kind IN (8, 10, 11, 12, 13, 17, 19, 20) GROUP BY run, path"
        assert all(count == 1 for _, count in ask(ends))
    finally:
        db.close()


def payloads(facts: Sequence[ev.Event]) -> Iterator[ev.Payload]:
    """Every value that the facts hold or point to."""
    for fact in facts:
        for name in ("output", "inputs"):
            value = getattr(fact, name, None)
            if isinstance(value, ev.Payload):
                yield value


def told_is_recorded(folder: Folder, facts: Sequence[ev.Event]) -> None:
    """S1, S5: whatever anybody was told is in the record; and a step that began knew its sources' ends from there.

    Of a source whose items are taken as they come the beginning is enough; of a join as many ends as it waits for.
    """
    recorded = {(fact.seq, fact.kind.value, fact.path) for fact in facts}
    ended = {
        fact.path.partition("[")[0].partition("#")[0] for fact in facts if fact.kind in ev.ENDS and "[" not in fact.path
    }
    began = {fact.path.partition("#")[0] for fact in facts if isinstance(fact, ev.StepStarted)}
    graph = replay(facts).graph if facts else None
    expanded = Counter[str]()
    for fact in facts:
        if isinstance(fact, ev.MapExpanded):
            expanded[fact.path.partition("#")[0]] += fact.count
    for word, *more in folder.trace:
        if word == "told":
            seq, kind, *path = more
            said = (int(seq), kind, " ".join(path))
            assert said in recorded, f"somebody was told {said}, and it is not recorded (S1)"
        elif word == "start":
            path = " ".join(more[:-1])
            name = path.partition("[")[0].partition("#")[0]
            assert graph is not None, f"{path} was executed in a run that is not recorded"
            number = graph.number[name]
            live = {graph.names[edge.source] for edge in graph.edges if edge.target == number and edge.live}
            missing = {graph.names[source] for source in graph.before[number]} - ended - (live & began)
            wanted = graph.quorums.get(number, len(graph.before[number]))
            left = len(graph.before[number]) - len(missing)
            assert left >= wanted, f"{path} was executed, and {missing} before it has no recorded end (S1)"
            assert "[" not in path or expanded[name], f"{path} was executed before its items were recorded (S7)"


def executions_are_bounded(folder: Folder, facts: Sequence[ev.Event]) -> None:
    """S3, S4: none after somebody was told of the completion; at most one, and one for each retry and each crash."""
    retries = Counter(fact.path for fact in facts if isinstance(fact, ev.StepRetrying | ev.ItemRetrying))
    done: set[str] = set()
    executed: Counter[str] = Counter()
    for word, *more in folder.trace:
        if word == "told" and more[1] in ("STEP_COMPLETED", "ITEM_COMPLETED"):
            done.add(" ".join(more[2:]))
        elif word == "start":
            path = " ".join(more[:-1])
            assert path not in done, f"{path} was executed after somebody was told of its completion (S3)"
            executed[path] += 1
    for path, count in executed.items():
        most = 1 + retries[path] + folder.kills
        assert count <= most, f"{path} was executed {count} times, and at most {most} may be (S4)"


def the_end_is_that_of_an_undisturbed_run(folder: Folder, calm: Undisturbed, facts: Sequence[ev.Event]) -> None:
    """Status and output are those of a run that nobody killed."""
    result = json.loads((folder.path / "result").read_text(encoding="utf-8"))
    assert isinstance(facts[-1], ev.RunFinished), f"the run has not ended: {facts[-1]}"
    assert (result["status"], result["output"]) == (calm.status, calm.output), f"{result}, and undisturbed {calm}"
