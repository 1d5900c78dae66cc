"""Order, joins, parallel steps and what parameters receive."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass

import pytest

from stepwell import CancelToken, Pipeline, StepContext
from stepwell.testing import Crashed

from .conftest import Play
from .telling import tale, told


async def test_a_chain_runs_one_step_after_the_other(play: Play) -> None:
    """K1, K3: every step has its start and its one end, and RUN_FINISHED is last."""
    pipe = Pipeline("chain")

    @pipe.step
    def a(n: int) -> int:
        return n + 1

    @pipe.step
    async def b(a: int) -> int:
        return a * 10

    @pipe.step(runs_on="inline")
    def c(b: int) -> str:
        return f"<{b}>"

    h = play(pipe)
    result = await h.run(n=1)
    assert (result.status, result.output) == ("completed", "<20>")
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED a attempt=1
        STEP_COMPLETED a attempt=1 -> 2
        STEP_STARTED b attempt=1
        STEP_COMPLETED b attempt=1 -> 20
        STEP_STARTED c attempt=1
        STEP_COMPLETED c attempt=1 -> '<20>'
        RUN_FINISHED completed
    """)


async def test_a_join_waits_for_all_before_it_and_is_released_once(play: Play) -> None:
    """D1, D2, D4: both branches start at once; the join says whom it waits for."""
    pipe = Pipeline("diamond")

    @pipe.step
    async def top() -> int:
        return 1

    @pipe.step
    async def left(top: int) -> int:
        return top + 1

    @pipe.step
    async def right(top: int) -> int:
        return top + 2

    @pipe.step
    async def bottom(left: int, right: int) -> int:
        return left * right

    h = play(pipe)
    assert (await h.run()).output == 6
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED top attempt=1
        STEP_COMPLETED top attempt=1 -> 1
        STEP_STARTED left attempt=1
        STEP_STARTED right attempt=1
        STEP_COMPLETED left attempt=1 -> 2
        JOIN_WAITING bottom for=right
        STEP_COMPLETED right attempt=1 -> 3
        JOIN_RELEASED bottom
        STEP_STARTED bottom attempt=1
        STEP_COMPLETED bottom attempt=1 -> 6
        RUN_FINISHED completed
    """)


async def test_a_fast_branch_does_not_wait_for_a_slow_one(play: Play) -> None:
    """D1: dataflow, no waves: what follows the fast branch is what lets the slow one end."""
    pipe = Pipeline("waves")
    gate = asyncio.Event()

    @pipe.step
    async def slow() -> str:
        await gate.wait()
        return "slow"

    @pipe.step
    async def fast() -> int:
        return 1

    @pipe.step
    async def after_fast(fast: int) -> int:
        gate.set()
        return fast + 1

    h = play(pipe)
    assert (await h.run()).output == {"slow": "slow", "after_fast": 2}


async def test_sync_steps_run_in_threads_at_the_same_time(play: Play) -> None:
    """D14: two blocking steps meet at a barrier, which they could not do one after the other."""
    pipe = Pipeline("threads")
    barrier = threading.Barrier(2, timeout=10)

    @pipe.step
    def one() -> bool:
        return barrier.wait() >= 0

    @pipe.step
    def two() -> bool:
        return barrier.wait() >= 0

    assert (await play(pipe).run()).outputs == {"one": True, "two": True}


@pytest.mark.parametrize("limit", [1, 2])
async def test_never_more_steps_run_at_once_than_the_run_allows(play: Play, limit: int) -> None:
    """D7, D16: the limit of the pipeline counts steps and items together."""
    pipe = Pipeline("limited", concurrency=limit)
    now, most, full = 0, 0, asyncio.Event()

    async def at_work() -> int:
        nonlocal now, most
        now += 1
        most = max(most, now)
        if now == limit:
            full.set()
        await full.wait()
        await asyncio.sleep(0)
        now -= 1
        return now

    @pipe.step
    async def numbers() -> list[int]:
        return list(range(6))

    @pipe.map(over=numbers)
    async def work(item: int) -> int:
        return await at_work()

    for name in ("x", "y", "z"):
        pipe.add_step(name, at_work, depends_on=[])

    assert (await play(pipe).run()).status == "completed"
    assert most == limit


async def test_a_map_runs_no_more_items_at_once_than_it_says(play: Play) -> None:
    """D7: `concurrency` of a map."""
    pipe = Pipeline("narrow")
    now, most, full = 0, 0, asyncio.Event()

    @pipe.step
    async def numbers() -> list[int]:
        return list(range(9))

    @pipe.map(over=numbers, concurrency=3)
    async def work(item: int) -> int:
        nonlocal now, most
        now += 1
        most = max(most, now)
        if now == 3:
            full.set()
        await full.wait()
        await asyncio.sleep(0)
        now -= 1
        return item

    assert (await play(pipe).run()).output == list(range(9))
    assert most == 3


@dataclass
class Seen:
    """What the parameters of one step received."""

    a: int
    optional: str
    other: int
    name: str
    path: str
    attempt: int
    key: str
    cancelled: bool


async def test_parameters_receive_outputs_inputs_defaults_and_the_attempt_itself(play: Play) -> None:
    """C1-C5: by type, by name, by `inputs=`, keyword only, and the input's default."""
    pipe = Pipeline("injection")

    @pipe.step
    def a() -> int:
        return 1

    @pipe.step
    def b(a: int) -> int:
        return a + 1

    @pipe.step(inputs={"other": b})
    def see(
        a: int, ctx: StepContext, cancel: CancelToken, step_name: str, optional: str = "dflt", *, other: int
    ) -> Seen:
        key = ctx.idempotency_key.removeprefix(ctx.run_id)
        return Seen(a, optional, other, step_name, ctx.path, ctx.attempt, key, cancel.cancelled)

    h = play(pipe)
    assert (await h.run()).output == Seen(1, "dflt", 2, "see", "see", 1, ":see", False)
    assert (await h.run(optional="given")).output == Seen(1, "given", 2, "see", "see", 1, ":see", False)


