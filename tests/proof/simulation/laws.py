"""What must hold after every turn of the simulation, and how a run must have ended."""

from __future__ import annotations

from collections import Counter

import msgspec

from stepwell import events as ev
from stepwell.api.record import fold
from stepwell.engine import commands as do
from stepwell.engine.values import Values
from stepwell.errors import PayloadLost
from stepwell.state.state import COMPLETED, GUARDING, PENDING, RUNNING, STATUS, State
from stepwell.testing.invariants import check_invariants

from .recount import Recount
from .world import RUN, World

_FOLDED = (
    "status", "ended", "attempts", "spent", "outputs", "visits", "paths", "reasons", "missing", "degraded",
    "recoveries", "stopped_by", "chosen", "joining", "started_at", "ended_at", "jumps", "loops", "soft",
    "unkept", "gone", "hope", "wants", "patience", "streaming", "bases",
)  # fmt: skip


def counters_equal_a_recount(world: World) -> None:
    """What the state counts as it goes equals what the facts, read again, and the world itself say."""
    state, recount = world.state, world.recount
    assert state.ended == len(recount.status)
    assert world.ledger.seq == recount.seq
    for number, stage in enumerate(state.steps):
        recorded = recount.status.get(number)
        assert recorded == (STATUS[stage] if stage >= COMPLETED else None), (
            f"{number} is {STATUS[stage]}, not {recorded}"
        )
        _counters_of_a_step(world, number)
    assert (state.jumps, state.streaming) == (recount.jumping, recount.feeding)
    assert {number: count for number, count in state.loops.items() if count} == +recount.loops
    assert {state.paths[number]: until for number, until in state.patience.items()} == recount.patience
    assert (state.unkept, state.gone) == (recount.unkept, recount.gone)
    assert state.halt == _halt(recount), f"halted by {state.halt}, not {recount.halts}"
    for number in recount.closed:
        fan = world.case.plan.steps[number].fan
        assert fan is not None
        assert recount.status.get(fan.over) == "completed", f"{number} is closed, and its source has not completed"
    _slots_equal_a_recount(world)
    waits = {n for n, stage in enumerate(state.steps) if stage == PENDING and recount.rules.gate(n).verdict == "wait"}
    ready = {n for n, stage in enumerate(state.steps) if stage == PENDING} - waits
    assert sorted(state.ready) == sorted(ready), f"ready is {state.ready}, not {ready}"
    if state.status == "running" and not state.halt and not state.jumps:
        late = [number for number, until in state.patience.items() if until <= world.ledger.now]
        assert not late, f"{late} wait beyond their time"
    _maps_equal_a_recount(world, _outstanding(world))


def _halt(recount: Recount) -> str:
    for halt in ("cancelled", "timed_out", "blocked"):
        if halt in recount.halts:
            return halt
    return recount.halts[0] if recount.halts else ""


def _slots_equal_a_recount(world: World) -> None:
    """S14; a source holds no slot while it yields, for it would wait for the items that wait for it."""
    state, outstanding = world.state, _outstanding(world)
    total = sum(outstanding.values())
    assert state.running == total, f"running is {state.running}, under way are {total}: {world.describe()}"
    feeds = len(world.performer.feeds)
    assert state.held == len(world.threads) - feeds
    limit = state.concurrency
    late = sum(thread.of_source for thread in world.threads)
    assert limit is None or state.running + state.held - late <= limit or not total, (
        f"{state.running} of {limit} run (S14)"
    )


def _counters_of_a_step(world: World, number: int) -> None:
    """Rule 1 and 2 in numbers, from the edges as they were declared."""
    state, recount = world.state, world.recount
    rules = recount.rules
    sources = rules.sources[number]
    missing = sum(not rules.settled(source, number) for source in sources)
    assert state.missing[number] == missing, f"{number} misses {missing}, not {state.missing[number]}"
    live = sum(rules.live(source, number) for source in rules.counted[number])
    assert state.live[number] == live, f"{number} has {state.live[number]} live edges, not {live}"
    if number in state.hope:
        hope = sum(not rules.settled(source, number) for source in rules.counted[number])
        assert state.hope[number] == hope, f"{number} hopes for {state.hope[number]} edges, not {hope}"
    doomed = any(rules.lost(source) for source in sources)
    assert (number in state.doomed) == doomed


def _outstanding(world: World) -> Counter[int]:
    """By step, the acts that were asked for and have not ended.

    A map that goes on with its items is none, nor is one that was to go on and was reset before it did.
    """
    acts = [act for _, acts in world.pending for act in acts] + [*world.todo] + [one.act for one in world.under]
    found: Counter[int] = Counter()
    state = world.state
    for act in acts:
        if isinstance(act, do.Start) and (act.number in state.maps or state.attempts[act.number] != act.attempt):
            continue
        if isinstance(act, do.Start | do.StartItem | do.Guard):
            found[act.number] += 1
    return found


