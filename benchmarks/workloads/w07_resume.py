"""W7: a map is killed with half of its items done; how soon does the first of the others run after the restart?"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import msgspec

from benchmarks import disk
from benchmarks.timing import seconds
from benchmarks.workloads import raw
from benchmarks.workloads.w06_durable_many import mapped
from stepwell import App, EventKind, Pipeline


def half(size: int, began: list[float] | None = None) -> Pipeline:
    """Its items of the second half wait for ever, or note when the first of them began."""

    async def work(item: int) -> int:
        if item >= size // 2:
            if began is None:
                await asyncio.Event().wait()
            elif not began:
                began.append(time.perf_counter())
        return item

    return mapped(list(range(size)), 100, work)


def stepwell(size: int) -> float:
    with disk.folder() as where:
        disk.die(__name__, size, where)
        return 1e3 * asyncio.run(_resumed(size, where))


async def _resumed(size: int, where: Path) -> float:
    began: list[float] = []
    pipe = half(size, began)
    start = time.perf_counter()
    async with App(where / "runs.db") as app:
        (await app.resume("last", pipe, on_change="keep")).raise_for_status()
    return began[0] - start


async def _die(size: int, where: Path) -> None:
    """End the process once half of the items are known to be on disk."""
    done = 0
    async with App(where / "runs.db") as app:
        async for event in app.run(half(size)):
            done += event.kind == EventKind.ITEM_COMPLETED
            if done == size // 2:
                os._exit(7)


def read(size: int, columns: str, *, decode: bool) -> float:
    with disk.folder() as where:
        database = raw.database(where / "raw.db")
        raw.commit(database, [raw.record(seq) for seq in range(size // 2)])
        decoder = msgspec.msgpack.Decoder(raw.Fact)

        def once() -> object:
            rows = database.execute(f"SELECT {columns} FROM journal WHERE run = ? ORDER BY seq", ("run",)).fetchall()
            return [decoder.decode(row[-1]) for row in rows] if decode else {row[0] for row in rows}

        taken = seconds(once)
        database.close()
    return 1e3 * taken


def read_the_keys(size: int) -> float:
    return read(size, "path", decode=False)


def read_the_rows(size: int) -> float:
    return read(size, "seq, kind, path, data", decode=True)


SIDES = {"W7": {"stepwell": stepwell, "read the rows": read_the_rows, "read the keys": read_the_keys}}

if __name__ == "__main__":
    asyncio.run(_die(int(sys.argv[2]), Path(sys.argv[3])))