async def test_the_item_reaches_the_one_parameter_that_is_still_unknown(play: Play) -> None:
    """C4: beside outputs of other steps by name."""
    pipe = Pipeline("items")

    @pipe.step
    def words() -> list[str]:
        return ["x", "yy"]

    @pipe.step
    def factor() -> int:
        return 3

    @pipe.map(over=words)
    def measure(word: str, factor: int, ctx: StepContext) -> str:
        return f"{ctx.path}={len(word) * factor}"

    assert (await play(pipe).run()).output == ["measure[0]=3", "measure[1]=6"]


async def test_attempts_share_their_key_and_count_up_also_across_a_crash(play: Play) -> None:
    """F12, S4: one idempotency key a step, a number of its own an attempt."""
    pipe = Pipeline("keys")
    seen: list[tuple[str, int]] = []

    @pipe.step(retry=2)
    def once(ctx: StepContext) -> int:
        seen.append((ctx.idempotency_key, ctx.attempt))
        if ctx.attempt < 3:
            raise OSError
        return ctx.attempt

    h = play(pipe)
    h.crash_at(2, durable=False)
    with pytest.raises(Crashed):
        await h.run()
    assert (await h.resume()).output == 3
    assert [attempt for _, attempt in seen] == [1, 2, 3]
    assert len({key for key, _ in seen}) == 1


async def test_independent_last_steps_give_a_dict_of_outputs(play: Play) -> None:
    """api.md 3: the run's output without a single last step; a value may be None."""
    pipe = Pipeline("two-ends")

    @pipe.step
    def a() -> int:
        return 1

    @pipe.step
    def b(a: int) -> str:
        return "b"

    @pipe.step
    def c(a: int) -> None:
        return None

    assert (await play(pipe).run()).output == {"b": "b", "c": None}
