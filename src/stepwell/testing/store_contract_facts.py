"""What every store must keep to where somebody looks at few of many facts, as tests; part of `StoreContract`."""

from __future__ import annotations

import random

import pytest

from stepwell import events as ev
from stepwell.events import Event, EventKind
from stepwell.journal.items import count_items
from stepwell.journal.port import Store, Wanted
from stepwell.testing.store_deeds import born, durable, value


class LookContract:
    """Facts that are chosen, and items that are counted."""

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            (Wanted(), [1, 2, 3, 4, 5, 6, 7, 8, 9]),
            (Wanted(frozenset({EventKind.STEP_STARTED})), [2, 5, 6]),
            (Wanted(frozenset({EventKind.STEP_STARTED, EventKind.ITEM_COMPLETED})), [2, 4, 5, 6, 8]),
            (Wanted(step="m"), [2, 3, 4, 6, 7, 8]),
            (Wanted(step="m[1]"), [4, 8]),
            (Wanted(step="m[1]#2"), [8]),
            (Wanted(frozenset({EventKind.STEP_STARTED}), "m"), [2, 6]),
            (Wanted(step="nobody"), []),
        ],
    )
    async def test_chosen_facts_are_read_in_order_from_either_end(
        self, store: Store, wanted: Wanted, found: list[int]
    ) -> None:
        lease = await born(store, "R")
        await durable(
            store, lease,
            ev.StepStarted("R", 2, 1.0, "m", 1), ev.MapExpanded("R", 3, 1.0, "m", count=2),
            ev.ItemCompleted("R", 4, 1.0, "m[1]", 1, 1), ev.StepStarted("R", 5, 1.0, "mm", 1),
            ev.StepStarted("R", 6, 1.0, "m#2", 1), ev.ItemFailed("R", 7, 1.0, "m[10]", 1, 10),
            ev.ItemCompleted("R", 8, 1.0, "m[1]#2", 1, 1), ev.StepSkipped("R", 9, 1.0, "n/m"),
        )  # fmt: skip

        def numbers(after: int = 0, limit: int = 1000, *, latest: bool = False) -> list[int]:
            return [fact.seq for fact in store.read("R", after, limit, wanted, latest=latest)]

        assert numbers() == numbers(latest=True) == found
        assert numbers(4) == numbers(4, latest=True) == [seq for seq in found if seq > 4]
        assert numbers(limit=2) == found[:2]
        assert numbers(limit=2, latest=True) == found[-2:]
        assert [fact.seq for fact in store.read("R", 1, 3, latest=True)] == [7, 8, 9]

    @pytest.mark.parametrize("seed", range(20))
    async def test_items_are_counted_as_the_facts_say(self, store: Store, seed: int) -> None:
        """In any order, with any number of retries; a path ends once. Some maps are not asked for."""
        lease, facts = await born(store, "R"), _item_facts(store, random.Random(seed))
        await durable(store, lease, *facts)
        chance = random.Random(seed)
        for maps in (["m"], ["m", "other/n", "nobody"], ["m", "mm", "other/n", "o%5B", "nobody"], []):
            for after in (0, 20, 60, 1000):
                later = [fact for fact in facts if fact.seq > after]
                paths = sorted({fact.path for fact in later})
                for but in ((), tuple(chance.sample(paths, len(paths) // 3))):
                    assert store.count_items("R", maps, after, but) == count_items(later, maps, but)
        assert store.count_items("nobody", ["m"]) == {}


def _item_facts(store: Store, chance: random.Random) -> list[Event]:
    """A hundred facts about some items, of which none has two ends."""
    names = [
        f"{name}[{key}]{visit}"
        for name in ("m", "mm", "other/n", "o%5B")
        for key in ("k%5Da", "skipped", "ä", *range(20))
        for visit in ("", "#2")
    ]
    ended: set[str] = set()
    facts: list[Event] = []
    while len(facts) < 100:
        seq, path, turn = len(facts) + 2, chance.choice(names), chance.random()
        if path in ended:
            continue  # nothing more comes of it
        if turn < 0.4:
            facts.append(ev.ItemRetrying("R", seq, 1.0, path, 1, retry_at=1.0, reason="skipped"))
            continue
        ended.add(path)
        facts.append(
            ev.ItemCompleted("R", seq, 1.0, path, 1, output=value(store, b"skipped")) if turn < 0.6
            else ev.ItemCompleted("R", seq, 1.0, path, 1, stops=True) if turn < 0.65
            else ev.ItemCompleted("R", seq, 1.0, path, 1, 7, 1.5, skipped=True) if turn < 0.8
            else ev.ItemFailed("R", seq, 1.0, path, 1) if turn < 0.9
            else ev.ItemCancelled("R", seq, 1.0, path, 1, reason="skipped")
        )  # fmt: skip
    return facts