def _maps_equal_a_recount(world: World, outstanding: Counter[int]) -> None:
    state, recount = world.state, world.recount
    assert state.maps.keys() == recount.keys.keys()
    for number, items in state.maps.items():
        ends = [recount.items.get((number, index)) for index in range(items.total)]
        stages = [STATUS[stage] if stage >= COMPLETED else None for stage in items.stages]
        assert stages == ends, f"items of {number} are {stages}, not {ends}"
        assert items.ended == sum(end is not None for end in ends)
        assert items.failed == ends.count("failed")
        running = sum(stage == RUNNING for stage in items.stages)
        assert items.running == running, f"{items.running} items of {number} are counted as running, not {running}"
        if state.steps[number] != GUARDING:
            assert running == outstanding[number]
        fan = world.case.plan.steps[number].fan
        assert fan is not None
        assert running <= fan.concurrency, f"{running} items of {number} run, and {fan.concurrency} may (S14)"


def the_run_ended_as_it_must(world: World) -> None:
    """Statuses and results against the second opinion, and the record against what was acknowledged."""
    state, recount = world.state, world.recount
    assert not _outstanding(world), f"the run is over and this goes on: {world.under}"
    assert not world.performer.feeds, "the run is over and a source yields"
    assert state.status == _expected_status(world), f"the run is {state.status}, not {_expected_status(world)}"
    for number, step in enumerate(world.case.plan.steps):
        ended = recount.status.get(number)
        if ended is None:
            assert recount.halted, f"{number} has no end although nothing held it up"
        elif ended == "cancelled":
            idle = recount.reason[number] in ("nothing_needs_it", "goto") and step.feeds
            assert recount.halted or idle, f"{number} was cancelled although nothing held it up"
        elif ended == "completed" and number not in recount.jumping:
            _results_are_right(world, number)
    assert recount.halted or not recount.jumping, f"{recount.jumping} have still to go back"
    _executions_are_bounded(world)
    _the_record_says_the_same(world)


def _expected_status(world: World) -> str:
    """A signal from outside counts more than a failure, a failure more than a `Stop`."""
    recount = world.recount
    for signal in ("cancelled", "timed_out", "blocked"):
        if signal in recount.halts:
            return signal
    if "failed" in recount.status.values():
        return "failed"
    if recount.halts:
        return "stopped"
    return "degraded" if recount.degraded else "completed"


def _results_are_right(world: World, number: int) -> None:
    """The output of a step; of a map, those of its items, every one once and in order. What was not kept is gone."""
    values = Values(world.case.plan, world.state, world.store, {}, copies=False)
    if number in world.recount.unkept:
        empty = number in world.recount.keys and world.recount.output(number) == []
        assert values.at_hand(number) == empty
        try:
            values.step(number)
        except PayloadLost:
            return
        assert empty, f"{number} was not kept, and a new process has its output"
        return
    must = world.recount.output(number)
    assert values.step(number) == must, f"{number} gave {values.step(number)}, not {must}"
    world.reached["output compared"] += 1


def _executions_are_bounded(world: World) -> None:
    """S4: at most one, and one more for each retry and each time that the process died over it."""
    for path, count in world.witness.items():
        most = 1 + world.recount.retries[path] + world.deaths[path]
        assert count <= most, f"{path} was executed {count} times, and at most {most} may be (S4)"


def _the_record_says_the_same(world: World) -> None:
    """Folding the durable facts anew gives what this process knows; and the row of the run says so too."""
    live = world.state
    _, _, anew = fold(world.store, world.case.plan, RUN)
    for name in _FOLDED:
        assert getattr(live, name) == getattr(anew, name), (
            f"{name}: {getattr(live, name)} here, {getattr(anew, name)} anew"
        )
    assert _visits(live) == _visits(anew)
    assert list(live.steps) == list(anew.steps)
    assert [failure.path for failure in live.failures] == [failure.path for failure in anew.failures]
    assert sorted(live.timers) == sorted(anew.timers)
    for number, items in live.maps.items():
        assert items.stages == anew.maps[number].stages
        assert items.results == anew.maps[number].results
    check_invariants(world.store.read(RUN, 0, 1 << 30), live)
    again = Recount(world.case)
    for fact in world.store.read(RUN, 0, 1 << 30):
        again.take(fact)
    assert (again.status, again.items) == (world.recount.status, world.recount.items)
    assert isinstance(again.last, ev.RunBlocked if live.status == "blocked" else ev.RunFinished)
    row = world.store.get(RUN)
    assert row is not None
    done = sum(status not in ("failed", "cancelled") for status in again.status.values())
    assert (row.seq, row.done, row.status) == (again.seq, done, live.status)


def _visits(state: State) -> list[tuple[object, ...]]:
    """The earlier visits of all steps, with what the items had come to that were lost in them."""
    visits = [(number, visit) for number, visits in sorted(state.past.items()) for visit in visits]
    return [
        (number, msgspec.structs.replace(visit, items=None), None if visit.items is None else bytes(visit.items.stages))
        for number, visit in visits
    ]
