"""What became of each step, visit by visit."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepwell import Goto, Pipeline, StepContext


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
