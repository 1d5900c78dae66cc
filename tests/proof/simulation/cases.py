"""What one case of the simulation is: a plan, what each attempt of it will say, and what befalls the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hypothesis.vendor.pretty import RepresentationPrinter

from stepwell.definition.spec import OnFailure
from stepwell.plan.plan import Plan

Means = Literal["to", "route", "after", "data", "default"]
Says = Literal["value", "skip", "stop", "again", "later", "fail", "fatal", "timeout", "abandoned", "goto"]
Answer = Literal["yes", "no", "raises"]

KEYS = ("a/b", "x[1]", "#2", "50%", "ä ö", "c", "d", "e", "f")
"""Keys of items that must be escaped in a path."""


@dataclass(frozen=True)
class Wire:
    """One edge as its author declared it. `choice` is the value of a switch that leads along a route."""

    source: int
    target: int
    means: Means
    choice: int = -1


@dataclass(frozen=True)
class Word:
    """What one attempt does; `choice` is what a switch returns, or which of its targets a jump leads to."""

    how: Says
    choice: int = 0
    best: bool = False
    """A jump says what to go on with where no visit is left."""


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
    """By step that a map runs over and that is neither map nor generator: how many items it gives; -1 for no list."""
    gifts: Mapping[int, tuple[tuple[str, ...], ...]]
    """By generator, what its executions yield, one after the other; the last holds for all that follow."""
    live: frozenset[tuple[int, int]]
    """Pairs of a generator and a map that takes its items as they come."""
    on_failure: OnFailure
    timeout: float | None
    crashes: int
    cancels: int
    jumps: int
    resumes: int
    storm: bool
    """Its process dies again and again before anything comes to an end."""
    seed: int

    def word(self, step: int, item: int, number: int) -> Word:
        """What the attempt says that is the n-th of all that were recorded."""
        script = self.scripts[step, item]
        return script[min(number, len(script) - 1)]

    def gift(self, step: int, number: int) -> tuple[str, ...]:
        """What the n-th execution of a generator yields, if it comes to its end."""
        gifts = self.gifts[step]
        return gifts[min(number, len(gifts) - 1)]

    def value(self, step: int, item: int, number: int) -> object:
        """The output of the attempt that says this word; no two of a run give the same."""
        if item < 0 and step in self.counts:
            count = self.counts[step]
            return [f"{step}.{place}.{number}" for place in range(count)] if count >= 0 else 7
        return f"{step}.{item}.{number}"

    def into(self, step: int) -> list[Wire]:
        """The edges that lead to a step."""
        return [wire for wire in self.wires if wire.target == step]

    def __repr__(self) -> str:
        """What a person needs to see of a case that broke a law."""
        lines = [f"on_failure={self.on_failure} concurrency={self.plan.concurrency} timeout={self.timeout}"]
        lines += [self._told(step) for step in range(len(self.plan.steps))]
        lines += [
            f"{w.source} -{w.means}{'' if w.choice < 0 else w.choice}"
            f"{' live' if (w.source, w.target) in self.live else ''}-> {w.target}"
            for w in self.wires
        ]
        lines.append(
            f"crashes={self.crashes} cancels={self.cancels} jumps={self.jumps} resumes={self.resumes} "
            f"storm={self.storm} seed={self.seed}"
        )
        return "\n  ".join(["Case", *lines])

    def _told(self, number: int) -> str:
        step = self.plan.steps[number]
        more = [f"{step.kind}", "" if step.critical else "not critical", "ephemeral" if step.ephemeral else ""]
        if number in self.gifts:
            more.append(f"yields {self.gifts[number]}")
        if number in self.counts:
            more.append(f"gives {self.counts[number]} items")
        if number in self.plan.graph.quorums:
            more.append(f"join={self.plan.graph.quorums[number]}")
        if step.join_timeout is not None:
            more.append(f"join_timeout={step.join_timeout}")
        if step.goto:
            more.append(f"goto={step.goto} max_visits={step.max_visits}")
        if step.retry is not None:
            more.append(f"attempts={step.retry.attempts} delay={step.retry.delay} kinds={step.retry.kinds}")
        if step.guard is not None:
            more.append(f"when={self.answers[number]} of {[one.step for one in step.guard.parameters]}")
        if step.fan is not None:
            more.append(f"over={step.fan.over} at once={step.fan.concurrency} min={step.fan.min_success}")
            more.append(f"keyed={step.fan.key is not None}")
        said = {
            index: [f"{one.how}{one.choice or ''}{'!' if one.best else ''}" for one in script]
            for (owner, index), script in self.scripts.items()
            if owner == number
        }
        return f"{number} {step.name}: {' '.join(filter(None, more))} says {said}"

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:
        """The same for Hypothesis."""
        printer.text(repr(self))


class Fatal(Exception):
    """What a policy's `unless` names."""
