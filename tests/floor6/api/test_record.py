"""A record that is folded: for another pipeline than the one that makes it, by one who only watches, or damaged."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stepwell import App, CodeChanged, Pipeline, Run, RunResult, StoreError
from stepwell import events as ev
from stepwell.api.preview import preview
from stepwell.api.record import take
from stepwell.journal.memory import MemoryStore
from stepwell.journal.port import Wanted
from stepwell.journal.sqlite.rows import seed_of, to_row
from stepwell.state.state import State

BOUND = 10.0


async def result_of(run: Run) -> RunResult:
    return await run


def growing(go: asyncio.Event, *, more: bool, ends: bool = True) -> Pipeline:
    """A pipeline that waits in its first step; with `more`, it has a second one, which completes or fails."""
    pipe = Pipeline("grows", on_failure="finish")

    @pipe.step(version="1")
    async def first() -> int:
        await go.wait()
        return 1

    if more:

        @pipe.step(version="1", after=first, critical=False)
        async def second() -> int:
            if not ends:
                raise ValueError("no")
            return 2

    return pipe


@pytest.mark.parametrize("ends", [True, False])
async def test_a_watcher_whose_pipeline_lacks_a_step_is_told_so_or_passes_it_over(ends: bool, tmp_path: Path) -> None:
    """S8, S15: as a resume is: a result must not be lost in silence, anything else may."""
    store, go = tmp_path / "runs.db", asyncio.Event()
    async with App(store) as owner, App(store) as other:
        owned = owner.run(growing(go, more=True, ends=ends), key="k")
        async for _ in owned:
            break  # it has begun, and goes on
        watched = asyncio.ensure_future(result_of(other.run(growing(go, more=False), key="k")))
        async for fact in other.events(owned.id, follow=True):
            if fact.kind == "STEP_STARTED":
                break
        for _ in range(5):
            await asyncio.sleep(0)
        go.set()
        if ends:
            with pytest.raises(CodeChanged, match="has a result of step `second`, and pipeline `grows` has no such"):
                await asyncio.wait_for(watched, BOUND)
        else:
            result = await asyncio.wait_for(watched, BOUND)
            assert (result.status, list(result.steps)) == ("degraded", ["first"])
        assert (await owned).steps["first"].status == "completed"


# A record that is not whole, or not in order.


def two(*, mended: bool = False) -> Pipeline:
    """Two steps and a map; the last step fails until it is mended."""
    pipe = Pipeline("two", output="last")

    @pipe.step(version="1")
    async def first() -> list[int]:
        return [1, 2]

    @pipe.map(over=first, version="1")
    async def each(item: int) -> int:
        return item

    @pipe.step(version="1")
    async def last(each: list[int]) -> int:
        if not mended:
            raise OSError("no")
        return sum(each)

    return pipe


class Torn:
    """The store of one run, altered behind its back."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "runs.db"

    async def run(self, *, mended: bool) -> list[ev.Event]:
        """Run it once, by a key; gives its facts."""
        async with App(self.path) as app:
            ran = await app.run(two(mended=mended), key="k", run_id="torn")
            assert ran.succeeded == mended
            return list(app.store.read("torn"))

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(self.path)) as db, db:
            return db.execute(statement, values).fetchall()

    def cut(self, least: int, most: int = 1 << 30) -> list[tuple[Any, ...]]:
        """Take these facts away; gives their rows."""
        rows = self.sql("SELECT * FROM journal WHERE seq BETWEEN ? AND ?", least, most)
        self.sql("DELETE FROM journal WHERE seq BETWEEN ? AND ?", least, most)
        return rows

    def put(self, rows: list[tuple[Any, ...]]) -> None:
        for row in rows:
            self.sql(f"INSERT OR REPLACE INTO journal VALUES ({', '.join('?' * len(row))})", *row)

    def say(self, fact: ev.Event) -> None:
        """Another fact in the place of one, with a checksum that is right."""
        (run,) = self.sql("SELECT run FROM run WHERE run_id = ?", fact.run_id)
        self.put([to_row(run[0], seed_of(fact.run_id), fact)])

    async def refusal(self, asked: str) -> str:
        """What one hears who asks something of the run."""
        async with App(self.path) as app:
            with pytest.raises(StoreError) as caught:
                await asyncio.wait_for(ask(app, asked), BOUND)
            return str(caught.value)


async def ask(app: App, asked: str) -> None:
    """Go on with the run, look at what that would do, or ask for it by its key."""
    if asked == "plan":
        row = await app.get("torn")
        preview(app.store, two(mended=True).compile(), row, row.updated_at)
    elif asked == "resume":
        await app.resume("torn", two(mended=True))
    else:
        await app.run(two(mended=True), key="k")


