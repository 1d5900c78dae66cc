"""A plan told step by step (N5, A22): order, what each waits for and takes, and in words what is worth saying."""

from __future__ import annotations

import doctest

from stepwell import Pipeline, RetryPolicy
from stepwell.graph import Edge, build
from stepwell.views import outline as room
from stepwell.views.outline import Outlined, details, levels, outline


def sample() -> Pipeline:
    pipe = Pipeline("sample")

    @pipe.step
    def collect(folder: str, top: int = 3) -> list[str]:
        return [folder] * top

    @pipe.map(over=collect, concurrency=2, retry=RetryPolicy(3, delay="2s"), timeout="90s", min_success=0.5)
    def measure(item: str) -> int:
        return len(item)

    @pipe.switch(to={"small": "brief", 7: ["survey", "brief"]}, default="survey")
    def size(measure: list[int]) -> str:
        return "small"

    def is_big(measure: list[int]) -> bool:
        return len(measure) > 1

    @pipe.step(critical=False, when=is_big, timeout="250ms")
    def brief(measure: list[int]) -> int:
        return 1

    @pipe.step
    def survey(measure: list[int], deep: bool) -> int:
        return 2

    return pipe


def told() -> dict[str, Outlined]:
    return {step.name: step for step in outline(sample().compile())}


def test_the_examples_in_the_docstring_hold() -> None:
    assert doctest.testmod(room).failed == 0


def test_steps_come_in_the_order_in_which_they_may_start() -> None:
    """N5: levels are a view of the plan; those of one level may run side by side."""
    steps = outline(sample().compile())
    assert [(step.level, step.name) for step in steps] == [
        (1, "collect"), (2, "measure"), (3, "size"), (4, "brief"), (4, "survey"),
    ]  # fmt: skip


def test_each_step_tells_what_it_waits_for_and_which_inputs_it_takes() -> None:
    """A22: what a plan knows of a step is there as data."""
    steps = told()
    assert steps["collect"].inputs == ("folder", "top")
    assert steps["survey"].inputs == ("deep",)
    assert steps["brief"].waits_for == ("measure", "size")
    assert (steps["measure"].over, steps["measure"].concurrency, steps["measure"].min_success) == ("collect", 2, 0.5)
    assert (steps["measure"].attempts, steps["measure"].delay, steps["measure"].timeout) == (3, 2.0, 90.0)
    assert steps["size"].routes == {"small": ("brief",), "7": ("survey", "brief"), "default": ("survey",)}
    assert steps["collect"].line > 0
    assert steps["collect"].file == __file__


def test_the_words_say_what_is_worth_saying_and_nothing_else() -> None:
    steps = told()
    assert details(steps["collect"]) == ["takes folder, top"]
    assert details(steps["measure"]) == [
        "once for each item of collect, 2 at a time",
        "3 attempts",
        "1m 30s at most each",
        "fails below 50% of its items",
    ]
    assert details(steps["size"]) == ["after measure", "leads to small: brief; 7: survey, brief; default: survey"]
    assert details(steps["brief"]) == [
        "after measure, size", "if is_big", "0.25s at most", "its failure is tolerated",
    ]  # fmt: skip


def test_levels_of_a_long_chain_need_no_recursion() -> None:
    size = 5000
    chain = build([f"s{n}" for n in range(size)], [Edge(n, n + 1) for n in range(size - 1)])
    assert levels(chain) == list(range(1, size + 1))


def test_loops_joins_and_unkept_outputs_are_told() -> None:
    """B12, B11: what a step may go back to, and how often; a join that does not wait for all; ephemeral steps."""
    step = Outlined(
        "judge", "Judge", "step", 3, waits_for=("a", "b"), inputs=(), join=1, join_timeout=5.0, goto=("draft",),
        max_visits=4, ephemeral=True,
    )  # fmt: skip
    assert details(step) == [
        "after any of a, b, waits 5s at most", "may go back to draft, 4 visits at most", "its output is not kept",
    ]  # fmt: skip
    assert details(Outlined("x", "X", "step", 1, ("a", "b", "c"), (), join=2)) == ["after 2 of a, b, c"]
