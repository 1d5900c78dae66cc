"""A second opinion on how each step must end, written from "three rules" in api.md and from nothing else.

It looks at the whole pipeline and at the edges as they were declared, recursively, and knows no graph, fold or counter
of the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from .cases import Case, Says, Wire

UNDECLARED = 100
"""How often a step that declares no retry may return `Retry`."""


class Past(Protocol):
    """What a case needs to know of a run: which visit a step is in, and which word of its script that begins with."""

    @property
    def visits(self) -> Mapping[int, int]: ...

    @property
    def offsets(self) -> Mapping[tuple[int, int], int]: ...


@dataclass(frozen=True)
class Fate:
    """What the attempts of a step or item come to, taken together; `word` is the one of its script that did it."""

    how: Says
    word: int
    made: int
    """How many attempts that took."""


@dataclass(frozen=True)
class End:
    """How a step must end, why, and what it hands on."""

    status: str
    reason: str = ""
    value: object = None
    stops: bool = False
    degraded: bool = False


class Rules:
    """The ends of all steps of a case, in the visits that they are in."""

    def __init__(self, case: Case, past: Past) -> None:
        self.case = case
        self.past = past
        self._known: dict[int, End] = {}

    def end(self, step: int) -> End:
        """How this step must end if nothing holds up the run."""
        if step not in self._known:
            self._known[step] = self._end(step)
        return self._known[step]

    def _end(self, step: int) -> End:
        into = [wire for wire in self.case.wires if wire.target == step]
        if into:
            if any(self.lost(wire.source) for wire in into):
                return End("pruned", "upstream_failed")
            triggers = [wire for wire in into if wire.means in ("to", "route")]
            if not any(self.live(wire) for wire in triggers or into):
                return End("pruned", "not_reached")
            if any(wire.means == "data" and self.end(wire.source).status != "completed" for wire in into):
                return End("pruned", "no_value")
        answer = self.answer(step)
        if answer == "no":
            return End("skipped", "when_false")
        if answer == "raises":
            return self._failed(step, "when_raised")
        return self._map(step) if step in self.case.counts else self._single(step)

    def lost(self, step: int) -> bool:
        """Whether it, or a step before it, failed for good."""
        end = self.end(step)
        return end.status == "failed" or end.reason == "upstream_failed"

    def live(self, wire: Wire) -> bool:
        """Rule 1: an edge is live if its source ended well and, for a route, was chosen."""
        end = self.end(wire.source)
        if end.status not in ("completed", "skipped", "tolerated"):
            return False
        return wire.means != "route" or (end.status == "completed" and self.choice(wire.source) == wire.choice)

    def choice(self, switch: int) -> int:
        """The route that a switch has chosen; -1 where it returned `Stop`."""
        fate = self.fate(switch, -1)
        script = self.case.scripts[switch, -1]
        return script[min(fate.word, len(script) - 1)].choice if fate.how == "value" else -1

    def answer(self, step: int) -> str:
        """What its `when` says in this visit."""
        answers = self.case.answers.get(step, ("yes",))
        return answers[min(self.past.visits.get(step, 1), len(answers)) - 1]

    def fate(self, step: int, item: int) -> Fate:
        """The attempts of one visit, one after the other, until one is the last."""
        script, word = self.case.scripts[step, item], self.past.offsets.get((step, item), 0)
        policy = self.case.plan.steps[step].retry
        made = 0
        while True:
            says = script[min(word, len(script) - 1)].how
            made += 1
            if says in ("value", "skip", "stop"):
                return Fate(says, word, made)
            if says in ("again", "later"):
                more = made < (policy.attempts if policy else UNDECLARED)
            else:
                more = policy is not None and made < policy.attempts and self._tries(step, says)
            if not more:
                return Fate("fail", word, made)
            word += 1

    def _tries(self, step: int, says: Says) -> bool:
        """Whether the step's policy covers such a failure."""
        policy = self.case.plan.steps[step].retry
        if policy is None or says == "abandoned":
            return False
        if says == "fatal" and policy.unless:
            return False
        return not policy.kinds or ("timeout" if says == "timeout" else "error") in policy.kinds

    def _single(self, step: int) -> End:
        fate = self.fate(step, -1)
        if fate.how == "skip":
            return End("pruned", "it_returned_skip")
        if fate.how == "fail":
            return self._failed(step)
        return End("completed", value=value_of(step, -1, fate.word), stops=fate.how == "stop")

    def _map(self, step: int) -> End:
        count, fan = self.case.counts[step], self.case.plan.steps[step].fan
        if count < 0 or fan is None:
            return self._failed(step, "items_not_usable")
        fates = [self.fate(step, item) for item in range(count)]
        good = sum(fate.how != "fail" for fate in fates)
        least = count if fan.min_success is None else fan.min_success
        if isinstance(least, float):
            least = least * count
        if good < least:
            return self._failed(step, "items_failed")
        values = [value_of(step, item, fate.word) for item, fate in enumerate(fates) if fate.how in ("value", "stop")]
        return End("completed", value=values, stops=any(f.how == "stop" for f in fates), degraded=good < count)

    def _failed(self, step: int, reason: str = "") -> End:
        return End("failed" if self.case.plan.steps[step].critical else "tolerated", reason)


def value_of(step: int, item: int, word: int) -> str:
    """The output of the attempt that says the word of this number; no two attempts of a run give the same."""
    return f"{step}.{item}.{word}"
