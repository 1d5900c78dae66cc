"""The runner of one run: perform, write down, decide, wait until it is durable, release what was decided.

act ──► Performer ──► facts ──► Ledger (fold, decide) ──► store ──► durable ──► acts for the Crew, ends for callers
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from stepwell import events as ev
from stepwell.clock import Clock, Timer
from stepwell.engine.ask_again import next_time
from stepwell.engine.attempt import CANCEL_GRACE, Attempts
from stepwell.engine.audience import Audience
from stepwell.engine.commands import CancelRunning, CancelSteps, Command, Guard, Reset, Start, StartItem
from stepwell.engine.crew import Crew
from stepwell.engine.interpret import Form
from stepwell.engine.ledger import Ledger
from stepwell.engine.perform import Performer
from stepwell.engine.values import Values
from stepwell.failpoints import failpoint
from stepwell.journal.port import Lease, Store
from stepwell.plan.plan import Plan
from stepwell.state.state import State
from stepwell.text import clean

if TYPE_CHECKING:
    from stepwell.capture.capture import Capture
    from stepwell.executors.port import Executor

_ACTS = (Start, StartItem, Guard)
_LAST = (ev.RunFinished, ev.RunBlocked)

Fact = tuple[type[ev.Event], tuple[object, ...]]
"""A fact without its number and time: its class, and its fields from `path` on."""


class Runner:
    """Runs one run from the state that it is in to an end; `begin(facts)`, then `await run()`.

    `check` says whether values are checked even where they need not be encoded; `chance` gives numbers in [0, 1).
    """

    def __init__(
        self,
        plan: Plan,
        state: State,
        store: Store,
        lease: Lease,
        inputs: Mapping[str, object],
        *,
        clock: Clock,
        executor: Executor,
        chance: Callable[[], float],
        check: bool,
    ) -> None:
        self.state = state
        self.values = Values(plan, state, store, inputs, copies=store.encodes)
        self.ledger = Ledger(plan, state, lease.run_id, chance)
        self.audience = Audience()
        """Told of what is live only."""
        self.error: BaseException | None = None
        """Why the run could not be recorded to its end."""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the run is over and nothing of it goes on but what nobody can stop."""
        self._store = store
        self._lease = lease
        self._clock = clock
        self._timer: Timer | None = None
        self._when: float | None = None
        """When that timer comes."""
        self._ack: asyncio.Future[None] | None = None
        """Of the latest append, where that was not durable at once."""
        attempts = Attempts(plan, lease.run_id, self.values, clock, executor, Form(store.encodes, check))
        self._performer = Performer(
            self.ledger, attempts, self.values, clock, self.audience, self._tick, encodes=store.encodes
        )
        attempts.end, attempts.sink = self._performer.end, self._performer.sink
        self._crew = Crew(f"stepwell {lease.run_id}", self._performer.perform, self._commit, self._fail)
        self._attempts = attempts

    def begin(self, facts: Sequence[Fact], now: float) -> None:
        """Note the first facts, which `run` appends; from here on the run can be cancelled."""
        self.ledger.now = now
        for kind, fields in facts:
            self.ledger.note(kind, *fields)

    def listen(self, capture: Capture) -> None:
        """From the first attempt to the end of the run, hear what attempts print and log."""
        self._attempts.capture = capture

    async def run(self) -> None:
        """Go on until the run is over; what the store raised is in `error`."""
        task = asyncio.current_task()
        if task is None:
            raise AssertionError("a run needs an asyncio task")
        try:
            if (wait := self._commit()) is not None:
                await wait
            await self._crew.work(task, main=True)
        except asyncio.CancelledError as error:
            self._fail(error)
            await self._leave()
            raise
        except Exception as error:  # a mistake of ours must not leave anybody waiting
            self._fail(error)
        except GeneratorExit:
            raise  # the task is thrown away with its loop
        except BaseException as error:  # the process is being ended: nothing can be awaited any more
            self._fail(error)
            self._end_for_all()
            raise
        await self._leave()

    async def _leave(self) -> None:
        """No task and no timer of this run stays behind."""
        if self._timer is not None:
            self._timer.cancel()
        try:
            await self._crew.leave(2 * CANCEL_GRACE)
        finally:
            self._performer.leave()
            self._end_for_all()

    def _end_for_all(self) -> None:
        """Nobody waits for this run any longer."""
        if self._attempts.capture is not None:
            self._attempts.capture.close()
        if not self.ended.done():
            self.ended.set_result(None)

    def _over(self) -> None:
        """All is written down, or nothing can be any more; a main task that heeds no cancel is not waited for."""
        self._crew.finish()
        if not any(worker.main for worker in self._crew.workers if not worker.lost):
            self._end_for_all()

    def _commit(self) -> Awaitable[None] | None:
        """Decide, append, and release what was decided; or give what does that last part once all of it is durable."""
        batch, acts = self.ledger.decide()
        try:
            ack = self._append(batch, self.state.running <= 1)
        except Exception as error:  # of the store: the run cannot go on
            self._fail(error)
            return None
        if ack is not None:
            return self._release_later(ack, batch, acts)
        self._release(batch, acts)
        return None

    async def _release_later(self, ack: asyncio.Future[None], batch: list[ev.Event], acts: list[Command]) -> None:
        try:
            await ack
        except Exception as error:
            self._fail(error)
        else:
            self._release(batch, acts)

    @failpoint("engine.append")
    def _append(self, batch: list[ev.Event], alone: bool) -> asyncio.Future[None] | None:
        """Append the facts; gives what to wait for before anything that was decided with them, or after them, is done.

        Without facts of its own a decision rests on those that are on their way.
        """
        if batch:
            self._ack = self._store.append(self._lease, batch, alone)
        ack = self._ack
        if ack is None or (ack.done() and not ack.cancelled() and ack.exception() is None):
            return None
        return ack

    def _tick(self) -> None:
        """Commit from a callback, which cannot wait: time has passed, a slot is free, somebody wants something."""
        if self._crew.over:
            self._over()
            return
        self.ledger.now = self._clock.now()
        batch, acts = self.ledger.decide()
        try:
            ack = self._append(batch, False)
        except Exception as error:
            self._fail(error)
            return
        if ack is None:
            self._release_aside(batch, acts)
        else:
            ack.add_done_callback(lambda ack: self._durable(ack, batch, acts))

    def _durable(self, ack: asyncio.Future[None], batch: list[ev.Event], acts: list[Command]) -> None:
        error = asyncio.CancelledError() if ack.cancelled() else ack.exception()
        if error is None:
            self._release_aside(batch, acts)
        else:
            self._fail(error)

    def _release_aside(self, batch: list[ev.Event], acts: list[Command]) -> None:
        """Release from outside of a worker, which would take the next act itself."""
        self._release(batch, acts)
        if self._crew.todo:
            self._crew.stand_by()

    @failpoint("engine.release")
    def _release(self, batch: list[ev.Event], acts: list[Command]) -> None:
        """What was decided is durable: now it may be done and told."""
        crew = self._crew
        if crew.over:
            return
        for act in acts:
            if isinstance(act, _ACTS):
                crew.todo.append(act)
                if self.audience.listeners and isinstance(act, StartItem):
                    self._tell_started(act)
            elif isinstance(act, Reset):
                self.values.forget(act.numbers)
            elif isinstance(act, CancelRunning | CancelSteps):
                self._cancel(act)
        if batch and isinstance(batch[-1], _LAST):
            self._over()
        if self._performer.feeds:
            for feed in list(self._performer.feeds.values()):
                feed.look()
        if self.state.timers or self.state.open or self.state.deadline is not None:
            self._set_timer()

    def _cancel(self, act: CancelRunning | CancelSteps) -> None:
        """Tell attempts to end: all, or those of some steps."""
        for worker in list(self._crew.workers):
            if isinstance(act, CancelRunning) or (worker.act is not None and worker.act.number in act.numbers):
                self._performer.end(worker, "cancel", act.reason)

    def _tell_started(self, act: StartItem) -> None:
        path = self.state.item_path(act.number, act.index)
        self.audience.tell(ev.ItemStarted(self._lease.run_id, 0, self._clock.now(), path, act.attempt, act.index))

    def _fail(self, error: BaseException) -> None:
        """The store has failed, or this process is told to end: nothing more can be written down."""
        if self.error is None and not self._crew.over:
            self.error = error
        self._performer.leave(silent=True)
        for worker in list(self._crew.workers):
            self._performer.end(worker, "cancel", "the run cannot be recorded any more")
        self._over()

    def _set_timer(self) -> None:
        """Ask again at the next time at which something is due."""
        when = None if self._crew.over else next_time(self.state, self.ledger.now)
        if when == self._when:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._when = when
        self._timer = None if when is None else self._clock.call_at(when, self._wake)

    def _wake(self) -> None:
        self._when = None
        self._tick()

    def dismiss(self) -> None:
        """The run is over: its parts let go of each other, so that a thousand runs leave nothing for the collector."""
        self._performer.dismiss()
        self._crew.dismiss()

    def warn(self, reason: str, message: str) -> None:
        """Write down what somebody should know and that stops nothing; a run that is over hears it no more."""
        if not self._crew.over and self.state.status == "running":
            self.ledger.now = self._clock.now()
            self.ledger.note(ev.WarningIssued, "", 0, reason, clean(message))
            self.ended.get_loop().call_soon(self._tick)  # this may be in the midst of an attempt

    @failpoint("engine.cancel")
    def cancel(self, reason: str) -> asyncio.Future[None] | None:
        """Write down that the run is to end, then end what runs; nothing happens to a run that has ended.

        Gives what to wait for until that is durable; None where it is, or where there is nothing to write.
        """
        if self._crew.over or self.state.status != "running":
            return None
        if self.state.halt != "cancelled":
            self.ledger.now = self._clock.now()
            self.ledger.note(ev.RunCancelled, "", 0, clean(reason))
            self._tick()
        return self._ack if self._ack is not None and not self._ack.done() else None
