"""What an App, or a pipeline that makes its own, takes for a store."""

from __future__ import annotations

import pytest

from stepwell import App, Pipeline
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
