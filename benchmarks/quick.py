"""`make bench-quick`: the ratios to the raw limits, in less than a minute; fails only for what is no noise."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from benchmarks.arithmetic import STEPWELL, Figures, Sides, fails, falls_below_half, ratio
from benchmarks.rows import Row
from benchmarks.runner import Care, own, take
from benchmarks.table import goal, short, times, verdict

REPEATS = 3
ENOUGH = 50.0
"""Seconds after which no further row is begun: on a machine that is so busy the figures mean little anyway."""

Measure = Callable[[Row], Sides]


def sides_of(row: Row) -> Sides:
    """One repeat: the limits that the goal or the ratio needs, then Stepwell."""
    needed = dict.fromkeys([*row.limits[:1], *(bound.of for bound in row.goal if bound.of), STEPWELL])
    sides = {side: Figures(row.sizes[1]) for side in needed}
    for side, figures in sides.items():
        take(figures, own(row, side, figures.size), Care(budget=0.15, limit=20, best=True, cpu=row.cpu))
    return sides


def is_bad(row: Row, sides: Sides) -> bool:
    """Whether a repeat is below half of the goal. What broke is bad too; what is not there yet is not."""
    note = sides[STEPWELL].note
    return falls_below_half(row, sides) if not note else not note.startswith("not yet")


def check(row: Row, measure: Measure = sides_of) -> tuple[Sides, bool]:
    """The last repeat of a row, and whether it fails. One good repeat is enough."""
    repeats: list[bool] = []
    while True:
        sides = measure(row)
        repeats.append(is_bad(row, sides))
        if not repeats[-1]:
            return sides, False
        if fails(repeats, REPEATS):
            return sides, True


def quick(rows: Sequence[Row], measure: Measure = sides_of) -> int:
    """Check all rows that have a goal and a quick size; gives the exit code."""
    began = time.monotonic()
    failed: list[str] = []
    for row in rows:
        if not row.goal or not row.sizes[1]:
            continue
        if time.monotonic() - began > ENOUGH:
            print(f"      {row.id:12} left out: there was no time")
            continue
        sides, failing = check(row, measure)
        failed += [row.id] * (failing and not row.known)
        print(_line(row, sides, failing), flush=True)
    print(f"{len(failed)} below half of the goal in {REPEATS} repeats, {time.monotonic() - began:.0f} s", *failed)
    return 1 if failed else 0


def _line(row: Row, sides: Sides, failing: bool) -> str:
    value = sides[STEPWELL]
    limit = row.limits[0] if row.limits else ""
    said = value.note or verdict(row, sides)
    beside = f"{times(ratio(row, sides, STEPWELL, limit))} {limit}" if limit else ""
    mark = "ok" if not failing else "low" if row.known else "FAIL"
    why = f" ({row.known})" if failing and row.known else ""
    return f"{mark:4}  {row.id:12} {short(value.median):>9} {row.unit:12} {beside:58} goal {goal(row)}: {said}{why}"
