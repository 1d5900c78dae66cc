"""What leads to what, by number: the edges of a pipeline in the shape in which the fold counts them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct


class Edge(NamedTuple):
    """That one step leads to another, said once; the same two may be joined for several reasons.

    `trigger` is an edge of `to` or a route; `route` one that a switch must choose; `needs` one that hands over a
    value without which the target cannot run; `live` one that leads from a generator to the map that takes its items
    as they come, and is settled as soon as the generator begins.
    """

    source: int
    target: int
    trigger: bool = False
    route: bool = False
    needs: bool = False
    live: bool = False


class Link(NamedTuple):
    """All edges between two steps as one: settled together, counted once.

    `counts` is 1 where a live link is one that the target can start by: a trigger if it has any, else any; for a join
    that waits for a number of them, else any that hands over no value it cannot do without. `joins` says that other
    links lead to the target too; `plain` that none does, and that this one has no conditions.
    """

    target: int
    counts: int
    route: bool
    needs: bool
    live: bool
    joins: bool = False
    plain: bool = False


class Graph(Struct, frozen=True):
    """The steps by number with what follows each, what comes before each, and what all that is called."""

    names: tuple[str, ...]
    number: dict[str, int]
    after: tuple[tuple[Link, ...], ...]
    before: tuple[tuple[int, ...], ...]
    edges: tuple[Edge, ...]
    quorums: dict[int, int] = {}
    """How many live links a join waits for, where that is not all of them."""
    jumps: tuple[tuple[int, int], ...] = ()
    """Where steps may jump back to: pairs of a step and its target."""
    feeders: frozenset[int] = frozenset()
    """The steps with live edges."""
    missing: tuple[int, ...] = ()
    """How many steps come before each."""
    first: tuple[int, ...] = ()
    """The steps that none comes before."""


def flatten(edges: Iterable[Edge]) -> tuple[tuple[int, int, int], ...]:
    """The edges as they are recorded; `unflatten` makes them again."""
    return tuple((e.source, e.target, e.trigger | e.route << 1 | e.needs << 2 | e.live << 3) for e in edges)


def unflatten(edges: Iterable[tuple[int, int, int]]) -> tuple[Edge, ...]:
    """The edges that `flatten` made these from.

    >>> unflatten(flatten([Edge(0, 1, needs=True)]))
    (Edge(source=0, target=1, trigger=False, route=False, needs=True, live=False),)
    """
    return tuple(
        Edge(source, target, bool(flags & 1), bool(flags & 2), bool(flags & 4), bool(flags & 8))
        for source, target, flags in edges
    )


def build(
    names: Sequence[str],
    edges: Iterable[Edge],
    quorums: Mapping[int, int] | None = None,
    jumps: Iterable[tuple[int, int]] = (),
) -> Graph:
    """The graph of these steps and edges; O(steps + edges). `quorums` and `jumps` are as in `Graph`.

    >>> build(["a", "b"], [Edge(0, 1)]).before
    ((), (0,))
    """
    merged: dict[tuple[int, int], Edge] = {}
    for edge in edges:
        pair = (edge.source, edge.target)
        known = merged.get(pair)
        if known is not None:
            edge = Edge(
                *pair,
                trigger=known.trigger or edge.trigger,
                route=(known.route or edge.route) and not _plain(known, edge),
                needs=known.needs or edge.needs,
                live=known.live and edge.live,
            )
        merged[pair] = edge
    joins = dict(quorums or {})
    triggered = {edge.target for edge in merged.values() if edge.trigger}
    after: list[list[Link]] = [[] for _ in names]
    before: list[list[int]] = [[] for _ in names]
    for edge in merged.values():
        before[edge.target].append(edge.source)
    for edge in merged.values():
        starts = edge.trigger or (edge.target not in triggered and not (edge.needs and edge.target in joins))
        several = len(before[edge.target]) > 1
        plain = not (several or edge.route or edge.live or edge.target in joins)
        after[edge.source].append(Link(edge.target, int(starts), edge.route, edge.needs, edge.live, several, plain))
    return Graph(
        tuple(names),
        {name: number for number, name in enumerate(names)},
        tuple(map(tuple, after)),
        tuple(map(tuple, before)),
        tuple(merged.values()),
        joins,
        tuple(jumps),
        frozenset(edge.source for edge in merged.values() if edge.live),
        tuple(map(len, before)),
        tuple(number for number, sources in enumerate(before) if not sources),
    )


def followers(graph: Graph) -> Callable[[int], Iterable[int]]:
    """The steps that follow a step, as `reached` asks for them."""
    return lambda number: (link.target for link in graph.after[number])


def reached(start: Iterable[int], follow: Callable[[int], Iterable[int]]) -> set[int]:
    """What can be reached from these steps, themselves included, by going where `follow` leads. No recursion.

    >>> sorted(reached([0], [(1,), (), (0,)].__getitem__))
    [0, 1]
    """
    found = set(start)
    left = list(found)
    while left:
        for number in follow(left.pop()):
            if number not in found:
                found.add(number)
                left.append(number)
    return found


def _plain(one: Edge, other: Edge) -> bool:
    """Whether one of the two leads on whatever the switch chooses: `to` beside a route."""
    return (one.trigger and not one.route) or (other.trigger and not other.route)


def cycle(names: Sequence[str], edges: Iterable[Edge]) -> list[str]:
    """The names along one cycle, its first again at the end; empty where there is none. No recursion.

    >>> cycle(["a", "b"], [Edge(0, 1), Edge(1, 0)])
    ['a', 'b', 'a']
    """
    follow: list[list[int]] = [[] for _ in names]
    indegree = [0] * len(names)
    for edge in edges:
        follow[edge.source].append(edge.target)
        indegree[edge.target] += 1
    free = [number for number, count in enumerate(indegree) if count == 0]
    while free:
        for target in follow[free.pop()]:
            indegree[target] -= 1
            if indegree[target] == 0:
                free.append(target)
    stuck = {number for number, count in enumerate(indegree) if count > 0}
    if not stuck:
        return []
    # Every step that is left has one before it that is left too: walk backwards until one comes up again.
    back = {target: source for source in stuck for target in follow[source] if target in stuck}
    walk: dict[int, None] = {}
    at = min(stuck)
    while at not in walk:
        walk[at] = None
        at = back[at]
    met = list(walk)
    loop = [*met[met.index(at) :], at]
    return [names[number] for number in reversed(loop)]
