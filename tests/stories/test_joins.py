"""Joins that wait for some of the steps before them: any, a number, with values, with patience."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from stepwell import Pipeline, Skip
from stepwell.testing import Crashed

from .conftest import Play
from .crashing import executions, resumed_everywhere
from .doing import awaited, until
from .telling import tale, told


class Turns:
    """Steps that end when they are let go, one by one."""

    def __init__(self, *names: str) -> None:
        self.events = {name: asyncio.Event() for name in names}

    def step(self, name: str, value: object = None) -> Callable[[], Any]:
        """A step that waits for its turn, then gives its name; or raises, or returns the control value it was given."""

        async def wait() -> object:
            await self.events[name].wait()
            if isinstance(value, BaseException):
                raise value
            return name if value is None else value

        wait.__name__ = name
        return wait

    def let(self, name: str) -> None:
        """It is this one's turn."""
        self.events[name].set()


def race(name: str, **join: object) -> tuple[Pipeline, Turns]:
    """`quick` and `slow` start at once, `first` joins them; `slow` ends after `first` has."""
    pipe = Pipeline(name)
    turns = Turns("quick", "slow")
    pipe.add_step("quick", turns.step("quick"), depends_on=[])
    pipe.add_step("slow", turns.step("slow"), depends_on=[])

    @pipe.step(**join)  # type: ignore[call-overload]
    async def first(quick: str = "-", slow: str = "-") -> str:
        turns.let("slow")
        return f"{quick} {slow}"

    turns.let("quick")
    return pipe, turns


async def test_a_join_of_any_starts_with_the_first_and_ignores_the_later_one(play: Play) -> None:
    """D2, D4: it runs on the first parent, once; the later one ends like any step, its value is not waited for."""
    pipe, _ = race("any", join="any")
    h = play(pipe)
    result = await h.run()
    assert (result.status, result.output) == ("completed", "quick -")
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED quick attempt=1
        STEP_STARTED slow attempt=1
        STEP_COMPLETED quick attempt=1 -> 'quick'
        JOIN_WAITING first for=slow
        JOIN_RELEASED first
        STEP_STARTED first attempt=1
        STEP_COMPLETED first attempt=1 -> 'quick -'
        STEP_COMPLETED slow attempt=1 -> 'slow'
        RUN_FINISHED completed
    """)
    assert len(h.calls("first")) == 1


async def test_a_join_of_a_number_starts_when_so_many_are_live(play: Play) -> None:
    """D2: two of three, by `after`; the third one ends behind its back."""
    pipe = Pipeline("two-of-three")
    turns = Turns("a", "b", "c")
    for name in "abc":
        pipe.add_step(name, turns.step(name), depends_on=[])

    @pipe.step(after=["a", "b", "c"], join=2)
    async def two() -> str:
        return "two"

    @pipe.step
    async def then(two: str) -> str:
        turns.let("a")
        return two

    h = play(pipe)
    task = awaited(h.start())
    turns.let("c")
    await until(lambda: "STEP_COMPLETED c" in h.kinds(paths=True))
    turns.let("b")
    assert (await task).output == "two"
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED a attempt=1
        STEP_STARTED b attempt=1
        STEP_STARTED c attempt=1
        STEP_COMPLETED c attempt=1 -> 'c'
        JOIN_WAITING two for=a,b
        STEP_COMPLETED b attempt=1 -> 'b'
        JOIN_RELEASED two
        STEP_STARTED two attempt=1
        STEP_COMPLETED two attempt=1 -> 'two'
        STEP_STARTED then attempt=1
        STEP_COMPLETED then attempt=1 -> 'two'
        STEP_COMPLETED a attempt=1 -> 'a'
        RUN_FINISHED completed
    """)


