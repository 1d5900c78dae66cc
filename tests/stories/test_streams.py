"""Generator steps: what they yield is told as it comes, in its place between the facts, and never lost or held up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from typing import Any

import pytest

from stepwell import Event, Goto, Output, Pipeline, Raise, Retry, RetryPolicy, Run, Skip, StepContext, Stop
from stepwell.events import Token
from stepwell.testing import Crashed, Harness

from .conftest import Play
from .crashing import resumed_everywhere
from .doing import until
from .telling import line, tale, told

MANY = 5000
"""More tokens than a generator may be ahead."""
AHEAD = 1024
SMALL = 100
"""So many more, at most, are on their way."""


async def heard(run: Run) -> list[str]:
    """All events of a run, a line each."""
    return [line(event) async for event in run if event.kind != "WARNING"]


async def test_tokens_stand_between_the_start_and_the_end_of_their_step(play: Play) -> None:
    """K5, S17: in the order in which they were yielded, tagged with the attempt; the output is the text joined."""
    pipe = Pipeline("words")

    @pipe.step
    async def words() -> AsyncIterator[str]:
        yield "one "
        yield "two"

    @pipe.step
    async def shout(words: str) -> str:
        return words.upper()

    h = play(pipe)
    assert (
        await heard(h.start())
        == tale("""
        RUN_STARTED
        STEP_STARTED words attempt=1
        TOKEN words attempt=1 'one '
        TOKEN words attempt=1 'two'
        STEP_COMPLETED words attempt=1 -> 'one two'
        STEP_STARTED shout attempt=1
        STEP_COMPLETED shout attempt=1 -> 'ONE TWO'
        RUN_FINISHED completed
    """).splitlines()
    )
    assert "TOKEN" not in h.kinds(), "tokens are live only"


async def test_the_output_of_a_generator_is_the_list_unless_all_is_text(play: Play) -> None:
    """K5: final output of a streaming step."""
    pipe = Pipeline("lists")

    @pipe.step
    async def numbers() -> AsyncIterator[int]:
        for number in range(3):
            yield number

    @pipe.step
    async def mixed() -> AsyncIterator[int | str]:
        yield 1
        yield "a"

    assert (await play(pipe).run()).output == {"numbers": [0, 1, 2], "mixed": [1, "a"]}


@pytest.mark.parametrize("runs_on", ["thread", "inline"])
async def test_a_sync_generator_streams_like_an_async_one(play: Play, runs_on: str) -> None:
    """K5, D14: in a thread, or on the loop."""
    pipe = Pipeline("sync")
    threads: list[bool] = []

    @pipe.step(runs_on=runs_on)  # type: ignore[call-overload]
    def words() -> Iterator[str]:
        threads.append(threading.current_thread() is threading.main_thread())
        yield "a"
        yield "b"

    h = play(pipe)
    assert (
        await heard(h.start())
        == tale("""
        RUN_STARTED
        STEP_STARTED words attempt=1
        TOKEN words attempt=1 'a'
        TOKEN words attempt=1 'b'
        STEP_COMPLETED words attempt=1 -> 'ab'
        RUN_FINISHED completed
    """).splitlines()
    )
    assert threads == [runs_on == "inline"]


async def test_tokens_are_told_while_the_generator_still_runs(play: Play) -> None:
    """K5: the reader hears the first before the second is made."""
    pipe = Pipeline("live")
    read = asyncio.Event()

    @pipe.step
    async def words() -> AsyncIterator[str]:
        yield "first"
        await read.wait()
        yield "second"

    tokens: list[object] = []
    async for event in play(pipe).start():
        if isinstance(event, Token):
            tokens.append(event.value)
            read.set()
    assert tokens == ["first", "second"]


async def test_parallel_generators_interleave(play: Play) -> None:
    """K5, D1: each tagged with its step."""
    pipe = Pipeline("parallel")
    turn = [asyncio.Event(), asyncio.Event()]

    @pipe.step
    async def a() -> AsyncIterator[str]:
        yield "a1"
        turn[0].set()
        await turn[1].wait()
        yield "a2"

    @pipe.step
    async def b() -> AsyncIterator[str]:
        await turn[0].wait()
        yield "b1"
        turn[1].set()

    lines = await heard(play(pipe).start())
    assert [one for one in lines if one.startswith("TOKEN")] == [
        "TOKEN a attempt=1 'a1'", "TOKEN b attempt=1 'b1'", "TOKEN a attempt=1 'a2'",
    ]  # fmt: skip


@pytest.mark.parametrize("runs_on", ["auto", "inline"])
@pytest.mark.parametrize(
    ("controls", "status", "output"),
    [
        ([Output("whole")], "completed", "whole"),
        ([Skip("no"), Output("whole")], "completed", "whole"),
        ([Output("one"), Output("two")], "completed", "two"),
        ([Output("one"), Stop("end")], "stopped", "end"),
        ([Stop("end"), Output("one")], "completed", "one"),
        ([Output("one"), Skip("boring")], "completed", None),
        ([Retry(), Output("one")], "completed", "one"),
    ],
)
async def test_the_last_control_value_that_is_yielded_decides(
    play: Play, runs_on: str, controls: list[object], status: str, output: object
) -> None:
    """K5, B2, B5: wherever it stands among the tokens, and it is no token itself."""
    pipe = Pipeline("controls")

    @pipe.step(runs_on=runs_on)  # type: ignore[call-overload]
    def words() -> Iterator[str | Output[str] | Skip | Stop[str] | Retry]:
        yield "a"
        for control in controls:
            yield control  # type: ignore[misc]
            yield "b"

    h = play(pipe)
    result = await h.run()
    assert (result.status, result.output) == (status, output)
    assert h.tokens == ["a", *("b" for _ in controls)]


async def test_a_generator_that_yields_raise_fails_as_if_it_had_raised(play: Play) -> None:
    """B6, K5."""
    pipe = Pipeline("raises")

    @pipe.step
    async def words() -> AsyncIterator[str | Raise]:
        yield "a"
        yield Raise(OSError("no"))

    h = play(pipe)
    result = await h.run()
    assert (result.status, result.failures[0].type, h.tokens) == ("failed", "OSError", ["a"])


async def test_a_generator_may_jump_back(play: Play) -> None:
    """B11, K5: tokens of each visit have the path of that visit."""
    pipe = Pipeline("jumps")

    @pipe.step(goto="words")
    async def words(step: StepContext) -> AsyncIterator[str | Goto]:
        yield "x"
        if "#" not in step.path:
            yield Goto("words")

    lines = await heard(play(pipe).start())
    assert [one for one in lines if one.startswith("TOKEN")] == [
        "TOKEN words attempt=1 'x'",
        "TOKEN words#2 attempt=1 'x'",
    ]
    assert "STEP_COMPLETED words#2 attempt=1 -> 'x'" in lines


@pytest.mark.parametrize("runs_on", ["auto", "inline"])
async def test_what_a_sync_generator_returns_is_its_output(play: Play, runs_on: str) -> None:
    """K5: `return`, where no control value was yielded; a control value may be returned as well."""
    pipe = Pipeline("returns")

    @pipe.step(runs_on=runs_on)  # type: ignore[call-overload]
    def count() -> Generator[str, None, int]:
        yield "a"
        yield "b"
        return 2

    @pipe.step(runs_on=runs_on)  # type: ignore[call-overload]
    def stops(count: int) -> Generator[str, None, Stop[int]]:
        yield "c"
        return Stop(count)

    h = play(pipe)
    result = await h.run()
    assert (result.status, result.output, h.tokens) == ("stopped", 2, ["a", "b", "c"])


@pytest.mark.parametrize(("item", "output"), [(str, ""), (int, [])])
async def test_a_generator_that_yields_nothing_gives_what_it_declares(
    play: Play, item: type[object], output: object
) -> None:
    """K5: no text, or no items."""
    pipe = Pipeline("nothing")

    async def nothing():  # type: ignore[no-untyped-def]
        for value in ():
            yield value

    nothing.__annotations__ = {"return": AsyncIterator[item]}  # type: ignore[valid-type]
    pipe.step(nothing)
    h = play(pipe)
    result = await h.run()
    assert (result.status, result.output, h.tokens) == ("completed", output, [])


async def test_tokens_before_an_error_are_kept_and_the_next_attempt_tags_its_own(play: Play) -> None:
    """K5, E11: the wound was that a streaming step could not be retried."""
    pipe = Pipeline("retried")

    @pipe.step(retry=RetryPolicy(2, delay="5s", jitter=0))
    async def words(step: StepContext) -> AsyncIterator[str]:
        yield f"{step.attempt}a"
        if step.attempt == 1:
            raise OSError("half way")
        yield f"{step.attempt}b"

    assert (
        await heard(play(pipe).start())
        == tale("""
        RUN_STARTED
        STEP_STARTED words attempt=1
        TOKEN words attempt=1 '1a'
        STEP_RETRYING words attempt=1 error:OSError in=5s
        STEP_STARTED words attempt=2
        TOKEN words attempt=2 '2a'
        TOKEN words attempt=2 '2b'
        STEP_COMPLETED words attempt=2 -> '2a2b'
        RUN_FINISHED completed
    """).splitlines()
    )


async def test_a_generator_that_fails_for_good_has_told_its_tokens(play: Play) -> None:
    """K5: and its output is nothing."""
    pipe = Pipeline("fails")

    @pipe.step
    def words() -> Iterator[str]:
        yield "a"
        raise OSError("half way")

    h = play(pipe)
    result = await h.run()
    assert (result.status, h.tokens, result.outputs) == ("failed", ["a"], {})


async def test_a_generator_is_closed_when_its_attempt_is_over(play: Play) -> None:
    """E15: its `finally` runs, on the loop, in line and in a thread, also after an error of ours."""
    pipe = Pipeline("closed", on_failure="finish")
    closed: list[str] = []

    def track(name: str) -> Iterator[int]:
        try:
            yield 1
            raise OSError
        finally:
            closed.append(name)

    @pipe.step(runs_on="inline")
    def inline() -> Iterator[int]:
        yield from track("inline")

    @pipe.step
    def thread() -> Iterator[int]:
        yield from track("thread")

    @pipe.step
    async def loop() -> AsyncIterator[int]:
        for one in track("loop"):
            yield one

    assert (await play(pipe).run()).status == "failed"
    assert sorted(closed) == ["inline", "loop", "thread"]


async def test_a_generator_that_takes_too_long_is_timed_out(play: Play) -> None:
    """E13: the time between tokens counts."""
    pipe = Pipeline("slow")

    @pipe.step(timeout="10s")
    async def words() -> AsyncIterator[str]:
        yield "a"
        await asyncio.Event().wait()

    h = play(pipe)
    result = await h.run()
    assert (result.status, result.failures[0].kind, h.tokens) == ("failed", "timeout", ["a"])


# A reader that is slow, or gone.


def stream(mode: str, **options: object) -> tuple[Pipeline, Callable[[], int], Callable[[], bool]]:
    """A pipeline whose generator yields many numbers; how many it has made, and whether it was closed."""
    pipe = Pipeline("stream")
    made, closed = 0, False

    def count() -> Iterator[int]:
        nonlocal made, closed
        try:
            for number in range(MANY):
                made = number + 1
                yield number
        finally:
            closed = True

    async def on_loop() -> AsyncGenerator[int]:
        for number in count():
            yield number

    def plainly() -> Iterator[int]:
        yield from count()

    if mode == "async":
        pipe.step(name="numbers", **options)(on_loop)  # type: ignore[call-overload]
    else:
        pipe.step(name="numbers", runs_on=mode, **options)(plainly)  # type: ignore[call-overload]
    return pipe, lambda: made, lambda: closed


MODES = pytest.mark.parametrize("mode", ["async", "inline", "thread"])


async def tokens_of(run: Run) -> AsyncIterator[Token]:
    """The tokens of a run."""
    async for event in run:
        if isinstance(event, Token):
            yield event


async def first_token(run: Run) -> tuple[AsyncGenerator[Event], Token]:
    """An iteration that has read the first token and no more."""
    events: Any = aiter(run)
    async for event in events:
        if isinstance(event, Token):
            return events, event
    raise AssertionError("no token came")


async def held_up(made: Callable[[], int]) -> int:
    """How many were made when no more come."""
    await until(lambda: made() >= AHEAD)
    before = -1
    while made() != before:
        before = made()
        for _ in range(50):
            await asyncio.sleep(0.0002)  # a thread needs real time to go on, if it does
    return before


@MODES
async def test_a_generator_waits_for_a_reader_that_is_far_behind(play: Play, mode: str) -> None:
    """D15, S17: 1,024 tokens ahead; when it reads on, all of them come, in order."""
    pipe, made, _ = stream(mode)
    events, first = await first_token(play(pipe).start())
    assert AHEAD <= await held_up(made) <= AHEAD + SMALL
    values = [first.value, *[event.value async for event in events if isinstance(event, Token)]]
    assert values == list(range(MANY))
    assert made() == MANY


@MODES
async def test_awaiting_the_run_lifts_the_wait(play: Play, mode: str) -> None:
    """D15, api.md 3: the result comes, though somebody stopped reading; and nothing of it is lost to him."""
    pipe, made, _ = stream(mode)
    run = play(pipe).start()
    events, first = await first_token(run)
    await held_up(made)
    assert (await run).output == list(range(MANY))
    values = [first.value, *[event.value async for event in events if isinstance(event, Token)]]
    assert values == list(range(MANY))


@MODES
async def test_dropping_the_iterator_lifts_the_wait(play: Play, mode: str) -> None:
    """D15, S17: nobody reads any more, so nobody is waited for."""
    pipe, made, _ = stream(mode)
    h = play(pipe)
    run = h.start()
    events, _ = await first_token(run)
    await held_up(made)
    await events.aclose()
    await until(lambda: "RUN_FINISHED" in h.kinds())
    assert (await run).output == list(range(MANY))


async def test_leaving_the_loop_lifts_the_wait(play: Play) -> None:
    """api.md 3: a loop that is left early neither stops nor holds up the run."""
    pipe, _, _ = stream("async")
    run = play(pipe).start()
    async for event in run:
        if isinstance(event, Token):
            break
    assert (await run).output == list(range(MANY))


@MODES
async def test_a_run_that_nobody_reads_is_never_held_up(play: Play, mode: str) -> None:
    """D15: and buffers nothing."""
    pipe, _, _ = stream(mode)
    run = play(pipe).start()
    assert (await run).output == list(range(MANY))


async def test_the_slower_of_two_readers_is_waited_for(play: Play) -> None:
    """D15: both hear everything."""
    pipe, made, _ = stream("async")
    run = play(pipe).start()
    quick: list[object] = []

    async def read() -> None:
        async for token in tokens_of(run):
            quick.append(token.value)  # noqa: PERF401 - one by one, so that it is seen how far it has come

    reading = asyncio.ensure_future(read())
    slow, first = await first_token(run)
    assert await held_up(made) <= AHEAD + SMALL
    assert len(quick) >= AHEAD
    values = [first.value, *[event.value async for event in slow if isinstance(event, Token)]]
    await reading
    assert values == list(range(MANY))
    assert quick == list(range(MANY))


async def test_an_iterator_and_an_await_together_lose_nothing(play: Play) -> None:
    """S17: at the same time."""
    pipe, _, _ = stream("async")
    run = play(pipe).start()
    tokens: list[object] = []

    async def read() -> None:
        tokens.extend([token.value async for token in tokens_of(run)])

    reading = asyncio.ensure_future(read())
    await asyncio.sleep(0)
    result = await run
    await reading
    assert (result.output, tokens) == (list(range(MANY)), list(range(MANY)))


@MODES
async def test_the_wait_for_a_reader_counts_in_no_timeout(play: Play, mode: str) -> None:
    """D15, E13: it is nobody's fault; an hour passes, and the attempt still has its ten seconds."""
    pipe, made, _ = stream(mode, timeout="10s")
    h = play(pipe, auto=False)
    run = h.start()
    await first_token(run)
    await held_up(made)
    h.clock.advance("1h")
    await asyncio.sleep(0)
    result = await run
    assert (result.status, result.output) == ("completed", list(range(MANY)))


