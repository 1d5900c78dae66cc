"""The inputs of a run: what several steps ask for under one name, made one."""

from __future__ import annotations

from msgspec import Struct, field

from stepwell.definition.spec import StepSpec
from stepwell.plan.names import Names, Problems
from stepwell.plan.plan import UNSET, InputSpec
from stepwell.plan.ports import Codecs, codec_of
from stepwell.plan.shape import EMPTY, Asked

RESEMBLES = 0.8
"""From which likeness on a defaulted input is taken for a misspelt step."""


class _Wanted(Struct):
    """One input, with the step that declared its type and the one that declared its default first."""

    annotation: object = EMPTY
    typed: StepSpec | None = None
    default: object = UNSET
    defaulted: StepSpec | None = None
    required: bool = False
    used_by: dict[str, StepSpec] = field(default_factory=dict[str, StepSpec])


class Inputs:
    """What the steps ask the run for."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._wanted: dict[str, _Wanted] = {}

    def ask(self, spec: StepSpec, asked: Asked) -> None:
        """One step's parameter is an input; a problem where two steps do not agree about it."""
        wanted = self._wanted.setdefault(asked.name, _Wanted())
        wanted.used_by[spec.name] = spec
        if asked.annotation is not EMPTY:
            if wanted.typed is None:
                wanted.annotation, wanted.typed = asked.annotation, spec
            elif wanted.annotation != asked.annotation:
                self._disagree(spec, wanted.typed, asked.name, "type", _readable(asked.annotation), wanted.annotation)
        if asked.default is UNSET:
            wanted.required = True
        elif wanted.defaulted is None:
            wanted.default, wanted.defaulted = asked.default, spec
        elif not _same(wanted.default, asked.default):
            self._disagree(spec, wanted.defaulted, asked.name, "default", repr(asked.default), wanted.default)

    def _disagree(self, spec: StepSpec, first: StepSpec, name: str, what: str, mine: str, other: object) -> None:
        theirs = repr(other) if what == "default" else _readable(other)
        message = f"the input `{name}` has the {what} {mine} here and {theirs} in step `{first.name}`"
        self._problems.add(spec, f"{message}; give both the same, or one of the two another name")

    def specs(self, codecs: Codecs) -> dict[str, InputSpec]:
        """The inputs by name, in the order in which they were first asked for.

        One that any step needs is required, whatever others would do without it.
        """
        specs: dict[str, InputSpec] = {}
        for name, wanted in self._wanted.items():
            spec = wanted.typed or next(iter(wanted.used_by.values()))
            codec = codec_of(codecs, wanted.annotation, f"the input `{name}`", spec, self._problems)
            default = UNSET if wanted.required else wanted.default
            if codec is not None:
                specs[name] = InputSpec(name, wanted.annotation, codec, default, tuple(wanted.used_by))
        return specs

    def warnings(self, names: Names) -> list[str]:
        """What a misspelt data parameter looks like: an input that nobody gives, whose default is used instead."""
        found: list[str] = []
        for name, wanted in self._wanted.items():
            if wanted.required:
                continue
            if step := names.similar(name, RESEMBLES):
                users = ", ".join(f"`{user}`" for user in wanted.used_by)
                found.append(
                    f"`{name}` of {users} is an input with a default, and its name resembles the step `{step}`; "
                    f'if the step is meant, spell it so or say inputs={{"{name}": "{step}"}}'
                )
        return found


def _same(one: object, other: object) -> bool:
    """Whether two defaults are the same; arrays and their like cannot be asked."""
    try:
        return one is other or (type(one) is type(other) and bool(one == other))
    except Exception:
        return False


def _readable(annotation: object) -> str:
    return annotation.__qualname__ if isinstance(annotation, type) else str(annotation)
