"""The runner by itself: what it hears once its run is over, and before that is durable."""

from __future__ import annotations

import asyncio

from stepwell import Pipeline
from stepwell import events as ev
from stepwell.engine.runner import Runner
from stepwell.executors.local import threads
from stepwell.journal.port import Lease
from stepwell.state.state import State
from stepwell.testing.clock import VirtualClock

from .plans import HeldStore, turns, until

BOUND = 5.0


def ending(store: HeldStore) -> Runner:
    """A runner of one step; from that step on its store is slow."""
    pipe = Pipeline("one")

    @pipe.step
    async def only() -> int:
        store.holds = True
        return 1

    plan = pipe.compile()
    lease = store.create("r", plan.name, "")
    assert isinstance(lease, Lease)
    runner = Runner(
        plan, State(plan.graph), store, lease, {},
        clock=VirtualClock(auto=False), executor=threads(), chance=lambda: 0.5, check=False,
    )  # fmt: skip
    known = ev.RunStarted("r", 0, 0.0, pipeline=plan.name, fingerprints=plan.fingerprints)
    runner.begin([(ev.RunStarted, tuple(getattr(known, name) for name in known.__struct_fields__[3:]))], known.at)
    return runner


async def test_nothing_is_written_behind_the_end_of_a_run_that_is_not_durable_yet() -> None:
    """S2: RUN_FINISHED is last; a thread that could not write its log says so a moment too late."""
    store = HeldStore()
    runner = ending(store)
    run = asyncio.ensure_future(runner.run())
    await until(lambda: store.held)
    runner.warn("log_not_written", "the disk is full")
    assert runner.cancel("too late") is None
    await turns()
    store.let_go()
    await asyncio.wait_for(run, BOUND)
    await turns()
    assert runner.error is None
    kinds = [fact.kind.value for fact in store.read("r")]
    assert kinds == ["RUN_STARTED", "STEP_STARTED", "STEP_COMPLETED", "RUN_FINISHED"]
