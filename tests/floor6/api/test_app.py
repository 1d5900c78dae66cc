"""What an App, or a pipeline that makes its own, takes for a store, for the id of a run, for a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepwell import App, DefinitionError, Pipeline, RunNotFound
from stepwell.errors import StoreError


def two() -> int:
    return 2


@pytest.mark.parametrize("store", [5, object, b"runs.db", {"path": "runs.db"}])
def test_what_is_no_store_is_refused_by_its_value(store: object) -> None:
    """A mistake is told before anything runs, and not by what its parts lack."""
    pipe = Pipeline("p")
    pipe.step(two)
    with pytest.raises(StoreError, match="a store is the path of a file, or None for memory, not ") as caught:
        App(store)  # type: ignore[arg-type]
    assert str(caught.value).endswith(repr(store))
    with pytest.raises(StoreError, match="a store is the path of a file"):
        pipe.run_sync(store=store)  # type: ignore[arg-type]


@pytest.mark.parametrize("store", [None, "runs.db"])
def test_a_level_of_durability_that_there_is_not_is_refused_in_memory_too(store: str | None) -> None:
    """S1: a typing mistake must not be found out after a power cut."""
    with pytest.raises(StoreError, match=r"sync is 'ful'; expected \"full\" .* or \"process\""):
        App(store, sync="ful")  # type: ignore[arg-type]


async def ask(app: App, how: str, run_id: object) -> None:
    """Ask something of a run of this id."""
    if how == "get":
        await app.get(run_id)  # type: ignore[arg-type]
    elif how == "cancel":
        await app.cancel(run_id)  # type: ignore[arg-type]
    elif how == "resume":
        await app.resume(run_id)  # type: ignore[arg-type]
    else:
        async for _ in app.events(run_id):  # type: ignore[arg-type]
            raise AssertionError("it has events")


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("run_id", [5, True, None, 1.5, b"last", "abc\udcff", "\ud800" * 30])
@pytest.mark.parametrize("how", ["get", "resume", "cancel", "events"])
async def test_an_id_that_no_run_can_have_is_not_found(how: str, run_id: object, on_disk: bool, tmp_path: Path) -> None:
    """S15: whatever it is, it is told by its value, and not by what a database thinks of it."""
    async with App(tmp_path / "runs.db" if on_disk else None) as app:
        await app.run(Pipeline("p").add_step("two", two), run_id="True")
        with pytest.raises(RunNotFound, match="the id of a run is text, as `stepwell ls` shows it, not ") as caught:
            await ask(app, how, run_id)
        assert str(caught.value).endswith(repr(run_id))


@pytest.mark.parametrize("on_disk", [False, True])
async def test_no_run_is_of_a_pipeline_whose_name_has_half_of_a_character(on_disk: bool, tmp_path: Path) -> None:
    """S15: there can be none, so none is listed."""
    async with App(tmp_path / "runs.db" if on_disk else None) as app:
        await app.run(Pipeline("p").add_step("two", two))
        assert await app.runs(pipeline="p\udcff") == []
        assert await app.runs(status="\ud800") == []
        assert len(await app.runs(pipeline="p", status="completed")) == 1
    with pytest.raises(DefinitionError, match=r"pipeline's name begins with a letter"):
        Pipeline("p\udcff").add_step("two", two).compile()
