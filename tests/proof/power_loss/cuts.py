"""Cutting the power throughout a recording: which cuts, what was found after each, and how to make one again."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from stepwell import events as ev
from stepwell.errors import StepwellError

from .. import counts
from .disk import HOWS, Image, Noted
from .look import Found, Shelf, losses
from .recording import Known, Recording, record

RESUMED = 6
"""How many cuts of a recording are gone on from to the end."""


@dataclass(frozen=True)
class Cut:
    """A moment, and what became of all that was not synced then."""

    at: int
    how: str
    seed: int

    def __str__(self) -> str:
        return f"{self.at} {self.how} {self.seed}"

    @property
    def chance(self) -> random.Random:
        """The same for the same cut."""
        return random.Random(str(self))


def chosen_cuts(at: int, seed: int, settled: bool) -> Iterable[Cut]:
    """At each moment one of the ways, the next time another; in the long size all."""
    if settled:
        return (Cut(at, "lost", seed),)
    if counts.LONG:
        return tuple(Cut(at, how, seed) for how in HOWS)
    return (Cut(at, random.Random(f"{at} {seed}").choice(HOWS), seed),)


@dataclass
class Sweep:
    """All that was tried of one recording, or of several."""

    recording: Recording
    shelf: Shelf
    reached: Counter[str] = field(default_factory=Counter[str])
    broken: list[tuple[Cut, list[str]]] = field(default_factory=list[tuple[Cut, list[str]]])
    """What must never be; where all is synced that is told, a loss too."""
    forgotten: list[tuple[Cut, list[str]]] = field(default_factory=list[tuple[Cut, list[str]]])
    """What somebody knew of and is gone, where not all is synced that is told."""
    starts: list[tuple[Cut, Image, Found]] = field(default_factory=list[tuple[Cut, Image, Found]])
    """From where to go on."""

    def run(self, seed: int, resumed: int = 0) -> Sweep:
        """Every moment; of the images some are kept to go on from."""
        chance = random.Random(seed)
        share = resumed / len(self.recording.cuts)
        for at, disk, known in self.recording.states():
            for cut in chosen_cuts(at, seed, disk.is_settled):
                image = disk.image(cut.how, cut.chance)
                found = self.judge(cut, image, known)
                if chance.random() < share and not found.lost:
                    self.starts.append((cut, image, found))
            self.reached["writes torn"] += disk.torn
            disk.torn = 0
        self.reached["images that differ"] += self.shelf.images
        return self

    def judge(self, cut: Cut, image: Image, known: Known) -> Found:
        """One cut."""
        found = self.shelf.look(image)
        lost = losses(found, known)
        broken = found.broken + (lost if self.recording.sync == "full" else [])
        if broken:
            self.broken.append((cut, broken))
        if lost:
            self.forgotten.append((cut, lost))
        self.reached["cuts"] += 1
        self.reached[f"cuts, {cut.how}"] += 1
        self.reached["cuts, sync=process"] += self.recording.sync == "process"
        self.reached["known facts looked for"] += sum(known.upto.values()) if self.recording.sync == "full" else 0
        self.reached["large values looked at"] += found.blobs
        return found

    def told(self, folder: Path) -> str:
        """What was broken, where, and how to see it again; nothing where nothing was."""
        if not self.broken:
            return ""
        file = self.recording.keep(folder / f"broken-{id(self):x}.recording")
        lines = [f"{len(self.broken)} of {self.reached['cuts']} cuts broke a promise:"]
        for cut, broken in self.broken[:5]:
            lines += [
                f"  PYTHONPATH=tests python -m proof.power_loss.again {file} {cut}",
                *(f"    {one[:800]}" for one in broken),
            ]
        return "\n".join(lines)


def prove(recording: Recording, folder: Path, seed: int, resumed: int = 0) -> Sweep:
    """Cut the power at every moment of a recording."""
    nothing_is_executed_again(recording)
    return Sweep(recording, Shelf(folder, recording.facts)).run(seed, resumed)


def pages(seed: int) -> int:
    """After how many the WAL is copied: mostly soon, so that this is met; never, so that it grows."""
    return random.Random(seed).choice((12, 24, 60, 1_000))


def gone_on(sweep: Sweep, folder: Path) -> Iterator[Recording]:
    """The workload gone on with, from each cut that was kept for that, to its end."""
    for cut, image, found in sweep.starts:
        try:
            after = record(folder, image, sync=sweep.recording.sync, pages=pages(cut.at))
            the_run_goes_on(sweep.recording, found, after)
        except (AssertionError, StepwellError) as error:
            sweep.broken.append((cut, [f"the runs do not go on from there: {type(error).__name__}: {error}"]))
        else:
            sweep.reached["cuts gone on from to the end"] += 1
            yield after


def nothing_is_executed_again(recording: Recording, start: Found | None = None) -> None:
    """S3: what has a completion in what was found, or of which somebody was told, is not executed any more."""
    done = {
        (run_id, fact.path)
        for run_id, last in (start.upto if start else {}).items()
        for fact in recording.facts[run_id][:last]
        if _completes(fact)
    }
    for entry in recording.log:
        if not isinstance(entry, Noted):
            continue
        if entry.what[0] == "began":
            _, run_id, path, attempt = entry.what
            assert (run_id, path) not in done, f"{path} attempt {attempt} was executed after it was completed (S3)"
        elif entry.what[0] == "told":
            _, run_id, seq = entry.what
            fact = recording.facts[str(run_id)][int(str(seq)) - 1]
            if _completes(fact):
                done.add((str(run_id), fact.path))


def _completes(fact: ev.Event) -> bool:
    return isinstance(fact, ev.StepCompleted | ev.ItemCompleted)


def the_run_goes_on(before: Recording, start: Found, after: Recording) -> None:
    """S2, S3, S15: with the facts that were found, to the end that an undisturbed run has (which `record` looks at)."""
    for run_id, last in start.upto.items():
        found, now = before.facts[run_id][:last], after.facts[run_id]
        assert list(found) == list(now[:last]), f"the facts of {run_id} have changed by going on with it"
    nothing_is_executed_again(after, start)
