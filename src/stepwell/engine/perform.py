"""Performing an act: make the attempt, write down its outcome; and what to do about what nobody can stop."""

from __future__ import annotations

from collections.abc import Callable

from stepwell import events as ev
from stepwell.clock import Clock, Timer
from stepwell.engine.attempt import CANCEL_GRACE, GRACE, Attempts, Unread
from stepwell.engine.audience import Audience
from stepwell.engine.commands import Guard, Start, StartItem
from stepwell.engine.crew import Act
from stepwell.engine.expand import expand, keys_of
from stepwell.engine.feed import Feed
from stepwell.engine.ledger import Ledger
from stepwell.engine.outcome import Cancelled, Completed, Expanded, Failed, Jump, Outcome
from stepwell.engine.stream import Sink
from stepwell.engine.tokens import Tokens
from stepwell.engine.values import Values, items_of
from stepwell.engine.worker import Signal, Worker
from stepwell.errors import CodecError, PayloadLost, StoreError
from stepwell.failpoints import failpoint
from stepwell.plan.plan import UNSET, Fan, PlanStep
from stepwell.state.items import MapState
from stepwell.state.sparks import Blocking, ItemsSeen, SlotsHeld
from stepwell.state.state import COMPLETED, RUNNING


def _unusable(error: Exception) -> Failed:
    """The items of a map cannot be had."""
    kind = "codec" if issubclass(type(error), CodecError) else "input"
    return Failed(kind, "items_not_usable", error, retryable=False)


def _unheard() -> None:
    """Nobody is told any more."""


