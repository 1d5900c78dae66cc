"""Which step is meant by a name or a function, and the list of everything that is wrong with a pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from stepwell.definition.spec import StepRef, StepSpec
from stepwell.definition.suggest import closest, did_you_mean
from stepwell.errors import Problem
from stepwell.ids import canonical

SUGGESTIONS = 20
"""Searches for a similar name in one compilation: among 10,000 names each takes a while."""


class Problems:
    """Everything that was found so far."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, spec: StepSpec | None, message: str) -> None:
        """One more, at this step; of the pipeline itself where there is none."""
        if spec is None:
            self.found.append(Problem(message))
        else:
            self.found.append(Problem(message, spec.name, spec.file, spec.line))


class Names:
    """The steps by name, in any of the spellings that count as equal, and by function."""

    def __init__(self, steps: Sequence[StepSpec], problems: Problems) -> None:
        self.steps = steps
        self._problems = problems
        self._searches = SUGGESTIONS
        self._by_name: dict[str, int] = {}
        self._by_function: dict[object, int] = {}
        self._twice: set[object] = set()
        for number, spec in enumerate(steps):
            known = self._by_name.setdefault(canonical(spec.name), number)
            if known != number:
                first = steps[known]
                problems.add(spec, f"`{first.name}` at {first.file}:{first.line} has the same name; rename one of them")
            key = _key(spec.function)
            if self._by_function.setdefault(key, number) != number:
                self._twice.add(key)

    def named(self, name: str) -> int | None:
        """The number of the step with this name."""
        return self._by_name.get(canonical(name))

    def all(self) -> Iterator[str]:
        """The names as they were written."""
        return (spec.name for spec in self.steps)

    def resolve(self, ref: StepRef, spec: StepSpec | None, option: str) -> int | None:
        """The number of the step that an option refers to; a problem of `spec`, and None, where there is none."""
        if isinstance(ref, str):
            number = self.named(ref)
            if number is None:
                self._problems.add(spec, f"{option} names a step `{ref}` that there is not{self._way_out(ref)}")
            return number
        key = _key(ref)
        number = self._by_function.get(key)
        name = str(getattr(ref, "__name__", ref))
        if number is None:
            way_out = self._way_out(name) if self.named(name) is None else "; another function is the step of that name"
            self._problems.add(spec, f"{option} refers to `{name}`, which is no step of this pipeline{way_out}")
        elif key in self._twice:
            own = self.named(name)
            if own is not None and _key(self.steps[own].function) == key:
                return own  # of several steps of one function it is the one that is called like it
            self._problems.add(spec, f"{option} refers to `{name}`, the function of several steps; name one of them")
        return number

    def similar(self, word: str, cutoff: float) -> str:
        """The step's name that is nearest to this word, as long as not too many were asked for."""
        self._searches -= 1
        return closest(word, self.all(), cutoff) if self._searches >= 0 else ""

    def _way_out(self, word: str) -> str:
        self._searches -= 1
        return did_you_mean(word, islice(self.all(), 20_000), what="steps") if self._searches >= 0 else ""


def _key(function: object) -> object:
    """What a function is found by again: a bound method is another object at each access, but equal to itself."""
    try:
        hash(function)
    except TypeError:
        return id(function)
    return function
