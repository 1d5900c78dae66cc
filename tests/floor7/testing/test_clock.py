"""The virtual clock: it jumps when nothing else can happen, and never over something that really works."""

from __future__ import annotations

import asyncio
import gc
import threading
import time

import pytest

from stepwell import Pipeline, RetryPolicy, StepContext
from stepwell.testing import Harness, VirtualClock


def one(**options: object) -> Pipeline:
    """A pipeline of one async step, to be mocked."""
    pipe = Pipeline("one")

    @pipe.step(**options)  # type: ignore[call-overload]
    async def work() -> int:
        return 1

    return pipe


def test_advance_moves_time_by_what_it_says() -> None:
    clock = VirtualClock(start=5.0, auto=False)
    clock.advance("2m")
    clock.advance(0.5)
    assert clock.now() == 125.5
    with pytest.raises(ValueError, match="advance"):
        clock.advance("soon")


async def test_timers_fire_in_the_order_of_their_times_and_not_before() -> None:
    clock = VirtualClock(start=0.0, auto=False)
    fired: list[str] = []
    clock.call_at(2.0, lambda: fired.append("b"))
    clock.call_at(1.0, lambda: fired.append("a"))
    clock.call_at(2.0, lambda: fired.append("c"))
    clock.call_at(3.0, lambda: fired.append("d"))
    clock.call_at(1.5, lambda: fired.append("off")).cancel()
    clock.advance(1.9)
    await asyncio.sleep(0)
    assert fired == []
    await asyncio.sleep(0)
    assert fired == ["a"]
    clock.advance(0.1)
    for _ in range(3):
        await asyncio.sleep(0)
    assert fired == ["a", "b", "c"]


async def test_a_timer_that_is_due_already_is_called_at_the_next_turn() -> None:
    clock = VirtualClock(start=10.0, auto=False)
    fired: list[int] = []
    clock.call_at(9.0, lambda: fired.append(1))
    assert fired == []
    await asyncio.sleep(0)
    assert fired == [1]


async def test_time_jumps_from_timer_to_timer_when_nothing_else_happens() -> None:
    clock = VirtualClock(start=0.0)
    times: list[float] = []
    done = asyncio.Event()

    def again() -> None:
        times.append(clock.now())
        if len(times) < 3:
            clock.call_at(clock.now() + 3600, again)
        else:
            done.set()

    clock.call_at(60.0, again)
    await asyncio.wait_for(done.wait(), 5)
    assert times == [60.0, 3660.0, 7260.0]


async def test_a_clock_without_timers_leaves_nothing_in_the_loop() -> None:
    clock = VirtualClock(start=0.0)
    timer = clock.call_at(60.0, lambda: None)
    timer.cancel()
    await asyncio.sleep(0.05)
    assert clock.now() == 0.0
    assert len(asyncio.all_tasks()) <= 2


async def test_a_real_sleep_that_ends_before_its_timeout_is_not_timed_out() -> None:
    with Harness(one(timeout="10s")) as h:
        h.mock("work", side_effect=lambda: asyncio.sleep(0.1, 7))
        before = h.clock.now()
        assert (await h.run()).output == 7
        assert h.clock.now() == before


async def test_a_sleep_that_a_timeout_would_end_is_over_at_once() -> None:
    with Harness(one(timeout="10s")) as h:
        h.mock("work", side_effect=lambda: asyncio.sleep(3600, 7))
        began = time.monotonic()
        result = await h.run()
        assert result.failures[0].kind == "timeout"
        assert result.duration == 10.0
        assert time.monotonic() - began < 2


async def test_an_async_step_that_awaits_a_thread_gets_real_time() -> None:
    with Harness(one(timeout="60s")) as h:
        h.mock("work", side_effect=lambda: asyncio.to_thread(time.sleep, 0.2))
        before = h.clock.now()
        h.mock("work", side_effect=_slow_in_thread)
        assert (await h.run()).output == 7
        assert h.clock.now() == before


async def _slow_in_thread() -> int:
    return await asyncio.to_thread(_slow, 0.2)


