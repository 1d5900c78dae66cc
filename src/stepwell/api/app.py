"""`App`: a store with the runs in it; it begins runs, goes on with them, cancels and shows them."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from stepwell import events as ev
from stepwell.api import once
from stepwell.api.live import LiveRuns
from stepwell.api.logs import CaptureMode, checked, keep_log
from stepwell.api.run import Run, shown
from stepwell.api.session import Machine, Session, chance, close, resume
from stepwell.api.stores import StorePath, open_store
from stepwell.api.wish import wish
from stepwell.clock import Clock, Duration, SystemClock, seconds
from stepwell.errors import DefinitionError, RunError, RunLive, RunNotFound, StoreError
from stepwell.executors.local import threads
from stepwell.ids import RunId, ulid
from stepwell.journal.memory import MemoryStore
from stepwell.journal.port import Request, RunRow, Store, Sync
from stepwell.plan.plan import Plan
from stepwell.text import can_be_written

if TYPE_CHECKING:
    from stepwell.executors.port import Executor


class Compiles(Protocol):
    """A pipeline, as far as an App needs to know it: `compile` gives its plan as it is now."""

    def compile(self) -> Plan: ...


class App:
    """A store and the runs in it; `App()` keeps everything in memory, `App("runs.db")` in a SQLite file.

    Several processes may open one file at once; each run belongs to one of them. `sync="full"` survives a power cut,
    `sync="process"` a killed process only, and is faster. `check_values` makes a store in memory as strict about
    values as one on disk. What steps print and log is kept in files beside the store and told as LOG events; it also
    goes on to where it would have gone (`capture="tee"`), goes nowhere else (`"only"`), or is left alone (`"off"`).
    Leaving `async with App(…)`, or `await app.aclose()`, cancels the runs that are still going.

    >>> import asyncio
    >>> from stepwell import App, Pipeline
    >>> pipe = Pipeline("add")
    >>> @pipe.step
    ... def add(a: int, b: int = 1) -> int:
    ...     return a + b
    >>> async def main() -> object:
    ...     async with App() as app:
    ...         result = await app.run(pipe, a=2)
    ...         return result.output, [row.status for row in await app.runs()]
    >>> asyncio.run(main())
    (3, ['completed'])
    """

    def __init__(
        self,
        store: StorePath | Store | None = None,
        *,
        sync: Sync = "full",
        check_values: bool = False,
        capture: CaptureMode = "tee",
        clock: Clock | None = None,
        executor: Executor | None = None,
        chance: Callable[[], float] = chance,
    ) -> None:
        opened = open_store(store, sync=sync)
        self._live = LiveRuns(opened)
        self._capture: CaptureMode = checked(capture)
        self._machine = Machine(
            store=opened,
            clock=clock or SystemClock(),
            executor=executor or threads(),
            check_values=check_values,
            chance=chance,
        )
        self._closed = False
        self._for_one_run = False
        self._keyed = once.Keyed()

    @classmethod
    def for_one_run(cls, store: StorePath | None) -> App:
        """An app that `Pipeline.run` makes for itself: it closes with its run; in memory facts are for readers only."""
        app = cls(MemoryStore(retain=False) if store is None else store)
        app._for_one_run = True
        return app

    @property
    def store(self) -> Store:
        """The store; of use to those who extend Stepwell."""
        return self._machine.store

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Cancel the runs that are still going, wait for their ends, and close the store."""
        if self._closed:
            return
        self._closed = True
        runs = self._live.runs()
        for run in runs:
            run.request_cancel("the app was closed")
        try:
            await asyncio.gather(*(run.aclose() for run in runs), return_exceptions=True)
        finally:
            self._machine.store.close()

    def run(self, pipeline: Compiles, /, **options_and_inputs: object) -> Run:
        """A new run of this pipeline, which starts when it is awaited or iterated; keywords are its inputs.

        Options among them: `inputs=` (a dict, also for inputs named like an option), `key=` (start once: the same key
        with the same inputs gives the run that is there), `on_failure="stop"|"cancel"|"finish"`, `run_timeout=`,
        `run_id=`. Raises DefinitionError or InputError before anything runs.
        """
        if not hasattr(pipeline, "compile"):
            raise DefinitionError(f"app.run takes a Pipeline, and got {pipeline!r}")
        return self.start(pipeline.compile(), options_and_inputs)

    def start(self, plan: Plan, options_and_inputs: Mapping[str, object], *, target: str = "") -> Run:
        """The same for a compiled plan; `target` is what `resume` finds the pipeline by."""
        wanted = wish(plan, options_and_inputs, target=target)
        if (run := self._keyed.run(wanted)) is not None:
            return run

        def start(run: Run) -> Session:
            return self._own(run, once.start(self._machine, wanted, run.id))

        run = self._new(wanted.run_id or self._new_id(), start)
        self._keyed.add(run, wanted)
        return run

    def _new_id(self) -> RunId:
        return ulid(int(self._machine.clock.now() * 1000), os.urandom(10))

    def _new(self, run_id: str, start: Callable[[Run], Session]) -> Run:
        if self._closed:
            raise StoreError("this App is closed; open a new one")
        return Run(run_id, self._machine.store, start, self._run_ended, self._ask)

    def _own(self, run: Run, session: Session) -> Session:
        """The session of a run; from here on the run lives in this process, unless it is only looked at."""
        run.id = session.run_id
        if session.runner is not None:
            self._live.add(run, session)
            keep_log(self._machine, self._capture, run, session.runner)
        return session

    def _run_ended(self, run: Run) -> None:
        self._live.remove(run)
        self._keyed.remove(run)
        if self._for_one_run and not run.readers:
            self._closed = True
            self._machine.store.close()

    def resume(
        self,
        run_id: str,
        pipeline: Compiles | None = None,
        *,
        on_change: str = "refuse",
        run_timeout: Duration | None = None,
    ) -> Run:
        """Go on with a run: what has no end runs, what failed or was cancelled runs again, nothing else does.

        `run_id` may be a unique prefix of four characters or more, or `"last"`. The pipeline may be left out where
        the run knows its target. `on_change="keep"` goes on although recorded steps have other code now. Awaiting it
        raises RunNotFound, RunLive (another process has it), CodeChanged or RunBlocked.
        """
        plan = None if pipeline is None else pipeline.compile()
        limit = None if run_timeout is None else seconds(run_timeout, "run_timeout")

        def start(run: Run) -> Session:
            row = self.find(run_id)
            run.id = row.run_id
            if row.run_id in self._live:
                raise RunLive(f"run {row.run_id} is running in this process already; await that one", run_id=run.id)
            found = plan or self._plan_of(row)
            session = resume(
                self._machine, found, row.run_id, on_change=on_change, run_timeout=limit or found.run_timeout
            )
            return self._own(run, session)

        return self._new(run_id, start)

    def _plan_of(self, row: RunRow) -> Plan:
        """The pipeline that a run was started from, by its recorded target."""
        if not row.target:
            raise RunError(
                f"run {row.run_id} was not started from a target, so its pipeline must be given: "
                "app.resume(run_id, pipe)",
                run_id=row.run_id,
            )
        from stepwell.api.targets import load_target

        return load_target(row.target).compile()

    def find(self, run_id: str) -> RunRow:
        """The run that this id, unique prefix of four characters or more, or `last` means; raises RunNotFound."""
        store = self._machine.store
        if run_id == "last":
            rows = store.runs(limit=1)
            if not rows:
                raise RunNotFound("there is no run in this store yet")
            return rows[0]
        if not isinstance(run_id, str) or not can_be_written(run_id):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise RunNotFound(f"the id of a run is text, as `stepwell ls` shows it, not {run_id!r}")
        exact = store.get(run_id)
        if exact is not None:
            return exact
        if len(run_id) < 4:
            raise RunNotFound(f"{run_id!r} is too short; give four characters of the id or more", run_id=run_id)
        rows = store.find(run_id)
        if len(rows) == 1:
            return rows[0]
        if rows:
            several = ", ".join(row.run_id for row in rows[:5])
            raise RunNotFound(f"{run_id} could be {several}; give more of the id", run_id=run_id)
        raise RunNotFound(f"there is no run {run_id}; `stepwell ls` lists those that there are", run_id=run_id)

    async def cancel(self, run_id: str, reason: str = "cancelled") -> RunRow:
        """Ask for the end of a run, wherever it lives: its owner takes the request within 100 ms or so.

        One whose process is gone is closed here. Nothing happens to one that has ended. Gives the run as it was;
        raises RunNotFound.
        """
        row = self.find(run_id)
        if (run := self._live.run(row.run_id)) is not None:
            await run.cancel(reason)
        elif row.status == "running":
            self._ask(row.run_id, reason)
        elif row.status == "interrupted":
            close(self._machine, row.run_id, reason)
        return row

    def _ask(self, run_id: str, reason: str) -> None:
        """Leave the wish that a run ends for the process that has it."""
        self._machine.store.ask(Request(self._new_id(), run_id, "cancel", self._machine.clock.now(), reason))

    async def get(self, run_id: str) -> RunRow:
        """One run, by its id, a unique prefix, or `last`; raises RunNotFound."""
        return self.find(run_id)

    async def runs(self, *, status: str = "", pipeline: str = "", limit: int = 100) -> Sequence[RunRow]:
        """The runs in the store, the latest first."""
        return self._machine.store.runs(status, pipeline, limit) if can_be_written(status + pipeline) else []

    async def events(
        self, run_id: str, *, after: int = 0, follow: bool = False, pipeline: Compiles | None = None
    ) -> AsyncIterator[ev.Event]:
        """The recorded facts of a run with `seq > after`; with `follow`, also those to come, until it ends.

        Outputs are JSON-like as recorded (`Payload`), or of their declared types where the pipeline is given.
        """
        store, row = self._machine.store, self.find(run_id)
        plan = None if pipeline is None else pipeline.compile()
        news = asyncio.Event()
        unfollow = store.follow(row.run_id, news.set) if follow else None
        try:
            while True:
                news.clear()
                over = not follow or self.find(row.run_id).status != "running"
                while page := store.read(row.run_id, after, 1000):
                    for event in page:
                        yield event if plan is None else shown(plan, store, event)
                    after = page[-1].seq
                if over:
                    return
                with contextlib.suppress(TimeoutError):  # a process that has died tells nobody: look
                    async with asyncio.timeout(1.0):
                        await news.wait()
        finally:
            if unfollow is not None:
                unfollow()
