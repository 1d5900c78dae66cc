"""How many steps a run has behind it: a fold of their ends and resets, the same in every room.

Behind it are steps that a resume leaves as they are: not those that were cancelled, or failed and were not tolerated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from stepwell.events import Event, StepCancelled, StepFailed

_VISIT = re.compile(r"#[1-9][0-9]*(?=/|\Z)")


def step_of(path: str) -> str:
    """The path without its visits: what stays the same when a step is done again.

    >>> step_of("parent#2/draft#3")
    'parent/draft'
    """
    return _VISIT.sub("", path) if "#" in path else path


def is_item(path: str) -> bool:
    """Whether the path leads to, or through, a map item: it counts with its map."""
    return "[" in path


def is_done(end: Event) -> bool:
    """Whether a step with this end is behind the run.

    >>> is_done(StepFailed("r", 7, 0.0, "a", 1)), is_done(StepFailed("r", 7, 0.0, "a", 1, tolerated=True))
    (False, True)
    """
    return end.tolerated if isinstance(end, StepFailed) else not isinstance(end, StepCancelled)


def fold_done(ended: set[str], history: Iterable[tuple[str, ...]]) -> set[str]:
    """Which steps are done after this history, added to those that were before.

    `(path,)` is such an end of a step; `("", path, …)` is a STEP_RESET with the paths that it un-ends. Whichever visit
    a reset names, the step has none of its own left, nor do the steps inside it.
    """
    for first, *paths in history:
        if first:
            if not is_item(first):
                ended.add(step_of(first))
            continue
        reset = {step_of(path) for path in paths if not is_item(path)}
        ended -= reset
        ended -= {step for step in ended if "/" in step and not reset.isdisjoint(_around(step))}
    return ended


def _around(step: str) -> list[str]:
    """The steps that this one is inside of."""
    parts = step.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def count_done(history: Iterable[tuple[str, ...]]) -> int:
    """How many steps are done after this history."""
    return len(fold_done(set(), history))
