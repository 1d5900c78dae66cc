"""Fixtures for pytest: `harness`, which makes harnesses, and `tmp_app`, an App on a file of the test's own.

pytest finds them by the entry point `pytest11`; everything else is loaded when a fixture is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stepwell.api.app import App, Compiles
    from stepwell.testing.harness import Harness


@pytest.fixture
def harness() -> Iterator[Callable[[Compiles], Harness]]:
    """Make a Harness for a pipeline: `h = harness(pipe)`; it is checked and closed when the test is over."""
    from stepwell.testing.harness import Harness

    with ExitStack() as stack:
        yield lambda pipeline: stack.enter_context(Harness(pipeline))


@pytest.fixture
def tmp_app(tmp_path: Path) -> Iterator[App]:
    """An App on a SQLite file in `tmp_path`, closed when the test is over."""
    from stepwell.api.app import App

    app = App(tmp_path / "stepwell.db", sync="process")
    yield app
    asyncio.run(app.aclose())
