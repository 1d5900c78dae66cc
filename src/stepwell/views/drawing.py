"""A picture drawn with characters: branches are indented, what follows all of them stands below, as in a log of Git."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from stepwell.views.diagram import Picture


class Line(NamedTuple):
    """One step: the lines before it, which step it is, and what is said behind its name."""

    lead: str
    number: int
    said: str


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What branches are drawn with."""

    branch: str
    last: str
    through: str


_UNICODE = Glyphs("├─", "└─", "│ ")
_ASCII = Glyphs("|-", "`-", "| ")
_KINDS = {"map": "map", "switch": "switch"}
_MOST_NAMED = 4


def draw(picture: Picture, *, unicode: bool = True) -> list[Line]:
    """The lines, from the top to the bottom; as wide as branches are nested, however long the pipeline is."""
    before: list[list[int]] = [[] for _ in picture.nodes]
    said: list[list[str]] = [[] for _ in picture.nodes]
    for arrow in picture.arrows:
        name = picture.nodes[arrow.source].name
        if arrow.kind == "goto":
            said[arrow.source].append(f"back to {picture.nodes[arrow.target].name}")
            continue
        before[arrow.target].append(arrow.source)
        if arrow.label:
            said[arrow.target].append(f"[{name}: {arrow.label}]")
    order = _order(before)
    direct = _direct(order, before)
    before = [all_ if node.join else few for node, all_, few in zip(picture.nodes, before, direct, strict=True)]
    for number, sources in enumerate(before):
        said[number] = _said(picture, number, sources, said[number])
    return list(_lines(_below(order, before), before, said, _UNICODE if unicode else _ASCII))


def _order(before: Sequence[Sequence[int]]) -> list[int]:
    """Each step after all before it; of those that may come next, the one defined first."""
    after: list[list[int]] = [[] for _ in before]
    missing = [len(sources) for sources in before]
    for target, sources in enumerate(before):
        for source in sources:
            after[source].append(target)
    free = [number for number, count in enumerate(missing) if count == 0]
    heapify(free)
    order: list[int] = []
    while free:
        number = heappop(free)
        order.append(number)
        for target in after[number]:
            missing[target] -= 1
            if missing[target] == 0:
                heappush(free, target)
    return order


def _direct(order: Sequence[int], before: Sequence[Sequence[int]]) -> list[list[int]]:
    """What comes before each step, without what comes before that anyway; sets of steps are the bits of a number."""
    ahead = [0] * len(before)
    for number in order:
        for source in before[number]:
            ahead[number] |= ahead[source] | 1 << source
    found: list[list[int]] = []
    for sources in before:
        farther = 0
        for source in sources:
            farther |= ahead[source]
        found.append([source for source in sources if not farther >> source & 1])
    return found


def _below(order: Sequence[int], before: Sequence[Sequence[int]]) -> Mapping[int, list[int]]:
    """Under which step each is drawn: the last through which all ways to it lead, its dominator (-1: none has it)."""
    parent, depth = {-1: -1}, {-1: 0}
    below: dict[int, list[int]] = {-1: []}
    for number in order:
        found = before[number][0] if before[number] else -1
        for other in before[number][1:]:
            while found != other:
                if depth[found] >= depth[other]:
                    found = parent[found]
                else:
                    other = parent[other]
        parent[number], depth[number] = found, depth[found] + 1
        below[number] = []
        below[found].append(number)
    return below


def _lines(
    below: Mapping[int, list[int]], before: Sequence[Sequence[int]], said: Sequence[Sequence[str]], glyphs: Glyphs
) -> Iterator[Line]:
    """What is still to be drawn lies on a stack: a step, the lines before it, and those before what is below it."""
    stack = [(-1, "", "")]
    while stack:
        number, lead, under = stack.pop()
        if number >= 0:
            yield Line(lead, number, "  ".join(said[number]))
        follow = below[number]
        if len(follow) == 1:
            stack.append((follow[0], under, under))
            continue
        branches = [one for one in follow if len(before[one]) <= 1]
        joins = [one for one in follow if len(before[one]) > 1]
        stack += [(one, under, under) for one in reversed(joins)]
        for place, one in reversed(list(enumerate(branches))):
            last = place == len(branches) - 1
            run_on = "  " if last else glyphs.through
            stack.append((one, under + (glyphs.last if last else glyphs.branch), under + run_on))


def _said(picture: Picture, number: int, sources: Sequence[int], arrows: Sequence[str]) -> list[str]:
    """Behind the name: its form, the value that leads to it, and what it waits for where that is not just above."""
    node = picture.nodes[number]
    words = [*([_KINDS[node.kind]] if node.kind in _KINDS else []), *node.notes]
    said = [f"({', '.join(words)})", *arrows] if words else [*arrows]
    if len(sources) > 1:
        names = [picture.nodes[source].name for source in sorted(sources)]
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        enough = "" if node.join is None else "any of " if node.join == 1 else f"{node.join} of "
        said.append(f"after {enough}{', '.join(names[:_MOST_NAMED])}{more}")
    return said
