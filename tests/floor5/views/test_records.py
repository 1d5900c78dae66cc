"""What became of each step, visit by visit."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepwell import Goto, Pipeline, StepContext
from stepwell import events as ev
from stepwell.errors import StoreError
from stepwell.views.records import replay


@pytest.mark.parametrize("on_disk", [False, True])
def test_an_earlier_visit_of_a_map_has_the_items_that_it_had(tmp_path: Path, on_disk: bool) -> None:
    """B11: though the map has lost them, and has others now."""
    pipe = Pipeline("visits")

    @pipe.step
    async def numbers(step: StepContext) -> list[int]:
        return [1, 2, 3] if "#2" in step.path else [1, 2]

    @pipe.map(over=numbers, key=lambda item: f"n{item}", min_success=1)
    async def work(item: int, step: StepContext) -> int:
        if item == 2 and "#2" not in step.path:
            raise ValueError("no")
        return item

    @pipe.step(goto=["numbers"])
    async def judge(work: list[int], step: StepContext) -> int | Goto:
        return 1 if "#2" in step.path else Goto("numbers")

    record = pipe.run_sync(store=tmp_path / "runs.db" if on_disk else None).steps["work"]
    assert {key: (one.path, one.status) for key, one in record.items.items()} == {
        f"n{number}": (f"work[n{number}]#2", "completed") for number in (1, 2, 3)
    }
    (first,) = record.visits
    assert {key: (one.path, one.status) for key, one in first.items.items()} == {
        "n1": ("work[n1]", "completed"), "n2": ("work[n2]", "failed"),
    }  # fmt: skip


def test_the_items_of_a_map_are_a_mapping_that_makes_its_records_when_they_are_asked_for() -> None:
    """B1, O2: by the key in its one spelling; the counts need no record of an item at all."""
    pipe = Pipeline("items")

    @pipe.step
    async def numbers() -> list[int]:
        return [1, 2, 3]

    @pipe.map(over=numbers, min_success=1)
    async def work(number: int) -> int:
        if number == 2:
            raise ValueError("no")
        return number

    record = pipe.run_sync().steps["work"]
    assert record.counts == {"completed": 2, "failed": 1}
    assert (list(record.items), len(record.items)) == (["0", "1", "2"], 3)
    assert record.items["1"].failure is not None
    assert record.items["1"] == record.items["1"]
    for key in ("3", "-1", "01", "x", ""):
        assert key not in record.items
    assert repr(record.items) == "<3 items of work>"


def test_facts_that_make_no_sense_are_told_with_the_first_of_them() -> None:
    started = ev.RunStarted("R", 1, 1.0, pipeline="p", fingerprints={"a": "x"})
    with pytest.raises(StoreError, match=r"fact 2 \(STEP_COMPLETED `b`\) does not follow"):
        replay([started, ev.StepCompleted("R", 2, 1.0, "b", 1)])
    with pytest.raises(StoreError, match=r"fact 2 .* the first fact of a run is RUN_STARTED"):
        replay([ev.StepCompleted("R", 2, 1.0, "a", 1)])
    with pytest.raises(StoreError, match="no facts"):
        replay([])
