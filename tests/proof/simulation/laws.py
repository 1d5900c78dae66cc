"""What must hold after every turn of the simulation, and how a run must have ended."""

from __future__ import annotations

from collections import Counter

from stepwell import events as ev
from stepwell.api.record import fold
from stepwell.engine import commands as do
from stepwell.engine.values import Values
from stepwell.state.state import COMPLETED, GUARDING, PENDING, RUNNING, STATUS
from stepwell.testing.invariants import check_invariants

from .recount import Recount
from .rules import Fate, Rules
from .world import RUN, World

_FOLDED = (
    "status", "ended", "attempts", "spent", "outputs", "visits", "paths", "reasons", "missing", "degraded", "halt",
    "recoveries", "stopped_by", "chosen", "waited", "released", "started_at", "ended_at",
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
    outstanding = _outstanding(world)
    total = sum(outstanding.values())
    assert state.running == total, f"running is {state.running}, under way are {total}: {world.describe()}"
    assert state.held == len(world.held)
    limit = state.concurrency
    assert limit is None or state.running + state.held <= limit or not outstanding, (
        f"{state.running} of {limit} run (S14)"
    )
    ready = {n for n, stage in enumerate(state.steps) if stage == PENDING and state.missing[n] == 0}
    assert sorted(state.ready) == sorted(ready), f"ready is {state.ready}, not {ready}"
    _maps_equal_a_recount(world, outstanding)


def _counters_of_a_step(world: World, number: int) -> None:
    """Rule 1 and 2 in numbers, from the edges as they were declared."""
    state, recount = world.state, world.recount
    into = [wire for wire in world.case.wires if wire.target == number]
    sources = {wire.source for wire in into}
    missing = sum(source not in recount.status for source in sources)
    assert state.missing[number] == missing, f"{number} misses {missing}, not {state.missing[number]}"
    triggers = [wire for wire in into if wire.means in ("to", "route")] or into
    name = recount.names[number]
    live = {
        wire.source
        for wire in triggers
        if recount.status.get(wire.source) in ("completed", "skipped", "tolerated")
        and (wire.means != "route" or name in recount.chosen.get(wire.source, ()))
    }
    assert bool(state.live[number]) == bool(live), f"{number} has {state.live[number]} live edges, and must have {live}"
    needs = {w.source for w in into if w.means == "data" and recount.status.get(w.source, "completed") != "completed"}
    assert bool(state.starved[number]) == bool(needs)
    doomed = any(
        recount.status.get(source) == "failed" or recount.reason.get(source) == "upstream_failed" for source in sources
    )
    assert bool(state.doomed[number]) == doomed


def _outstanding(world: World) -> Counter[int]:
    """By step, the acts that were asked for and have not ended; a map that goes on with its items is none."""
    acts = [act for _, acts in world.pending for act in acts] + [attempt.command for attempt in world.under]
    found: Counter[int] = Counter()
    for act in acts:
        if isinstance(act, do.StartItem | do.Guard) or (
            isinstance(act, do.Start) and act.number not in world.state.maps
        ):
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
        assert items.running == running
        if state.steps[number] != GUARDING:
            assert running == outstanding[number]
        fan = world.case.plan.steps[number].fan
        assert fan is not None
        assert running <= fan.concurrency, f"{running} items of {number} run, and {fan.concurrency} may (S14)"


def the_run_ended_as_it_must(world: World) -> None:
    """Statuses and results against the second opinion, and the record against what was acknowledged."""
    state, recount, case = world.state, world.recount, world.case
    assert not _outstanding(world), f"the run is over and this goes on: {world.under}"
    assert state.status == _expected_status(world), f"the run is {state.status}, not {_expected_status(world)}"
    rules = Rules(case, recount)
    finished = state.status in ("completed", "degraded")
    for number in range(len(case.plan.steps)):
        ended, must = recount.status.get(number), rules.end(number)
        if ended is None:
            assert not finished, f"the run claims success and {number} has no end"
            assert recount.halted, f"{number} has no end although nothing held it up"
            continue
        if ended == "cancelled":
            assert recount.halted
            continue
        assert ended == must.status, f"{number} ended {ended}, and must end {must.status} ({must.reason})"
        if ended == "pruned":
            assert recount.reason[number] == must.reason, f"{number} is pruned for {recount.reason[number]}"
        _results_are_right(world, number, rules)
    _executions_are_bounded(world)
    _the_record_says_the_same(world)


def _expected_status(world: World) -> str:
    """A signal from outside counts more than a failure, a failure more than a `Stop`."""
    recount = world.recount
    for signal in ("cancelled", "timed_out"):
        if signal in recount.halts:
            return signal
    if "failed" in recount.status.values():
        return "failed"
    if recount.stopped:
        return "stopped"
    return "degraded" if recount.degraded else "completed"


def _results_are_right(world: World, number: int, rules: Rules) -> None:
    """The output of a step; of a map, those of its items, every one once and in order."""
    recount, must = world.recount, rules.end(number)
    if must.status == "completed":
        values = Values(world.case.plan, world.state, world.store, {}, copies=False)
        assert values.step(number) == must.value, f"{number} gave {values.step(number)}, not {must.value}"
        assert (number in recount.degraded) == must.degraded
        world.reached["output compared"] += 1
    if (number, -1) in world.case.scripts and recount.attempts.get(recount.path(number)):
        _retries_are_right(world, recount.path(number), rules.fate(number, -1), recount.reason[number])
    for index in range(len(recount.keys.get(number, ()))):
        fate = rules.fate(number, index)
        came = recount.items.get((number, index))
        wanted = {"value": "completed", "stop": "completed", "skip": "skipped", "fail": "failed"}[fate.how]
        assert came in (None, "cancelled", wanted), f"item {index} of {number} ended {came}, and must {wanted}"
        if came == wanted:
            _retries_are_right(world, recount.path(number, index), fate)


def _retries_are_right(world: World, path: str, fate: Fate, reason: str = "") -> None:
    """S9: each visit has its whole budget, no crash uses any of it, and no attempt beyond it is made."""
    made = world.recount.retries[path] + 1
    assert made == fate.made or reason == "when_raised", f"{path} ended by attempt {made}, and must by {fate.made}"


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
    assert isinstance(again.last, ev.RunFinished)
    row = world.store.get(RUN)
    assert row is not None
    assert (row.seq, row.done, row.status) == (again.seq, len(again.status), live.status)
