"""What another process does with a store: `python process.py DEED STORE …`; it says, and is told, a word a line."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable

from stepwell import events as ev
from stepwell.errors import RunLive
from stepwell.journal.port import Lease
from stepwell.journal.sqlite import SqliteStore


def say(*words: object) -> None:
    sys.stdout.write(f"{' '.join(map(str, words))}\n")  # in one piece: it may be killed at any instant
    sys.stdout.flush()


def hear() -> str:
    return sys.stdin.readline().strip()


def begin(store: SqliteStore, run_id: str) -> Lease:
    lease = store.create(run_id, "p", "")
    assert lease is not None
    return lease


async def append(store: SqliteStore, lease: Lease, *events: ev.Event) -> None:
    future = store.append(lease, events, True)
    if future is not None:
        await future


async def hold(store: SqliteStore, run_id: str) -> None:
    """Own a run until told to end it; without a word, until killed."""
    lease = begin(store, run_id)
    await append(store, lease, ev.RunStarted(run_id, 1, 1.0, pipeline="p"))
    say("holds")
    seq = 1
    while (word := await asyncio.to_thread(hear)) == "write":
        seq += 1
        await append(store, lease, ev.StepSkipped(run_id, seq, 1.0, f"s{seq}"))
        say("wrote")
    if not word:
        await asyncio.Event().wait()


async def unborn(store: SqliteStore, key: str) -> None:
    """Own a run that has no fact."""
    assert store.create("UNBORN", "p", key) is not None
    say("holds")
    await asyncio.to_thread(hear)


async def claim(store: SqliteStore, run_id: str) -> None:
    """Try to own a run at a word."""
    say("ready")
    hear()
    try:
        say("claimed", store.claim(run_id).epoch)
    except RunLive:
        say("live")
    hear()


async def create(store: SqliteStore, run_id: str, key: str) -> None:
    """Try to start a run with a key at a word."""
    say("ready")
    hear()
    lease = store.create(run_id, "p", key)
    if lease is not None:
        await append(store, lease, ev.RunStarted(run_id, 1, 1.0, pipeline="p", key=key))
    say("created" if lease is not None else "none")
    hear()


async def flood(store: SqliteStore, run_id: str, in_flight: str) -> None:
    """Record items as fast as it goes, from one word to the next; say how many."""
    lease = begin(store, run_id)
    await append(store, lease, ev.RunStarted(run_id, 1, 1.0, pipeline="p"))
    say("ready")
    hear()
    seq, done = 1, 0
    stop = asyncio.ensure_future(asyncio.to_thread(hear))

    async def worker() -> None:
        nonlocal seq, done
        while not stop.done():
            seq += 1
            item = ev.ItemCompleted(run_id, seq, 1.0, f"m[{seq}]", 1, seq, 1.0, ev.Payload(b"x"))
            future = store.append(lease, [item])
            if future is not None:
                await future
            done += 1
            if done % 1000 == 0:
                say("at", done)

    await asyncio.gather(*(worker() for _ in range(int(in_flight))))
    say("done", done)


async def chain(store: SqliteStore, run_id: str, steps: str) -> None:
    """Record a chain, with large outputs now and then, and say each fact that is acknowledged; goes on if it exists."""
    row = store.get(run_id)
    lease = begin(store, run_id) if row is None else store.claim(run_id)
    seq = 0 if row is None else row.seq
    if not seq:
        await append(store, lease, ev.RunStarted(run_id, 1, 1.0, pipeline="p"))
        say("acknowledged", 1)
        seq = 1
    while seq < int(steps):
        seq += 1
        data = b"%d" % seq * (20_000 if seq % 3 == 0 else 1)
        await append(store, lease, ev.StepCompleted(run_id, seq, 1.0, f"s{seq}", 1, ev.Payload(data)))
        say("acknowledged", seq)
    say("end")


async def probe(store: SqliteStore, run_id: str, times: str) -> None:
    """Look again and again whether a run's owner is there, and say what was seen."""
    say("ready")
    hear()
    seen: set[str] = set()
    for _ in range(int(times)):
        row = store.get(run_id)
        assert row is not None
        seen.add(row.status)
    say(*sorted(seen))


DEEDS: dict[str, Callable[..., object]] = {
    deed.__name__: deed for deed in (hold, unborn, claim, create, flood, chain, probe)
}


def main() -> None:
    deed, path, *words = sys.argv[1:]
    store = SqliteStore(path, "process" if os.environ.get("SYNC") == "process" else "full")
    asyncio.run(DEEDS[deed](store, *words))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    store.close()


if __name__ == "__main__":
    main()
