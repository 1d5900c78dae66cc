"""What `show` reads of a run says the same as all its facts, folded; of random runs, cut anywhere, in either store."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path

import msgspec
import pytest

from stepwell.api.glance import Glance, glance, whole
from stepwell.events import Event, Payload
from stepwell.journal.memory import MemoryStore
from stepwell.journal.port import Store
from stepwell.journal.sqlite import SqliteStore
from stepwell.views.records import StepRecord

from .. import counts
from ..simulation.cases import Case
from ..simulation.draw import case_of
from ..simulation.test_simulation import simulate
from ..simulation.world import RUN

CASES = counts.size(500, 20_000)
"""So many, with a map in each."""
CUTS = 4
ON_DISK = 8
"""One case of so many is looked at in a file, too."""


def test_a_glance_tells_the_same_as_the_fold_of_all_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """O1, O2: steps, counts of items, failures, notes; of runs that loop, are resumed, lose their items, and die."""
    monkeypatch.setattr("stepwell.engine.feed._AHEAD", 3)
    reached: Counter[str] = Counter()
    for seed, case in _cases():
        chance = random.Random(seed)
        try:
            facts = list(simulate(case, case.seed).store.read(RUN, 0, 1 << 30))
            for cut in {len(facts), *(chance.randint(1, len(facts)) for _ in range(CUTS))}:
                _same(_filled(MemoryStore(), facts[:cut]), reached)
            if seed % ON_DISK == 0:
                store = _filled(SqliteStore(tmp_path / f"{seed}.db", sync="process"), [_encoded(one) for one in facts])
                _same(store, reached)
                store.close()
                reached["on disk"] += 1
        except BaseException as error:
            error.add_note(f"case_of({seed})")
            raise
    counts.tell("glance", reached)
    missed = [name for name in MUST_REACH if not reached[name]]
    assert not missed, f"in {CASES} cases never reached: {missed}"


MUST_REACH = (
    "on disk", "pending", "waiting", "completed", "skipped", "failed", "cancelled", "left out",
    "items in another visit", "an earlier visit",
)  # fmt: skip


def _cases() -> Iterator[tuple[int, Case]]:
    """With CI set the same ones each time."""
    first = 0 if "CI" in os.environ else random.randrange(1 << 40)
    cases = ((seed, case_of(seed)) for seed in count(first))
    return islice(((seed, case) for seed, case in cases if any(step.fan for step in case.plan.steps)), CASES)


def _filled(store: Store, facts: Sequence[Event]) -> Store:
    lease = store.create(RUN, "p", "")
    assert lease is not None
    future = store.append(lease, facts, alone=True)
    assert future is None or future.done()
    store.release(lease)
    return store


def _encoded(fact: Event) -> Event:
    """The fact as a store on disk takes it."""
    for name in ("output", "inputs"):
        if getattr(fact, name, None) is not None:
            fact = msgspec.structs.replace(fact, **{name: Payload(b"\xc0")})
    return fact


def _same(store: Store, reached: Counter[str]) -> None:
    row = store.get(RUN)
    assert row is not None
    slow = whole(store, row)
    quick, brief = glance(store, row, 1 << 20), glance(store, row, 1)
    for one in (quick, brief):
        assert (one.started, one.notes, one.state.status) == (slow.started, slow.notes, slow.state.status)
        assert list(one.steps) == list(slow.steps)
        for name, record in slow.steps.items():
            assert _told(one.steps[name]) == _told(record), name
            assert sum(record.counts.values()) == len(record.items)
    assert quick.state.failures == slow.state.failures
    assert not any(quick.unread.values())
    assert {name: _failed(record) for name, record in quick.steps.items()} == {
        name: _failed(record) for name, record in slow.steps.items()
    }
    _left_out(brief, slow, reached)
    for record in slow.steps.values():
        reached.update(record.counts)
        reached["items in another visit"] += any(item.visit > 1 for item in record.items.values())
        reached["an earlier visit"] += bool(record.visits)


def _left_out(brief: Glance, slow: Glance, reached: Counter[str]) -> None:
    """One failure of the items of each map was read, the first, and the others were counted."""
    items = Counter(failure.step for failure in slow.state.failures if failure.item is not None)
    read = Counter(failure.step for failure in brief.state.failures if failure.item is not None)
    assert items == read + Counter(brief.unread)
    assert all(count == 1 for count in read.values())
    firsts = {failure.path for failure in brief.state.failures}
    assert [failure for failure in slow.state.failures if failure.path in firsts] == brief.state.failures
    reached["left out"] += any(brief.unread.values())


def _told(record: StepRecord) -> object:
    """All that is told of a step but its items one by one."""
    own = msgspec.structs.replace(record, items={}, visits=())
    return own, [msgspec.structs.replace(visit, items={}, counts={}) for visit in record.visits]


def _failed(record: StepRecord) -> dict[str, StepRecord]:
    return {key: one for key, one in record.items.items() if one.status == "failed"}
