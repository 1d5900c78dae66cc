"""What leads to what: edges that are merged, counted and recorded; circles that are found without recursion."""

from __future__ import annotations

import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.graph import Edge, Graph, Link, build, cycle, flatten, followers, reached, unflatten

MANY = 10_000
WAIT, TO, ROUTE, NEEDS = (
    Edge(0, 1),
    Edge(0, 1, trigger=True),
    Edge(0, 1, trigger=True, route=True),
    Edge(0, 1, needs=True),
)

_EDGES = st.lists(
    st.builds(Edge, st.integers(0, 5), st.integers(0, 5), st.booleans(), st.booleans(), st.booleans(), st.booleans()),
    max_size=30,
)


def link(*edges: Edge) -> Link:
    """The one link that these edges between two steps become."""
    (found,) = build(["a", "b"], edges).after[0]
    return found


def test_edges_between_two_steps_become_one_link() -> None:
    graph = build(["a", "b"], [WAIT, NEEDS, WAIT])
    assert graph.after == ((Link(1, 1, route=False, needs=True, live=False, plain=True),), ())
    assert graph.before == ((), (0,))


@pytest.mark.parametrize("edges", [(ROUTE, TO), (TO, ROUTE), (ROUTE, WAIT, TO), (TO, ROUTE, ROUTE), (ROUTE, TO, ROUTE)])
def test_a_trigger_beside_a_route_leads_on_whatever_is_chosen(edges: tuple[Edge, ...]) -> None:
    """Rule 1: the edge of `to` is live though the route is not chosen."""
    assert link(*edges).route is False


@pytest.mark.parametrize("edges", [(ROUTE,), (ROUTE, WAIT), (WAIT, ROUTE), (ROUTE, NEEDS), (NEEDS, ROUTE, WAIT)])
def test_a_wait_beside_a_route_does_not_replace_the_choice(edges: tuple[Edge, ...]) -> None:
    """Rule 2: where there is a trigger, a wait starts nothing."""
    assert link(*edges).route is True


@given(st.permutations([WAIT, ROUTE, NEEDS, TO]))
def test_the_order_of_declaration_changes_nothing(edges: list[Edge]) -> None:
    assert link(*edges) == Link(1, 1, route=False, needs=True, live=False, plain=True)


def test_only_triggers_count_where_a_step_has_any() -> None:
    """Rule 2: at least one trigger is live; if it has none, at least one wait."""
    graph = build(["a", "b", "c"], [Edge(0, 2), Edge(1, 2, trigger=True)])
    assert [graph.after[0][0].counts, graph.after[1][0].counts] == [0, 1]
    graph = build(["a", "b", "c"], [Edge(0, 2), Edge(1, 2, needs=True)])
    assert [graph.after[0][0].counts, graph.after[1][0].counts] == [1, 1]


def test_a_join_of_a_number_counts_no_value_that_it_cannot_do_without() -> None:
    """D2: triggers if it has any, else `after` and data with a default."""
    edges = [Edge(0, 3), Edge(1, 3, needs=True), Edge(2, 3)]
    graph = build(["a", "b", "c", "d"], edges, {3: 2})
    assert [graph.after[number][0].counts for number in range(3)] == [1, 0, 1]
    graph = build(["a", "b", "c", "d"], [*edges, Edge(1, 3, trigger=True)], {3: 1})
    assert [graph.after[number][0].counts for number in range(3)] == [0, 1, 0]
    assert graph.quorums == {3: 1}


def test_an_edge_is_live_only_if_nothing_else_joins_the_two_steps() -> None:
    """D5: who also waits for the generator's end cannot begin with it."""
    over = Edge(0, 1, needs=True, live=True)
    assert link(over).live
    for other in (WAIT, TO, NEEDS):
        assert not link(over, other).live
        assert not link(other, over).live


def test_the_steps_with_live_edges_are_the_feeders() -> None:
    """D5: generators that maps run over as they go on."""
    graph = build(["a", "b", "c"], [Edge(0, 1, needs=True, live=True), Edge(1, 2, needs=True)])
    assert graph.feeders == {0}
    assert build(["a", "b"], [NEEDS]).feeders == frozenset()


def test_jumps_are_kept_as_they_are() -> None:
    """B11: pairs of a step and its target; no edges."""
    graph = build(["a", "b"], [WAIT], jumps=[(1, 0), (1, 1)])
    assert graph.jumps == ((1, 0), (1, 1))
    assert graph.before == ((), (0,))


def test_what_can_be_reached_includes_where_one_begins() -> None:
    graph = build(list("abcde"), [Edge(0, 1), Edge(1, 2), Edge(3, 2)])
    assert reached([0], followers(graph)) == {0, 1, 2}
    assert reached([3, 4], followers(graph)) == {2, 3, 4}
    assert reached([2], graph.before.__getitem__) == {0, 1, 2, 3}
    assert reached([], followers(graph)) == set()


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7))), st.integers(0, 7))
def test_going_round_comes_to_an_end_and_misses_nothing(pairs: list[tuple[int, int]], start: int) -> None:
    """B11: a circle is no trap, and what is found is closed under following."""
    follow: dict[int, list[int]] = {number: [] for number in range(8)}
    for source, target in pairs:
        follow[source].append(target)
    found = reached([start], follow.__getitem__)
    assert start in found
    assert {target for one in found for target in follow[one]} <= found
    assert all(one == start or any(one in follow[other] for other in found) for one in found)