async def test_a_join_counts_a_live_source_that_gives_no_value(play: Play) -> None:
    """D2, B8: a step that was skipped is live; its parameter takes its default."""
    pipe = Pipeline("skipped")
    turns = Turns("late")
    pipe.add_step("late", turns.step("late"), depends_on=[])

    @pipe.step(when=lambda: False)
    async def off() -> str:
        return "off"

    @pipe.step(join="any")
    async def first(off: str = "-", late: str = "-") -> str:
        turns.let("late")
        return f"{off} {late}"

    assert (await play(pipe).run()).output == "- -"


async def test_a_join_of_a_number_waits_for_the_data_that_it_cannot_do_without(play: Play) -> None:
    """D2: required data and any: as many are live as it asks for, and yet it waits for the value."""
    pipe = Pipeline("required")
    turns = Turns("value", "a", "b")
    for name in ("value", "a", "b"):
        pipe.add_step(name, turns.step(name), depends_on=[])

    @pipe.step(after=["a", "b"], join="any")
    async def first(value: str) -> str:
        turns.let("b")
        return value

    h = play(pipe)
    run = h.start()
    task = awaited(run)
    turns.let("a")
    await until(lambda: "STEP_COMPLETED a" in h.kinds(paths=True))
    assert "JOIN_RELEASED" not in h.kinds()
    turns.let("value")
    result = await task
    assert (result.status, result.outputs["first"]) == ("completed", "value")
    kinds = h.kinds(paths=True)
    assert kinds.index("STEP_COMPLETED value") < kinds.index("STEP_STARTED first") < kinds.index("STEP_COMPLETED b")


async def test_a_failed_source_of_a_number_join_is_merely_not_live(play: Play) -> None:
    """D2: where the others are enough the join runs, though the run has failed in the end."""
    pipe = Pipeline("failed-source", on_failure="finish")
    turns = Turns("bad", "good", "other")
    pipe.add_step("bad", turns.step("bad", OSError("no")), depends_on=[])
    pipe.add_step("good", turns.step("good"), depends_on=[])
    pipe.add_step("other", turns.step("other"), depends_on=[])

    @pipe.step(join=2)
    async def both(bad: str = "-", good: str = "-", other: str = "-") -> str:
        return f"{bad} {good} {other}"

    h = play(pipe)
    run = h.start()
    task = awaited(run)
    for name, kind in (("bad", "STEP_FAILED"), ("good", "STEP_COMPLETED"), ("other", "STEP_COMPLETED")):
        turns.let(name)
        await until(lambda name=name, kind=kind: f"{kind} {name}" in h.kinds(paths=True))  # type: ignore[misc]
    result = await task
    assert (result.status, result.outputs["both"]) == ("failed", "- good other")
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED bad attempt=1
        STEP_STARTED good attempt=1
        STEP_STARTED other attempt=1
        STEP_FAILED bad attempt=1 error:OSError
        JOIN_WAITING both for=good,other
        STEP_COMPLETED good attempt=1 -> 'good'
        STEP_COMPLETED other attempt=1 -> 'other'
        JOIN_RELEASED both
        STEP_STARTED both attempt=1
        STEP_COMPLETED both attempt=1 -> '- good other'
        RUN_FINISHED failed
    """)


async def test_a_join_whose_number_cannot_be_reached_any_more_is_pruned(play: Play) -> None:
    """D2, D3: at once, with the reason in the record: a join never hangs."""
    pipe = Pipeline("hopeless")
    turns = Turns("a", "b", "c")
    pipe.add_step("a", turns.step("a", Skip("nothing")), depends_on=[])
    pipe.add_step("b", turns.step("b", Skip("nothing")), depends_on=[])
    pipe.add_step("c", turns.step("c"), depends_on=[])

    @pipe.step(after=["a", "b", "c"], join=2)
    async def two() -> str:
        return "two"

    h = play(pipe)
    run = h.start()
    task = awaited(run)
    for name in "abc":
        turns.let(name)
        await until(
            lambda name=name: any(
                (line.endswith(f" {name}") and "PRUNED" in line) or line == f"STEP_COMPLETED {name}"
                for line in h.kinds(paths=True)
            )
        )  # type: ignore[misc]
    result = await task
    assert (result.status, result.steps["two"].status, result.steps["two"].reason) == (
        "completed", "pruned", "not_reached",
    )  # fmt: skip
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED a attempt=1
        STEP_STARTED b attempt=1
        STEP_STARTED c attempt=1
        STEP_PRUNED a attempt=1 nothing
        JOIN_WAITING two for=b,c
        STEP_PRUNED b attempt=1 nothing
        JOIN_RELEASED two
        STEP_PRUNED two not_reached
        STEP_COMPLETED c attempt=1 -> 'c'
        RUN_FINISHED completed
    """)


