"""`Pipeline`: the definition, with `run` and `run_sync`."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from stepwell.api.app import App
from stepwell.api.blueprint import Blueprint
from stepwell.api.result import RunResult
from stepwell.api.run import Run


class Pipeline(Blueprint):
    """A pipeline: steps, what they need, what becomes of their failures; and the way to run it.

    >>> pipe = Pipeline("greet")
    >>> @pipe.step
    ... def hello(name: str) -> str:
    ...     return f"hello {name}"
    >>> pipe.run_sync(name="you").output
    'hello you'
    """

    def run(self, *, store: str | Path | None = None, **options_and_inputs: object) -> Run:
        """A new run, which starts when it is awaited or iterated; keywords are its inputs and the options of `App.run`.

        Without `store` it is kept in memory and nothing is written to disk; with the path of a file it survives its
        process, and `App(path).resume(run_id, pipe)` or `stepwell resume` goes on with it. Raises DefinitionError or
        InputError before anything runs, and from `await` StoreError.
        """
        return App.for_one_run(store).run(self, **options_and_inputs)

    def run_sync(self, *, store: str | Path | None = None, **options_and_inputs: object) -> RunResult:
        """The same for code that is not async: runs to the end and gives the RunResult.

        Where an event loop runs already (in Jupyter, say), the run gets a loop in a thread of its own.
        """

        async def run() -> RunResult:
            return await self.run(store=store, **options_and_inputs)

        self.compile()  # a mistake is told here, not out of a thread or an event loop
        if asyncio._get_running_loop() is None:  # pyright: ignore[reportPrivateUsage] - documented, and raises nothing
            return asyncio.run(run())
        return _in_thread(lambda: asyncio.run(run()))


_LOOK = 0.1 if sys.platform == "win32" else None
"""Seconds; on Windows a Ctrl-C does not end a wait that has no end of its own."""


def _in_thread(call: Callable[[], RunResult]) -> RunResult:
    """The result of the call, made in a thread of its own."""
    results: list[RunResult] = []
    errors: list[BaseException] = []

    def make() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=make, name="stepwell-run-sync", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_LOOK)
    if errors:
        raise errors[0]
    return results[0]
