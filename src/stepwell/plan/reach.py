"""Steps that no choice of any switch leads to: what they need is made on different routes, of which one is taken.

For each step, in plan order: the choices of the switches before it under which it can run. What it starts by adds
choices up, what it needs takes choices away; where none is left, it can never run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stepwell.definition.spec import StepSpec
from stepwell.graph import Edge
from stepwell.plan.draft import Draft, DraftStep

Choices = dict[int, frozenset[int]]
"""By switch, the routes it may take for a step to run; a switch that is not here may take any."""

MOST = 1_000_000
"""Choices looked at in all; beyond it the rule says nothing, rather than take longer than all the others."""


def no_step_needs_two_routes_at_once(draft: Draft) -> Iterator[tuple[StepSpec | None, str]]:
    """A step whose needs exclude each other."""
    yield from _walk(draft, {})


def choices_of(draft: Draft) -> dict[int, Choices]:
    """The choices under which each step can run, of those steps for which that could be found out."""
    possible: dict[int, Choices] = {}
    for _ in _walk(draft, possible):
        pass
    return possible


def exclude(one: Choices, other: Choices) -> bool:
    """Whether no choice lets both run.

    >>> exclude({0: frozenset({1})}, {0: frozenset({2})})
    True
    """
    return any(switch in other and not (taken & other[switch]) for switch, taken in one.items())


def _walk(draft: Draft, possible: dict[int, Choices]) -> Iterator[tuple[StepSpec | None, str]]:
    """Find the choices of each step, and tell of those that have none left."""
    if not any(step.routes for step in draft.steps):
        return
    before: list[list[Edge]] = [[] for _ in draft.steps]
    for edge in draft.edges:
        before[edge.target].append(edge)
    looked_at = 0
    for number in _in_order(draft):
        started = _started(draft, before[number], possible)
        needed = {edge.source for edge in before[number] if edge.needs}
        choices, message = _narrowed(draft, draft.steps[number], started, sorted(needed), possible)
        possible[number] = choices
        looked_at += len(choices)
        if looked_at > MOST:
            return
        if message:
            yield draft.steps[number].spec, message


def _in_order(draft: Draft) -> list[int]:
    """The steps such that what comes before one stands before it; those in a circle, and after one, are left out."""
    waits = [0] * len(draft.steps)
    follow: list[list[int]] = [[] for _ in draft.steps]
    for edge in draft.edges:
        waits[edge.target] += 1
        follow[edge.source].append(edge.target)
    ready = [number for number, count in enumerate(waits) if count == 0]
    for number in ready:  # grows while it is walked
        for target in follow[number]:
            waits[target] -= 1
            if waits[target] == 0:
                ready.append(target)
    return ready


def _started(draft: Draft, edges: Sequence[Edge], possible: dict[int, Choices]) -> Choices:
    """The choices under which at least one edge that the step can start by is live."""
    counted = [edge for edge in edges if edge.trigger] or edges
    ways = [_along(draft, edge, possible) for edge in counted]
    if not ways:
        return {}
    shared = set(ways[0]).intersection(*ways[1:])
    joined = {switch: frozenset[int]().union(*(way[switch] for way in ways)) for switch in shared}
    return {switch: taken for switch, taken in joined.items() if len(taken) < len(_targets(draft.steps[switch]))}


def _along(draft: Draft, edge: Edge, possible: dict[int, Choices]) -> Choices:
    """The choices under which one edge is live."""
    choices = possible[edge.source]
    if not edge.route:
        return choices
    routes = enumerate(_targets(draft.steps[edge.source]))
    return {**choices, edge.source: frozenset(place for place, targets in routes if edge.target in targets)}


def _targets(switch: DraftStep) -> list[tuple[int, ...]]:
    """The steps of each route, the default the last."""
    if switch.routes is None:
        return []
    default = [] if switch.routes.default is None else [switch.routes.default]
    return [targets for _, targets in switch.routes.by_value] + default


def _narrowed(
    draft: Draft, step: DraftStep, started: Choices, needed: Sequence[int], possible: dict[int, Choices]
) -> tuple[Choices, str]:
    """What its needs leave of the choices, and what to say where that is nothing."""
    choices, by = dict(started), dict.fromkeys(started, -1)
    for source in needed:
        for switch, taken in possible[source].items():
            left = choices.get(switch, taken) & taken
            if not left:
                # Unconstrained from here on: what follows it is not told the same again.
                return {}, _message(draft, switch, by[switch], source)
            choices[switch] = left
            by.setdefault(switch, source)
    return choices, ""


def _message(draft: Draft, switch: int, first: int, second: int) -> str:
    chooser, needed = draft.steps[switch].spec.name, draft.steps[second].spec.name
    where = "is on one route" if first < 0 else f"needs `{draft.steps[first].spec.name}` on one route"
    return (
        f"it can never run: it {where} of the switch `{chooser}` and needs `{needed}` on another; "
        f"give the parameter a default"
    )
