"""The row of a run: the kept one, the rebuilt one and that of the store in memory are the same."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import apsw
from hypothesis import given, settings
from hypothesis import strategies as st

from stepwell import events as ev
from stepwell.events import Event
from stepwell.journal.done import count_done, step_of
from stepwell.journal.memory import MemoryStore
from stepwell.journal.port import RunRow
from stepwell.journal.sqlite import SqliteStore
from stepwell.journal.sqlite.projection import rebuild

STEPS = ("a", "b", "m", "parent", "parent/x", "m[1]", "m[2]")
ENDS = (ev.StepCompleted, ev.StepFailed, ev.StepSkipped, ev.StepPruned, ev.StepCancelled)

deeds = st.lists(
    st.one_of(
        st.tuples(st.just("end"), st.sampled_from(STEPS), st.integers(0, 4)),
        st.tuples(st.just("reset"), st.lists(st.sampled_from(STEPS), min_size=1, unique=True), st.just(0)),
        st.tuples(st.just("run"), st.sampled_from(["resumed", "finished", "blocked", "cancelled"]), st.just(0)),
        st.tuples(st.just("cut"), st.just(""), st.just(0)),
    ),
    max_size=30,
)


def history(wishes: list[tuple[str, object, int]]) -> list[list[Event]]:
    """The facts of a run in which these things happen, parted into appends; no visit of a path ends twice."""
    started = ev.RunStarted("R", 1, 1.0, pipeline="p", target="t", fingerprints={"a": "1", "b": "2"})
    parts: list[list[Event]] = [[started]]
    visits = dict.fromkeys(STEPS, 1)
    ended: set[str] = set()
    seq = 1
    for deed, what, number in wishes:
        if deed == "cut":
            parts.append([])
            continue
        seq += 1
        at = float(seq)
        if deed == "end" and isinstance(what, str):
            path = f"{what}#{visits[what]}" if visits[what] > 1 else what
            item = "[" in path
            kind = (ev.ItemFailed if number % 2 else ev.ItemCompleted) if item else ENDS[number]
            fresh = path not in ended
            ended.add(path)
            parts[-1].append(kind("R", seq, at, path, 1) if fresh else ev.StepRetrying("R", seq, at, path, 1))
        elif deed == "reset" and isinstance(what, list):
            names = [str(name) for name in what]
            paths = tuple(f"{name}#{visits[name]}" if visits[name] > 1 else name for name in names)
            for name in names:
                visits[name] += 1
            parts[-1].append(ev.StepReset("R", seq, at, paths=paths))
        else:
            parts[-1].append(
                {
                    "resumed": ev.RunResumed("R", seq, at),
                    "finished": ev.RunFinished("R", seq, at, status="failed", reason=f"r{seq}"),
                    "blocked": ev.RunBlocked("R", seq, at, reason=f"b{seq}"),
                    "cancelled": ev.RunCancelled("R", seq, at, reason="c"),
                }[str(what)]
            )
    return parts


@given(deeds)
@settings(max_examples=60, deadline=None)
def test_the_kept_row_the_rebuilt_row_and_the_row_in_memory_are_equal(wishes: list[tuple[str, object, int]]) -> None:
    parts = history(wishes)
    memory = MemoryStore()
    lease = memory.create("R", "p", "k")
    assert lease is not None
    for part in parts:
        memory.append(lease, part)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.db"
        kept, rebuilt = asyncio.run(_on_disk(path, parts))
    assert kept == rebuilt == memory.get("R")


async def _on_disk(path: Path, parts: list[list[Event]]) -> tuple[RunRow | None, RunRow | None]:
    store = SqliteStore(path, sync="process")
    lease = store.create("R", "p", "k")
    assert lease is not None
    waits = [store.append(lease, part, alone=len(part) % 2 == 0) for part in parts]
    await asyncio.gather(*(one for one in waits if one is not None))
    kept = store.get("R")
    with apsw.Connection(str(path)) as db:
        db.execute("UPDATE run SET status = '?', done = -1, steps = -1, started_at = -1, target = '?', reason = '?'")
        rebuild(db)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    rebuilt = store.get("R")
    store.close()
    return kept, rebuilt


def test_a_step_counts_once_however_often_it_is_visited() -> None:
    assert count_done([("a",), ("b",), ("", "a"), ("a#2",), ("", "a#2"), ("a#3",)]) == 2


def test_a_reset_of_a_step_un_ends_what_is_inside_it() -> None:
    assert count_done([("p/x",), ("p/y",), ("p",), ("q",), ("", "p"), ("p#2/x",)]) == 2


def test_items_and_what_is_inside_them_do_not_count() -> None:
    assert count_done([("m[1]",), ("m[1]/x",), ("m",), ("", "m[1]")]) == 1


def test_the_path_without_visits_keeps_its_keys() -> None:
    assert step_of("p#2/m[k#]#12") == "p/m[k#]"
