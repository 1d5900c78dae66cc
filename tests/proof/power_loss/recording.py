"""One history of a store: what was done to its disk, and who knew what by then."""

from __future__ import annotations

import asyncio
import pickle
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from stepwell import events as ev
from stepwell.graph import Graph, build, unflatten
from stepwell.journal.sqlite import wal
from stepwell.journal.sqlite.store import SqliteStore

from .disk import Disk, Entry, Image, Noted
from .recorder import recording
from .workload import OUTPUTS, STORE, work

ALL = 1 << 20


@dataclass(frozen=True)
class Recording:
    """A log with what it began with, and the facts that the store had at its end."""

    sync: str
    found: Image
    log: Sequence[Entry]
    facts: dict[str, Sequence[ev.Event]]

    @property
    def cuts(self) -> list[int]:
        """Before everything that is done to the disk, and after the last of it."""
        return [at for at, entry in enumerate(self.log) if not isinstance(entry, Noted)] + [len(self.log)]

    def states(self) -> Iterator[tuple[int, Disk, Known]]:
        """The disk at each cut, and what was known outside; both change from one to the next."""
        disk, known = Disk(self.found), Known(self.facts)
        for at, entry in enumerate(self.log):
            if isinstance(entry, Noted):
                known.hear(*entry.what)
            else:
                yield at, disk, known
            disk.take(entry)
        yield len(self.log), disk, known

    def keep(self, path: Path) -> Path:
        """Write it down, so that a cut can be made again."""
        path.write_bytes(pickle.dumps(self))
        return path


def record(folder: Path, found: Image, *, sync: str = "full", pages: int = 24) -> Recording:
    """The workload in a folder with these files, from where they stand to its end.

    The WAL is copied after so many pages: often, so that the power is cut in the middle of that too.
    """
    lay_out(folder, found)
    with mock.patch.object(wal, "PAGES", pages), recording(folder, found) as recorder:
        asyncio.run(work(folder, recorder.note, sync=sync, fresh=not found))
    facts = recorded(folder)
    outputs = {entry.what[2]: entry.what[3] for entry in recorder.log if _is_result(entry)}
    assert outputs == OUTPUTS, f"the runs ended as {outputs}, and undisturbed as {OUTPUTS}"
    return Recording(sync, found, recorder.log, facts)


def _is_result(entry: Entry) -> bool:
    return isinstance(entry, Noted) and entry.what[0] == "result"


def lay_out(folder: Path, image: Image) -> None:
    """Make a folder with these files and no others."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in sorted(image):
        content = image[path]
        if content is None:
            (folder / path).mkdir()
        else:
            (folder / path).write_bytes(content)


def recorded(folder: Path) -> dict[str, Sequence[ev.Event]]:
    """The facts of each run in the store, in their order."""
    store = SqliteStore(folder / STORE)
    try:
        return {row.run_id: store.read(row.run_id, 0, ALL) for row in store.runs(limit=ALL)}
    finally:
        store.close()


@dataclass
class Known:
    """What somebody outside knows: of each run, up to which fact; and which requests were left."""

    facts: dict[str, Sequence[ev.Event]]
    upto: dict[str, int] = field(default_factory=dict[str, int])
    asked: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    executions: int = 0

    def hear(self, word: object, run_id: str, *more: object) -> None:
        """Take a note out of the log."""
        if word == "told":
            (seq,) = more
            assert isinstance(seq, int)
            self.upto[run_id] = max(self.upto.get(run_id, 0), seq)
        elif word == "began":
            path, attempt = more
            self.executions += 1
            self.upto[run_id] = max(self.upto.get(run_id, 0), self._given(run_id, str(path), attempt))
        elif word == "asked":
            self.asked.add((run_id, str(more[0])))

    def _given(self, run_id: str, path: str, attempt: object) -> int:
        """The last fact that an attempt was told of by being begun: its items, its retry, the ends of its sources."""
        facts, name = self.facts[run_id], _step(path)
        given = [1]
        given += [
            fact.seq
            for fact in facts
            if (isinstance(fact, ev.MapExpanded) and "[" in path and _step(fact.path) == name)
            or (
                isinstance(fact, ev.StepRetrying | ev.ItemRetrying) and (fact.path, fact.attempt + 1) == (path, attempt)
            )
        ]
        begun = [
            fact.seq
            for fact in facts
            if isinstance(fact, ev.StepStarted) and (fact.path, fact.attempt) == (path, attempt)
        ]
        if "[" not in path:
            assert begun, f"{path} attempt {attempt} was executed, and no fact says that it began (S4)"
            given += _ends_of_sources(facts[: begun[-1] - 1], name)
        return max(given)


def _ends_of_sources(facts: Sequence[ev.Event], name: str) -> list[int]:
    graph = _graph(facts[0])
    sources = {graph.names[source] for source in graph.before[graph.number[name]]}
    return [fact.seq for fact in facts if fact.kind in ev.ENDS and "[" not in fact.path and _step(fact.path) in sources]


def _step(path: str) -> str:
    return path.partition("[")[0].partition("#")[0]


def _graph(first: ev.Event) -> Graph:
    assert isinstance(first, ev.RunStarted)
    return build(list(first.fingerprints), unflatten(first.edges), first.quorums, first.jumps)
