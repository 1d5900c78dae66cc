"""A run, opened in this process: begun, gone on with, or only watched because it has ended or lives elsewhere."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from stepwell import events as ev
from stepwell.api.inputs import read_inputs, record_inputs
from stepwell.api.record import facts_of, fold, take
from stepwell.api.recovery import changes, refusal, warnings
from stepwell.api.wish import Wish
from stepwell.clock import Clock
from stepwell.engine.decide_resets import resets
from stepwell.engine.runner import Fact, Runner
from stepwell.engine.values import Values
from stepwell.errors import CodeChanged, PayloadLost, RunBlocked, RunError, RunNotFound
from stepwell.failpoints import failpoint
from stepwell.journal.port import Lease, Store
from stepwell.plan.plan import Plan
from stepwell.state.state import COMPLETED, SUCCESS, State
from stepwell.views.records import replay

if TYPE_CHECKING:
    from stepwell.executors.port import Executor


def chance() -> float:
    """A number in [0, 1), for the share by which a wait is longer or shorter."""
    return int.from_bytes(os.urandom(6), "big") / 2**48


class Machine(Struct, frozen=True):
    """What runs need from the outside: a store, time, threads, chance; and whether values are checked."""

    store: Store
    clock: Clock
    executor: Executor
    check_values: bool = False
    chance: Callable[[], float] = chance


class Session:
    """One opened run. `runner` is None where this process does not run it; `first` are the facts to begin with."""

    __slots__ = (
        "first",
        "lease",
        "now",
        "plan",
        "recovered",
        "run_id",
        "runner",
        "started_at",
        "state",
        "values",
    )

    def __init__(self, run_id: str, plan: Plan, state: State, values: Values, started_at: float) -> None:
        self.run_id = run_id
        self.plan = plan
        self.state = state
        self.values = values
        self.started_at = started_at
        self.runner: Runner | None = None
        self.lease: Lease | None = None
        self.first: tuple[Fact, ...] = ()
        self.now = started_at
        """The time of those."""
        self.recovered = False
        """The process that ran it had died."""

    def catch_up(self, store: Store) -> str:
        """Fold what another process has recorded since; gives the status of the run."""
        run_id = self.run_id
        for fact in facts_of(store, run_id, self.state.seq):
            take(self.state, self.plan, fact)
        return self.state.status


@failpoint("session.begin")
def begin(machine: Machine, wish: Wish, run_id: str) -> Session | None:
    """A new run; None where the pipeline has a run of this key already."""
    store, plan = machine.store, wish.plan
    inputs = record_inputs(plan, wish.inputs) if store.encodes else dict(wish.inputs)
    lease = store.create(run_id, plan.name, wish.key)
    if lease is None:
        return None
    now = machine.clock.now()
    state = State(plan.graph)
    deadline = None if wish.run_timeout is None else now + wish.run_timeout
    started: Fact = (
        ev.RunStarted,
        (
            "", 0, plan.name, plan.version, inputs, wish.key, wish.target, wish.on_failure, plan.concurrency, deadline,
            plan.fingerprints, plan.edges, plan.graph.quorums, plan.graph.jumps,
        ),
    )  # fmt: skip
    session = _opened(machine, plan, state, lease, wish.inputs, now)
    warned = warnings(plan, durable=store.encodes)
    session.first = (started, *((ev.WarningIssued, ("", 0, *one)) for one in warned))
    return session


def resume(machine: Machine, plan: Plan, run_id: str, *, on_change: str, run_timeout: float | None) -> Session:
    """An existing run, from where its record ends; one that succeeded is only opened.

    Raises RunLive, RunBlocked, CodeChanged, InputError or StoreError; a run that is blocked says so in its record.
    """
    store = machine.store
    row = store.get(run_id)
    if row is None:
        raise RunNotFound(f"there is no run {run_id}; `stepwell ls` lists those that there are", run_id=run_id)
    if row.status in SUCCESS:
        return watch(machine, plan, run_id)
    lease = store.claim(run_id)
    try:
        session = _gone_on(machine, plan, lease, on_change=on_change, run_timeout=run_timeout)
    except RunBlocked:
        raise  # the lease is given up once that is recorded
    except BaseException:
        store.release(lease)
        raise
    return session


@failpoint("session.resume")
def _gone_on(machine: Machine, plan: Plan, lease: Lease, *, on_change: str, run_timeout: float | None) -> Session:
    """Fold the record, see whether the run may go on, and say what that begins with."""
    row = machine.store.get(lease.run_id)
    try:
        started, prints, state = fold(machine.store, plan, lease.run_id)
    except CodeChanged as error:
        if row is not None and row.pipeline != plan.name:
            message = f"the run is of pipeline `{row.pipeline}`, and this is `{plan.name}`; resume it with its own"
            raise _blocked(machine, lease, row.seq, "other_pipeline", message, CodeChanged) from None
        raise _blocked(machine, lease, 0 if row is None else row.seq, "step_gone", str(error), CodeChanged) from None
    if on_change not in ("refuse", "keep"):
        raise RunError(f'on_change is "refuse" or "keep" (this version has no "rerun" yet), not {on_change!r}')
    now = machine.clock.now()
    if state.status == "running" and state.halt == "cancelled":  # it died while it ended: that is over now
        ended = _cancelled(lease.run_id, state, state.seq + 1, now)
        ack = machine.store.append(lease, [ended], True)
        if ack is not None:  # what follows is durable after it, or refused with it
            ack.add_done_callback(lambda ack: ack.cancelled() or ack.exception())
        take(state, plan, ended)
    recovered = state.status == "running"
    changed = changes(plan, state, prints)
    if (no := refusal(plan, state, started, changed, on_change)) is not None:
        raise _blocked(machine, lease, state.seq, no.reason, no.message, no.error)
    inputs = _inputs_of(machine, plan, started)
    deadline = state.deadline if recovered else None
    if deadline is None and run_timeout is not None and not recovered:
        deadline = now + run_timeout
    again = resets(plan, state)
    session = _opened(machine, plan, state, lease, inputs, started.at)
    resumed: Fact = (ev.RunResumed, ("", 0, recovered, deadline, plan.fingerprints))
    reset: tuple[Fact, ...] = ((ev.StepReset, ("", 0, again.paths, "resume", again.whole)),) if again.paths else ()
    told: tuple[Fact, ...] = ((ev.WarningIssued, ("", 0, "code_changed", changed.message)),) if changed.names else ()
    session.first, session.now = (resumed, *reset, *told), now
    session.recovered = recovered
    return session


def close(machine: Machine, run_id: str, reason: str) -> None:
    """Write the end of a run whose process is gone; what it had begun has none, and a resume goes on with it."""
    store = machine.store
    lease = store.claim(run_id)
    state = replay(facts_of(store, run_id))
    now = machine.clock.now()
    cancelled = ev.RunCancelled(run_id, state.seq + 1, now, "", 0, reason)
    _last_words(store, lease, [cancelled, _cancelled(run_id, state, state.seq + 2, now)])


def _cancelled(run_id: str, state: State, seq: int, now: float) -> ev.RunFinished:
    """The end of a run that was to be cancelled when its process went."""
    names = state.graph.names
    left = tuple(names[number] for number, status in enumerate(state.steps) if status < COMPLETED)
    return ev.RunFinished(run_id, seq, now, "", 0, "cancelled", "its_process_was_gone", (), left)


def _last_words(store: Store, lease: Lease, facts: Sequence[ev.Event]) -> None:
    """Append these facts, and give up the lease once they are durable."""

    def release(ack: asyncio.Future[None] | None) -> None:
        if ack is None or (not ack.cancelled() and ack.exception() is None):
            store.release(lease)

    ack = store.append(lease, facts, True)
    if ack is None:
        release(None)
    else:
        ack.add_done_callback(release)


def watch(machine: Machine, plan: Plan, run_id: str) -> Session:
    """A run that this process does not run: its record as it is."""
    started, _, state = fold(machine.store, plan, run_id)
    values = Values(plan, state, machine.store, {}, copies=machine.store.encodes)
    return Session(run_id, plan, state, values, started.at)


def _blocked(
    machine: Machine, lease: Lease, seq: int, reason: str, message: str, error: type[RunBlocked]
) -> RunBlocked:
    """Record that the run waits for somebody to decide; gives back what to raise."""
    fact = ev.RunBlocked(lease.run_id, seq + 1, machine.clock.now(), "", 0, reason, message)
    _last_words(machine.store, lease, [fact])
    return error(message, run_id=lease.run_id)


def _inputs_of(machine: Machine, plan: Plan, started: ev.RunStarted) -> dict[str, object]:
    recorded = started.inputs
    if not isinstance(recorded, ev.Payload):
        return read_inputs(plan, recorded, None)
    try:
        return read_inputs(plan, recorded, machine.store.load(recorded))
    except PayloadLost as error:
        raise PayloadLost(f"the inputs of run {started.run_id} are lost: {error}") from error


def _opened(
    machine: Machine, plan: Plan, state: State, lease: Lease, inputs: Mapping[str, object], started_at: float
) -> Session:
    runner = Runner(
        plan, state, machine.store, lease, inputs,
        clock=machine.clock, executor=machine.executor, chance=machine.chance,
        check=machine.check_values,
    )  # fmt: skip
    session = Session(lease.run_id, plan, state, runner.values, started_at)
    session.runner, session.lease = runner, lease
    return session
