"""What a state counts as steps end must equal what it comes to when it counts anew."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from stepwell.graph import Edge, build
from stepwell.state.state import COMPLETED, FAILED, PRUNED, SKIPPED, TOLERATED, State

_EDGES = st.lists(
    st.builds(Edge, st.integers(0, 4), st.integers(1, 5), st.booleans(), st.booleans(), st.booleans()).filter(
        lambda edge: edge.source < edge.target
    ),
    max_size=12,
)
_ENDS = st.lists(st.sampled_from([COMPLETED, SKIPPED, TOLERATED, PRUNED, FAILED]), min_size=6, max_size=6)
_QUORUMS = st.dictionaries(st.integers(1, 5), st.integers(1, 2), max_size=2)


def counted(state: State) -> tuple[object, ...]:
    """All that follows from where each step is."""
    dicts: tuple[Mapping[int, object], ...] = (state.starved, state.doomed, state.hope, state.wants, state.to_tell)
    return (state.ended, *state.missing, *state.live, *(dict(one) for one in dicts), sorted(state.ready))


@given(_EDGES, _ENDS, _QUORUMS)
def test_the_short_way_of_a_plain_link_is_no_other_way(
    edges: list[Edge], ends: list[int], quorums: dict[int, int]
) -> None:
    """S1, S3: what is counted off is what it comes to link by link, and what a resume counts anew."""
    targets = {edge.target for edge in edges}
    graph = build(list("abcdef"), edges, {at: most for at, most in quorums.items() if at in targets})
    slow = tuple(tuple(link._replace(plain=False) for link in links) for links in graph.after)
    state, other = State(graph), State(structs.replace(graph, after=slow))
    for number in range(6):
        for one in (state, other):
            one.leave_ready(number)
            one.steps[number] = ends[number]
            one.ended += 1
            one.settle(number)
        known = counted(state)
        assert known == counted(other)
        state.count()
        assert counted(state) == known
