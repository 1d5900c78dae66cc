"""What is found in a store after a power cut, and what of it breaks a promise."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import apsw

from stepwell import events as ev
from stepwell.errors import PayloadLost, StepwellError
from stepwell.journal.port import RunRow
from stepwell.journal.sqlite.store import SqliteStore
from stepwell.state.state import State

from ..judge import check, payloads, the_row_is_what_the_facts_say
from .disk import Image
from .recording import ALL, Known, lay_out
from .workload import STORE

_MADE_BY_SQLITE = {f"{STORE}{end}" for end in ("", "-wal", "-journal")}
_BLOBS = f"{STORE}.blobs/"


@dataclass
class Found:
    """What a store holds, whoever knew of it."""

    upto: dict[str, int] = field(default_factory=dict[str, int])
    """The last fact of each run."""
    asked: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Requests that wait, or were taken."""
    lost: list[str] = field(default_factory=list[str])
    """Values of which only the digest is there."""
    broken: list[str] = field(default_factory=list[str])
    """What must never be, whatever was synced."""
    blobs: int = 0


class Shelf:
    """A folder in which one image after the other is laid out and looked at; only what differs is written."""

    def __init__(self, folder: Path, facts: dict[str, Sequence[ev.Event]]) -> None:
        self.folder = folder
        self.images = 0
        self._facts = facts
        self._image: Image = {}
        self._seen: dict[int, Found] = {}
        self._states: dict[tuple[str, int], State] = {}
        lay_out(folder, {})

    def look(self, image: Image) -> Found:
        """What the store in this image holds; the same image is looked at once."""
        mark = _mark(image)
        found = self._seen.get(mark)
        if found is None:
            self.images += 1
            self._lay_out(image)
            found = self._seen[mark] = Found()
            if STORE in image:
                self._read(found)
        return found

    def _lay_out(self, image: Image) -> None:
        """Large values stay as they are; the rest may have changed by being looked at, and is written again.

        The -shm stays too, with whatever is in it: that is what a machine finds which lost its power.
        """
        for path in sorted(self._image.keys() - image.keys(), reverse=True):
            if self._image[path] is None:
                shutil.rmtree(self.folder / path, ignore_errors=True)
            else:
                (self.folder / path).unlink(missing_ok=True)
        for path in _MADE_BY_SQLITE - image.keys():
            (self.folder / path).unlink(missing_ok=True)
        for path in sorted(image):
            content = image[path]
            if content is None:
                (self.folder / path).mkdir(exist_ok=True)
            elif _BLOBS not in path or self._image.get(path) is not content:
                _write(self.folder / path, content)
        self._image = image

    def _read(self, found: Found) -> None:
        path = self.folder / STORE
        try:
            store = SqliteStore(path)
            try:
                for row in store.runs(limit=ALL):
                    self._read_run(found, store, row)
            finally:
                store.close()
            self._read_file(found, path)
        except (StepwellError, apsw.Error, OSError) as error:
            found.broken.append(f"the store cannot be read: {type(error).__name__}: {error}")

    def _read_run(self, found: Found, store: SqliteStore, row: RunRow) -> None:
        facts = store.read(row.run_id, 0, ALL)
        last = found.upto[row.run_id] = len(facts)
        if not facts or list(facts) != list(self._facts.get(row.run_id, ())[:last]):
            found.broken.append(f"the facts of {row.run_id} are not the first {last} of those that were written (S17)")
            return
        try:
            the_row_is_what_the_facts_say(row, self._state(facts), facts)
        except AssertionError as error:
            found.broken.append(f"run {row.run_id}: {error}")
        for payload in payloads(facts):
            if payload.data is None:
                found.blobs += 1
                try:
                    data = store.load(payload)
                    assert hashlib.sha256(data).hexdigest() == payload.digest
                except PayloadLost as error:
                    found.lost.append(str(error))

    def _state(self, facts: Sequence[ev.Event]) -> State:
        """The fold of the first facts of a run, which must break no law; the same for the same facts."""
        mark = (facts[0].run_id, len(facts))
        if mark not in self._states:
            self._states[mark] = check(facts)
        return self._states[mark]

    def _read_file(self, found: Found, path: Path) -> None:
        """The file by itself."""
        db = apsw.Connection(str(path))
        try:
            ask = cast("Callable[[str], Iterable[tuple[object, ...]]]", db.execute)
            said = list(ask("PRAGMA integrity_check"))
            if said != [("ok",)]:
                found.broken.append(f"integrity_check: {said[:5]}")
            elif list(ask("SELECT 1 FROM sqlite_schema WHERE name = 'inbox'")):
                left = ask("SELECT run_id, id FROM inbox JOIN run USING (run)")
                found.asked = {(str(run_id), str(name)) for run_id, name in left}
        finally:
            db.close()


def losses(found: Found, known: Known) -> list[str]:
    """What somebody knew of and is not there (S1, S5): nothing where the store syncs all that it tells."""
    gone = [
        f"somebody knew of fact {seq} of {run_id}, and {found.upto.get(run_id, 0)} are recorded (S1, S5)"
        for run_id, seq in known.upto.items()
        if found.upto.get(run_id, 0) < seq
    ]
    gone += [f"the request {name} was left, and is gone" for _, name in sorted(known.asked - found.asked)]
    return gone + found.lost


def _write(path: Path, content: bytes) -> None:
    """In the place of what was there: a file that is made anew, or cut off to nothing first, takes longer."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        os.write(handle, content)
        os.ftruncate(handle, len(content))
    finally:
        os.close(handle)


def _mark(image: Image) -> int:
    """Equal for equal images: Python keeps the hash of bytes that do not change from one image to the next."""
    return hash(frozenset((path, None if content is None else hash(content)) for path, content in image.items()))
