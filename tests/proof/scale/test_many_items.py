"""Maps of very many items, chains of very many steps: what they take of memory, and what a look at them reads."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks.timing import peak_bytes
from stepwell import Pipeline
from stepwell.api.glance import glance
from stepwell.events import Event, EventKind
from stepwell.journal.port import Store, Wanted
from stepwell.journal.sqlite import SqliteStore

from .. import counts
from .pipelines import FAILS, STATUS, chain, mapped, passing_on, ran, wide

_TESTS = Path(__file__).parents[2]
_CHILD = "proof.scale.pipelines"
ITEMS = counts.size(30_000, 1_000_000)
STEPS = counts.size(1_000, 10_000)
WIDE = counts.size(500, 5_002)
SPARE = 2_000_000
"""Bytes that are no cost of an item: modules that are loaded late, pages of a store, the program of a run."""


def tell(what: str, figure: float) -> None:
    """A figure that was measured, at the sizes that were asked for."""
    counts.tell("scale", {what: round(figure)})


@pytest.mark.slow
@pytest.mark.skipif(not STATUS.exists(), reason="needs a system that says what a process has taken at its peak")
@pytest.mark.parametrize("kind", ["strict", "ephemeral"])
@pytest.mark.parametrize("on_disk", [False, True])
def test_a_map_takes_a_bounded_number_of_bytes_an_item(tmp_path: Path, on_disk: bool, kind: str) -> None:
    """C8, E4: of the whole process, at its peak; the item and its result included; however many there are."""
    words = [str(ITEMS), kind, str(tmp_path / "runs.db") if on_disk else ""]
    done = subprocess.run(
        [sys.executable, "-m", _CHILD, *words], cwd=_TESTS, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    where = f"{ITEMS:,} items {'on disk' if on_disk else 'in memory'}, {kind}"
    tell(f"{where}: bytes an item", found["bytes"] / ITEMS)
    tell(f"{where}: items a second", ITEMS / found["seconds"])
    assert found["bytes"] < 4 * SPARE + ITEMS * (450 if on_disk else 200)


@pytest.mark.slow
@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize(("shape", "steps"), [(chain, STEPS), (wide, WIDE)])
def test_a_pipeline_of_very_many_steps_runs_to_its_end(
    tmp_path: Path, on_disk: bool, shape: Callable[[int], Pipeline], steps: int
) -> None:
    """C1, C5: no recursion, and no more than some kilobytes a step, its record included."""
    pipe, store = shape(steps), tmp_path / "runs.db" if on_disk else None
    pipe.compile()
    taken = peak_bytes(lambda: asyncio.run(ran(pipe, store, "completed")))
    where = f"{shape.__name__} of {steps:,} steps {'on disk' if on_disk else 'in memory'}"
    tell(f"{where}: bytes a step", taken / steps)
    start = time.perf_counter()
    asyncio.run(ran(pipe, store, "completed"))
    tell(f"{where}: microseconds a step", 1e6 * (time.perf_counter() - start) / steps)
    assert taken < SPARE + steps * 5_000


@pytest.mark.slow
def test_large_outputs_leave_memory_where_a_store_can_give_them_back(tmp_path: Path) -> None:
    """C8, E4: of a chain that hands on a megabyte from step to step, a few of them are there at a time."""
    steps, size = counts.size(30, 1000), 1_000_000
    pipe = passing_on(steps, size)
    pipe.compile()
    taken = peak_bytes(lambda: asyncio.run(ran(pipe, tmp_path / "runs.db", "completed")))
    tell(f"a chain of {steps:,} steps with outputs of a megabyte: bytes at the peak", taken)
    assert taken < SPARE + 8 * size


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a run of so many items, a few of which have failed."""
    path = tmp_path_factory.mktemp("scale") / "runs.db"
    start = time.perf_counter()
    asyncio.run(ran(mapped(), path, "degraded", count=ITEMS))
    tell(f"{ITEMS:,} items on disk: items a second", ITEMS / (time.perf_counter() - start))
    tell(f"{ITEMS:,} items on disk: bytes of the store an item", path.stat().st_size / ITEMS)
    return path


class CountingStore(SqliteStore):
    """Counts the facts that are read of it."""

    facts = 0

    def read(
        self, run_id: str, after: int = 0, limit: int = 1000, wanted: Wanted | None = None, *, latest: bool = False
    ) -> Sequence[Event]:
        """Facts, counted."""
        found = super().read(run_id, after, limit, wanted, latest=latest)
        self.facts += len(found)
        return found


class Page(NamedTuple):
    """What is asked for of a run's facts."""

    after: int = 0
    limit: int = 1000
    wanted: Wanted | None = None
    latest: bool = False

    def of(self, store: Store, run_id: str) -> Sequence[Event]:
        """These facts."""
        return store.read(run_id, self.after, self.limit, self.wanted, latest=self.latest)


def test_a_look_at_a_run_reads_its_steps_and_not_its_items(large: Path) -> None:
    """O1, O2: few facts, and little memory, however many items there are."""
    store = CountingStore(large)
    (row,) = store.runs(limit=1)
    assert (
        peak_bytes(lambda: glance(store, row, 10)) < SPARE + 20 * ITEMS
    )  # a byte of its stage and a place for its result, twice
    store.facts = 0
    start = time.process_time()
    found = glance(store, row, 10)
    tell(f"{ITEMS:,} items: microseconds to show the run", 1e6 * (time.process_time() - start))
    failed = ITEMS // FAILS
    assert found.steps["measure"].counts == {"completed": ITEMS - failed, "failed": failed}
    assert (len(found.steps["measure"].items), found.unread) == (10, {"measure": failed - 10})
    assert store.facts < 30
    store.close()


@pytest.mark.parametrize(
    ("what", "page", "facts"),
    [
        ("the first page", Page(), 1000),
        ("the last page", Page(latest=True), 1000),
        ("a page after", Page(ITEMS // 2, 10), 10),
        ("a kind", Page(wanted=Wanted(frozenset({EventKind.STEP_STARTED}))), 3),
        ("a step", Page(wanted=Wanted(step="numbers")), 2),
        ("an item", Page(wanted=Wanted(step=f"measure[{ITEMS // 2}]")), 1),
    ],
)
def test_a_page_of_events_costs_a_page(large: Path, what: str, page: Page, facts: int) -> None:
    """O2: whatever is asked for, no more is read and kept than is shown."""
    store = SqliteStore(large)
    (row,) = store.runs(limit=1)
    assert peak_bytes(lambda: page.of(store, row.run_id)) < SPARE
    start = time.process_time()
    assert len(page.of(store, row.run_id)) == facts
    tell(f"{ITEMS:,} items: microseconds for {what} of events", 1e6 * (time.process_time() - start))
    store.close()


def test_a_run_is_read_page_by_page_in_bounded_memory(large: Path) -> None:
    """O2, S17: who prints all events keeps a page of them."""
    store = SqliteStore(large)
    (row,) = store.runs(limit=1)

    def read() -> None:
        after = 0
        while page := store.read(row.run_id, after):
            after = page[-1].seq
        assert after == row.seq

    assert peak_bytes(read) < SPARE
    store.close()
