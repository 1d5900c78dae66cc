"""The rules of loops, joins and ephemeral steps; and which maps take the items of a generator as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Pipe


def one() -> int:
    return 1


def a(x: int) -> int:
    return x


def stream() -> Iterator[int]:
    yield 1


async def async_stream() -> AsyncIterator[int]:
    yield 1


def each(item: int) -> int:
    return item


def loop(pipe: Pipe, **options: object) -> None:
    """`draft` leads to `judge`, which jumps back."""
    pipe.step(one, name="draft")
    pipe.step(one, name="judge", after="draft", **{"goto": "draft", **options})


# Jumps.


def test_a_jump_is_planned_by_number(pipe: Pipe) -> None:
    """B11: to an ancestor, however far, or to itself; the graph holds pairs of a step and its target."""
    pipe.step(one, name="first")
    pipe.step(one, name="draft", after="first")
    pipe.step(one, name="judge", after="draft", goto=["first", "judge"], max_visits=7)
    plan = pipe.compile()
    assert plan.graph.jumps == ((2, 0), (2, 2))
    assert (plan.steps[2].goto, plan.steps[2].max_visits) == ((0, 2), 7)


def test_a_jump_forwards_is_a_problem(pipe: Pipe) -> None:
    """B11: it would skip steps, not repeat them; an unrelated step is none better."""
    loop(pipe, goto=["later", "other"])
    pipe.step(one, name="later", after="judge")
    pipe.step(one, name="other")
    text = pipe.problems()
    assert "judge: goto names `later`, which does not lead to it; a jump leads back, or to itself" in text
    assert "judge: goto names `other`, which does not lead to it" in text


def routed(pipe: Pipe, **targets: str) -> None:
    """A draft, a router that takes it, `back`, which jumps to the draft, and `done`, which takes it too."""
    pipe.step(one, name="draft")
    pipe.switch(to=targets, name="route", inputs={"x": "draft"})(a)
    pipe.step(one, name="back", goto="draft")
    pipe.step(a, name="done", inputs={"x": "draft"})


def test_what_a_router_leads_to_instead_of_the_jump_runs_after_the_last_visit_only(pipe: Pipe) -> None:
    """B7, B11: it need not wait for the step that jumps, which it never runs beside."""
    routed(pipe, again="back", ok="done")
    assert pipe.compile().graph.jumps == ((2, 0),)


def test_what_a_router_does_not_choose_would_run_in_each_visit(pipe: Pipe) -> None:
    """B7, B11: it would take each draft, and not only the last one."""
    routed(pipe, again="back", ok="end")
    pipe.step(one, name="end")
    text = pipe.problems()
    assert "back: `done` would run each visit of the loop; add `after=back` to it" in text
    assert "`end` would run" not in text


def test_a_jump_to_no_step_suggests_what_was_meant(pipe: Pipe) -> None:
    """A10: as any reference."""
    loop(pipe, goto="drafd")
    assert "judge: goto names a step `drafd` that there is not; did you mean `draft`?" in pipe.problems()


def test_a_step_that_would_run_each_visit_and_nobody_waits_for_is_a_problem(pipe: Pipe) -> None:
    """B11, api.md: an email each visit, and what follows it; with the way out."""
    loop(pipe)
    pipe.step(one, name="email", after="draft")
    pipe.step(one, name="sent", after="email")
    text = pipe.problems()
    assert "judge: `email` would run each visit of the loop; add `after=judge` to it" in text
    assert "judge: `sent` would run each visit of the loop" in text


def test_a_step_of_the_loop_that_the_judge_waits_for_is_none(pipe: Pipe) -> None:
    """B11: it belongs to the loop; so does what follows the judge, wherever else it hangs."""
    pipe.step(one, name="draft")
    pipe.step(one, name="spell", after="draft")
    pipe.step(one, name="judge", after=["draft", "spell"], goto="draft")
    pipe.step(one, name="send", after=["judge", "draft"])
    assert pipe.compile().graph.jumps == ((2, 0),)


def test_a_step_on_the_other_branch_of_a_switch_is_none(pipe: Pipe) -> None:
    """B7, B11: it runs only where the judge does not, so never in a visit that goes back."""
    pipe.step(one, name="draft")
    pipe.switch(to={1: "judge"}, default="send", name="good", after="draft")(one)
    pipe.step(one, name="judge", goto="draft")
    pipe.step(one, name="send")
    assert pipe.compile().graph.jumps == ((2, 0),)


def test_loops_in_loops_are_no_problem(pipe: Pipe) -> None:
    """B11: each jump is looked at by itself."""
    for before, name, goto in ((None, "a", None), ("a", "b", None), ("b", "c", "b"), ("c", "d", "a")):
        pipe.step(one, name=name, after=before, goto=goto)
    assert pipe.compile().graph.jumps == ((2, 1), (3, 0))


# Joins.


def test_a_join_of_a_number_is_planned_as_a_quorum(pipe: Pipe) -> None:
    """D2: `all` is none."""
    pipe.step(one, name="x")
    pipe.step(one, name="y")
    pipe.step(one, name="any", after=["x", "y"], join="any")
    pipe.step(one, name="two", after=["x", "y"], join=2, join_timeout="5s")
    pipe.step(one, name="all", after=["x", "y"], join="all")
    plan = pipe.compile()
    assert plan.graph.quorums == {2: 1, 3: 2}
    assert [step.join_timeout for step in plan.steps] == [None, None, None, 5.0, None]


def test_a_join_of_more_than_there_are_is_a_problem(pipe: Pipe) -> None:
    """D2, A14: a barrier that never opens; data that it cannot do without does not count."""
    pipe.step(one, name="x")
    pipe.step(one, name="y")
    pipe.step(a, name="z", inputs={"x": "x"}, after="y", join=2)
    assert "z: join=2 can never be reached: 1 of the edges before it count" in pipe.problems()


def test_triggers_alone_count_where_there_are_any(pipe: Pipe) -> None:
    """D2: an `after` beside a route is no second way in."""
    pipe.step(one, name="x")
    pipe.switch(to={1: "z"}, default=[], name="s")(one)
    pipe.step(one, name="z", after="x", join=2)
    assert "z: join=2 can never be reached: 1 of the edges before it count" in pipe.problems()


def test_a_join_that_has_nothing_to_count_is_a_problem(pipe: Pipe) -> None:
    """D2: all that comes before it hands over values that it cannot do without."""
    pipe.step(one, name="x")
    pipe.step(a, name="z", join="any")
    assert "z: join counts steps that lead to it by `to`, `after` or a parameter with a default" in pipe.problems()


@pytest.mark.parametrize("options", [{"join": "any"}, {"join_timeout": "5s"}])
def test_a_join_of_nothing_is_a_problem(pipe: Pipe, options: dict[str, object]) -> None:
    """D2, D3: it waits for no step."""
    pipe.step(one, name="z", **options)
    assert "z: it waits for no step, so there is nothing to join; leave join and join_timeout out" in pipe.problems()


def test_a_timeout_on_all_needs_no_number(pipe: Pipe) -> None:
    """D3: also where every value is required."""
    pipe.step(one, name="x")
    pipe.step(a, name="z", join_timeout="1m")
    assert pipe.planned("z").join_timeout == 60.0


# Ephemeral steps.


def test_an_ephemeral_step_may_not_feed_a_map(pipe: Pipe) -> None:
    """S7: its items could not be told again."""
    pipe.step(lambda: [1], name="rows", durability="ephemeral")
    pipe.map(over="rows")(each)
    text = pipe.problems()
    assert 'rows: `rows` feeds the map `each` and is ephemeral; give it durability="strict"' in text


def test_an_ephemeral_map_may_not_feed_a_map_either(pipe: Pipe) -> None:
    """S7: the pipeline's default counts."""
    pipe.settings["durability"] = "ephemeral"
    pipe.step(lambda: [1], name="rows", durability="strict")
    pipe.map(over="rows", name="first")(each)
    pipe.map(over="first", name="second", durability="strict")(each)
    assert "first: `first` feeds the map `second` and is ephemeral" in pipe.problems()


