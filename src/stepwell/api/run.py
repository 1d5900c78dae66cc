"""`Run`: one run as its caller holds it; awaitable for its result, iterable for its events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Generator
from types import TracebackType
from typing import Self

import msgspec

from stepwell import events as ev
from stepwell.api.reader import Reader
from stepwell.api.result import RunResult
from stepwell.api.session import Session
from stepwell.errors import RunError
from stepwell.ids import step_of
from stepwell.journal.port import Store
from stepwell.plan.plan import Plan

_LOOK_AGAIN = 1.0
"""Seconds after which a watcher looks whether the process that runs the run is still there."""
_PAGE = 1000
_LAST = 1 << 62
"""After every fact that there is."""


class Run:
    """A run that starts when it is first awaited or iterated.

    `await run` gives its RunResult, as often as you like; it never raises for a step that failed, but raises what
    the store raised. `async for event in run` gives its events; leaving that loop neither stops nor cancels the run.
    `async with run:` cancels what is unfinished when it is left, unless `detach()` was called. Where the task that
    awaits a run is cancelled, the run is cancelled too, and that is recorded.

    >>> import asyncio
    >>> from stepwell import Pipeline
    >>> pipe = Pipeline("one")
    >>> @pipe.step
    ... def one() -> int:
    ...     return 1
    >>> async def main() -> list[str]:
    ...     return [event.kind.value async for event in pipe.run()]
    >>> asyncio.run(main())
    ['RUN_STARTED', 'STEP_STARTED', 'STEP_COMPLETED', 'RUN_FINISHED']
    """

    def __init__(
        self,
        run_id: str,
        store: Store,
        start: Callable[[Run], Session],
        ended: Callable[[Run], None],
        ask: Callable[[str, str], None],
    ) -> None:
        self.id = run_id
        self._store = store
        self._start = start
        self._ended = ended
        self._ask = ask
        """Leaves the wish that a run of this id ends, with a reason, for the process that has it."""
        self._task: asyncio.Task[None] | None = None
        self._session: Session | None = None
        self._outcome: RunResult | None = None
        self._first_seq = 0
        self._detached = False
        self._cancel_reason: str | None = None
        self.readers = 0
        """Iterations that are under way."""
        self.ears: list[Callable[[ev.LogLine], None]] = []
        """Called, from any thread, with what the attempts that this process makes print and log."""

    def __repr__(self) -> str:
        """Its id."""
        return f"<Run {self.id}>"

    def __await__(self) -> Generator[object, None, RunResult]:
        """Run it to its end; gives the RunResult."""
        return self._result().__await__()

    async def __aenter__(self) -> Self:
        self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._detached:
            await self.aclose()

    @property
    def has_ended(self) -> bool:
        """Whether it was started and has come to an end."""
        session = self._session
        return session is not None and (session.runner is None or session.runner.ended.done())

    def detach(self) -> None:
        """Let the run go on when its `async with` is left or the task that awaits it is cancelled."""
        self._detached = True

    async def cancel(self, reason: str = "cancelled") -> None:
        """End the run, in whichever process it lives: recorded first, then what runs is cancelled.

        A run that has ended stays as it is.
        """
        session = self._open()
        if self._outcome is not None:
            return
        if session.runner is None and session.state.status == "running":
            self._ask(self.id, reason)
        self.request_cancel(reason)
        await self._wait(session)

    async def aclose(self) -> None:
        """Cancel what is unfinished and wait until nothing of the run goes on; one of another process is left alone."""
        if self._session is not None and self._session.runner is not None:
            await self.cancel("closed")

    def request_cancel(self, reason: str) -> asyncio.Future[None] | None:
        """Cancel what this process runs, without waiting for the end; for signal handlers and for requests.

        Gives what to wait for until the wish is durable, or None.
        """
        if self._session is None:
            self._cancel_reason = reason
            return None
        return None if self._session.runner is None else self._session.runner.cancel(reason)

    def _open(self) -> Session:
        """Start the run, once."""
        if self._session is not None:
            return self._session
        try:
            session = self._session = self._start(self)
        except BaseException:
            self._ended(self)
            raise
        runner = session.runner
        self._first_seq = session.state.seq if runner is not None else 0
        if runner is None:
            return session
        runner.begin(session.first, session.now)
        self._task = asyncio.get_running_loop().create_task(runner.run(), name=f"stepwell {self.id}")
        runner.ended.add_done_callback(lambda _: self._ended(self))
        if self._cancel_reason is not None:
            runner.cancel(self._cancel_reason)
        return session

    async def _wait(self, session: Session) -> None:
        """Until the run is over. A caller that is cancelled meanwhile takes the run with it."""
        runner = session.runner
        if runner is None:
            try:
                while not await self._comes_to_an_end(session):
                    pass
            finally:
                self._ended(self)
            return
        try:
            await asyncio.shield(runner.ended)
        except asyncio.CancelledError:
            if self._detached or runner.ended.cancelled():
                raise
            runner.cancel("the task that awaited the run was cancelled")
            await asyncio.shield(runner.ended)
            raise
        if runner.error is not None:
            if isinstance(runner.error, asyncio.CancelledError):
                raise RunError(f"the event loop of run {self.id} was closed under it; resume it", run_id=self.id)
            raise runner.error

    async def _comes_to_an_end(self, session: Session) -> bool:
        """Whether a run that lives in another process has an end; if not, wait for news, or a while."""
        news = asyncio.Event()
        unfollow = self._store.follow(self.id, news.set)
        try:
            if session.catch_up(self._store) != "running":
                return True
            row = self._store.get(self.id)
            if row is not None and row.status == "interrupted":
                raise RunError(
                    f"the process that ran {self.id} is gone; `stepwell resume {self.id}` goes on with it",
                    run_id=self.id,
                )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN):  # `wait_for` of 3.11 loses a cancel that meets the news
                    await news.wait()
            return False
        finally:
            unfollow()

    async def _result(self) -> RunResult:
        if self._outcome is not None:
            return self._outcome
        session = self._open()
        runner = session.runner
        if runner is not None:
            runner.audience.lift()
        await self._wait(session)
        ended_at = session.started_at if runner is None else runner.ledger.now
        errors = {} if runner is None else runner.ledger.errors
        ends = [at for at in session.state.ended_at if at is not None]
        times = (session.started_at, max([ended_at, *ends]))
        self._outcome = RunResult(self.id, session.plan, session.state, session.values, errors, times)
        if runner is not None:
            runner.dismiss()
        session.runner = self._task = None  # a thousand results in memory are not to hold a thousand engines
        return self._outcome

    async def __aiter__(self) -> AsyncIterator[ev.Event]:
        """The events of the run from here on: facts as soon as they are durable, and what is live only."""
        news = asyncio.Event()
        self.readers += 1
        unfollow = self._store.follow(self.id, news.set)
        session, reader = None, None
        try:
            session = self._open()
            runner = session.runner
            if runner is not None:
                reader = Reader(runner.audience, runner.ledger, news)
                runner.ended.add_done_callback(lambda _: news.set())
            after = self._first_seq
            while True:
                news.clear()
                over = session.state.status != "running" if runner is None else runner.ended.done()
                while page := self._store.read(self.id, after, _PAGE):
                    for fact in page:
                        for spark in () if reader is None else reader.until(fact.seq - 1):
                            yield spark
                        yield shown(session.plan, self._store, fact)
                    after = page[-1].seq
                for spark in () if reader is None else reader.until(_LAST if over else after):
                    yield spark
                if over:
                    break
                if runner is None:
                    await self._comes_to_an_end(session)
                else:
                    await news.wait()
            if runner is not None and runner.error is not None:
                await self._wait(session)
        finally:
            unfollow()
            if reader is not None:
                reader.close()
            self.readers -= 1
            if session is not None and (session.runner is None or session.runner.ended.done()):
                self._ended(self)


def shown(plan: Plan, store: Store, event: ev.Event) -> ev.Event:
    """The event with its output decoded to the declared type, where it is recorded in bytes."""
    if not isinstance(event, (ev.StepCompleted, ev.ItemCompleted)) or not isinstance(event.output, ev.Payload):
        return event
    name = step_of(event.path)
    data = store.load(event.output)
    return msgspec.structs.replace(event, output=plan.steps[plan.graph.number[name]].codec.decode(data))
