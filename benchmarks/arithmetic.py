"""The harness's arithmetic: medians and spread of a side, its ratio to another, and whether a goal is met."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.rows import LESS, Bound, Row

STEPWELL = "stepwell"
HALF = 2.0
"""The quick check lets pass what is at most this many times worse than a goal."""


@dataclass(slots=True)
class Figures:
    """What one side gave for one row, round after round, or why it gave nothing."""

    size: int
    values: list[float] = field(default_factory=list)
    note: str = ""

    @property
    def median(self) -> float | None:
        """The middle of the values; None where there are none."""
        return statistics.median(self.values) if self.values else None


Sides = Mapping[str, Figures]


def median_of(sides: Sides, name: str) -> float | None:
    """The median of one side, if it has one."""
    return sides[name].median if name in sides else None


def worse_by(row: Row, value: float, than: float) -> float:
    """How many times worse a value is than another: 2.0 is half as good, and less than 1 is better."""
    if row.better == LESS:
        return value / than if than > 0 else math.inf if value > 0 else 1.0
    return than / value if value > 0 else math.inf


def target(bound: Bound, sides: Sides) -> float | None:
    """What a bound asks for, in units; None where the limit that it refers to was not measured."""
    if not bound.of:
        return bound.number
    limit = median_of(sides, bound.of)
    return None if limit is None else bound.number * limit


def shortfall(row: Row, sides: Sides, *, eased: float = 1.0) -> float | None:
    """How many times worse than its goal Stepwell is: at most 1 where the goal is met.

    None where there is no goal, or nothing to compare. `eased` loosens the bounds that are in units by so much.
    """
    value = median_of(sides, STEPWELL)
    if value is None:
        return None
    wanted = [(bound, target(bound, sides)) for bound in row.goal]
    missed = [worse_by(row, value, aim) / (1.0 if bound.of else eased) for bound, aim in wanted if aim is not None]
    if not missed:
        return None
    return min(missed) if row.either else max(missed)


def slowness(row: Row, sides: Sides) -> float:
    """How many times slower than where the goals were set this machine is now, told by the row's limit; at least 1."""
    if row.usual is None or not row.limits:
        return 1.0
    limit = median_of(sides, row.limits[0])
    return 1.0 if limit is None else max(1.0, worse_by(row, limit, row.usual))


def falls_below_half(row: Row, sides: Sides) -> bool:
    """Whether one repeat of the quick check is below half of the goal, on a machine as slow as this one is now."""
    missed = shortfall(row, sides, eased=slowness(row, sides))
    return missed is not None and missed > HALF


def fails(repeats: Sequence[bool], needed: int = 3) -> bool:
    """Whether a row fails the quick check: only when this many repeats, and all of them, fell below half."""
    return len(repeats) >= needed and all(repeats)


def ratio(row: Row, sides: Sides, name: str, to: str) -> float | None:
    """How many times worse one side is than another, by their medians."""
    value, other = median_of(sides, name), median_of(sides, to)
    return None if value is None or other is None else worse_by(row, value, other)