def test_the_output_of_a_pipeline_is_kept(pipe: Pipe) -> None:
    """S1: it is asked for when its process is long gone."""
    pipe.settings["output"] = "x"
    pipe.step(one, name="x", durability="ephemeral")
    pipe.step(one, name="y", after="x")
    assert 'x: its output is that of the pipeline, and it is ephemeral; give it durability="strict"' in pipe.problems()


def test_a_step_says_more_of_durability_than_its_pipeline(pipe: Pipe) -> None:
    """api.md 2: `Pipeline(durability=)` is a default."""
    pipe.settings["durability"] = "ephemeral"
    pipe.step(one, name="loose")
    pipe.step(one, name="kept", durability="strict")
    assert [step.ephemeral for step in pipe.compile().steps] == [True, False]


# Live sources.


@pytest.mark.parametrize("source", [stream, async_stream])
def test_a_map_over_a_generator_takes_its_items_as_they_come(pipe: Pipe, source: object) -> None:
    """D5: the edge is live, the generator feeds."""
    pipe.step(source, name="rows")
    pipe.map(over="rows")(each)
    plan = pipe.compile()
    assert plan.graph.feeders == {0}
    rows, mapped = plan.steps
    assert (rows.streams, rows.feeds, rows.yields is not None) == (True, True, True)
    assert mapped.fan is not None
    assert mapped.fan.live


