"""How cases are drawn: pipelines with every construct in them, by chance alone or by Hypothesis, which can shrink."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, cast

from hypothesis import strategies as st

from stepwell.codecs.port import Codec
from stepwell.graph import Edge, build
from stepwell.plan.plan import Fan, Guard, Parameter, Plan, PlanStep, Routes
from stepwell.policy import RetryPolicy

from .cases import KEYS, Answer, Case, Fatal, Means, Says, Wire, Word

DEFAULT = "default"
"""What a parameter receives whose step gave no value."""

POLICIES = (
    RetryPolicy(attempts=2, delay=0, jitter=0),
    RetryPolicy(attempts=3, delay=1, backoff=2.0, jitter=0.5),
    RetryPolicy(attempts=3, delay=4, max_delay=5, jitter=0),
    RetryPolicy(attempts=2, delay=1, kinds=("timeout",)),
    RetryPolicy(attempts=4, delay=0, unless=(Fatal,)),
    RetryPolicy(attempts=1),
)
_MIN_SUCCESS: tuple[float | int | None, ...] = (None, None, 0, 1, 2, 0.5, 1.0)
_MEANS: tuple[Means, ...] = ("data", "after", "default", "to", "data", "after")
_TALK: tuple[tuple[Says, ...], ...] = (
    ("value",),
    ("value", "value", "value", "value", "skip", "fail"),
    ("value", "value", "value", "fail", "fail", "again", "timeout", "skip"),
    ("value", "value", "value", "stop", "fail", "fatal", "timeout", "abandoned", "again", "later", "skip", "stop"),
)
"""What attempts may say, from the calm to the wild."""

Part = Literal["step", "map", "switch", "source"]
_PARTS: tuple[Part, ...] = ("step", "step", "map", "map", "switch", "source", "source")


def nothing(*_: object) -> object:
    """What every step does here: its attempts are told, not made."""
    return None


def key_of(item: object) -> object:
    """The key of an item: of its place, whatever else it is."""
    return KEYS[int(str(item).split(".")[1])]


class _Text:
    """A codec of text, in which the items of a generator are recorded."""

    annotation = object

    def encode(self, value: object) -> bytes:
        return str(value).encode()

    def decode(self, data: bytes) -> object:
        return data.decode()


CODEC = cast("Codec", _Text())
Pick = Callable[[int], int]


@cache
def _below(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, count - 1)


@st.composite
def shrinkable_cases(draw: st.DrawFn) -> Case:
    """A case of which Hypothesis knows every part: one that fails shrinks to few steps that nearly all give a value."""
    return _case(lambda count: draw(_below(count)) if count > 1 else 0)


def case_of(seed: int) -> Case:
    """The case of this number: as even a choice as chance makes, which Hypothesis by itself is not."""
    return _case(random.Random(seed).randrange)


cases = st.one_of(st.integers(0, (1 << 62) - 1).map(case_of), shrinkable_cases())


@dataclass
class _Sketch:
    """A case while it is drawn."""

    pick: Pick
    parts: list[Part]
    overs: dict[int, int]
    wires: list[Wire]
    gotos: dict[int, tuple[int, ...]] = field(default_factory=dict[int, tuple[int, ...]])
    fleeting: int = -1
    """A step before a loop whose output is not kept."""
    eager: int = -1
    """A step that may jump back while what it goes back over still runs."""
    live: frozenset[tuple[int, int]] = frozenset()
    counts: dict[int, int] = field(default_factory=dict[int, int])
    gifts: dict[int, tuple[tuple[str, ...], ...]] = field(default_factory=dict[int, tuple[tuple[str, ...], ...]])

    def reached(self, start: int, forward: bool = True) -> set[int]:
        """What follows a step, or comes before it; itself too."""
        found, left = {start}, [start]
        while left:
            at = left.pop()
            for wire in self.wires:
                here, there = (wire.source, wire.target) if forward else (wire.target, wire.source)
                if here == at and there not in found:
                    found.add(there)
                    left.append(there)
        return found

    def most(self, step: int) -> int:
        """How many items a map over this step can have."""
        if step in self.gifts:
            return max(map(len, self.gifts[step]))
        return self.most(self.overs[step]) if step in self.overs else max(0, self.counts[step])


def _case(pick: Pick) -> Case:
    """A case of one to eight steps; `pick(n)` gives a number below n."""
    size = 1 + pick(8)
    parts: list[Part] = [_part(pick, number, size) for number in range(size)]
    sketch = _Sketch(pick, parts, _overs(pick, parts), [])
    _wires(sketch)
    if pick(5) >= 3:
        _loops(sketch)
    sketch.live = _live(sketch)
    _items(sketch)
    quorums = _quorums(sketch)
    talk = _TALK[pick(4)]
    steps = tuple(_step(sketch, number) for number in range(size))
    edges = [
        Edge(
            w.source, w.target, w.means in ("to", "route"), w.means == "route", w.means == "data",
            (w.source, w.target) in sketch.live,
        )
        for w in sketch.wires
    ]  # fmt: skip
    jumps = [(number, target) for number, targets in sketch.gotos.items() for target in targets]
    graph = build([step.name for step in steps], edges, quorums, jumps)
    last = tuple(number for number, links in enumerate(graph.after) if not links)
    concurrency = (None, None, 1, 2, 3)[pick(5)]
    plan = Plan("simulated", steps, graph, {}, None, last, "", concurrency=concurrency)
    return Case(
        plan,
        tuple(sketch.wires),
        _scripts(sketch, talk),
        {step.number: _answers(pick) for step in steps if step.guard is not None},
        sketch.counts,
        sketch.gifts,
        sketch.live,
        on_failure=("stop", "finish", "cancel")[pick(3)],
        timeout=(None, None, None, 3.0)[pick(4)],
        crashes=(0, 0, 1, 2, 4)[pick(5)],
        cancels=(0, 0, 0, 1)[pick(4)],
        jumps=pick(3),
        resumes=pick(3),
        storm=pick(12) == 11,
        seed=pick(1 << 32),
    )


def _part(pick: Pick, number: int, size: int) -> Part:
    part = _PARTS[pick(7)]
    if (part == "map" and number == 0) or (part in ("switch", "source") and number == size - 1):
        return "step"
    return part


def _overs(pick: Pick, parts: list[Part]) -> dict[int, int]:
    """What each map runs over; a generator rather than anything else."""
    overs: dict[int, int] = {}
    for number, part in enumerate(parts):
        if part == "map":
            sources = [one for one in range(number) if parts[one] == "source"]
            overs[number] = sources[pick(len(sources))] if sources and pick(3) < 2 else pick(number)
    for number, part in enumerate(parts):
        if part == "source" and number not in overs.values():
            parts[number] = "step"
    return overs


def _wires(sketch: _Sketch) -> None:
    pick, parts = sketch.pick, sketch.parts
    sketch.wires += [Wire(over, number, "data") for number, over in sketch.overs.items()]
    for target in range(1, len(parts)):
        fewer = 2 if parts[target] == "map" else 4
        sketch.wires += [Wire(pick(target), target, _MEANS[pick(6)]) for _ in range(pick(fewer))]
    for switch, part in enumerate(parts):
        for _ in range(1 + pick(3) if part == "switch" else 0):
            target = switch + 1 + pick(len(parts) - switch - 1)
            sketch.wires.append(Wire(switch, target, "route", pick(3)))


def _loops(sketch: _Sketch) -> None:
    """Steps that may jump back; what would run each visit with nobody waiting for it waits, or is waited for."""
    pick = sketch.pick
    if pick(2) == 1:
        _eager(sketch)
    for number, part in enumerate(sketch.parts):
        if part not in ("step", "switch") or number in (*sketch.overs.values(), sketch.eager) or pick(2) == 0:
            continue
        targets: list[int] = []
        for _ in range(1 + pick(2)):
            before = sorted(sketch.reached(number, forward=False))
            targets.append(before[pick(len(before))])
        sketch.gotos[number] = tuple(dict.fromkeys(targets))
    if pick(2) == 1:
        _fleeting(sketch)
    for _ in sketch.parts:  # an edge that is added may make another one necessary
        for number, jumps in sketch.gotos.items():
            for target in jumps:
                known = sketch.reached(number, forward=False) | sketch.reached(number)
                for stray in sorted(sketch.reached(target) - known):
                    pair = (stray, number) if stray < number else (number, stray)
                    sketch.wires.append(Wire(*pair, "after"))


def _fleeting(sketch: _Sketch) -> None:
    """What a loop takes from before it is not kept: whoever goes back in another process must make it again."""
    pick = sketch.pick
    targets = [target for ones in sketch.gotos.values() for target in ones if target not in sketch.gotos]
    if targets and (target := targets[pick(len(targets))]) > 0:
        source = pick(target)
        if source not in sketch.overs.values() and source not in sketch.reached(target):
            sketch.wires.append(Wire(source, target, "data"))
            sketch.fleeting = source


def _eager(sketch: _Sketch) -> None:
    """A join of any of two that jumps back over the other one, or over the map that takes what still comes."""
    pick = sketch.pick
    steps = [n for n, part in enumerate(sketch.parts) if part == "step" and n > 1 and n not in sketch.overs.values()]
    if not steps:
        return
    number = steps[pick(len(steps))]
    maps = [one for one in range(number) if sketch.parts[one] == "map"]
    target = maps[pick(len(maps))] if maps and pick(2) == 1 else pick(number)
    sketch.wires = [wire for wire in sketch.wires if wire.target != number or wire.means == "route"]
    sketch.wires += [Wire(target, number, "after"), Wire(pick(number), number, "after")]
    sketch.gotos[number] = (target,)
    sketch.eager = number


def _live(sketch: _Sketch) -> frozenset[tuple[int, int]]:
    """The maps that take the items of a generator as they come: they wait for nothing that comes after it."""
    pairs: set[tuple[int, int]] = set()
    for number, over in sketch.overs.items():
        sources = [wire.source for wire in sketch.wires if wire.target == number]
        others = set(sources) - {over}
        if sketch.parts[over] == "source" and sources.count(over) == 1 and not others & sketch.reached(over):
            pairs.add((over, number))
    return frozenset(pairs)


def _items(sketch: _Sketch) -> None:
    """What the sources of maps give."""
    pick = sketch.pick
    for over in sorted(set(sketch.overs.values())):
        if sketch.parts[over] == "source":
            sketch.gifts[over] = _gifts(pick, over)
        elif sketch.parts[over] != "map":
            sketch.counts[over] = pick(5) if pick(12) < 11 else -1


def _gifts(pick: Pick, source: int) -> tuple[tuple[str, ...], ...]:
    """What the attempts of a generator yield: nearly always the same."""
    calm = [f"{source}.{place}.a" for place in range((2, 3, 0, 1, 4, 5)[pick(6)])]
    gifts = [tuple(calm)]
    for _ in range(1 + pick(3)):
        gift, change = list(calm), pick(12)
        if change in (2, 4, 6, 10):
            gift = gift[: pick(len(gift) + 1)]
        elif change == 7:
            gift.append(f"{source}.{len(gift)}.a")
        elif change in (1, 3, 8, 11) and gift:
            gift[pick(len(gift))] += "b"
        elif change == 9 and gift:
            gift.append(f"{source}.{pick(len(gift))}.c")
        elif change == 5:
            gift.reverse()
        gifts.append(tuple(gift))
    if pick(4) == 3:
        gifts.reverse()
    return tuple(gifts)


def _quorums(sketch: _Sketch) -> dict[int, int]:
    """How many live edges some joins wait for."""
    quorums: dict[int, int] = {}
    for number in range(len(sketch.parts)):
        into = [wire for wire in sketch.wires if wire.target == number]
        triggers = {wire.source for wire in into if wire.means in ("to", "route")}
        counted = triggers or {w.source for w in into} - {w.source for w in into if w.means == "data"}
        if counted and number == sketch.eager:
            quorums[number] = 1
        elif counted and sketch.pick(6) >= (3 if sketch.gotos else 4):
            quorums[number] = 1 + sketch.pick(len(counted))
    return quorums


def _step(sketch: _Sketch, number: int) -> PlanStep:
    pick, part, over = sketch.pick, sketch.parts[number], sketch.overs.get(number)
    fan = None
    if over is not None:
        keyed = pick(3) == 2
        live = (over, number) in sketch.live
        fan = Fan(over, key_of if keyed else None, 1 + pick(3), _MIN_SUCCESS[pick(7)], live=live)
    routes = None
    if part == "switch":
        ways = [
            tuple(dict.fromkeys(w.target for w in sketch.wires if w.source == number and w.choice == choice))
            for choice in range(3)
        ]
        routes = Routes(((0, ways[0]), (1, ways[1])), ways[2])
    retry = 6 + pick(8) if part == "source" else pick(14)
    guarded = pick(5) == 4
    own, asked = _parameters(sketch, number, guarded)
    return PlanStep(
        number, f"s{number}", f"S{number}", "step" if part == "source" else part, nothing, own, "inline",
        CODEC, "",
        critical=pick(4) < 3,
        retry=POLICIES[retry - 8] if retry >= 8 else None,
        streams=part == "source",
        yields=CODEC if part == "source" else None,
        feeds=any(source == number for source, _ in sketch.live),
        join_timeout=(1.0, 3.0)[pick(2)] if pick(5) == 4 else None,
        ephemeral=number == sketch.fleeting or (number not in sketch.overs.values() and pick(3) == 2),
        goto=sketch.gotos.get(number, ()),
        max_visits=1 + pick(4),
        guard=Guard(nothing, asked, "it may") if guarded else None,
        routes=routes,
        fan=fan,
    )  # fmt: skip


def _parameters(sketch: _Sketch, number: int, guarded: bool) -> tuple[tuple[Parameter, ...], tuple[Parameter, ...]]:
    """What the function of a step receives, and what its `when` does; both are edges."""
    over = sketch.overs.get(number)
    own = [] if over is None else [Parameter("item", "item")]
    asked: list[Parameter] = []
    first = over is not None  # the edge of what a map runs over is no parameter
    for wire in (wire for wire in sketch.wires if wire.target == number and wire.means in ("data", "default")):
        if first and wire.source == over:
            first = False
            continue
        taker = asked if guarded and wire.source % 2 else own
        name = f"from{wire.source}_{len(own) + len(asked)}"
        taker.append(Parameter(name, "step", step=wire.source, keyword_only=True, **_or_default(wire)))
    return tuple(own), tuple(asked)


def _or_default(wire: Wire) -> dict[str, str]:
    return {"default": DEFAULT} if wire.means == "default" else {}


def _scripts(sketch: _Sketch, talk: tuple[Says, ...]) -> Mapping[tuple[int, int], tuple[Word, ...]]:
    pick = sketch.pick
    scripts: dict[tuple[int, int], tuple[Word, ...]] = {}
    for number, part in enumerate(sketch.parts):
        for index in range(sketch.most(sketch.overs[number])) if part == "map" else (-1,):
            scripts[number, index] = tuple(_word(sketch, number, talk) for _ in range(1 + pick(3)))
    return scripts


def _word(sketch: _Sketch, number: int, talk: tuple[Says, ...]) -> Word:
    pick = sketch.pick
    if number in sketch.gotos and pick(2) == 1:
        return Word("goto", pick(len(sketch.gotos[number])), pick(2) == 1)
    if sketch.parts[number] == "source" and (bad := pick(8)) >= 4:
        return Word("skip" if bad == 7 else "fail")
    return Word(talk[pick(len(talk))], pick(3) if sketch.parts[number] == "switch" else 0)


def _answers(pick: Pick) -> tuple[Answer, ...]:
    known: tuple[Answer, ...] = ("yes", "yes", "no", "raises")
    return tuple(known[pick(4)] for _ in range(1 + pick(2)))