def test_only_a_link_that_is_alone_and_has_no_conditions_is_plain() -> None:
    """W4: it is settled without a look at anything else, as nearly all are."""
    for edge in (WAIT, TO, NEEDS):
        assert link(edge).plain
    assert not link(ROUTE).plain
    assert link(ROUTE, TO).plain, "it leads on whatever is chosen"
    assert not link(Edge(0, 1, needs=True, live=True)).plain
    assert link(Edge(0, 1, needs=True, live=True), WAIT).plain, "it waits for the end of the generator"
    for number in (0, 1):
        graph = build(["a", "b", "c"], [Edge(0, 2), Edge(1, 2)])
        assert (graph.after[number][0].plain, graph.after[number][0].joins) == (False, True)
    graph = build(["a", "b"], [WAIT], {1: 1})
    assert (graph.after[0][0].plain, graph.after[0][0].joins) == (False, False)


def test_a_link_joins_where_others_lead_to_its_target() -> None:
    """D3: of a join it is told that it waits; two edges of one step make none."""
    graph = build(["a", "b", "c"], [Edge(0, 1), Edge(0, 1, needs=True), Edge(0, 2), Edge(1, 2)])
    assert [[one.joins for one in links] for links in graph.after] == [[False, True], [True], []]


@given(_EDGES)
def test_what_is_missing_before_a_step_is_counted_once_for_all_runs(edges: list[Edge]) -> None:
    """W4: a run begins with a copy of it; a step that none comes before is first."""
    graph = build(list("abcdef"), edges)
    assert list(graph.missing) == [len({edge.source for edge in edges if edge.target == at}) for at in range(6)]
    assert graph.first == tuple(at for at in range(6) if graph.missing[at] == 0)
    for at, links in enumerate(graph.after):
        assert all(one.joins == (graph.missing[one.target] > 1) for one in links), at
        assert not any(one.plain and (one.joins or one.route or one.live) for one in links), at


def test_steps_are_found_by_name_and_number() -> None:
    graph = build(["a", "b"], [])
    assert (graph.names, graph.number) == (("a", "b"), {"a": 0, "b": 1})


@given(_EDGES)
def test_recorded_edges_are_those_that_were_declared(edges: list[Edge]) -> None:
    assert list(unflatten(flatten(edges))) == edges


@given(_EDGES)
def test_a_graph_built_from_its_own_record_is_the_same(edges: list[Edge]) -> None:
    """A run is folded by the edges in its journal: merging them again must change nothing."""
    names = list("abcdef")
    graph = build(names, edges)
    again: Graph = build(names, unflatten(flatten(graph.edges)))
    assert (again.after, again.before, again.edges) == (graph.after, graph.before, graph.edges)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] < pair[1])))
def test_edges_that_lead_forwards_have_no_circle(pairs: list[tuple[int, int]]) -> None:
    assert cycle(list("abcdefghij"), [Edge(*pair) for pair in pairs]) == []


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7))))
def test_a_circle_that_is_named_is_really_there(pairs: list[tuple[int, int]]) -> None:
    names = list("abcdefgh")
    loop = cycle(names, [Edge(*pair) for pair in pairs])
    if loop:
        assert loop[0] == loop[-1]
        assert len(set(loop[1:])) == len(loop) - 1
        assert {(names.index(a), names.index(b)) for a, b in pairwise(loop)} <= set(pairs)


def test_a_step_that_follows_itself_is_a_circle() -> None:
    assert cycle(["a", "b"], [Edge(1, 1)]) == ["b", "b"]


def test_steps_behind_a_circle_are_not_part_of_it() -> None:
    edges = [Edge(0, 1), Edge(1, 2), Edge(2, 1), Edge(2, 3)]
    assert cycle(list("abcd"), edges) in (["b", "c", "b"], ["c", "b", "c"])


def test_ten_thousand_steps_in_a_row_are_walked_without_recursion() -> None:
    names = [f"s{number}" for number in range(MANY)]
    row = [Edge(number, number + 1) for number in range(MANY - 1)]
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(120 + _depth())
    try:
        assert cycle(names, row) == []
        graph = build(names, row)
        assert len(graph.edges) == MANY - 1
        assert len(reached([0], followers(graph))) == MANY
    finally:
        sys.setrecursionlimit(limit)


def test_a_circle_of_ten_thousand_steps_is_found_soon() -> None:
    names = [f"s{number}" for number in range(MANY)]
    loop = cycle(names, [Edge(number, (number + 1) % MANY) for number in range(MANY)])
    assert len(loop) == MANY + 1


def _depth() -> int:
    depth, frame = 0, sys._getframe()  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    return depth
