"""The port of what runs a step's function outside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol


class Executor(Protocol):
    """Runs plain functions somewhere else and tells the loop how they ended."""

    def submit(
        self, function: Callable[..., object], args: Sequence[object], kwargs: Mapping[str, object]
    ) -> asyncio.Future[object]:
        """Begin the call; the future ends with its result or its exception.

        Nobody can stop the call: a future that is cancelled only means that nobody looks at its end any more.
        """
        ...
