"""What surrounds the ledger in the simulation: time, the store, attempts under way, and misfortune; all by chance.

It does what `engine/runner.py`, `engine/crew.py` and `api/session.py` do, in an order that the schedule chooses: facts
become durable in the order in which they were appended, acts are released once all facts before them are durable, and a
crash loses whatever is not durable. Ledger, performer, feeds and values are the engine's own.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from typing import Any, cast

from stepwell import events as ev
from stepwell.api.record import fold
from stepwell.clock import Clock
from stepwell.engine import commands as do
from stepwell.engine.ask_again import next_time
from stepwell.engine.attempt import Attempts
from stepwell.engine.audience import Audience
from stepwell.engine.crew import Act
from stepwell.engine.decide import decide
from stepwell.engine.decide_resets import resets
from stepwell.engine.feed import Feed
from stepwell.engine.inject import bind
from stepwell.engine.ledger import Ledger
from stepwell.engine.outcome import Again, Cancelled, Completed, Failed, Guarded, Jump, Outcome, Skipped
from stepwell.engine.perform import Performer
from stepwell.engine.values import Values
from stepwell.engine.worker import Worker
from stepwell.graph import flatten
from stepwell.journal.memory import MemoryStore
from stepwell.journal.port import Lease
from stepwell.plan.plan import UNSET, PlanStep
from stepwell.state.sparks import Blocking, StepGuarded
from stepwell.state.state import COMPLETED, State

from .cases import Case, Fatal, Says, Word
from .draw import DEFAULT, key_of
from .hands import Attempt, Hand, Loop, Never, Pause, Thread
from .recount import Place, Recount, digest_of, listed

RUN = "run"
RECOVERIES = 10
ACTIONS = 20_000
"""A run that takes more than so many turns does not end."""


class WatchedLedger(Ledger):
    """A ledger that tells of each fact and spark, in the order in which they are folded."""

    __slots__ = ("tell",)

    tell: Callable[[ev.Event], None]

    def take(self, event: ev.Event) -> None:
        super().take(event)
        self.tell(event)

    def decide(self) -> tuple[list[ev.Event], list[do.Command]]:
        decided = super().decide()
        assert not decide(self.plan, self.state, self.now), "all that can be done is under way"
        return decided


class World:
    """One run of a case under the schedule of one seed."""

    def __init__(self, case: Case, seed: int, loop: Loop) -> None:
        self.case = case
        self.chance = random.Random(seed)
        self.time = 1000.0
        self.loop = loop
        self.store = MemoryStore()
        self.lease = Lease(RUN, "", 0)
        self.pending: deque[tuple[list[ev.Event], list[do.Command]]] = deque()
        self.todo: deque[Act] = deque()
        """What was released and nobody has begun yet."""
        self.under: list[Attempt] = []
        self.threads: list[Thread] = []
        """Those that nobody could stop; each holds a slot."""
        self.crashes = 0
        self.cancels = 0
        self.jumps = 0
        self.resumes = 0
        self.deaths: Counter[str] = Counter()
        """How often each path was under way when the process died."""
        self.given: Counter[int] = Counter()
        """Executions of each generator."""
        self.witness: Counter[str] = Counter()
        """Executions of each path, whatever the record says of them."""
        self.reached: Counter[str] = Counter()
        self._begin()

    # A clock.

    def now(self) -> float:
        """The time on the clock of the wall."""
        return self.time

    def call_at(self, when: float, call: Callable[[], None]) -> Never:
        """Nobody's patience ends here."""
        return Never()

    def _new_process(self, state: State, recount: Recount) -> None:
        plan = self.case.plan
        self.state = state
        self.recount = recount
        self.ledger = WatchedLedger(plan, state, RUN, self.chance.random)
        self.ledger.tell = self._heard
        self.values = Values(plan, state, self.store, {}, copies=False)
        self.performer = Performer(
            self.ledger, cast("Attempts", self), self.values, cast("Clock", self), Audience(), self.commit, encodes=True
        )
        for attempt in self.under:
            if attempt.came is not None:
                attempt.came.close()
        for some in (self.pending, self.todo, self.under, self.threads, self.loop.soon):
            some.clear()

    # What the session does.

    def _begin(self) -> None:
        case, plan = self.case, self.case.plan
        lease = self.store.create(RUN, case.plan.name, "")
        assert lease is not None
        self.lease = lease
        self._new_process(State(plan.graph), Recount(case))
        deadline = None if case.timeout is None else self.time + case.timeout
        prints = {step.name: step.fingerprint for step in plan.steps}
        self.ledger.now = self.time
        self.ledger.note(
            ev.RunStarted,
            "", 0, plan.name, "", {}, "", "", case.on_failure, plan.concurrency, deadline, prints,
            flatten(plan.graph.edges), plan.graph.quorums, plan.graph.jumps,
        )  # fmt: skip
        self.commit()

    def crash(self) -> None:
        """The process dies; a new one goes on."""
        self.crashes += 1
        self._note_crash()
        lost = {self.path(attempt.act) for attempt in self.under}
        lost |= {fact.path for batch, _ in self.pending for fact in batch if fact.attempt}
        self.deaths.update(lost)
        self._resume()

    def _note_crash(self) -> None:
        reached, state = self.reached, self.state
        reached["crash"] += 1
        reached["crash while a join waits"] += bool(self.recount.patience)
        reached["crash while a loop is to go back"] += bool(state.jumps)
        reached["crash while a source yields"] += any(attempt.feed for attempt in self.under)
        reached["crash after an output that was not kept"] += bool(state.unkept - state.gone)

    def resume(self) -> None:
        """Somebody asks for the run to go on after it has ended without success."""
        self.resumes += 1
        self.reached["resumed after its end"] += 1
        self._resume()

    def _resume(self) -> None:
        self.store.release(self.lease)
        if self.store.get(RUN) is None:  # nothing of it was durable yet: nobody knows of the run
            self._begin()
            return
        self.lease = self.store.claim(RUN)
        _, _, state = fold(self.store, self.case.plan, RUN)
        recount = Recount(self.case)
        for fact in self.store.read(RUN, 0, 1 << 30):
            recount.take(fact)
        self._new_process(state, recount)
        ledger = self.ledger
        ledger.now = self.time
        if state.status == "running" and state.halt == "cancelled":  # it died while it ended
            self.reached["crash while the run is cancelled"] += 1
            left = tuple(name for name, stage in zip(state.graph.names, state.steps, strict=True) if stage < COMPLETED)
            ledger.note(ev.RunFinished, "", 0, "cancelled", "its_process_was_gone", (), left)
        recovered = state.status == "running"
        if recovered and state.recoveries + 1 >= RECOVERIES:
            self.reached["blocked: no progress"] += 1
            blocked = ev.RunBlocked(RUN, state.seq + 1, self.time, "", 0, "no_progress", "")
            self.store.append(self.lease, [blocked])
            self._resume()
            return
        deadline = state.deadline if recovered else None
        if not recovered and self.case.timeout is not None:
            deadline = self.time + self.case.timeout
        again = resets(self.case.plan, state)
        paths, whole = again.paths, again.whole
        must = recount.to_reset()
        assert (set(paths), set(whole)) == must, f"resets {sorted(paths)}, {whole}, and must {must}"
        ledger.note(ev.RunResumed, "", 0, recovered, deadline, {})
        if paths:
            self.reached["reset"] += 1
            ledger.note(ev.StepReset, "", 0, paths, "resume", whole)
        self.commit()

    # What the runner does.

    def commit(self) -> None:
        """Decide and queue what came of it."""
        self.ledger.now = self.time
        batch, acts = self.ledger.decide()
        self.pending.append((batch, acts))

    def _heard(self, event: ev.Event) -> None:
        """A fact, or a spark of the engine, has just been folded."""
        if isinstance(event, ev.StepStarted | ev.ItemStarted | StepGuarded):
            self._may_start(event)
        if isinstance(event, Blocking):
            self.reached["blocked: source changed"] += 1
            if not {"cancelled", "timed_out"} & set(self.recount.halts):
                self.recount.halts.append("blocked")
        if event.seq:
            if isinstance(event, ev.StepReset) and event.cause == "goto":
                self._goes_back(event)
            if isinstance(event, ev.StepCompleted):
                self._gave_all(event)
            self.recount.take(event)
            self._note(event)

    def _gave_all(self, event: ev.StepCompleted) -> None:
        """The output of a generator is what this execution of it has yielded."""
        for attempt in self.under:
            if attempt.gift and self.path(attempt.act) == event.path:
                assert event.output == list(attempt.gift), f"{event.path} yielded {attempt.gift}"

    def _may_start(self, event: ev.Event) -> None:
        """No attempt begins while the run is halted, nor before its time, nor in a loop that is to go back."""
        recount = self.recount
        assert not recount.halted, f"{event.path} starts although the run is halted by {', '.join(recount.halts)}"
        assert event.at >= recount.waits.get(event.path, 0.0), f"{event.path} is tried again too early (S9)"
        if recount.jumping and not self._when_raised(event):
            number, _ = recount.place(event.path)
            over = any(number in recount.rules.after(target) for target in recount.jumping.values())
            assert not over, f"{event.path} starts, and a loop goes back over it"

    def _when_raised(self, event: ev.Event) -> bool:
        """Whether this is how it is written down that a `when` raised, whatever came meanwhile."""
        number, index = self.recount.place(event.path)
        return isinstance(event, ev.StepStarted) and index < 0 and self.recount.rules.answer(number) == "raises"

    def _goes_back(self, event: ev.StepReset) -> None:
        """Nothing of what a jump goes over is under way, nor about to be."""
        by, _ = self.recount.place(event.path)
        following = self.recount.rules.after(self.recount.jumping.get(by, by))
        outside = {self.recount.place(path)[0] for path in event.paths} - following
        self.reached["a jump needs what was not kept"] += bool(outside)
        acts = [act for _, acts in self.pending for act in acts if isinstance(act, Act)]
        acts += [*self.todo, *(attempt.act for attempt in self.under)]
        busy = {self.state.paths[act.number] for act in acts if not self._is_idle(act)} & set(event.paths)
        assert not busy, f"{event.path} goes back over {busy}, of which something is under way"

    def _is_idle(self, act: Act) -> bool:
        """A map that goes on with its items is nothing by itself."""
        return isinstance(act, do.Start) and act.number in self.state.maps

    def durable(self) -> None:
        """The oldest facts of the queue are durable, and what waited for them is released."""
        batch, acts = self.pending.popleft()
        if batch:
            self.store.append(self.lease, batch)
        for act in acts:
            if isinstance(act, do.CancelRunning):
                self.reached["what ran was told to end"] += 1
                for attempt in self.under:
                    attempt.hand.end("cancel", act.reason)
            elif isinstance(act, do.CancelSteps):
                self.reached[f"steps were told to end: {act.reason}"] += 1
                for attempt in self.under:
                    if attempt.act.number in act.numbers:
                        attempt.hand.end("cancel", act.reason)
            elif isinstance(act, do.Reset):
                self.values.forget(act.numbers)
            else:
                assert isinstance(act, do.Start | do.StartItem | do.Guard)
                self._sources_are_durable(act.number)
                self.todo.append(act)
        for feed in list(self.performer.feeds.values()):
            feed.look()

    def _sources_are_durable(self, number: int) -> None:
        """S1: a step is told nothing that a crash could take back."""
        left = [fact for batch, _ in self.pending for fact in batch]
        for fact in left:
            if fact.kind in ev.ENDS and "[" not in fact.path:
                ended = self.recount.number[fact.path.partition("#")[0]]
                free = number in self.case.plan.graph.quorums or (ended, number) in self.case.live
                assert free or ended not in self.case.plan.graph.before[number], (
                    f"step {number} begins before the end of {ended} is durable"
                )

    def path(self, act: Act) -> str:
        """Where an act belongs."""
        if isinstance(act, do.StartItem):
            return self.state.item_path(act.number, act.index)
        return self.state.paths[act.number]

    def begin(self) -> None:
        """Somebody takes the act that was released first."""
        act = self.todo.popleft()
        attempt = Attempt(act, Hand())
        self.now_under_way = attempt
        came = cast("Coroutine[Any, Any, None]", self.performer.perform(cast("Worker", attempt.hand), act))
        attempt.came = cast("Any", came)
        self.under.append(attempt)
        if self._is_idle(act):
            self.reached["map goes on with its items"] += 1
        self._send(attempt, None)

    def _send(self, attempt: Attempt, outcome: Outcome | None) -> None:
        """Let the performer go on until it waits, or has written down an end."""
        assert attempt.came is not None
        try:
            attempt.came.send(cast("Any", outcome))
        except StopIteration:
            self.under.remove(attempt)
            self.commit()

    # What stands for engine/attempt.py: called by the performer.

    async def make(
        self, worker: Hand, step: PlanStep, path: str, attempt: int, item: object = UNSET, last: bool = True
    ) -> Outcome:
        """One attempt at a step or item."""
        here = self.now_under_way
        self.witness[path] += 1
        args, kwargs = bind(step.parameters, self.values, item)
        self._receives(step, kwargs)
        if step.fan is not None:
            assert args == [item]
            self._is_the_item(cast("do.StartItem", here.act), item)
        if step.number in self.case.gifts:
            here.gift = self.case.gift(step.number, self.given[step.number])
            self.given[step.number] += 1
        if step.feeds:
            here.feed = cast("Feed", self.performer.sink(cast("Worker", worker), step, path, attempt))
            here.left = self._to_yield(step.number, list(here.gift))
        return await Pause()

    async def guard(self, worker: Hand, step: PlanStep, path: str) -> Outcome:
        """A step's `when`."""
        assert step.guard is not None
        _, kwargs = bind(step.guard.parameters, self.values)
        self._receives(step, kwargs)
        return await Pause()

    def _receives(self, step: PlanStep, given: dict[str, object]) -> None:
        """Each parameter has what its step gave last, or its default."""
        guard = () if step.guard is None else step.guard.parameters
        recount = self.recount
        for parameter in (*step.parameters, *guard):
            if parameter.name not in given:
                continue
            source, came = parameter.step, given[parameter.name]
            completed = recount.status.get(source) == "completed" and source not in recount.jumping
            if not completed:
                assert parameter.default is not UNSET, f"{step.name} begins, and s{source} has given nothing"
                assert came == DEFAULT, f"{step.name} receives {came!r} of s{source}, which has given nothing"
                continue
            assert source not in recount.gone, f"{step.name} receives of s{source} what a process had that has died"
            must = recount.output(source)
            assert came == must, f"{step.name} receives {came!r} of s{source}, and must {must!r}"
            self.reached["an output that was not kept is handed on"] += source in recount.unkept

    def _is_the_item(self, act: do.StartItem, item: object) -> None:
        """S7: each item begins with the value that is recorded for it; its record is durable."""
        number, recount = act.number, self.recount
        step = self.case.plan.steps[number]
        assert step.fan is not None
        if step.fan.key is not None:
            assert key_of(item) == recount.keys[number][act.index], f"item {act.index} of {number} is {item}"
        if number in recount.digests and step.fan.key is None:
            first = len(digest_of(item)) * act.index
            digest = recount.digests[number][first : first + len(digest_of(item))]
            assert digest_of(item) == digest, f"item {act.index} of {number} is {item}"
        if number in recount.closed:
            whole = listed(recount.output(step.fan.over))
            known = item in whole if step.fan.live and step.fan.key else item == whole[act.index]
            assert known, f"item {act.index} of {number} is {item}, of {whole}"
        expanded = [fact for batch, _ in self.pending for fact in batch if isinstance(fact, ev.MapExpanded)]
        late = sum(fact.count for fact in expanded if fact.path == self.state.paths[number])
        assert act.index < len(recount.keys[number]) - late, f"item {act.index} of {number} begins before it is durable"

    def _to_yield(self, number: int, gift: list[str]) -> list[str]:
        """All that the attempt of a generator gives; of one that does not come to its end, less."""
        how = self.case.word(number, -1, self.recount.words[number, -1]).how
        if how in ("fail", "fatal", "timeout", "abandoned"):
            return gift[: self.chance.randrange(len(gift) + 1)] if self.chance.random() < 0.5 else gift
        return gift

    def give(self, attempt: Attempt) -> None:
        """A generator yields one more value."""
        assert attempt.feed is not None
        attempt.feed.take(attempt.left.pop(0))

    def end(self, attempt: Attempt) -> None:
        """An attempt comes to its end, and what follows is decided."""
        outcome = self._outcome(attempt)
        if isinstance(outcome, Failed) and outcome.reason == "thread_abandoned":
            self._thread(attempt)
        if attempt.feed is not None and not isinstance(outcome, Failed | Cancelled):
            attempt.feed.finish()
        self._send(attempt, outcome)

    def _thread(self, attempt: Attempt) -> None:
        attempt.hand.abandoned = cast("Any", thread := Thread(of_source=attempt.feed is not None))
        self.threads.append(thread)
        self.reached["slot held"] += 1

    def _outcome(self, attempt: Attempt) -> Outcome:
        """What it comes to."""
        act, state, hand = attempt.act, self.state, attempt.hand
        number = act.number
        if hand.signal and (attempt.left or self.chance.random() < 0.6):
            self.reached["attempt cancelled"] += 1
            if self.chance.random() < 0.2 and not isinstance(act, do.Guard):
                self._thread(attempt)
            return Cancelled(hand.reason)
        if isinstance(act, do.Guard):
            answers = self.case.answers[number]
            answer = answers[min(state.visits.get(number, 1), len(answers)) - 1]
            self.reached[f"when: {answer}"] += 1
            if answer == "raises":
                return Failed("error", "when_raised", ValueError(), retryable=False)
            return Guarded(answer == "yes", "it may")
        place = (number, act.index if isinstance(act, do.StartItem) else -1)
        number_of_word = self.recount.words[place]
        said = self.case.word(*place, number_of_word)
        self.reached[f"says: {said.how}"] += 1
        value = list(attempt.gift) if number in self.case.gifts else self.case.value(*place, number_of_word)
        return self._said(place, said, value)

    def _said(self, place: Place, said: Word, value: object) -> Outcome:
        how: Says = said.how
        if how in ("value", "stop", "goto"):
            done = self._completed(place, said, value)
            if how != "goto":
                return done
            targets = self.case.plan.steps[place[0]].goto
            return Jump(targets[said.choice % len(targets)], done if said.best else None)
        if how == "skip":
            return Skipped("")
        if how in ("again", "later"):
            return Again(None if how == "again" else 2.0, "not yet")
        if how == "timeout":
            return Failed("timeout", "attempt_timed_out", TimeoutError())
        if how == "abandoned":
            return Failed("timeout", "thread_abandoned", TimeoutError(), retryable=False)
        return Failed("error", "exception", Fatal("no") if how == "fatal" else OSError("no"))

    def _completed(self, place: Place, said: Word, value: object) -> Completed:
        step = self.case.plan.steps[place[0]]
        recorded = None if step.ephemeral else value
        if step.routes is None or said.how == "stop":
            return Completed(value, recorded, stops=said.how == "stop")
        ways = dict(step.routes.by_value)
        return Completed(value, recorded, route=ways.get(said.choice, step.routes.default or ()))

    def tick(self) -> None:
        """Somebody looks at the clock."""
        self.commit()

    def cancel(self) -> None:
        """Somebody wants the run to end."""
        self.cancels += 1
        if self.state.status != "running" or self.state.halt == "cancelled":
            return
        self.ledger.now = self.time
        self.ledger.note(ev.RunCancelled, "", 0, "enough")
        self.commit()

    def jump(self) -> None:
        """The clock is put right, forwards or backwards."""
        self.jumps += 1
        forward = self.chance.random() < 0.6
        self.reached["clock jumped " + ("forwards" if forward else "backwards")] += 1
        self.time += self.chance.choice((0.5, 2.0, 30.0)) if forward else -self.chance.choice((0.5, 2.0))

    # The schedule.

    @property
    def over(self) -> bool:
        """Whether the end of the run is durable."""
        return self.state.status != "running" and not self.pending

    def turn(self) -> None:
        """One thing happens."""
        chance = self.chance
        if self.state.status == "running" and self._misfortune():
            return
        ways = self._ways()
        if not ways:
            when = next_time(self.state, self.ledger.now)
            assert when is not None, f"the run hangs: {self.describe()}"
            self.time = max(self.time, when)
            self.tick()
            return
        way, attempt = chance.choice(ways)
        self.time += chance.choice((0.0, 0.0, 0.0, 0.1, 1.0))
        if attempt is not None:
            way(attempt)
        else:
            way()

    def _ways(self) -> list[tuple[Callable[..., None], Attempt | None]]:
        """What can happen next; what is there twice happens rather."""
        ways: list[tuple[Callable[..., None], Attempt | None]] = []
        if self.pending:
            ways += [(self.durable, None)] * 3
        if self.todo:
            ways += [(self.begin, None)] * 2
        for attempt in self.under:
            if not attempt.left or attempt.hand.signal:
                ways.append((self.end, attempt))
            if attempt.left and attempt.feed is not None:
                if attempt.feed.full:
                    self.reached["a source waits"] += 1
                else:
                    ways.append((self.give, attempt))
        if self.loop.soon:
            ways.append((self._soon, None))
        if self.threads:
            ways.append((self._thread_ends, None))
        if self.state.status == "running" and self.chance.random() < 0.1:
            ways.append((self.tick, None))
        return ways

    def _soon(self) -> None:
        """The loop gets its turn."""
        calls, self.loop.soon[:] = list(self.loop.soon), []
        for call in calls:
            call()

    def _thread_ends(self) -> None:
        """A thread that nobody could stop has ended."""
        self.threads.pop(self.chance.randrange(len(self.threads))).end()

    def _misfortune(self) -> bool:
        case, chance = self.case, self.chance.random()
        rare = bool(self.state.jumps or self.performer.feeds)  # what is seldom is met rather
        if (
            (case.storm and self.crashes < 25 and self.state.ended == 0 and chance < 0.7)
            or (self.crashes < case.crashes and chance < (0.25 if rare else 0.08))
            or (self.crashes < 2 and self.state.jumps and chance < 0.25)
        ):
            self.crash()
        elif self.cancels < case.cancels and chance > 0.97:
            self.cancel()
        elif self.jumps < case.jumps and 0.9 < chance < 0.93:
            self.jump()
        else:
            return False
        return True

    def describe(self) -> str:
        """Where everything is, for whoever reads of a failure."""
        state = self.state
        maps = {
            number: (list(items.stages), items.running, items.known, items.closed)
            for number, items in state.maps.items()
        }
        return (
            f"steps={state.steps} running={state.running} held={state.held} halt={state.halt!r} "
            f"ready={list(state.ready)} timers={state.timers} open={list(state.open)} jumps={state.jumps} "
            f"maps={maps} missing={state.missing} hope={state.hope} wants={state.wants} live={state.live} "
            f"streaming={state.streaming} now={self.time}"
        )

    def _note(self, fact: ev.Event) -> None:
        """Count what this fact shows to be reachable."""
        reached = self.reached
        reached[fact.kind.value] += 1
        if isinstance(fact, ev.StepPruned):
            reached[f"pruned: {fact.reason}"] += 1
        elif isinstance(fact, ev.RunFinished):
            reached[f"run: {fact.status}"] += 1
        elif isinstance(fact, ev.StepFailed):
            reached["failed" if not fact.tolerated else "tolerated"] += 1
            if fact.failure:
                reached[f"failed: {fact.failure.reason}"] += 1
        elif isinstance(fact, ev.StepCompleted):
            self._note_completed(fact)
        elif isinstance(fact, ev.StepStarted):
            left = set(self.recount.rules.sources[self._number(fact)]) - self.recount.status.keys()
            reached["a join begins before all have ended"] += bool(left)
        elif isinstance(fact, ev.ItemCompleted):
            reached["item skipped"] += fact.skipped
            reached["item stops"] += fact.stops
        elif isinstance(fact, ev.MapExpanded):
            reached["items in parts"] += fact.more and fact.count > 0
            reached["a source has given all"] += not fact.more and self.case.plan.steps[self._number(fact)].fan.live  # type: ignore[union-attr]
        elif isinstance(fact, ev.StepReset):
            reached["items were lost"] += bool(fact.whole)
            reached[f"reset: {fact.cause}"] += 1
            reached["items were lost by a resume"] += bool(fact.whole) and fact.cause == "resume"

    def _number(self, fact: ev.Event) -> int:
        return self.recount.place(fact.path)[0]

    def _note_completed(self, fact: ev.StepCompleted) -> None:
        reached, number = self.reached, self._number(fact)
        reached["map degraded"] += fact.degraded
        reached["step stops"] += fact.stops
        reached["jumped"] += bool(fact.goto)
        reached["gave its best"] += fact.soft_failed
        reached["not kept"] += not fact.kept
        reached["map not kept"] += not fact.kept and number in self.state.maps
        reached["several loops are to go back"] += len(self.state.jumps) > 1
