"""The written side of a run: outcomes and commands become facts, and facts are numbered, folded and collected."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs

from stepwell import events as ev
from stepwell.engine import commands as do
from stepwell.engine.ask_again import exhausted
from stepwell.engine.decide import decide
from stepwell.engine.outcome import (
    Again,
    Cancelled,
    Completed,
    Expanded,
    Failed,
    Guarded,
    Jump,
    Outcome,
    Skipped,
    failure,
    retries,
    spelled,
)
from stepwell.errors import LoopLimit
from stepwell.failpoints import failpoint
from stepwell.plan.plan import Plan, PlanStep
from stepwell.policy import UNDECLARED_ATTEMPTS, RetryPolicy
from stepwell.state.fold import FOLDS
from stepwell.state.sparks import CancelSent, GuardDropped, GuardPassed, StepGuarded, StepsTold
from stepwell.state.state import COMPLETED, GUARDING, State

_KEPT_FAILURES = 20
"""RUN_FINISHED carries so many failures at most; each has its own record besides."""


class Ledger:
    """Folds what happens into the state of one run, decides, and collects facts to append and acts to perform."""

    __slots__ = ("acts", "batch", "chance", "errors", "now", "plan", "run_id", "seq", "state")

    def __init__(self, plan: Plan, state: State, run_id: str, chance: Callable[[], float]) -> None:
        self.plan = plan
        self.state = state
        self.run_id = run_id
        self.chance = chance
        self.seq = state.seq
        self.now = 0.0
        self.batch: list[ev.Event] = []
        """Facts that have been folded and not appended yet."""
        self.acts: list[do.Command] = []
        """What may be done once they are durable."""
        self.errors: dict[str, BaseException] = {}
        """The exceptions of this process, by path: the `__cause__` of a StepError."""

    def note(self, kind: Callable[..., ev.Event], *fields: object) -> None:
        """Note a fact of this class: fold it, and keep it to be appended."""
        self.take(kind(self.run_id, self.seq + 1, self.now, *fields))

    def spark(self, kind: Callable[..., ev.Event], *fields: object) -> None:
        """Fold what is never written down."""
        self.take(kind(self.run_id, 0, self.now, *fields))

    def take(self, event: ev.Event) -> None:
        """Fold the next fact and keep it for the record, or a spark, which has no number. Each event comes by here."""
        FOLDS[event.__class__](self.state, event)
        if event.seq:
            self.seq = event.seq
            self.batch.append(event)

    @failpoint("engine.decide")
    def decide(self) -> tuple[list[ev.Event], list[do.Command]]:
        """Decide and write down until all that can be done is under way; gives facts to append, then acts to do."""
        plan, state = self.plan, self.state
        while commands := decide(plan, state, self.now):
            last = exhausted(state, commands)
            for command in commands:
                self._write(command)
            if last:
                break
        batch, acts = self.batch, self.acts
        self.batch, self.acts = [], []
        return batch, acts

    def _write(self, command: do.Command) -> None:
        """What a command means for the record; and what is left to do about it."""
        state = self.state
        if isinstance(command, do.Start):
            path = state.paths[command.number]
            self.take(ev.StepStarted(self.run_id, self.seq + 1, self.now, path, command.attempt))
            self.acts.append(command)
        elif isinstance(command, do.StartItem):
            path = state.item_path(command.number, command.index)
            self.take(ev.ItemStarted(self.run_id, 0, self.now, path, command.attempt, command.index))
            self.acts.append(command)
        elif isinstance(command, do.Guard):
            self.spark(StepGuarded, state.paths[command.number])
            self.acts.append(command)
        elif isinstance(command, do.Prune):
            attempt = state.attempts[command.number] if command.number in state.open else 0  # one that is under way
            self.note(ev.StepPruned, state.paths[command.number], attempt, command.reason, command.because)
        elif isinstance(command, do.Wait):
            patience = self.plan.steps[command.number].join_timeout
            deadline = None if patience is None else self.now + patience
            self.note(ev.JoinWaiting, state.paths[command.number], 0, command.waiting_for, deadline)
        elif isinstance(command, do.TimeOutJoin):
            self._time_out_join(command)
        elif isinstance(command, do.Reset):
            self._reset(command)
        elif isinstance(command, do.CancelSteps):
            self.spark(StepsTold, "", 0, command.numbers)
            self.acts.append(command)
        elif isinstance(command, do.Release):
            self.note(ev.JoinReleased, state.paths[command.number])
        elif isinstance(command, do.Conclude):
            self._conclude(command)
        elif isinstance(command, do.Abandon):
            path = state.paths[command.number]
            self.note(ev.StepCancelled, path, state.attempts[command.number], command.reason)
        elif isinstance(command, do.CancelRunning):
            self.spark(CancelSent)
            self.acts.append(command)
        elif isinstance(command, do.TimeOut):
            self.note(ev.RunTimedOut, "", 0, state.deadline)
        else:
            self._finish(command)

    def _finish(self, command: do.Finish) -> None:
        state = self.state
        names = state.graph.names
        not_run: tuple[str, ...] = ()
        if state.ended < len(names):
            not_run = tuple(names[number] for number, status in enumerate(state.steps) if status < COMPLETED)
        failures = tuple(state.failures[:_KEPT_FAILURES])
        if command.status == "blocked" and not command.reason:
            self.note(ev.RunBlocked, "", 0, *state.block)
        else:
            self.note(ev.RunFinished, "", 0, command.status, command.reason, failures, not_run)

    def _reset(self, command: do.Reset) -> None:
        """A jump goes back: what lies between begins a new visit."""
        state = self.state
        path = state.paths[command.by]
        paths = tuple(state.paths[number] for number in command.numbers)
        whole = tuple(state.paths[number] for number in command.numbers if number in state.maps)
        self.note(ev.StepReset, path, state.attempts[command.by], paths, "goto", whole)
        self.acts.append(command)

    def _time_out_join(self, command: do.TimeOutJoin) -> None:
        """A join fails that has waited for too long: in an attempt that has no other content."""
        step, path = self.plan.steps[command.number], self.state.paths[command.number]
        attempt = self.state.attempts[command.number] + 1
        self.note(ev.JoinTimedOut, path, 0, command.waiting_for)
        self.note(ev.StepStarted, path, attempt)
        patience = 0.0 if step.join_timeout is None else step.join_timeout
        error = TimeoutError(f"after {patience:g} s it still waited for {', '.join(command.waiting_for)}")
        failed = Failed("timeout", "join_timed_out", error, retryable=False)
        self.errors[path] = error
        record = failure(failed, path=path, step=step.name, item=None, attempt=attempt, retryable=False)
        self.note(ev.StepFailed, path, attempt, record, not step.critical)

    def _conclude(self, command: do.Conclude) -> None:
        """A map has come to an end by its items."""
        number, state, step = command.number, self.state, self.plan.steps[command.number]
        items, path, attempt = state.maps[number], state.paths[number], state.attempts[number]
        if not command.failed:
            self.note(ev.StepCompleted, path, attempt, None, False, items.failed > 0, "", False, not step.ephemeral)
            return
        if command.source_failed and step.fan is not None:
            source = state.paths[step.fan.over]
            what = f"`{source}`, which gives its items, did not come to its end; {items.ended} of {items.total} ended"
            self._map_failed(step, path, attempt, "dependency", "source_failed", what)
            return
        own = f"{step.name}["
        first = next((one for one in state.failures if one.path.startswith(own)), None)
        what = f"{items.failed} of {items.total} items failed"
        if step.fan is not None and step.fan.min_success is not None:
            what += f", and min_success asks for {step.fan.min_success} to succeed"
        if first is not None:
            what += f"; the first was {first.path}: {first.type}: {first.message}"
            if first.path in self.errors:
                self.errors[path] = self.errors[first.path]
        self._map_failed(step, path, attempt, "user", "items_failed", what)

    def _map_failed(self, step: PlanStep, path: str, attempt: int, source: str, reason: str, what: str) -> None:
        kind = "ItemsFailed" if reason == "items_failed" else "SourceFailed"
        record = ev.Failure(path, step.name, None, "error", source, reason, kind, what, "", False, attempt)
        self.note(ev.StepFailed, path, attempt, record, not step.critical)

    def landed(self, number: int, jump: Jump) -> Jump | Completed | Failed:
        """What becomes of a jump: where no further visit is allowed the step ends with its best, or fails."""
        for one in (number, jump.target):
            step = self.plan.steps[one]
            if self.state.loops.get(one, 0) + 1 < step.max_visits:
                continue
            if jump.best is not None:
                return structs.replace(jump.best, soft=True)
            message = (
                f"it wanted to jump back to `{self.plan.steps[jump.target].name}`, and `{step.name}` has had all "
                f"{step.max_visits} of its visits; raise max_visits, or give Goto a `best` to go on with"
            )
            return Failed("loop", "max_visits", LoopLimit(message), retryable=False)
        return jump

    def step_ends(self, number: int, attempt: int, outcome: Outcome) -> None:
        """Write down how an attempt of a step ended."""
        path = self.state.paths[number]
        if isinstance(outcome, Completed):
            if outcome.route is not None:
                names = self.state.graph.names
                chosen = tuple(names[target] for target in outcome.route)
                self.note(ev.BranchChosen, path, attempt, spelled(outcome.value), chosen)
            ephemeral = self.plan.steps[number].ephemeral
            if ephemeral or outcome.stops or outcome.soft:
                own = (outcome.output, outcome.stops, False, "", outcome.soft, not ephemeral)
                self.note(ev.StepCompleted, path, attempt, *own)
            else:
                self.take(ev.StepCompleted(self.run_id, self.seq + 1, self.now, path, attempt, outcome.output))
        elif isinstance(outcome, Jump):
            self.note(ev.StepCompleted, path, attempt, None, False, False, self.plan.steps[outcome.target].name)
        elif isinstance(outcome, Skipped):
            self.note(ev.StepPruned, path, attempt, outcome.reason or "it_returned_skip")
        elif isinstance(outcome, Cancelled):
            if self.state.steps[number] == GUARDING:
                self.spark(GuardDropped, path)  # it never had an attempt, so it has no end
            else:
                self.note(ev.StepCancelled, path, attempt, outcome.reason)
        elif isinstance(outcome, Expanded):
            self.note(ev.MapExpanded, path, attempt, outcome.count, outcome.keys, outcome.more)
        elif isinstance(outcome, Guarded):
            if outcome.passed:
                self.spark(GuardPassed, path)
            else:
                self.note(ev.StepSkipped, path, 0, f"when_false: {outcome.text}")
        elif self.state.halt and self.state.steps[number] == GUARDING:
            self.spark(GuardDropped, path)  # its `when` raised, but no attempt may begin any more
        else:
            step, spent = self.plan.steps[number], self.state.spent.get(number, 0)
            if outcome.__class__ is Failed and self.state.attempts[number] < attempt:
                self.note(ev.StepStarted, path, attempt)  # its `when` raised: that is its first attempt
            retry_at, record = self._again(step, path, None, attempt, spent, outcome)
            if retry_at is not None:
                reason = outcome.reason if isinstance(outcome, Again) else ""
                self.note(ev.StepRetrying, path, attempt, retry_at, record, reason)
            else:
                self.note(ev.StepFailed, path, attempt, record, not step.critical)

    def item_ends(self, number: int, index: int, attempt: int, started_at: float, outcome: Outcome) -> None:
        """Write down how an attempt of a map item ended."""
        path = self.state.item_path(number, index)
        if isinstance(outcome, Completed):
            own = (index, started_at, outcome.output, outcome.stops)
            self.take(ev.ItemCompleted(self.run_id, self.seq + 1, self.now, path, attempt, *own))
        elif isinstance(outcome, Skipped):
            self.note(ev.ItemCompleted, path, attempt, index, started_at, None, False, True)
        elif isinstance(outcome, Cancelled):
            self.note(ev.ItemCancelled, path, attempt, index, outcome.reason)
        else:
            items = self.state.maps[number]
            step, spent = self.plan.steps[number], items.attempts.get(index, 0)
            retry_at, record = self._again(step, path, items.key(index), attempt, spent, outcome)
            if retry_at is not None:
                reason = outcome.reason if isinstance(outcome, Again) else ""
                self.note(ev.ItemRetrying, path, attempt, index, retry_at, record, reason)
            else:
                self.note(ev.ItemFailed, path, attempt, index, started_at, record)

    def _again(
        self, step: PlanStep, path: str, item: str | None, attempt: int, spent: int, outcome: Outcome
    ) -> tuple[float | None, ev.Failure | None]:
        """When an attempt is made again, or None; and what is recorded of this one."""
        if isinstance(outcome, Again):
            policy = step.retry or RetryPolicy(UNDECLARED_ATTEMPTS, delay=0)
            if spent + 1 < policy.attempts:
                wait = policy.wait(spent + 1, self.chance()) if outcome.after is None else outcome.after
                return self.now + wait, None
            said = f": {outcome.reason}" if outcome.reason else ""
            error = RuntimeError(f"it returned Retry, and all of its {policy.attempts} attempts are used{said}")
            outcome = Failed("error", "retries_used_up", error, retryable=False)
        if not isinstance(outcome, Failed):
            raise AssertionError(f"{outcome!r} is no failure")
        again = retries(step, spent, outcome)
        record = failure(outcome, path=path, step=step.name, item=item, attempt=attempt, retryable=again)
        if not again or step.retry is None:
            if item is None or not any(one.startswith(f"{step.name}[") for one in self.errors):
                self.errors[path] = outcome.error  # of a map's items, only the first is told with the map
            return None, record
        return self.now + step.retry.wait(spent + 1, self.chance()), record
