"""`play`, a harness for a pipeline, once with a store in memory and once with SQLite; `gate`, to hold threads back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from stepwell import Pipeline
from stepwell.testing import Harness, VirtualClock


class Play(Protocol):
    """Makes a harness: `h = play(pipe)`; with `auto=False` time passes by `h.clock.advance` alone."""

    def __call__(self, pipe: Pipeline, *, auto: bool = True) -> Harness: ...


@pytest.fixture(params=["memory", "sqlite"])
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Play]:
    with ExitStack() as stack:

        def make(pipe: Pipeline, *, auto: bool = True) -> Harness:
            store = None if request.param == "memory" else tmp_path / f"{pipe.name}.db"
            return stack.enter_context(Harness(pipe, store=store, clock=VirtualClock(auto=auto)))

        yield make


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Opens at the end of the test at the latest, so that no thread of it stays blocked."""
    event = threading.Event()
    yield event
    event.set()