class Performer:
    """Makes the attempts of one run and writes down how they ended; `news` is called when that was not a worker."""

    __slots__ = (
        "_attempts",
        "_audience",
        "_clock",
        "_encodes",
        "_ledger",
        "_news",
        "_plan",
        "_state",
        "_timers",
        "_values",
        "feeds",
        "silent",
    )

    def __init__(
        self, ledger: Ledger, attempts: Attempts, values: Values, clock: Clock, audience: Audience,
        news: Callable[[], None], *, encodes: bool,
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._plan = ledger.plan
        self._state = ledger.state
        self._attempts = attempts
        self._values = values
        self._clock = clock
        self._audience = audience
        self._news = news
        self.feeds: dict[int, Feed] = {}
        """By step: the sources of maps that yield at this moment."""
        self._timers: list[Timer] = []
        self.silent = False
        """Nothing can be written down any more."""
        self._encodes = encodes
        """Values are recorded in bytes."""

    async def perform(self, worker: Worker, act: Act) -> None:
        """Make an attempt and write down its outcome; a value that is lost blocks the run."""
        worker.act = act
        number, state, started_at = act.number, self._state, 0.0
        step = self._plan.steps[number]
        if step.fan is not None and isinstance(act, Start):
            if state.attempts[number] != act.attempt or state.steps[number] != RUNNING:
                return  # a map that was to go on has been abandoned, or reset by a jump, before anybody came to it
            if number in state.maps:
                self._go_on(step, act)
                return  # what becomes of a map follows from its items
        try:
            if state.cancelling or number in state.clearing:
                why = "goto" if state.jumps else "nothing_needs_it"
                outcome: Outcome = Cancelled(state.halt or why)
            elif isinstance(act, StartItem):
                started_at = self._clock.now()
                path, item = state.item_path(number, act.index), self._item(number, act.index)
                if isinstance(item, Failed):
                    outcome = item
                else:
                    outcome = await self._attempts.make(worker, step, path, act.attempt, item, act.attempt - 1)
            elif isinstance(act, Guard):
                outcome = await self._attempts.guard(worker, step, state.paths[number])
            elif step.fan is None:
                spent = state.spent.get(number, 0)
                outcome = await self._attempts.make(worker, step, state.paths[number], act.attempt, UNSET, spent)
            else:
                outcome = self._expand(number, step.fan)
        except (Unread, PayloadLost) as error:
            missing = error.__cause__ if isinstance(error, Unread) else error
            if not isinstance(missing, PayloadLost):
                raise missing or error from None  # it may be read another time: the run stops, as where it cannot write
            self._block(missing)
            outcome = Cancelled("payload_lost")
        if worker.told:
            await worker.settle()
        if not worker.lost:
            self._ends(worker, act, outcome, started_at)

    def _block(self, error: Exception) -> None:
        """What the run needs is gone: it ends once nothing of it runs any more."""
        self._ledger.spark(Blocking, "", 0, "payload_lost", str(error))

    def _item(self, number: int, index: int) -> object:
        """What a map item is called with; a failure where it cannot be had."""
        try:
            return self._values.item(number, index)
        except StoreError:
            raise  # a value that is lost is another matter
        except Exception as error:  # a user's key= or type may raise anything
            return _unusable(error)

    def _expand(self, number: int, fan: Fan) -> Outcome:
        """A map begins: on a source that has ended, or with no item yet, since they come as its source yields them."""
        if fan.live and self._state.steps[fan.over] != COMPLETED:
            return Expanded(0, None, more=True)
        try:
            outcome, items = expand(fan, self._values.step(fan.over))
        except StoreError:
            raise  # a value that is lost is another matter
        except Exception as error:  # a user's key= or type may raise anything
            return _unusable(error)
        self._values.use_source(number, items)
        return outcome

    def _go_on(self, step: PlanStep, act: Start) -> None:
        """A map goes on with the items that it has."""
        try:
            self._find_items(step, self._state.maps[step.number])
        except PayloadLost as error:
            self._block(error)
            self._ledger.step_ends(step.number, act.attempt, Cancelled("payload_lost"))
        except StoreError:
            raise
        except Exception as error:  # a user's key= or type may raise anything
            self._ledger.step_ends(step.number, act.attempt, _unusable(error))

    def _find_items(self, step: PlanStep, items: MapState) -> None:
        """The values of a map's items; if its source has ended meanwhile, of all that it gave."""
        fan = step.fan
        if fan is None or self._state.steps[fan.over] != COMPLETED:
            return
        if items.closed:
            if fan.live and fan.key is not None:  # by their keys they may be recorded in another order
                values = items_of(self._values.step(fan.over))
                placed = dict(zip(keys_of(fan.key, values), values, strict=True))
                if lost := next((key for key in items.keys or () if key not in placed), None):
                    raise ValueError(f"the item {lost!r} is recorded, and key= gives it to none any more")
                self._values.use_source(step.number, [placed[key] for key in items.keys or ()])
                self._ledger.spark(ItemsSeen, self._state.paths[step.number], 0, items.total)
            return
        feed = self._feed(self._plan.steps[fan.over], lambda _: None)
        feed.give_all(items_of(self._values.step(fan.over)))
        if feed.broken is not None:
            raise feed.broken.error

    @failpoint("engine.ends")
    def _ends(self, worker: Worker, act: Act, outcome: Outcome, started_at: float) -> None:
        """Write down the outcome of an attempt."""
        number, ledger = act.number, self._ledger
        ledger.now = self._clock.now()
        if worker.signal == "cancel" and number in self._state.clearing and isinstance(outcome, Failed):
            outcome = Cancelled(worker.reason)  # however it took it: nobody waits for its end
        if isinstance(act, StartItem):
            if self._plan.steps[number].ephemeral and isinstance(outcome, Completed):
                self._values.keep_item(number, act.index, outcome.value)
            ledger.item_ends(number, act.index, act.attempt, started_at, outcome)
        else:
            if self.feeds and number in self.feeds:
                outcome = self._fed(self.feeds.pop(number), outcome)
            if isinstance(outcome, Jump):
                outcome = ledger.landed(number, outcome)
            if isinstance(outcome, Completed):
                self._values.keep(number, outcome.value)
            ledger.step_ends(number, act.attempt if isinstance(act, Start) else 1, outcome)
        if worker.abandoned is not None:
            self._report_thread(worker, act, outcome)

    def sink(self, worker: Worker, step: PlanStep, path: str, attempt: int) -> Sink:
        """Where the values of a generator go: to the maps over it, else to those who listen."""
        ledger = self._ledger
        if step.feeds:
            feed = self.feeds[step.number] = self._feed(step, lambda reason: self.end(worker, "cancel", reason))
            ledger.spark(SlotsHeld, "", 0, -1)  # it would wait for the items that wait for it
            feed.begin()
            return feed
        audience = self._audience if step.yields is None else Audience()  # what a map runs over is no stream of tokens
        return Tokens(audience, self._clock, ledger.run_id, path, attempt)

    def _feed(self, source: PlanStep, stop: Callable[[str], None]) -> Feed:
        ledger, encodes = self._ledger, self._encodes
        return Feed(ledger, self._values, self._clock, source, encodes=encodes, news=self._news, stop=stop)

    def _fed(self, feed: Feed, outcome: Outcome) -> Outcome:
        """How a source has ended: it is complete only if its maps have all that it gave."""
        all_given = feed.settle()
        feed.close()
        if feed.broken is not None:
            return feed.broken
        if not isinstance(outcome, Completed):
            return outcome
        if not all_given:
            return Cancelled(f"run_{self._state.halt}")
        feed.complete()
        return outcome

    def _path(self, act: Act) -> str:
        if isinstance(act, StartItem):
            return self._state.item_path(act.number, act.index)
        return self._state.paths[act.number]

    def _report_thread(self, worker: Worker, act: Act, outcome: Outcome) -> None:
        """A thread that was abandoned keeps its slot until it ends, though not for ever; and somebody is told."""
        call, worker.abandoned = worker.abandoned, None
        if call is None or call.done() or isinstance(outcome, Completed | Expanded):
            return
        path, ledger = self._path(act), self._ledger
        message = f"the function of `{path}` still runs in a thread that nobody can stop; its result is refused"
        ledger.note(ev.WarningIssued, path, 0, "thread_abandoned", message)
        ledger.spark(SlotsHeld, path, 0, 1)
        given = False

        def give_slot(_: object = None) -> None:
            nonlocal given
            if not given:
                given = True
                ledger.spark(SlotsHeld, path, 0, -1)
                timer.cancel()
                self._news()

        timer = self._clock.call_at(ledger.now + GRACE, give_slot)
        self._timers.append(timer)
        call.add_done_callback(give_slot)

    def leave(self, *, silent: bool = False) -> None:
        """The run is over: no timer stays behind; `silent`, and nothing can be written down any more."""
        self.silent = self.silent or silent
        for timer in self._timers:
            timer.cancel()

    def dismiss(self) -> None:
        """The run is over, and nobody asks for its news."""
        self._attempts.dismiss()
        self._news = _unheard

    def end(self, worker: Worker, signal: Signal, reason: str) -> None:
        """Tell an attempt to end, and go on without it if it does not within twice the grace that a thread gets."""
        before = worker.signal
        worker.end(signal, reason)
        if worker.busy and worker.signal != before:
            if worker.timer is not None:
                worker.timer.cancel()
            act = worker.act
            grace = CANCEL_GRACE if signal == "cancel" else GRACE
            worker.timer = self._clock.call_at(self._clock.now() + 2 * grace, lambda: self._lose(worker, act))

    def _lose(self, worker: Worker, act: Act | None) -> None:
        """An async function does not heed its cancel: write down its end for it, and refuse its result."""
        if act is None or worker.act is not act or not worker.busy:
            return
        worker.lost = True
        worker.forget()
        if self.silent:
            self._news()
            return
        late = Failed("timeout", "attempt_timed_out", TimeoutError(worker.reason), retryable=False)
        self._ends(worker, act, late if worker.signal == "timeout" else Cancelled(worker.reason), self._clock.now())
        path = self._path(act)
        message = f"the function of `{path}` goes on although it was cancelled; its result is refused"
        self._ledger.note(ev.WarningIssued, path, 0, "task_abandoned", message)
        self._news()
