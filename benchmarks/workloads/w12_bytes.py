"""W12: the bytes that a durable step with a small output takes on disk."""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks import disk
from benchmarks.workloads import raw
from benchmarks.workloads.w05_durable_chain import chain
from stepwell import App


def stepwell(size: int) -> float:
    """What a run adds to the files of a store that has had a run before; closing the store empties its log."""

    async def runs(where: Path, steps: int) -> int:
        async with App(where / "runs.db") as app:
            (await app.run(chain(steps))).raise_for_status()
        return disk.bytes_in(where)

    with disk.folder() as where:
        before = asyncio.run(runs(where, 1))
        return (asyncio.run(runs(where, size)) - before) / size


def the_row(size: int) -> float:
    """The same for one table with a row a step."""

    def rows(where: Path, steps: int) -> int:
        database = raw.database(where / f"{steps}.db")
        raw.commit(database, [raw.record(seq) for seq in range(steps)])
        database.close()
        return (where / f"{steps}.db").stat().st_size

    with disk.folder() as where:
        return (rows(where, size) - rows(where, 1)) / size


SIDES = {"W12": {"stepwell": stepwell, "the row": the_row}}
