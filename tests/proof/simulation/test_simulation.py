"""`decide` + fold + ledger against a second opinion, under thousands of random schedules (S2, S3, S4, S7, S9, S14)."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from typing import cast

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from .. import counts
from .cases import Case
from .draw import case_of, cases
from .hands import Loop
from .laws import counters_equal_a_recount, the_run_ended_as_it_must
from .world import ACTIONS, World

SCHEDULES = 4
"""How many schedules each case runs under; a seed is one case under one of them."""
EXAMPLES = counts.size(625, 62_500)
"""So many cases are drawn by Hypothesis, which shrinks one that fails, and so many evenly, which it does not do."""

REACHED: Counter[str] = Counter()
"""What the seeds of this process have reached."""

MUST_REACH = (
    # Each way in which a step, an item, an attempt can end.
    "STEP_COMPLETED", "STEP_SKIPPED", "STEP_PRUNED", "STEP_CANCELLED", "STEP_RETRYING", "failed", "tolerated",
    "ITEM_COMPLETED", "ITEM_RETRYING", "ITEM_FAILED", "ITEM_CANCELLED", "item skipped", "item stops", "step stops",
    "map degraded", "attempt cancelled", "slot held", "BRANCH_CHOSEN", "JOIN_WAITING", "JOIN_RELEASED",
    # Each status of a run.
    "run: completed", "run: degraded", "run: stopped", "run: failed", "run: cancelled", "run: timed_out",
    "blocked: no progress",
    # Each reason for which a step is pruned or fails.
    "pruned: upstream_failed", "pruned: not_reached", "pruned: no_value", "pruned: it_returned_skip",
    "failed: exception", "failed: attempt_timed_out", "failed: thread_abandoned", "failed: when_raised",
    "failed: items_failed", "failed: items_not_usable", "failed: retries_used_up",
    # Each rule where it decides.
    "rule: a trigger counts and no wait does", "rule: a wait counts where there is no trigger",
    "rule: one live edge is enough", "rule: a route not chosen is dead", "rule: a default takes the place of a value",
    "rule: what is tolerated goes on", "rule: what is skipped goes on", "rule: nothing starts after Stop",
    "rule: nothing starts after a failure", "rule: independent branches finish",
    # Each misfortune.
    "crash", "reset", "resumed after its end", "map goes on with its items", "clock jumped forwards",
    "clock jumped backwards", "RUN_CANCELLED", "RUN_TIMED_OUT", "what ran was told to end",
    # Joins by number and with patience, loops, outputs that are not kept, items that come one by one.
    "a join begins before all have ended", "JOIN_TIMED_OUT", "failed: join_timed_out", "jumped", "reset: goto",
    "gave its best", "failed: max_visits", "steps were told to end: goto", "items were lost", "reset: resume",
    "not kept", "map not kept", "an output that was not kept is handed on", "items were lost by a resume",
    "items in parts", "a source has given all", "a source waits", "failed: source_failed", "blocked: source changed",
    "pruned: source_gave_nothing", "steps were told to end: nothing_needs_it", "crash while a join waits",
    "crash while a loop is to go back", "crash while a source yields", "crash after an output that was not kept",
)  # fmt: skip


def simulate(case: Case, seed: int) -> World:
    """One run to its last end, with every law looked at after every turn."""
    loop = Loop()
    asyncio._set_running_loop(cast("asyncio.AbstractEventLoop", loop))
    try:
        return _to_its_last_end(World(case, seed, loop))
    finally:
        asyncio._set_running_loop(None)


def _to_its_last_end(world: World) -> World:
    for _ in range(ACTIONS):
        counters_equal_a_recount(world)
        if not world.over:
            world.turn()
            continue
        the_run_ended_as_it_must(world)
        _note_rules(world)
        if world.resumes >= world.case.resumes or world.state.status in ("completed", "degraded", "stopped"):
            return world
        world.resume()
    raise AssertionError(f"the run does not end: {world.describe()}")


def _note_rules(world: World) -> None:
    """Which of the three rules this run has shown at work."""
    status, reached = world.recount.status, REACHED
    good = ("completed", "skipped", "tolerated")
    for number in range(len(world.case.plan.steps)):
        into = [wire for wire in world.case.wires if wire.target == number]
        if not into or status.get(number) is None:
            continue
        triggers = [wire for wire in into if wire.means in ("to", "route")]
        ended = {wire.source: status.get(wire.source) for wire in into}
        ran = status[number] in ("completed", "failed", "tolerated")
        if triggers and world.recount.reason.get(number) == "not_reached":
            reached["rule: a trigger counts and no wait does"] += any(
                ended[wire.source] in good for wire in into if wire not in triggers
            )
            reached["rule: a route not chosen is dead"] += any(
                wire.means == "route" and ended[wire.source] == "completed" for wire in triggers
            )
        if ran:
            reached["rule: a wait counts where there is no trigger"] += not triggers
            reached["rule: one live edge is enough"] += "pruned" in ended.values()
            reached["rule: what is tolerated goes on"] += set(ended.values()) == {"tolerated"}
            reached["rule: what is skipped goes on"] += set(ended.values()) == {"skipped"}
            reached["rule: a default takes the place of a value"] += any(
                wire.means == "default" and ended[wire.source] != "completed" for wire in into
            )
    if "failed" in status.values():
        unfinished = len(status) < len(world.case.plan.steps)
        reached["rule: nothing starts after a failure"] += unfinished and world.case.on_failure != "finish"
        reached["rule: independent branches finish"] += not unfinished and world.case.on_failure == "finish"
    if world.state.status == "stopped":
        reached["rule: nothing starts after Stop"] += len(status) < len(world.case.plan.steps)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
)
@given(case=cases)
def every_law_holds(case: Case) -> None:
    """The body of the proof, run by the test below."""
    for number in range(SCHEDULES):
        REACHED["seeds"] += 1
        world = simulate(case, case.seed + number)
        REACHED.update(world.reached)


def every_law_holds_evenly() -> None:
    """The same for cases by chance alone; with CI set the same ones each time."""
    first = 0 if "CI" in os.environ else random.randrange(1 << 40)
    for seed in range(first, first + EXAMPLES):
        case = case_of(seed)
        for number in range(SCHEDULES):
            REACHED["seeds"] += 1
            try:
                REACHED.update(simulate(case, case.seed + number).reached)
            except Exception as error:
                error.add_note(f"case_of({seed}), schedule {number}: {case}")
                raise


@pytest.mark.slow
def test_every_run_ends_as_the_three_rules_say_under_any_schedule_and_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """S2, S3, S4, S7, S9, S14 and api.md "Which steps run": statuses, results and invariants, seed by seed."""
    monkeypatch.setattr("stepwell.engine.feed._AHEAD", 3)  # so that a source of a few items has to wait
    every_law_holds_evenly()
    every_law_holds()
    counts.tell("simulation", REACHED)
    missed = [name for name in MUST_REACH if not REACHED[name]]
    assert not missed, f"in {REACHED['seeds']} seeds never reached: {missed}"