async def test_a_join_whose_required_data_will_not_come_is_pruned(play: Play) -> None:
    """D2: though as many are live as it asks for."""
    pipe = Pipeline("no-value")

    @pipe.step
    async def a() -> str:
        return "a"

    @pipe.step
    async def value() -> str | Skip:
        return Skip("nothing")

    @pipe.step(after=a, join="any")
    async def first(value: str) -> str:
        return value

    h = play(pipe)
    result = await h.run()
    assert (result.status, result.steps["first"].status) == ("completed", "pruned")
    assert result.steps["first"].reason in ("no_value", "not_reached")
    assert h.calls("first") == []


async def test_any_joins_chain_with_all_joins(play: Play) -> None:
    """D2: the first of two, then both of it and another one."""
    pipe = Pipeline("chained")
    turns = Turns("quick", "slow", "side")
    for name in ("quick", "slow", "side"):
        pipe.add_step(name, turns.step(name), depends_on=[])

    @pipe.step(after=["quick", "slow"], join="any")
    async def first() -> str:
        turns.let("side")
        return "first"

    @pipe.step
    async def whole(first: str, side: str) -> str:
        turns.let("slow")
        return f"{first} {side}"

    turns.let("quick")
    h = play(pipe)
    assert (await h.run()).outputs["whole"] == "first side"
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED quick attempt=1
        STEP_STARTED slow attempt=1
        STEP_STARTED side attempt=1
        STEP_COMPLETED quick attempt=1 -> 'quick'
        JOIN_WAITING first for=slow
        JOIN_RELEASED first
        STEP_STARTED first attempt=1
        STEP_COMPLETED first attempt=1 -> 'first'
        JOIN_WAITING whole for=side
        STEP_COMPLETED side attempt=1 -> 'side'
        JOIN_RELEASED whole
        STEP_STARTED whole attempt=1
        STEP_COMPLETED whole attempt=1 -> 'first side'
        STEP_COMPLETED slow attempt=1 -> 'slow'
        RUN_FINISHED completed
    """)


async def test_a_join_may_be_a_map_or_a_switch(play: Play) -> None:
    """D2: `join` works on every kind of step."""
    pipe = Pipeline("kinds")

    @pipe.step
    async def numbers() -> list[int]:
        return [1, 2]

    @pipe.step(when=lambda: False)
    async def never() -> int:
        return 0

    @pipe.map(over=numbers, after=[never], join="any")
    async def double(item: int) -> int:
        return item * 2

    @pipe.switch(to={"on": "last"}, join="any", after=[never, double])
    async def choose() -> str:
        return "on"

    @pipe.step
    async def last(double: list[int]) -> int:
        return sum(double)

    assert (await play(pipe).run()).output == 6


async def test_a_step_before_a_number_join_that_is_a_trigger_counts_and_waits_do_not(play: Play) -> None:
    """D2: the number counts triggers where there are any, so a wait that is live starts nothing."""
    pipe = Pipeline("triggers")

    @pipe.switch(to={"left": "meet", "right": "other"})
    async def way() -> str:
        return "right"

    @pipe.step
    async def free() -> int:
        return 1

    @pipe.step(after="free", join="any")
    async def meet() -> str:
        return "met"

    @pipe.step
    async def other() -> str:
        return "other"

    result = await play(pipe).run()
    assert (result.steps["meet"].status, result.steps["meet"].reason) == ("pruned", "not_reached")


# Patience.


def patient(name: str, **options: object) -> tuple[Pipeline, Turns]:
    """A join of all that waits a minute for `late`; `after_late` follows that alone."""
    pipe = Pipeline(name, on_failure="finish")
    turns = Turns("late")

    @pipe.step
    async def early() -> str:
        return "early"

    pipe.add_step("late", turns.step("late"), depends_on=[])

    @pipe.step(after=[early, "late"], join_timeout="1m", **options)  # type: ignore[call-overload]
    async def both() -> str:
        return "both"

    @pipe.step
    async def after_late(late: str) -> str:
        return late

    return pipe, turns


async def test_a_join_that_waits_too_long_fails_and_the_late_one_goes_on(play: Play) -> None:
    """D3, D4: the timeout on `all`; the join does not run when the late parent comes, other targets of it do."""
    pipe, turns = patient("too-long", retry=3)
    h = play(pipe, auto=False)
    task = awaited(h.start())
    await until(lambda: "JOIN_WAITING" in h.kinds())
    h.clock.advance("1m")
    await until(lambda: "JOIN_TIMED_OUT" in h.kinds())
    turns.let("late")
    result = await task
    assert told(h) == tale("""
        RUN_STARTED
        STEP_STARTED early attempt=1
        STEP_STARTED late attempt=1
        STEP_COMPLETED early attempt=1 -> 'early'
        JOIN_WAITING both for=late limit=60s
        JOIN_TIMED_OUT both for=late
        STEP_STARTED both attempt=1
        STEP_FAILED both attempt=1 timeout:TimeoutError
        STEP_COMPLETED late attempt=1 -> 'late'
        STEP_STARTED after_late attempt=1
        STEP_COMPLETED after_late attempt=1 -> 'late'
        RUN_FINISHED failed
    """)
    (failure,) = result.failures
    assert (failure.kind, failure.reason, failure.retryable) == ("timeout", "join_timed_out", False)
    assert "late" in failure.message
    assert h.calls("both") == []


async def test_the_timeout_of_a_join_that_is_not_critical_is_tolerated(play: Play) -> None:
    """D3, E2: the run goes on, degraded."""
    pipe, turns = patient("tolerated", critical=False)
    h = play(pipe, auto=False)
    task = awaited(h.start())
    await until(lambda: "JOIN_WAITING" in h.kinds())
    h.clock.advance("1m")
    await until(lambda: "JOIN_TIMED_OUT" in h.kinds())
    turns.let("late")
    result = await task
    assert (result.status, result.steps["both"].status) == ("degraded", "tolerated")
    assert "STEP_FAILED both attempt=1 timeout:TimeoutError tolerated" in told(h)


async def test_a_join_that_was_released_in_time_is_never_timed_out(play: Play) -> None:
    """D3: its patience ends with its release, however long it runs then."""
    pipe = Pipeline("released")
    turns = Turns("late", "both")

    @pipe.step
    async def early() -> str:
        return "early"

    pipe.add_step("late", turns.step("late"), depends_on=[])
    pipe.add_step("both", turns.step("both"), depends_on=["early", "late"], join_timeout="1m")
    h = play(pipe, auto=False)
    task = awaited(h.start())
    await until(lambda: "JOIN_WAITING" in h.kinds())
    h.clock.advance("59s")
    turns.let("late")
    await until(lambda: "STEP_STARTED both" in h.kinds(paths=True))
    h.clock.advance("1h")
    turns.let("both")
    assert (await task).status == "completed"
    assert "JOIN_TIMED_OUT" not in h.kinds()


async def test_a_join_of_a_number_times_out_as_well(play: Play) -> None:
    """D3: two of three in ten seconds, and only one came."""
    pipe = Pipeline("number-timeout")
    turns = Turns("a", "b", "c")
    for name in "abc":
        pipe.add_step(name, turns.step(name), depends_on=[])

    @pipe.step(after=["a", "b", "c"], join=2, join_timeout="10s", critical=False)
    async def two() -> None: ...

    h = play(pipe, auto=False)
    turns.let("a")
    task = awaited(h.start())
    await until(lambda: "JOIN_WAITING" in h.kinds())
    h.clock.advance("10s")
    await until(lambda: "JOIN_TIMED_OUT" in h.kinds())
    assert "JOIN_TIMED_OUT two for=b,c" in told(h)
    turns.let("b")
    turns.let("c")
    assert (await task).status == "degraded"
    assert h.calls("two") == []


async def test_the_patience_of_a_join_is_absolute_over_a_crash(play: Play) -> None:
    """D3, S9: its deadline is recorded; the time that the process was dead counts."""
    pipe, turns = patient("crash")
    h = play(pipe, auto=False)
    h.crash_after("early")
    with pytest.raises(Crashed):
        await h.run()
    h.clock.advance("59s")
    task = awaited(await h.start_resume())
    await until(lambda: h.kinds(paths=True).count("STEP_STARTED late") == 2)
    h.clock.advance("1s")
    await until(lambda: "JOIN_TIMED_OUT" in h.kinds())
    turns.let("late")
    assert (await task).status == "failed"
    assert h.kinds().count("JOIN_WAITING") == 1


async def test_a_join_is_as_patient_again_after_an_end_of_the_run(play: Play) -> None:
    """D3: nobody waits while a run has ended, so a resume says anew how long."""
    pipe, turns = patient("anew")
    h = play(pipe, auto=False)
    run = h.start()
    task = awaited(run)
    await until(lambda: "JOIN_WAITING" in h.kinds())
    await run.cancel("enough")
    assert (await task).status == "cancelled"
    h.clock.advance("1h")
    facts = len(h.events)
    task = awaited(await h.start_resume())
    await until(lambda: h.kinds().count("JOIN_WAITING") == 2)
    h.clock.advance("59s")
    turns.let("late")
    assert (await task).status == "completed"
    assert told(h, after=facts) == tale("""
        RUN_RESUMED
        STEP_RESET late resume
        JOIN_WAITING both for=late limit=60s
        STEP_STARTED late#2 attempt=1
        STEP_COMPLETED late#2 attempt=1 -> 'late'
        JOIN_RELEASED both
        STEP_STARTED both attempt=1
        STEP_STARTED after_late attempt=1
        STEP_COMPLETED both attempt=1 -> 'both'
        STEP_COMPLETED after_late attempt=1 -> 'late'
        RUN_FINISHED completed
    """)


@pytest.mark.parametrize("durable", [True, False])
async def test_a_crash_at_any_append_of_a_race_leads_to_the_same_end(play: Play, durable: bool) -> None:
    """D2, F11, S3: the join runs at most once more than undisturbed, and what it was given stands."""
    pipe = Pipeline("race-crash")

    @pipe.step
    async def a() -> int:
        return 1

    @pipe.step(when=lambda: False)
    async def b() -> int:
        return 2

    @pipe.step
    async def c(a: int) -> int:
        return a + 2

    @pipe.step(join=2)
    async def two(a: int = 0, c: int = 0) -> int:
        return a + c

    @pipe.step(join="any")
    async def last(two: int, b: int = 5) -> int:
        return two + b

    h = play(pipe)
    assert (await h.run()).output == 9
    async for append, result in resumed_everywhere(h, durable=durable):
        assert (result.status, result.output) == ("completed", 9), f"crash at append {append}"
        assert max(executions(h).values()) <= 2
        assert h.kinds(paths=True).count("JOIN_RELEASED two") == 1