def _slow(length: float) -> int:
    threading.Event().wait(length)
    return 7


async def test_an_async_step_that_talks_to_a_socket_gets_real_time() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        await asyncio.sleep(0.2)
        writer.write(b"7\n")
        await writer.drain()
        writer.close()

    async def ask() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"?\n")
        value = int(await reader.readline())
        writer.close()
        await writer.wait_closed()
        return value

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with Harness(one(timeout="5s")) as h:
        h.mock("work", side_effect=ask)
        assert (await h.run()).output == 7
    server.close()
    await server.wait_closed()


async def test_a_step_in_a_thread_that_works_is_not_timed_out_while_others_wait_for_hours() -> None:
    pipe = Pipeline("thread")

    @pipe.step(timeout="5s")
    def work() -> int:
        return _slow(0.2)

    @pipe.step(retry=RetryPolicy(2, delay="10h", max_delay="10h", jitter=0))
    async def flaky(ctx: StepContext) -> int:
        if ctx.attempt == 1:
            raise OSError
        return 1

    with Harness(pipe) as h:
        result = await h.run()
        assert (result.output, result.duration) == ({"work": 7, "flaky": 1}, 36000.0)


async def test_a_thread_that_blocks_is_timed_out_in_real_time() -> None:
    pipe = Pipeline("blocks")
    free = threading.Event()

    @pipe.step(timeout="100ms")
    def work() -> int:
        free.wait(10)
        return 1

    with Harness(pipe) as h:
        began = time.monotonic()
        result = await h.run()
        assert time.monotonic() - began >= 0.1
        assert result.failures[0].kind == "timeout"
    free.set()


async def test_an_abandoned_thread_does_not_hold_up_time() -> None:
    pipe = Pipeline("abandoned", on_failure="finish")
    free = threading.Event()

    @pipe.step(timeout="50ms")
    def blocked() -> int:
        free.wait(10)
        return 1

    @pipe.step(retry=RetryPolicy(3, delay="10h", max_delay="10h", jitter=0))
    async def flaky(ctx: StepContext) -> int:
        if ctx.attempt < 3:
            raise OSError
        return 1

    with Harness(pipe) as h:
        began = time.monotonic()
        assert (await h.run()).outputs == {"flaky": 1}
        assert time.monotonic() - began < 5
    free.set()


async def test_a_step_that_waits_for_another_one_lets_time_jump() -> None:
    pipe = Pipeline("meets")
    met = asyncio.Event()

    @pipe.step
    async def waits() -> int:
        await met.wait()
        return 1

    @pipe.step(retry=RetryPolicy(2, delay="1h", max_delay="1h", jitter=0))
    async def comes(ctx: StepContext) -> int:
        if ctx.attempt == 1:
            raise OSError
        met.set()
        return 2

    with Harness(pipe) as h:
        assert (await h.run()).output == {"waits": 1, "comes": 2}


async def test_the_wait_for_an_async_when_is_seen() -> None:
    pipe = Pipeline("when", run_timeout="1m")

    async def asks() -> bool:
        await asyncio.to_thread(_slow, 0.1)
        return True

    @pipe.step(when=asks)
    async def work() -> int:
        return 1

    with Harness(pipe) as h:
        assert (await h.run()).output == 1


async def test_one_clock_serves_several_loops_one_after_the_other() -> None:
    clock = VirtualClock()
    with Harness(one(retry=3), clock=clock) as h:
        h.mock("work", side_effect=[OSError(), 1, OSError(), 2])
        assert (h.run_sync().output, (await h.run()).output) == (1, 2)


async def test_after_a_run_nothing_of_the_clock_keeps_the_run_alive() -> None:
    with Harness(one(timeout="5s")) as h:
        h.mock("work", side_effect=lambda: asyncio.Event().wait())
        await h.run()
        await asyncio.sleep(0)
        left = [handle for handle in gc.get_objects() if isinstance(handle, asyncio.TimerHandle)]
        ours = [one for one in left if "stepwell" in repr(one) and not one.cancelled()]
        assert ours == []
