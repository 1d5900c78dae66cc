"""What must be true of a store whose processes were killed; each law raises AssertionError where it is broken.

Processes that may die leave a trace outside of the store: a file to which each line is added by one write.

start PATH ATTEMPT      a step function is being executed
told SEQ KIND PATH      somebody was told of this fact
asked                   somebody asked for the end of the run, and was told that this is recorded
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import cast

import apsw

import stepwell
from stepwell import events as ev
from stepwell.errors import PayloadLost
from stepwell.ids import step_of
from stepwell.journal.port import RunRow, Store
from stepwell.state.state import COMPLETED, FAILED, State
from stepwell.testing.invariants import check_invariants
from stepwell.views.records import replay

SOURCE = Path(stepwell.__file__).parents[1]
SOIL = Path(__file__).with_name("planted") / "soil"
"""On the path of a process it plants the mistake that STEPWELL_PLANT names."""
ENDS = (8, 10, 11, 12, 13, 17, 19, 20)
"""The numbers of the kinds that end something, as they stand in stores everywhere."""

Trace = Sequence[Sequence[str]]
"""The lines of a trace, in words."""


def environment(**more: str) -> dict[str, str]:
    """What a process under test finds: no instant to die at, unless that is among what is given."""
    env = dict(os.environ)
    for name in ("STEPWELL_FAILPOINT", "STEPWELL_FAILPOINT_COUNTS", "COVERAGE_PROCESS_CONFIG"):
        env.pop(name, None)
    path = [SOURCE, SOIL] if "STEPWELL_PLANT" in env else [SOURCE]
    return {**env, "PYTHONPATH": os.pathsep.join(map(str, path)), **more}


def read_trace(file: Path) -> list[list[str]]:
    """The lines so far."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [line.split(" ") for line in text.splitlines()]


def look_at_run(store: Store, row: RunRow, trace: Trace, kills: int) -> Sequence[ev.Event]:
    """All laws about one run, whenever nobody is at it; gives its facts."""
    facts = store.read(row.run_id, 0, 1 << 20)
    told_is_recorded(trace, facts)
    state = check(facts)
    executions_are_bounded(trace, facts, kills)
    what_has_completed_is_not_reset(facts)
    the_row_is_what_the_facts_say(row, state, facts)
    every_value_is_there(store, facts)
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
    """`integrity_check` is ok, and no path of a run has two ends."""
    db = apsw.Connection(str(path))
    try:
        db.set_busy_timeout(10_000)
        ask = cast("Callable[[str], Iterable[tuple[object, ...]]]", db.execute)  # pyright: ignore[reportUnknownMemberType]
        assert list(ask("PRAGMA integrity_check")) == [("ok",)]
        if not list(ask("SELECT 1 FROM sqlite_schema WHERE name = 'journal'")):
            return  # whoever was to make the tables died before that
        ends = f"SELECT path, count(*) FROM journal WHERE kind IN {ENDS} GROUP BY run, path"
        assert all(count == 1 for _, count in ask(ends)), "a path has two ends (S2)"
    finally:
        db.close()


def the_row_is_what_the_facts_say(row: RunRow, state: State, facts: Sequence[ev.Event]) -> None:
    """The projection equals the fold."""
    status = "interrupted" if state.status == "running" else state.status
    expected = (status, len(state.steps), sum(COMPLETED <= stage < FAILED for stage in state.steps), facts[-1].seq)
    assert (row.status, row.steps, row.done, row.seq) == expected, f"the row says {row}, the fold {expected}"
    assert row.updated_at == facts[-1].at, f"the row says {row}, the last fact is of {facts[-1].at}"


def every_value_is_there(store: Store, facts: Sequence[ev.Event]) -> None:
    """What a record points to has its digest."""
    for payload in payloads(facts):
        try:
            data = store.load(payload)
        except PayloadLost as error:
            raise AssertionError(f"a value is recorded and lost: {error} (S1)") from error
        assert payload.data is not None or hashlib.sha256(data).hexdigest() == payload.digest


