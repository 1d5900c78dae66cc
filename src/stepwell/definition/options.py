"""Options as somebody wrote them, turned into a `StepSpec`; all that is wrong with them is said at once.

@pipe.map(over=collect, retry=3, timeout="10s")   ──►   StepSpec(over=collect, retry=RetryPolicy(3), timeout=10.0)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from msgspec import Struct, field

from stepwell.definition import later
from stepwell.definition.functions import own_name, place
from stepwell.definition.readers import READERS, READERS_OF, checked_name
from stepwell.definition.spec import Function, Kind, StepSpec
from stepwell.definition.suggest import did_you_mean
from stepwell.errors import DefinitionError, Problem
from stepwell.ids import canonical

RESERVED = frozenset({
    "state", "context", "config", "item", "error", "answer", "token", "work_dir", "step_name",
})  # fmt: skip
"""What parameters receive by convention, and no step can be called therefore."""

_FIELDS: Mapping[tuple[Kind, str], str] = {("switch", "to"): "routes"}
"""Options that have another name in `StepSpec`."""


class Written(Struct, frozen=True):
    """One step as it arrives: nothing of it is checked yet. `file` and `line` are where it was said."""

    kind: Kind
    function: object
    options: Mapping[str, object]
    file: str = ""
    line: int = 0
    bound: Mapping[str, object] = field(default_factory=dict[str, object])
    names: Mapping[str, object] = field(default_factory=dict[str, object])


def step_spec(written: Written) -> StepSpec:
    """The step as data; raises DefinitionError with everything that is wrong about its options."""
    complaints: list[str] = []
    function = _function(written.function, complaints)
    name = _name(written.options.get("name"), function, complaints)
    values = _values(written, complaints)
    file, line = place(function) or (written.file, written.line)
    if complaints:
        raise DefinitionError([Problem(complaint, name, file, line) for complaint in complaints])
    values.setdefault("label", title(name))
    # Each value was made by the reader of its option, which is what the field holds.
    return StepSpec(
        name, written.kind, function, file, line,
        bound=dict(written.bound), names=dict(written.names), **cast("dict[str, Any]", values),
    )  # fmt: skip


def is_option(name: str, kind: Kind) -> bool:
    """Whether a keyword is an option of this kind of step, of this version or of a later one."""
    return name in READERS or name in READERS_OF[kind] or name in later.STEP_OPTIONS


def title(name: str) -> str:
    """The label of a step that was given none.

    >>> title("load_raw-data")
    'Load Raw Data'
    """
    words = re.split(r"[_-]+", name)
    return " ".join(word[:1].upper() + word[1:] for word in words if word)


def _function(given: object, complaints: list[str]) -> Function:
    if not callable(given):
        complaints.append(f"a step is a function, another callable, or an object with `execute`, not {given!r}")
    return cast("Function", given)


def _name(given: object, function: Function, complaints: list[str]) -> str:
    name = own_name(function) if given is None else given
    if name == "":
        complaints.append("this function has no name of its own; give the step one: name=…")
        return ""
    try:
        checked_name(name, "the step's name")
    except ValueError as error:
        complaints.append(str(error))
    else:
        if canonical(str(name)) in RESERVED:
            complaints.append(
                f"`{name}` cannot be a step's name: a parameter of that name receives something else; rename it"
            )
    return str(name)


def _values(written: Written, complaints: list[str]) -> dict[str, object]:
    """What each option says in the form that `StepSpec` keeps."""
    readers = {**READERS, **READERS_OF[written.kind]}
    values: dict[str, object] = {}
    for option, given in written.options.items():
        reader = readers.get(option)
        if option == "name":
            continue
        if reader is None:
            if complaint := _complaint(option, given, written.kind):
                complaints.append(complaint)
        elif given is not None:
            try:
                values[_FIELDS.get((written.kind, option), option)] = reader(given)
            except (ValueError, TypeError) as error:
                complaints.append(str(error))
    return values


def _complaint(option: str, given: object, kind: Kind) -> str:
    """What to say of an option that this kind of step does not read; nothing if it asks for nothing."""
    if option in later.STEP_OPTIONS:
        return "" if _harmless(given, later.STEP_OPTIONS[option]) else later.not_yet(f"the option `{option}={given!r}`")
    others = [other for other in READERS_OF if option in READERS_OF[other]]
    if others:
        return f"`{option}` is an option of `@pipe.{others[0]}`, and this is a {kind}"
    return f"there is no option `{option}`" + did_you_mean(option, _known(kind), what="options")


def _harmless(given: object, values: tuple[object, ...]) -> bool:
    """Whether it is one of these values, and not just equal to one: 0 is not False."""
    return any(type(given) is type(value) and given == value for value in values)


def _known(kind: Kind) -> list[str]:
    return ["name", *READERS, *(name for name in READERS_OF[kind] if name not in READERS)]


def refuse_later(given: Mapping[str, object], table: Mapping[str, tuple[object, ...]], known: Iterable[str]) -> None:
    """Raise DefinitionError for options of a pipeline that are of a later version, or of none."""
    complaints: list[str] = []
    for option, value in given.items():
        if option not in table:
            complaints.append(f"a pipeline has no option `{option}`" + did_you_mean(option, known, what="options"))
        elif not _harmless(value, table[option]):
            complaints.append(later.not_yet(f"the option `{option}`"))
    if complaints:
        raise DefinitionError([Problem(complaint) for complaint in complaints])