@MODES
async def test_a_cancel_ends_a_generator_that_waits_for_its_reader(play: Play, mode: str) -> None:
    """E15, D15: at once, its `finally` included, also in a thread."""
    pipe, made, closed = stream(mode)
    h = play(pipe, auto=False)
    run = h.start()
    events, _ = await first_token(run)
    await held_up(made)
    await asyncio.wait_for(run.cancel("enough"), 5)
    assert (await run).status == "cancelled"
    assert closed()
    assert made() <= AHEAD + SMALL + 1
    await events.aclose()
    assert told(h).splitlines()[-3:] == [
        "RUN_CANCELLED enough", "STEP_CANCELLED numbers attempt=1 cancelled", "RUN_FINISHED cancelled",
    ]  # fmt: skip


@pytest.mark.parametrize("durable", [True, False])
async def test_a_stream_that_breaks_off_with_its_process_begins_again(play: Play, durable: bool) -> None:
    """K5, S4, F11: tokens are live only; the output is that of the last attempt."""
    pipe = Pipeline("crash")

    @pipe.step
    async def words() -> AsyncIterator[str]:
        yield "a"
        yield "b"

    @pipe.step
    def letters(words: str) -> Iterator[str]:
        yield from words.upper()

    h = play(pipe)
    assert (await h.run()).output == "AB"
    async for append, result in resumed_everywhere(h, durable=durable):
        assert result.output == "AB", f"crash at append {append}"


async def test_a_reader_of_a_resumed_run_hears_the_tokens_of_this_attempt(play: Play) -> None:
    """S17: tagged with attempt 2."""
    pipe = Pipeline("again")

    @pipe.step
    async def first() -> int:
        return 1

    @pipe.step
    async def words(first: int, step: StepContext) -> AsyncIterator[str]:
        yield f"attempt {step.attempt}"

    h = play(pipe)
    h.crash_after("first")
    with pytest.raises(Crashed):
        await h.run()
    lines = await heard(await h.start_resume())
    assert "TOKEN words attempt=2 'attempt 2'" in lines


async def test_a_generator_may_be_mocked(play: Play) -> None:
    """R1: with a value that is its output, or with a generator that yields in its place."""
    pipe = Pipeline("mocked")

    @pipe.step
    async def words() -> AsyncIterator[str]:
        yield "real"

    h: Harness = play(pipe)
    h.mock("words", returns="mocked")
    assert (await h.run()).output == "mocked"

    def instead() -> Iterator[str]:
        yield "m"
        yield "n"

    h.mock("words", side_effect=instead)
    assert ((await h.run()).output, h.tokens) == ("mn", ["m", "n"])