def payloads(facts: Sequence[ev.Event]) -> Iterator[ev.Payload]:
    """Every value that the facts hold or point to."""
    for fact in facts:
        for name in ("output", "inputs"):
            value = getattr(fact, name, None)
            if isinstance(value, ev.Payload):
                yield value


def told_is_recorded(trace: Trace, facts: Sequence[ev.Event]) -> None:
    """S1, S5: whatever anybody was told is in the record; and a step that began knew its sources' ends from there.

    Of a source whose items are taken as they come the beginning is enough; of a join as many ends as it waits for.
    """
    recorded = {(fact.seq, fact.kind.value, fact.path) for fact in facts}
    ended = {step_of(fact.path) for fact in facts if fact.kind in ev.ENDS and "[" not in fact.path}
    began = {step_of(fact.path) for fact in facts if isinstance(fact, ev.StepStarted)}
    graph = replay(facts).graph if facts else None
    expanded = Counter[str]()
    for fact in facts:
        if isinstance(fact, ev.MapExpanded):
            expanded[step_of(fact.path)] += fact.count
    known: set[str] = set()
    for word, *more in trace:
        if word == "told":
            seq, kind, *path = more
            said = (int(seq), kind, " ".join(path))
            assert said in recorded, f"somebody was told {said}, and it is not recorded (S1)"
        elif word == "start":
            path = " ".join(more[:-1])
            name = step_of(path)
            assert "[" not in path or expanded[name], f"{path} was executed before its items were recorded (S7)"
            if name in known:
                continue
            known.add(name)
            assert graph is not None, f"{path} was executed in a run that is not recorded (S1)"
            number = graph.number[name]
            live = {graph.names[edge.source] for edge in graph.edges if edge.target == number and edge.live}
            missing = {graph.names[source] for source in graph.before[number]} - ended - (live & began)
            wanted = graph.quorums.get(number, len(graph.before[number]))
            left = len(graph.before[number]) - len(missing)
            assert left >= wanted, f"{path} was executed, and {missing} before it has no recorded end (S1)"


def executions_are_bounded(trace: Trace, facts: Sequence[ev.Event], kills: int) -> None:
    """S3, S4: none after somebody was told of the completion; at most one, and one for each retry and each crash."""
    retries = Counter(fact.path for fact in facts if isinstance(fact, ev.StepRetrying | ev.ItemRetrying))
    done: set[str] = set()
    executed: Counter[str] = Counter()
    for word, *more in trace:
        if word == "told" and more[1] in ("STEP_COMPLETED", "ITEM_COMPLETED"):
            done.add(" ".join(more[2:]))
        elif word == "start":
            path = " ".join(more[:-1])
            assert path not in done, f"{path} was executed after somebody was told of its completion (S3)"
            executed[path] += 1
    for path, count in executed.items():
        most = 1 + retries[path] + kills
        assert count <= most, f"{path} was executed {count} times, and at most {most} may be (S4)"


def what_has_completed_is_not_reset(facts: Sequence[ev.Event]) -> None:
    """S3: a resume begins no new visit of what has completed, but for what was not to be kept."""
    ends: dict[str, ev.Event] = {}
    for fact in facts:
        if fact.kind in ev.ENDS:
            ends[fact.path] = fact
        elif isinstance(fact, ev.StepReset) and fact.cause == "resume":
            for path in fact.paths:
                end = ends.get(path)
                kept = isinstance(end, ev.ItemCompleted) or (isinstance(end, ev.StepCompleted) and end.kept)
                assert not kept, f"a resume has reset {path}, which has completed (S3)"


def what_was_asked_is_done(trace: Trace, facts: Sequence[ev.Event]) -> None:
    """S10: whoever asked for the end of a run that waits for it gets it, whoever died meanwhile."""
    asked = any(line[0] == "asked" for line in trace)
    assert not asked or any(isinstance(fact, ev.RunCancelled) for fact in facts), (
        "a cancel was asked for and recorded, and the run knows nothing of it (S10)"
    )
