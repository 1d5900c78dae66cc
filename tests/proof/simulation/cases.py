"""Random cases: a plan, what each attempt of it will say, and what befalls the run."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter

from stepwell.codecs.port import Codec
from stepwell.definition.spec import Kind, OnFailure
from stepwell.graph import Edge, build
from stepwell.plan.plan import Fan, Guard, Plan, PlanStep, Routes
from stepwell.policy import RetryPolicy

Means = Literal["to", "route", "after", "data", "default"]
Says = Literal["value", "skip", "stop", "again", "later", "fail", "fatal", "timeout", "abandoned"]
Answer = Literal["yes", "no", "raises"]


@dataclass(frozen=True)
class Wire:
    """One edge as its author declared it. `choice` is the value of a switch that leads along a route."""

    source: int
    target: int
    means: Means
    choice: int = -1


@dataclass(frozen=True)
class Word:
    """What one attempt does; `choice` is what a switch returns."""

    how: Says
    choice: int = 0


@dataclass(frozen=True)
class Case:
    """One plan with all that will happen to it, but for the order in which it happens."""

    plan: Plan
    wires: tuple[Wire, ...]
    scripts: Mapping[tuple[int, int], tuple[Word, ...]]
    """By step and item (-1: the step itself), what its attempts say; the last holds for all that follow."""
    answers: Mapping[int, tuple[Answer, ...]]
    """By step, what its `when` answers in each visit."""
    counts: Mapping[int, int]
    """By map, how many items its source gives; -1 where that cannot be used."""
    on_failure: OnFailure
    timeout: float | None
    crashes: int
    cancels: int
    jumps: int
    resumes: int
    storm: bool
    """Its process dies again and again before anything comes to an end."""
    seed: int

    def __repr__(self) -> str:
        """What a person needs to see of a case that broke a law."""
        lines = [f"on_failure={self.on_failure} concurrency={self.plan.concurrency} timeout={self.timeout}"]
        for step in self.plan.steps:
            more = [f"{step.kind}", "" if step.critical else "not critical"]
            if step.retry is not None:
                more.append(f"attempts={step.retry.attempts} delay={step.retry.delay} kinds={step.retry.kinds}")
            if step.guard is not None:
                more.append(f"when={self.answers[step.number]}")
            if step.fan is not None:
                more.append(f"over={step.fan.over} at once={step.fan.concurrency} min={step.fan.min_success}")
                more.append(f"items={self.counts[step.number]} keyed={step.fan.key is not None}")
            said = {
                index: [f"{one.how}{one.choice or ''}" for one in script]
                for (number, index), script in self.scripts.items()
                if number == step.number
            }
            lines.append(f"{step.number} {step.name}: {' '.join(filter(None, more))} says {said}")
        lines += [f"{w.source} -{w.means}{'' if w.choice < 0 else w.choice}-> {w.target}" for w in self.wires]
        lines.append(
            f"crashes={self.crashes} cancels={self.cancels} jumps={self.jumps} resumes={self.resumes} "
            f"storm={self.storm} seed={self.seed}"
        )
        return "\n  ".join(["Case", *lines])

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:
        """The same for Hypothesis."""
        printer.text(repr(self))


class Fatal(Exception):
    """What a policy's `unless` names."""


KEYS = ("a/b", "x[1]", "#2", "50%", "ä ö")
"""Keys of items that must be escaped in a path."""

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
    ("value", "value", "value", "value", "fail", "fatal", "timeout", "abandoned", "again", "later", "skip", "stop"),
)
"""What attempts may say, from the calm to the wild."""


def nothing(*_: object) -> object:
    """What every step does here: its attempts are told, not made."""
    return None


class _NoCodec:
    annotation = object


NO_CODEC = cast("Codec", _NoCodec())
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


