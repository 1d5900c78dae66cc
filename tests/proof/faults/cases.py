"""Which cases there are, and which of them are played: every operation of every scene, refused in every way."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .. import counts
from .disk import Fault, Lasts, ways

SAMPLE = 1_000
"""Cases in each run of the suite."""
LONG = 50_000
EACH = 3
"""In a sample each operation is refused in each way, for each time, at least so often."""


@dataclass(frozen=True)
class Case:
    """A scene, how its disk fails, and how it fails again when it is gone on with."""

    scene: str
    first: Fault
    second: Fault | None = None

    @staticmethod
    def of(text: str) -> Case:
        """The case that was told so."""
        scene, _, faults = text.partition(": ")
        first, *second = (Fault.of(one) for one in faults.split(", then "))
        return Case(scene, first, second[0] if second else None)

    def __str__(self) -> str:
        again = "" if self.second is None else f", then {self.second}"
        return f"{self.scene}: {self.first}{again}"


@dataclass(frozen=True)
class Calm:
    """What a scene asks of its disk and comes to when nobody disturbs it."""

    counts: Mapping[str, int]
    again: Mapping[str, int]
    """The same for a resume after a process that died half way."""
    results: tuple[tuple[str, str] | None, ...]


def all_cases(calm: Mapping[str, Calm]) -> Iterator[Case]:
    """Every scene, every operation that it asks for, in every way; some, or in the long size all, fail twice."""
    for scene, known in calm.items():
        again = sorted(known.again)
        for operation, most in sorted(known.counts.items()):
            for nth in range(1, most + 1):
                for way, lasts in _fates(operation):
                    first = Fault(operation, nth, way, lasts)
                    mark = _mark(f"{scene} {first}")
                    other = again[mark % len(again)]
                    fates = list(_fates(other))
                    way, lasts = fates[(mark >> 16) % len(fates)]
                    second = Fault(other, 1 + (mark >> 32) % known.again[other], way, lasts)
                    yield Case(scene, first, None if mark >> 62 else second)
                    if counts.LONG and mark >> 62:
                        yield Case(scene, first, second)


def _fates(operation: str) -> Iterator[tuple[str, Lasts]]:
    for way in ways(operation):
        if way in ("half", "half then full") or operation.startswith("unlock"):
            yield way, "once"
        else:
            yield way, "once"
            yield way, "for good"
            if way == "busy":
                yield way, "a while"


def chosen_cases(calm: Mapping[str, Calm]) -> list[Case]:
    """A sample: first each operation in each way, then whatever the order by content gives."""
    cases = sorted(all_cases(calm), key=lambda case: _mark(str(case)))
    size = counts.size(SAMPLE, LONG)
    seen: Counter[tuple[str, str, str]] = Counter()
    first: list[Case] = []
    rest: list[Case] = []
    for case in cases:
        fate = (case.first.operation, case.first.way, case.first.lasts)
        seen[fate] += 1
        (first if seen[fate] <= EACH else rest).append(case)
    return (first + rest)[:size]


def _mark(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
