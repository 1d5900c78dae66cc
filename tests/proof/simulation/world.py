"""What surrounds the ledger in the simulation: time, the store, attempts under way, and misfortune; all by chance.

It does what `engine/runner.py` and `api/session.py` do, in an order that the schedule chooses: facts become durable in
the order in which they were appended, acts are released once all facts before them are durable, and a crash loses
whatever is not durable.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from stepwell import events as ev
from stepwell.api.record import fold
from stepwell.engine import commands as do
from stepwell.engine.decide import next_time, resets
from stepwell.engine.ledger import Ledger
from stepwell.engine.outcome import Again, Cancelled, Completed, Expanded, Failed, Guarded, Outcome, Skipped
from stepwell.graph import flatten
from stepwell.journal.memory import MemoryStore
from stepwell.journal.port import Lease
from stepwell.state.fold import SlotsHeld, StepGuarded
from stepwell.state.state import State

from .cases import KEYS, Case, Fatal, Says
from .recount import Place, Recount
from .rules import value_of

RUN = "run"
RECOVERIES = 10
ACTIONS = 6000
"""A run that takes more than so many turns does not end."""


@dataclass(eq=False)
class Attempt:
    """One act under way."""

    command: do.Start | do.StartItem | do.Guard
    began: float
    told_to_end: bool = False


class WatchedLedger(Ledger):
    """A ledger that tells of each fact and spark, in the order in which they are folded."""

    __slots__ = ("tell",)

    tell: Callable[[ev.Event], None]

    def note(self, kind: type[ev.Event], *fields: object) -> None:
        super().note(kind, *fields)
        self.tell(self.batch[-1])

    def spark(self, kind: type[ev.Event], *fields: object) -> None:
        super().spark(kind, *fields)
        self.tell(kind(self.run_id, 0, self.now, *fields))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class World:
    """One run of a case under the schedule of one seed."""

    def __init__(self, case: Case, seed: int) -> None:
        self.case = case
        self.chance = random.Random(seed)
        self.now = 1000.0
        self.store = MemoryStore()
        self.lease = Lease(RUN, "", 0)
        self.pending: deque[tuple[list[ev.Event], list[do.Command]]] = deque()
        self.under: list[Attempt] = []
        self.held: list[str] = []
        self.crashes = 0
        self.cancels = 0
        self.jumps = 0
        self.resumes = 0
        self.deaths: Counter[str] = Counter()
        """How often each path was under way when the process died."""
        self.witness: Counter[str] = Counter()
        """Executions of each path, whatever the record says of them."""
        self.reached: Counter[str] = Counter()
        self._begin()

    def _new_process(self, state: State, recount: Recount) -> None:
        self.state = state
        self.recount = recount
        self.ledger = WatchedLedger(self.case.plan, state, RUN, self.chance.random)
        self.ledger.tell = self._heard
        self.pending.clear()
        self.under.clear()
        self.held.clear()

    # What the session does.

    def _begin(self) -> None:
        case, plan = self.case, self.case.plan
        lease = self.store.create(RUN, case.plan.name, "")
        assert lease is not None
        self.lease = lease
        self._new_process(State(plan.graph), Recount(case))
        deadline = None if case.timeout is None else self.now + case.timeout
        prints = {step.name: step.fingerprint for step in plan.steps}
        self.ledger.now = self.now
        self.ledger.note(
            ev.RunStarted,
            "", 0, plan.name, "", {}, "", "", case.on_failure, plan.concurrency, deadline, prints,
            flatten(plan.graph.edges),
        )  # fmt: skip
        self.commit()

    def crash(self) -> None:
        """The process dies; a new one goes on."""
        self.crashes += 1
        self.reached["crash"] += 1
        lost = {self.path(attempt.command) for attempt in self.under}
        lost |= {fact.path for batch, _ in self.pending for fact in batch if fact.attempt}
        self.deaths.update(lost)
        self._resume()

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
        recovered = state.status == "running"
        ledger = self.ledger
        ledger.now = self.now
        if recovered and state.recoveries + 1 >= RECOVERIES:
            self.reached["blocked: no progress"] += 1
            blocked = ev.RunBlocked(RUN, state.seq + 1, self.now, "", 0, "no_progress", "")
            self.store.append(self.lease, [blocked])
            self._resume()
            return
        deadline = state.deadline if recovered else None
        if not recovered and self.case.timeout is not None:
            deadline = self.now + self.case.timeout
        paths = resets(state)
        assert set(paths) == recount.to_reset(), f"resets {sorted(paths)}, and must {sorted(recount.to_reset())}"
        ledger.note(ev.RunResumed, "", 0, recovered, deadline, {})
        if paths:
            self.reached["reset"] += 1
            ledger.note(ev.StepReset, "", 0, paths, "resume")
        self.commit()

    # What the runner does.

    def commit(self) -> None:
        """Decide and queue what came of it."""
        ledger = self.ledger
        batch, acts = ledger.decide()
        self.pending.append((batch, acts))

    def _heard(self, event: ev.Event) -> None:
        """A fact, or a spark of the engine, has just been folded."""
        if isinstance(event, ev.StepStarted | ev.ItemStarted | StepGuarded):
            self._may_start(event)
        if event.seq:
            self.recount.take(event)
            self._note(event)

    def _may_start(self, event: ev.Event) -> None:
        """No attempt begins while the run is halted, nor before its time."""
        recount = self.recount
        why = ", ".join(recount.halts) or "Stop"
        assert not recount.halted, f"{event.path} starts although the run is halted by {why}"
        assert event.at >= recount.waits.get(event.path, 0.0), f"{event.path} is tried again too early (S9)"

    def durable(self) -> None:
        """The oldest facts of the queue are durable, and what waited for them begins."""
        batch, acts = self.pending.popleft()
        if batch:
            self.store.append(self.lease, batch)
        for act in acts:
            if isinstance(act, do.CancelRunning):
                self.reached["what ran was told to end"] += 1
                for attempt in self.under:
                    attempt.told_to_end = True
                continue
            assert isinstance(act, do.Start | do.StartItem | do.Guard)
            self._sources_are_durable(act.number)
            self.under.append(Attempt(act, self.now))
            single = isinstance(act, do.Start) and act.number not in self.case.counts
            if (single or isinstance(act, do.StartItem)) and not self.state.cancelling:
                self.witness[self.path(act)] += 1

    def _sources_are_durable(self, number: int) -> None:
        """S1: a step is told nothing that a crash could take back."""
        tip = self.pending[0][0][0].seq if self.pending and self.pending[0][0] else 1 << 60
        for source in self.case.plan.graph.before[number]:
            assert self.ended_seq.get(source, 0) < tip, f"step {number} begins before the end of {source} is durable"

    def path(self, command: do.Start | do.StartItem | do.Guard) -> str:
        """Where an act belongs."""
        if isinstance(command, do.StartItem):
            return self.state.item_path(command.number, command.index)
        return self.state.paths[command.number]

    @property
    def ended_seq(self) -> dict[int, int]:
        """By step, the number of its end among facts that are not durable yet."""
        ends = (fact for batch, _ in self.pending for fact in batch if fact.kind in ev.ENDS and "[" not in fact.path)
        return {self.recount.place(fact.path)[0]: fact.seq for fact in ends}

    def end(self, attempt: Attempt) -> None:
        """An attempt comes to its end, and what follows is decided."""
        self.under.remove(attempt)
        command, ledger = attempt.command, self.ledger
        number = command.number
        ledger.now = self.now
        path = self.path(command)
        if isinstance(command, do.Start) and number in self.state.maps:
            self.reached["map goes on with its items"] += 1
            self.commit()
            return
        outcome, holds = self._outcome(attempt)
        if isinstance(command, do.StartItem):
            ledger.item_ends(number, command.index, command.attempt, attempt.began, outcome)
        else:
            ledger.step_ends(number, command.attempt if isinstance(command, do.Start) else 1, outcome)
        if holds:
            ledger.note(ev.WarningIssued, path, 0, "thread_abandoned", "")
            ledger.spark(SlotsHeld, path, 0, 1)
            self.held.append(path)
            self.reached["slot held"] += 1
        self.commit()

    def _outcome(self, attempt: Attempt) -> tuple[Outcome, bool]:
        """What it comes to, and whether a thread of it lives on."""
        command, state = attempt.command, self.state
        number = command.number
        if state.cancelling and (not attempt.told_to_end or self.chance.random() < 0.6):
            self.reached["attempt cancelled"] += 1
            return Cancelled(state.halt), attempt.told_to_end and self.chance.random() < 0.2
        if isinstance(command, do.Guard):
            answers = self.case.answers[number]
            answer = answers[min(state.visits[number], len(answers)) - 1]
            self.reached[f"when: {answer}"] += 1
            if answer == "raises":
                return Failed("error", "when_raised", ValueError(), retryable=False), False
            return Guarded(answer == "yes", "it may"), False
        if number in self.case.counts and isinstance(command, do.Start):
            return self._expand(number), False
        place = (number, command.index if isinstance(command, do.StartItem) else -1)
        word = self.recount.words[place]
        script = self.case.scripts[place]
        said = script[min(word, len(script) - 1)]
        self.reached[f"says: {said.how}"] += 1
        return self._said(place, said.how, said.choice, word), said.how == "abandoned"

    def _expand(self, number: int) -> Outcome:
        count = self.case.counts[number]
        if count < 0:
            return Failed("input", "items_not_usable", TypeError(), retryable=False)
        fan = self.case.plan.steps[number].fan
        assert fan is not None
        return Expanded(count, None if fan.key is None else KEYS[:count])

    def _said(self, place: Place, how: Says, choice: int, word: int) -> Outcome:
        if how in ("value", "stop"):
            value = value_of(*place, word)
            routes = self.case.plan.steps[place[0]].routes
            if routes is None or how == "stop":
                return Completed(value, value, stops=how == "stop")
            ways = dict(routes.by_value)
            return Completed(value, value, route=ways.get(choice, routes.default or ()))
        if how == "skip":
            return Skipped("")
        if how in ("again", "later"):
            return Again(None if how == "again" else 2.0, "not yet")
        if how == "timeout":
            return Failed("timeout", "attempt_timed_out", TimeoutError())
        if how == "abandoned":
            return Failed("timeout", "thread_abandoned", TimeoutError(), retryable=False)
        return Failed("error", "exception", Fatal("no") if how == "fatal" else OSError("no"))

    def give_slot(self) -> None:
        """A thread that nobody could stop has ended."""
        path = self.held.pop(self.chance.randrange(len(self.held)))
        self.ledger.now = self.now
        self.ledger.spark(SlotsHeld, path, 0, -1)
        self.commit()

    def tick(self) -> None:
        """Somebody looks at the clock."""
        self.ledger.now = self.now
        self.commit()

    def cancel(self) -> None:
        """Somebody wants the run to end."""
        self.cancels += 1
        if self.state.status != "running" or self.state.halt == "cancelled":
            return
        self.ledger.now = self.now
        self.ledger.note(ev.RunCancelled, "", 0, "enough")
        self.commit()

    def jump(self) -> None:
        """The clock is put right, forwards or backwards."""
        self.jumps += 1
        forward = self.chance.random() < 0.6
        self.reached["clock jumped " + ("forwards" if forward else "backwards")] += 1
        self.now += self.chance.choice((0.5, 2.0, 30.0)) if forward else -self.chance.choice((0.5, 2.0))

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
        ways: list[str] = []
        if self.pending:
            ways += ["durable"] * 3
        if self.under:
            ways += ["end"] * 2
        if self.held:
            ways.append("give")
        if self.state.status == "running" and chance.random() < 0.1:
            ways.append("tick")
        if not ways:
            when = next_time(self.state, self.ledger.now)
            assert when is not None, f"the run hangs: {self.describe()}"
            self.now = max(self.now, when)
            self.tick()
            return
        way = chance.choice(ways)
        self.now += chance.choice((0.0, 0.0, 0.0, 0.1, 1.0))
        if way == "durable":
            self.durable()
        elif way == "end":
            self.end(chance.choice(self.under))
        elif way == "give":
            self.give_slot()
        else:
            self.tick()

    def _misfortune(self) -> bool:
        case, chance = self.case, self.chance.random()
        if (case.storm and self.crashes < 25 and self.state.ended == 0 and chance < 0.7) or (
            self.crashes < case.crashes and chance < 0.08
        ):
            self.crash()
        elif self.cancels < case.cancels and chance > 0.95:
            self.cancel()
        elif self.jumps < case.jumps and 0.9 < chance < 0.93:
            self.jump()
        else:
            return False
        return True

    def describe(self) -> str:
        """Where everything is, for whoever reads of a failure."""
        state = self.state
        maps = {number: (list(items.stages), items.running, items.ended) for number, items in state.maps.items()}
        return (
            f"steps={state.steps} running={state.running} held={state.held} halt={state.halt!r} "
            f"ready={list(state.ready)} timers={state.timers} open={list(state.open)} "
            f"maps={maps} missing={state.missing} now={self.now}"
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
            reached["map degraded"] += fact.degraded
            reached["step stops"] += fact.stops
        elif isinstance(fact, ev.ItemCompleted):
            reached["item skipped"] += fact.skipped
            reached["item stops"] += fact.stops
