"""One process for tests: an App whose store can die, whose time is virtual, and whose threads the clock knows of."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from stepwell import events as ev
from stepwell.api.app import App
from stepwell.api.run import Run
from stepwell.api.session import Session
from stepwell.control import StepContext
from stepwell.executors.local import threads
from stepwell.journal.port import Store
from stepwell.state.state import State
from stepwell.testing.clock import VirtualClock
from stepwell.testing.crash import CrashPlan, MortalStore

CONTEXT = "stepwell testing"
"""The keyword by which every function receives the context of its attempt: no parameter can be called so."""


class WatchedThreads:
    """The threads of this process; tells the clock while one of them works for a run that still waits for it."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._calls: dict[str, asyncio.Future[object]] = {}

    def submit(
        self, function: Callable[..., object], args: Sequence[object], kwargs: Mapping[str, object]
    ) -> asyncio.Future[object]:
        """Begin the call in a thread."""
        context = kwargs.get(CONTEXT)
        path = context.path if isinstance(context, StepContext) else ""
        call = threads().submit(function, args, kwargs)
        self._calls[path] = call
        self._clock.work_begins()
        call.add_done_callback(lambda call: self._ended(path, call))
        return call

    def abandon(self, path: str) -> None:
        """Nobody waits for this call any longer: time need not stand still for it."""
        call = self._calls.get(path)
        if call is not None:
            self._ended(path, call)

    def _ended(self, path: str, call: asyncio.Future[object]) -> None:
        if self._calls.get(path) is call:
            del self._calls[path]
            self._clock.work_ends()


class Process(App):
    """An App that can die at an append; chance always gives the middle, so that jitter changes nothing."""

    def __init__(self, store: Store, clock: VirtualClock, crash: CrashPlan | None, rests: Callable[[], None]) -> None:
        self._watched = WatchedThreads(clock)
        self.mortal = MortalStore(store, clock, crash, self._hear)
        super().__init__(self.mortal, check_values=True, clock=clock, executor=self._watched, chance=lambda: 0.5)
        self._opened: dict[str, tuple[Run, Session]] = {}
        self._rests = rests
        """Called when a run of it has ended."""

    def state(self, run_id: str) -> State | None:
        """The state of a run as this process has it; None where it has not run it."""
        return self._opened[run_id][1].state if run_id in self._opened else None

    @property
    def is_idle(self) -> bool:
        """Whether no run goes on in it."""
        return not self._going()

    def request_cancel(self, reason: str) -> None:
        """Have all runs end, without waiting for it."""
        for run in self._going():
            run.request_cancel(reason)

    def _going(self) -> list[Run]:
        return [run for run, one in self._opened.values() if one.runner is not None and not one.runner.ended.done()]

    def _own(self, run: Run, session: Session) -> Session:
        self._opened[run.id] = (run, session)
        if session.runner is not None:
            session.runner.ended.add_done_callback(lambda _: self._rests())
        return super()._own(run, session)

    def _hear(self, events: Sequence[ev.Event]) -> None:
        """Facts are on their way into the store."""
        for event in events:
            if event.kind is ev.EventKind.WARNING and cast("ev.WarningIssued", event).reason == "thread_abandoned":
                self._watched.abandon(event.path)
