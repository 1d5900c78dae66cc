"""A look at a run that costs by its steps and not by its items: which facts it needs, and what follows from them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from stepwell.events import FACTS, Event, EventKind, MapExpanded, StepReset
from stepwell.ids import step_of
from stepwell.journal.items import map_of

ITEM_KINDS = frozenset(
    {EventKind.ITEM_COMPLETED, EventKind.ITEM_RETRYING, EventKind.ITEM_FAILED, EventKind.ITEM_CANCELLED}
)
"""Of these there may be millions: they are counted, and but for some failures not read."""
OTHER_KINDS = frozenset(FACTS) - ITEM_KINDS


@dataclass(frozen=True, slots=True)
class Section:
    """Maps whose items are told by the same facts: those after this one, but for those of items that were reset."""

    after: int
    maps: tuple[str, ...]
    but: frozenset[str]


def sections(facts: Iterable[Event]) -> list[Section]:
    """Where to count the items of each map of a run, out of its other facts.

    What came before a map lost all its items counts no more, and neither does an item's path that was reset.
    """
    after: dict[str, int] = {}
    reset: dict[str, set[str]] = {}
    for fact in facts:
        if isinstance(fact, MapExpanded):
            after.setdefault(step_of(fact.path), 0)
        elif isinstance(fact, StepReset):
            for path in fact.paths:
                if name := map_of(path):
                    reset.setdefault(name, set()).add(path)
            for path in fact.whole:
                after[step_of(path)] = fact.seq
                reset.pop(step_of(path), None)
    starts = sorted(set(after.values()))
    return [_section(start, [name for name in after if after[name] == start], reset) for start in starts]


def _section(after: int, maps: Collection[str], reset: dict[str, set[str]]) -> Section:
    return Section(after, tuple(maps), frozenset[str]().union(*(reset.get(name, ()) for name in maps)))
