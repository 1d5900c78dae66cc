"""Very many runs on one store: of one process, and of several at once, while others list, look and cancel."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stepwell import App
from stepwell.api.glance import glance
from stepwell.journal.port import RunRow
from stepwell.testing.invariants import check_invariants

from .. import counts
from .member import STEPS
from .pipelines import chain

RUNS = counts.size(150, 1000)
PROCESSES = 4
EACH = counts.size(40, 1000)
BOUND = 300.0
"""Seconds that no process takes unless it is stuck."""
_TESTS = Path(__file__).parents[2]


def tell(what: str, figure: float) -> None:
    """A figure that was measured."""
    counts.tell("scale", {what: round(figure)})


@pytest.mark.slow
@pytest.mark.parametrize("on_disk", [False, True])
async def test_very_many_runs_at_once_share_a_store_and_a_loop(tmp_path: Path, on_disk: bool) -> None:
    """E6, C9: each comes to its end, with its own record without a gap."""
    pipe = chain(STEPS)
    async with App(tmp_path / "runs.db" if on_disk else None, capture="off") as app:
        start = time.perf_counter()
        results = await asyncio.gather(*(app.run(pipe) for _ in range(RUNS)))
        where = f"{RUNS:,} runs of {STEPS} steps at once, {'on disk' if on_disk else 'in memory'}"
        tell(f"{where}: runs a second", RUNS / (time.perf_counter() - start))
        assert {result.status for result in results} == {"completed"}
        rows = await app.runs(limit=RUNS + 1)
        assert {row.run_id for row in rows} == {result.run_id for result in results}
        assert {(row.status, row.done, row.steps) for row in rows} == {("completed", STEPS, STEPS)}
        for row in rows:
            check_invariants(app.store.read(row.run_id))


@pytest.mark.slow
@pytest.mark.xdist_group("processes")
async def test_four_processes_run_on_one_store_while_another_lists_looks_and_cancels(tmp_path: Path) -> None:
    """E6, E15, S13: nobody hears of a lock or waits in vain; what is cancelled from outside ends."""
    path = tmp_path / "runs.db"
    members = _members(path)
    try:
        async with asyncio.timeout(BOUND), App(path) as app:
            looks = await _look_on(app, members)
            done = [await asyncio.to_thread(member.communicate, timeout=BOUND) for member in members]
            rows = await app.runs(limit=100_000)
    finally:
        for member in members:
            member.kill()
            member.wait()
    assert [(member.returncode, err) for member, (_, err) in zip(members, done, strict=True)] == [(0, "")] * PROCESSES
    found = [json.loads(out) for out, _ in done]
    assert [one["endless"] for one in found] == ["cancelled"] * PROCESSES
    assert sum(row.status == "completed" for row in rows) == PROCESSES * EACH
    assert sum(row.status == "cancelled" for row in rows) == PROCESSES
    assert len(rows) == PROCESSES * (EACH + 1)
    assert looks > 3
    name = f"{PROCESSES} processes, {EACH:,} runs of {STEPS} steps each on one store"
    tell(f"{name}: runs a second, all together", PROCESSES * EACH / max(one["seconds"] for one in found))


def _members(path: Path) -> list[subprocess.Popen[str]]:
    words = [sys.executable, "-W", "error", "-m", "proof.scale.member", str(path), str(EACH)]
    return [
        subprocess.Popen(words, cwd=_TESTS, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]


async def _look_on(app: App, members: list[subprocess.Popen[str]]) -> int:
    """List all runs, and look at the latest, again and again; cancel what does not end by itself. Gives how often."""
    looks, before, cancelled = 0, 0, set[str]()
    while any(member.poll() is None for member in members):
        rows = await app.runs(limit=100_000)
        assert len(rows) >= before, "runs are gone that were there"
        looks, before = looks + 1, len(rows)
        for row in rows[:3]:
            _told(app, row)
        endless = [row for row in rows if row.pipeline == "endless" and row.run_id not in cancelled]
        for row in endless:
            await app.cancel(row.run_id, "the test has seen it")
            cancelled.add(row.run_id)
        await asyncio.to_thread(_a_moment, members[0])
    return looks


def _a_moment(member: subprocess.Popen[str]) -> None:
    """Until this process has ended, but not for long: who looks on all the time takes the processor from them."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        member.wait(0.05)


def _told(app: App, row: RunRow) -> None:
    """A look at a run that may go on at this moment."""
    found = glance(app.store, row, 10)
    assert len(found.steps) == row.steps
    assert sum(record.status == "completed" for record in found.steps.values()) >= row.done
