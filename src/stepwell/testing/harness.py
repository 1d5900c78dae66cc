"""`Harness`: runs a pipeline in a test, with mocks, virtual time and planned crashes, and checks its laws after it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from stepwell.api.app import App, Compiles
from stepwell.api.result import RunResult
from stepwell.api.run import Run, shown
from stepwell.api.stores import open_store
from stepwell.clock import Duration
from stepwell.definition.spec import StepRef
from stepwell.definition.suggest import did_you_mean
from stepwell.errors import DefinitionError, StepwellError
from stepwell.events import Event, Token
from stepwell.journal.port import Store
from stepwell.plan.plan import UNSET, Plan
from stepwell.testing.clock import VirtualClock
from stepwell.testing.crash import Crashed, CrashPlan
from stepwell.testing.invariants import check_invariants
from stepwell.testing.mocks import Call, Mock, Overlay
from stepwell.testing.process import Process

T = TypeVar("T")


class Harness:
    """A pipeline under test: `with Harness(pipe) as h:` or `async with Harness(pipe) as h:`.

    Steps can be replaced (`mock`), what they were called with is kept (`calls`), and so is what happened (`events`,
    `kinds`). Retries, timeouts and the run's deadline pass at once, by a `VirtualClock`; chance is always in the
    middle, so that jitter changes nothing. The process can be made to die (`crash_after`, `crash_at`). The store is in
    memory, as strict about values as one on disk; `store=` takes the path of a SQLite file, or a store. After each run
    its facts are checked against the laws of `check_invariants`. The pipeline itself is never changed.

    >>> from stepwell.api.pipeline import Pipeline
    >>> pipe = Pipeline("page")
    >>> @pipe.step(retry=3)
    ... def fetch(url: str) -> str:
    ...     raise OSError("no network in a test")
    >>> @pipe.step
    ... def length(fetch: str) -> int:
    ...     return len(fetch)
    >>> with Harness(pipe) as h:
    ...     h.mock("fetch", side_effect=[TimeoutError(), "hello"])
    ...     result = h.run_sync(url="https://example.org")
    ...     result.output, [(call.args["url"], call.attempt) for call in h.calls("fetch")]
    (5, [('https://example.org', 1), ('https://example.org', 2)])
    """

    def __init__(
        self, pipeline: Compiles, *, store: Store | str | Path | None = None, clock: VirtualClock | None = None
    ) -> None:
        self.clock = clock or VirtualClock()
        self._pipeline = pipeline
        self._own_store = store is None or isinstance(store, (str, Path))
        self._store = open_store(store, sync="process") if store is None or isinstance(store, (str, Path)) else store
        self._overlay = Overlay(self.clock)
        self._crash: CrashPlan | None = None
        self._processes: list[Process] = []
        self._run: Run | None = None
        self._tokens: dict[str, list[Token]] = {}
        """By run."""
        self._seen: dict[str, Process] = {}
        """The process that had each run last."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.check()
        finally:
            self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(process.aclose() for process in self._processes), return_exceptions=True)
        self.__exit__(kind, error, trace)

    def close(self) -> None:
        """End what still goes on and close the store; leaving `with` does it."""
        busy = [process for process in self._processes if not process.is_idle]
        for process in busy:
            process.request_cancel("the harness was closed")
        self._rest()
        if self._own_store and not busy:
            self._store.close()

    # --- before a run -------------------------------------------------------------------------------------------------

    def mock(
        self, step: StepRef, *, returns: object = UNSET, raises: object = UNSET, side_effect: object = UNSET
    ) -> None:
        """Let a step return this value, raise this exception, or do what this function does; without any, return None.

        `side_effect` is a function, sync or async, which receives those of the step's arguments that it names (if it
        names others, all of them in their order); or a list, of which each call takes one: an exception is raised, a
        function called, anything else returned. Control values (`Skip`, `Retry`, …) act as if the step returned them.
        Retries, timeouts and maps apply as to the step itself. Raises DefinitionError for a step that there is not.
        """
        name = self._name(step)
        self._overlay.mocks[name] = Mock(name, returns, raises, side_effect)

    def unmock(self, *steps: StepRef) -> None:
        """Let these steps, or all if none are named, do again what their functions say."""
        for name in [self._name(step) for step in steps] or list(self._overlay.mocks):
            self._overlay.mocks.pop(name, None)

    def crash_after(self, step: StepRef) -> None:
        """Let the process of the next run, or resume, die when this step (or item, `"measure[2]"`) has its end."""
        name = step if isinstance(step, str) else self._name(step)
        known = self._name(name.partition("[")[0])
        self._crash = CrashPlan(after=name if "[" in name else known)

    def crash_at(self, append: int, *, durable: bool = True) -> None:
        """Let the process of the next run, or resume, die at its append of this number, counted from 1.

        What that append was to write is recorded, and the process never hears of it; with `durable=False` it is lost.
        Where there are fewer appends, it does not die.
        """
        if append < 1:
            raise ValueError(f"appends are counted from 1, so there is no append {append}")
        self._crash = CrashPlan(at=append, durable=durable)

    # --- running ------------------------------------------------------------------------------------------------------

    async def run(self, **options_and_inputs: object) -> RunResult:
        """Run to the end, as `pipe.run(…)` does, and check the laws; raises Crashed where it was to die."""
        return await self._to_its_end(self.start(**options_and_inputs))

    def run_sync(self, **options_and_inputs: object) -> RunResult:
        """The same for a test that is not async."""
        return _wait_for(lambda: self.run(**options_and_inputs))

    def start(self, **options_and_inputs: object) -> Run:
        """The run, to be awaited, iterated or cancelled; it starts when it is."""
        process = self._process()
        return self._keep(process, process.start(self.plan(), options_and_inputs))

    async def resume(self, *, on_change: str = "refuse", run_timeout: Duration | None = None) -> RunResult:
        """Go on with the last run, in a new process, from what is recorded of it."""
        return await self._to_its_end(await self.start_resume(on_change=on_change, run_timeout=run_timeout))

    def resume_sync(self, *, on_change: str = "refuse", run_timeout: Duration | None = None) -> RunResult:
        """The same for a test that is not async."""
        return _wait_for(lambda: self.resume(on_change=on_change, run_timeout=run_timeout))

    async def start_resume(self, *, on_change: str = "refuse", run_timeout: Duration | None = None) -> Run:
        """The resumed run, to be awaited, iterated or cancelled."""
        await self._bury()
        process = self._process()
        plan = self.plan()
        return self._keep(
            process, process.resume(self.run_id, _Compiled(plan), on_change=on_change, run_timeout=run_timeout)
        )

    def plan(self) -> Plan:
        """The pipeline's plan with the mocks in it."""
        return self._overlay.plan(self._pipeline.compile())

    # --- afterwards ---------------------------------------------------------------------------------------------------

    @property
    def run_id(self) -> str:
        """The last run's id; raises StepwellError where there was none."""
        if self._run is None:
            raise StepwellError("nothing was run yet; `await h.run(…)` comes first")
        return self._run.id

    @property
    def app(self) -> App:
        """The App of the last run, for what else there is to ask (`cancel`, `runs`, `events`)."""
        return self._processes[-1] if self._processes else self._process()

    @property
    def events(self) -> list[Event]:
        """The facts of the last run and of its resumes, outputs as they were returned."""
        plan = self._pipeline.compile()
        return [shown(plan, self._store, event) for event in self._facts(self.run_id)]

    def kinds(self, *, paths: bool = False) -> list[str]:
        """The kinds of these facts, in order: `STEP_COMPLETED`; with `paths`, `STEP_COMPLETED measure[2]`."""
        return [f"{one.kind.value} {one.path}".strip() if paths else one.kind.value for one in self.events]

    @property
    def tokens(self) -> list[object]:
        """What generator steps have yielded in the last run and its resumes, in the order in which it was told."""
        return [token.value for token in self._tokens.get(self.run_id, ())]

    def calls(self, step: StepRef) -> list[Call]:
        """The calls of a step in the last run and its resumes, mocked or not, in the order in which they began."""
        name = self._name(step)
        return [call for call in self._overlay.calls.get(self.run_id, ()) if call.step == name]

    def check(self) -> None:
        """Check the facts of every run that does not go on: raises AssertionError with the laws that are broken."""
        for run_id, process in self._seen.items():
            facts = self._facts(run_id)
            if facts and process.is_idle:
                dead = process.mortal.dead
                check_invariants(facts, None if dead else process.state(run_id), over=not dead)

    # --- inside -------------------------------------------------------------------------------------------------------

    def _name(self, step: StepRef) -> str:
        plan = self._pipeline.compile()
        for one in plan.steps:
            if step == one.name or (callable(step) and one.function is step):
                return one.name
        word = step if isinstance(step, str) else getattr(step, "__name__", repr(step))
        hint = did_you_mean(word, plan.graph.names, what="steps")
        raise DefinitionError(f"pipeline `{plan.name}` has no step `{word}`{hint}")

    def _process(self) -> Process:
        crash, self._crash = self._crash, None
        process = Process(self._store, self.clock, crash, self._rest)
        self._processes.append(process)
        return process

    def _keep(self, process: Process, run: Run) -> Run:
        self._run = run
        self._seen[run.id] = process
        return run

    async def _to_its_end(self, run: Run) -> RunResult:
        try:
            async for event in run:
                if isinstance(event, Token):
                    self._tokens.setdefault(run.id, []).append(event)
            result = await run
        except Crashed:
            await self._bury()
            raise
        finally:
            self._seen[run.id] = self._processes[-1]  # with a start key it may be another run than it was to be
        self.check()
        return result

    def _rest(self) -> None:
        """Where nothing goes on, nothing is timed: an attempt that ended well leaves its grace behind."""
        if all(process.is_idle for process in self._processes):
            self.clock.clear()

    async def _bury(self) -> None:
        for process in self._processes:
            if process.mortal.dead:
                await process.mortal.bury()

    def _facts(self, run_id: str) -> Sequence[Event]:
        facts: list[Event] = []
        while page := self._store.read(run_id, len(facts), 1000):
            facts.extend(page)
        return facts


class _Compiled:
    """A plan where a pipeline is asked for."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def compile(self) -> Plan:
        """The plan."""
        return self._plan


def _wait_for(begin: Callable[[], Awaitable[T]]) -> T:
    """Run it to its end on a loop of its own: in another thread where one runs in this thread already."""

    async def run() -> T:
        return await begin()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run())
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, run()).result()
