"""What the items of maps have come to, counted: what a look at a run needs, which would take long one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from stepwell.events import Event, ItemCancelled, ItemCompleted, ItemFailed, ItemRetrying


def count_items(facts: Iterable[Event], maps: Collection[str], but: Collection[str] = ()) -> dict[str, dict[str, int]]:
    """How many items of each of these maps are completed, skipped, failed, cancelled, or waiting for a retry.

    An item counts by its path, which is another one in each visit; those of the paths in `but` do not count. What
    is none is left out: an item of which nothing is recorded, or a map without any.

    >>> facts = [ItemRetrying("r", 1, 0.0, "m[0]", 1), ItemCompleted("r", 2, 0.0, "m[1]", 1)]
    >>> count_items(facts, ["m"])
    {'m': {'completed': 1, 'waiting': 1}}
    """
    found: dict[str, Counter[str]] = {}
    waiting: dict[str, set[str]] = {}
    for fact in facts:
        name = map_of(fact.path)
        if name not in maps or fact.path in but:
            continue
        if isinstance(fact, ItemRetrying):
            waiting.setdefault(name, set()).add(fact.path)
        elif (status := _status(fact)) is not None:
            found.setdefault(name, Counter())[status] += 1
            waiting.get(name, set[str]()).discard(fact.path)
    for name, paths in waiting.items():
        found.setdefault(name, Counter())["waiting"] += len(paths)
    return plainly(found)


def map_of(path: str) -> str:
    """The map of an item's path; empty for any other path.

    >>> map_of("measure[7]#2"), map_of("measure")
    ('measure', '')
    """
    return path.partition("[")[0] if "[" in path else ""


def plainly(counts: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """The same in one form: without what is none, by name."""
    found = {name: {status: count for status, count in sorted(of.items()) if count} for name, of in counts.items()}
    return {name: of for name, of in sorted(found.items()) if of}


def _status(fact: Event) -> str | None:
    if isinstance(fact, ItemCompleted):
        return "skipped" if fact.skipped else "completed"
    if isinstance(fact, ItemFailed):
        return "failed"
    return "cancelled" if isinstance(fact, ItemCancelled) else None