def _case(pick: Pick) -> Case:
    """A case of one to eight steps; `pick(n)` gives a number below n."""
    size = 1 + pick(8)
    kinds: list[Kind] = [_kind(pick, number, size) for number in range(size)]
    overs = {number: pick(number) for number in range(size) if kinds[number] == "map"}
    wires = _wires(pick, kinds, overs)
    talk = _TALK[pick(4)]
    steps = tuple(_step(pick, number, kinds[number], overs.get(number), wires) for number in range(size))
    counts = {number: pick(5) if pick(12) < 11 else -1 for number in overs}
    edges = [Edge(w.source, w.target, w.means in ("to", "route"), w.means == "route", w.means == "data") for w in wires]
    graph = build([step.name for step in steps], edges)
    last = tuple(number for number, links in enumerate(graph.after) if not links)
    concurrency = (None, None, 1, 2, 3)[pick(5)]
    plan = Plan("simulated", steps, graph, {}, None, last, "", concurrency=concurrency)
    return Case(
        plan,
        wires,
        _scripts(pick, kinds, counts, talk),
        {step.number: _answers(pick) for step in steps if step.guard is not None},
        counts,
        on_failure=("stop", "finish", "cancel")[pick(3)],
        timeout=(None, None, None, 3.0)[pick(4)],
        crashes=(0, 0, 1, 2, 4)[pick(5)],
        cancels=(0, 0, 0, 1)[pick(4)],
        jumps=pick(3),
        resumes=pick(3),
        storm=pick(12) == 11,
        seed=pick(1 << 32),
    )


def _kind(pick: Pick, number: int, size: int) -> Kind:
    kind: Kind = ("step", "step", "map", "map", "switch")[pick(5)]
    if (kind == "map" and number == 0) or (kind == "switch" and number == size - 1):
        return "step"
    return kind


def _wires(pick: Pick, kinds: list[Kind], overs: Mapping[int, int]) -> tuple[Wire, ...]:
    wires = [Wire(over, number, "data") for number, over in overs.items()]
    for target in range(1, len(kinds)):
        wires += [Wire(pick(target), target, _MEANS[pick(6)]) for _ in range(pick(4))]
    for switch, kind in enumerate(kinds):
        for _ in range(1 + pick(3) if kind == "switch" else 0):
            target = switch + 1 + pick(len(kinds) - switch - 1)
            wires.append(Wire(switch, target, "route", pick(3)))
    return tuple(wires)


def _step(pick: Pick, number: int, kind: Kind, over: int | None, wires: tuple[Wire, ...]) -> PlanStep:
    fan = None
    if over is not None:
        fan = Fan(over, nothing if pick(3) == 2 else None, 1 + pick(3), _MIN_SUCCESS[pick(7)])
    routes = None
    if kind == "switch":
        ways = [
            tuple(dict.fromkeys(w.target for w in wires if w.source == number and w.choice == choice))
            for choice in range(3)
        ]
        routes = Routes(((0, ways[0]), (1, ways[1])), ways[2])
    retry = pick(14)
    return PlanStep(
        number, f"s{number}", f"S{number}", kind, nothing, (), "inline", NO_CODEC, "",
        critical=pick(4) < 3,
        retry=POLICIES[retry - 8] if retry >= 8 else None,
        guard=Guard(nothing, (), "it may") if pick(5) == 4 else None,
        routes=routes,
        fan=fan,
    )  # fmt: skip


def _scripts(
    pick: Pick, kinds: list[Kind], counts: Mapping[int, int], talk: tuple[Says, ...]
) -> dict[tuple[int, int], tuple[Word, ...]]:
    scripts: dict[tuple[int, int], tuple[Word, ...]] = {}
    for number, kind in enumerate(kinds):
        for index in range(max(0, counts[number])) if kind == "map" else (-1,):
            scripts[number, index] = tuple(
                Word(talk[pick(len(talk))], pick(3) if kind == "switch" else 0) for _ in range(1 + pick(3))
            )
    return scripts


def _answers(pick: Pick) -> tuple[Answer, ...]:
    known: tuple[Answer, ...] = ("yes", "yes", "no", "raises")
    return tuple(known[pick(4)] for _ in range(1 + pick(2)))