@pytest.mark.parametrize("asked", ["resume", "plan", "key"])
@pytest.mark.parametrize(("mended", "left"), [(False, 0), (False, 1), (False, 4), (True, 1), (True, 4), (True, -1)])
async def test_a_record_that_has_lost_its_end_is_refused_by_all_who_read_it(
    asked: str, mended: bool, left: int, tmp_path: Path
) -> None:
    """S1, S3: else a step that is done runs again in silence, or one waits for ever for a run that nobody runs."""
    torn = Torn(tmp_path)
    facts = await torn.run(mended=mended)
    count, there = len(facts), left % len(facts)
    lost = torn.cut(there + 1)
    gone = f"{count} facts were recorded, and ({there} of them are there|the first is gone)"
    said = await torn.refusal(asked)
    assert re.fullmatch(f"run torn: (fact {there + 1} is missing|{gone}); the store is damaged: restore a backup", said)
    assert torn.sql("SELECT max(seq) FROM journal")[0][0] == (there or None), "something was written"
    torn.put(lost)
    async with App(torn.path) as app:
        result = await app.resume("torn", two(mended=True))
        assert (result.output, result.steps["first"].attempts) == (3, 1)


@pytest.mark.parametrize("asked", ["resume", "plan", "key"])
@pytest.mark.parametrize("mended", [False, True])
@pytest.mark.parametrize(
    ("kind", "change", "cause"),
    [
        (ev.StepCompleted, {"path": "first#7"}, "KeyError"),
        (ev.ItemCompleted, {"index": 2}, "IndexError"),
        (ev.ItemCompleted, {"path": "first[0]"}, "KeyError"),
    ],
)
async def test_a_fact_that_does_not_follow_is_named_with_its_run(
    asked: str, mended: bool, kind: type[ev.Event], change: dict[str, Any], cause: str, tmp_path: Path
) -> None:
    """S3, S24: it can be read, and it says what cannot be: the store is damaged, and the user is told which run."""
    torn = Torn(tmp_path)
    fact = next(fact for fact in await torn.run(mended=mended) if isinstance(fact, kind))
    wrong = msgspec.structs.replace(fact, **change)
    torn.say(wrong)
    said = await torn.refusal(asked)
    assert said.startswith(f"run torn: fact {fact.seq} ({fact.kind.value} `{wrong.path}`) does not follow from those")
    assert f"({cause}" in said
    assert said.endswith("the store is damaged: restore a backup")
    torn.say(fact)
    async with App(torn.path) as app:
        assert (await app.resume("torn", two(mended=True))).output == 3


async def test_a_watcher_is_told_of_a_fact_that_does_not_follow(tmp_path: Path) -> None:
    """S15, S3: what is recorded while one looks on is folded by the same rules."""
    torn = Torn(tmp_path)
    facts = await torn.run(mended=True)
    plan = two().compile()
    state = State(plan.graph)
    wrong = msgspec.structs.replace(facts[2], path="first#7")
    take(state, plan, facts[0])
    with pytest.raises(StoreError, match=r"run torn: fact 3 \(STEP_COMPLETED `first#7`\) does not follow .*KeyError"):
        take(state, plan, wrong)
    assert state.seq == 1


class Forgetful(MemoryStore):
    """A store that somebody else wrote: from one fact on it has lost all, and does not see that itself."""

    left = 1 << 30

    def read(
        self, run_id: str, after: int = 0, limit: int = 1000, wanted: Wanted | None = None, *, latest: bool = False
    ) -> Sequence[ev.Event]:
        facts = super().read(run_id, after, limit, wanted, latest=latest)
        return [fact for fact in facts if fact.seq <= self.left]


@pytest.mark.parametrize("mended", [False, True])
@pytest.mark.parametrize("left", [0, 1, 5, -1])
async def test_facts_are_counted_also_where_the_store_itself_does_not(left: int, mended: bool) -> None:
    """S1, S3: the port promises no such check, so none who folds a record relies on it."""
    store = Forgetful()
    async with App(store) as app:
        await app.run(two(mended=mended), key="k", run_id="torn")
        (row,) = await app.runs()
        store.left = left % row.seq
        said = f"run torn: {row.seq} facts were recorded, and {store.left} of them are there; the store is damaged"
        with pytest.raises(StoreError, match=said):
            await asyncio.wait_for(result_of(app.resume("torn", two(mended=True))), BOUND)
        with pytest.raises(StoreError, match=said):
            preview(store, two(mended=True).compile(), row, row.updated_at)
        if store.left:
            with pytest.raises(StoreError, match=said):
                await asyncio.wait_for(result_of(app.run(two(mended=True), key="k")), BOUND)
        assert (await app.get("torn")).seq == row.seq
        store.left = 1 << 30
        assert (await app.resume("torn", two(mended=True))).output == 3