def test_a_map_over_a_list_or_over_a_map_does_not(pipe: Pipe) -> None:
    """D5: there is nothing to come."""
    pipe.step(lambda: [1], name="rows")
    pipe.map(over="rows", name="first")(each)
    pipe.map(over="first", name="second")(each)
    plan = pipe.compile()
    assert (plan.graph.feeders, [step.fan.live for step in plan.steps if step.fan]) == (frozenset(), [False, False])


@pytest.mark.parametrize(
    "options", [{"after": "rows"}, {"after": "last"}, {"after": "between"}], ids=["itself", "far", "next"]
)
def test_a_map_that_also_waits_for_the_end_of_its_source_takes_the_list(pipe: Pipe, options: dict[str, object]) -> None:
    """D5: by `after` it, or by what follows it, however far."""
    pipe.step(stream, name="rows")
    pipe.step(one, name="between", after="rows")
    pipe.step(one, name="last", after="between")
    pipe.map(over="rows", **options)(each)
    plan = pipe.compile()
    fan = plan.steps[3].fan
    assert fan is not None
    assert (fan.live, plan.steps[0].feeds, plan.graph.feeders) == (False, False, frozenset())
    assert plan.steps[0].yields is not None, "it is a list of items all the same"


def test_a_map_that_also_waits_for_what_stands_beside_its_source_is_live(pipe: Pipe) -> None:
    """D5: also for what comes before it."""
    pipe.step(one, name="first")
    pipe.step(stream, name="rows", after="first")
    pipe.step(one, name="beside", after="first")
    pipe.map(over="rows", after=["beside", "first"])(each)
    assert pipe.compile().graph.feeders == {1}


def test_a_generator_that_nothing_runs_over_streams_and_feeds_nobody(pipe: Pipe) -> None:
    """K5."""
    pipe.step(stream, name="rows")
    rows = pipe.planned("rows")
    assert (rows.streams, rows.feeds, rows.yields) == (True, False, None)


def test_a_generator_with_the_annotation_of_no_generator_is_a_problem(pipe: Pipe) -> None:
    """K5, C13: sync and async, with what is right."""

    def sync():  # type: ignore[no-untyped-def]
        yield 1

    async def on_loop():  # type: ignore[no-untyped-def]
        yield 1

    sync.__annotations__ = {"return": int}
    on_loop.__annotations__ = {"return": list[int]}
    pipe.step(sync)
    pipe.step(on_loop)
    text = pipe.problems()
    assert "sync: it is a generator, so its return annotation is Iterator[…], with the type that it yields" in text
    assert "on_loop: it is a generator, so its return annotation is AsyncIterator[…]" in text
