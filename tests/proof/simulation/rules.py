"""A second opinion on what may begin and how it must end, written from "three rules" in api.md and nothing else.

It looks at the edges as they were declared and at what is recorded, one step at a time, and knows no graph, fold or
counter of the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from .cases import Case, Says

UNDECLARED = 100
"""How often a step that declares no retry may return `Retry`."""
GOOD = ("completed", "skipped", "tolerated")
"""The ends after which a run goes on."""


class Past(Protocol):
    """What a case needs to know of a run."""

    @property
    def status(self) -> Mapping[int, str]:
        """How each step ended, in its present visit."""
        ...

    @property
    def reason(self) -> Mapping[int, str]: ...

    @property
    def chosen(self) -> Mapping[int, tuple[int, ...]]:
        """The steps that a switch leads to."""
        ...

    @property
    def jumping(self) -> Mapping[int, int]:
        """Steps that have jumped and whose loop is still to be reset: they count as if they had no end."""
        ...

    @property
    def feeding(self) -> frozenset[int] | set[int]:
        """Generators that have begun in their present visit."""
        ...

    @property
    def items(self) -> Mapping[tuple[int, int], str]: ...

    @property
    def visits(self) -> Mapping[int, int]: ...

    @property
    def loops(self) -> Mapping[int, int]:
        """How often a jump has reset each step."""
        ...

    @property
    def offsets(self) -> Mapping[tuple[int, int], int]:
        """Which word of its script the present visit begins with."""
        ...


@dataclass(frozen=True)
class Fate:
    """What the attempts of a step or item come to, taken together; `word` is the one of its script that did it."""

    how: Says
    word: int
    made: int
    """How many attempts that took."""


@dataclass(frozen=True)
class Gate:
    """Whether a step must `wait`, may `go`, or is to be `prune`d, and why."""

    verdict: str
    reason: str = ""


GO, WAIT = Gate("go"), Gate("wait")


class Rules:
    """What must become of each step of a case, by what is recorded."""

    def __init__(self, case: Case, past: Past) -> None:
        self.case = case
        self.past = past
        self._into = [case.into(step.number) for step in case.plan.steps]
        self._triggers = [[wire for wire in into if wire.means in ("to", "route")] for into in self._into]
        self.sources = [sorted({wire.source for wire in into}) for into in self._into]
        self.counted = [self._counted(number) for number in range(len(self._into))]
        """The steps whose edges can start each step."""
        self.fed = [{target for source, target in case.live if source == step.number} for step in case.plan.steps]
        """The maps that take the items of each generator as they come."""

    def _counted(self, step: int) -> set[int]:
        into = self._into[step]
        counted = {wire.source for wire in self._triggers[step] or into}
        if step in self.case.plan.graph.quorums and not self._triggers[step]:
            counted -= {wire.source for wire in into if wire.means == "data"}
        return counted

    def settled(self, source: int, step: int) -> bool:
        """Whether a step knows what it must of one before it: its end, or of its generator that this has begun."""
        if (source, step) in self.case.live and source in self.past.feeding:
            return True
        return source in self.past.status and source not in self.past.jumping

    def lost(self, source: int) -> bool:
        """Whether it, or a step before it, failed for good."""
        past = self.past
        if source in past.jumping:
            return False
        return past.status.get(source) == "failed" or past.reason.get(source) == "upstream_failed"

    def live(self, source: int, step: int) -> bool:
        """Rule 1: an edge is live if its source ended well and, for a route, was chosen."""
        if (source, step) in self.case.live and source in self.past.feeding:
            return True
        if not self.settled(source, step) or self.past.status[source] not in GOOD:
            return False
        wires = [wire for wire in self._triggers[step] or self._into[step] if wire.source == source]
        return any(wire.means != "route" or step in self.past.chosen.get(source, ()) for wire in wires)

    def gate(self, step: int) -> Gate:
        """What is to be done with a step that has no end and no attempt."""
        sources = self.sources[step]
        if not sources:
            return GO
        settled = {source for source in sources if self.settled(source, step)}
        live = sum(self.live(source, step) for source in self.counted[step])
        ends = {source: self.past.status.get(source) for source in settled if source not in self.past.jumping}
        starved = any(
            wire.means == "data" and ends.get(wire.source, "completed") not in ("completed", None)
            for wire in self._into[step]
        )
        wanted = self.case.plan.graph.quorums.get(step)
        if wanted is None:
            if len(settled) < len(sources):
                return WAIT
            if live and not starved and not any(map(self.lost, sources)):
                return GO
        else:
            values = {wire.source for wire in self._into[step] if wire.means == "data"}
            if live >= wanted and not starved and all(source in settled for source in values):
                return GO
            if live + len(self.counted[step] - settled) >= wanted and not starved:
                return WAIT
        if any(self.lost(source) for source in sources):
            return Gate("prune", "upstream_failed")
        return Gate("prune", "no_value" if live and starved else "not_reached")

    def answer(self, step: int) -> str:
        """What its `when` says in this visit."""
        answers = self.case.answers.get(step, ("yes",))
        return answers[min(self.past.visits.get(step, 1), len(answers)) - 1]

    def fate(self, step: int, item: int) -> Fate:
        """The attempts of one visit, one after the other, until one is the last."""
        word = self.past.offsets.get((step, item), 0)
        policy = self.case.plan.steps[step].retry
        made = 0
        while True:
            says = self.case.word(step, item, word).how
            made += 1
            if says in ("value", "skip", "stop", "goto"):
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

    def target(self, step: int, word: int) -> int:
        """Where a jump leads."""
        targets = self.case.plan.steps[step].goto
        return targets[self.case.word(step, -1, word).choice % len(targets)]

    def may_jump(self, step: int, target: int) -> bool:
        """Whether neither the step nor its target has had all of its visits."""
        return all(1 + self.past.loops.get(one, 0) < self.case.plan.steps[one].max_visits for one in (step, target))

    def single(self, step: int) -> str:
        """How a step that has all its attempts behind it must end: `completed`, `goto`, `soft`, `loop`, …"""
        fate = self.fate(step, -1)
        if fate.how == "goto":
            if self.may_jump(step, self.target(step, fate.word)):
                return "goto"
            return "soft" if self.case.word(step, -1, fate.word).best else "loop"
        return {"skip": "pruned", "fail": "failed", "stop": "stops"}.get(fate.how, "completed")

    def enough(self, step: int, count: int) -> bool:
        """Whether as many of so many items ended well as the map asks for."""
        fan = self.case.plan.steps[step].fan
        assert fan is not None
        good = count - sum(self.past.items.get((step, item)) == "failed" for item in range(count))
        least = count if fan.min_success is None else fan.min_success
        return good >= (least * count if isinstance(least, float) else least)

    def needed(self, users: set[int], lost: set[int]) -> set[int]:
        """Of the steps whose output nobody has any more, those that the users take; what those take; and so on."""
        found: set[int] = set()
        left = list(users)
        while left:
            user = left.pop()
            for wire in self._into[user]:
                if wire.means in ("data", "default") and wire.source in lost and wire.source not in found:
                    found.add(wire.source)
                    left.append(wire.source)
        return found

    def after(self, step: int) -> set[int]:
        """A step and all that follows it."""
        found, left = {step}, [step]
        while left:
            at = left.pop()
            more = {wire.target for wire in self.case.wires if wire.source == at} - found
            found |= more
            left.extend(more)
        return found
