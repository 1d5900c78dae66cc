"""The sequential builder: one call, in which options of the step and values for its function stand side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from msgspec import Struct

from stepwell.definition.functions import own_name
from stepwell.definition.options import is_option
from stepwell.definition.spec import Function, Kind
from stepwell.errors import DefinitionError, Problem
from stepwell.ids import canonical


class Built(Struct, frozen=True):
    """What a call of the builder says, taken apart."""

    kind: Kind
    function: Callable[..., object]
    options: dict[str, object]
    bound: dict[str, object]


def built_step(
    name: str, function: object, before: object, kwargs: Mapping[str, object], given: Mapping[str, object]
) -> Built:
    """Tell options from values: a keyword that is an option is one, whatever the function's parameters are called.

    `before` are the steps it follows; a map follows its source anyway, and takes its items as they come if it only
    does that. What has `over` is a map, what has a mapping as `to` is a switch.
    """
    kind: Kind = "step"
    if "over" in given:
        kind = "map"
    elif isinstance(given.get("to"), Mapping):
        kind = "switch"
    options = {option: value for option, value in given.items() if is_option(option, kind)}
    bound = {parameter: value for parameter, value in given.items() if parameter not in options}
    follows = [one for one in _listed(before) if not _is_named(one, given.get("over"))]
    options["after"] = [*follows, *_listed(options.get("after"))]
    return Built(kind, _callable(function), {**options, "name": name}, {**bound, **kwargs})


def _is_named(one: object, ref: object) -> bool:
    """Whether two references are to one step, as far as their names tell."""
    names = [each if isinstance(each, str) else own_name(cast("Function", each)) for each in (one, ref)]
    return canonical(names[0]) == canonical(names[1])


def group_members(members: object) -> list[tuple[str, object]]:
    """The members of a parallel group, each with its name; raises DefinitionError with all that is wrong."""
    if not isinstance(members, (list, tuple)) or not members:
        raise DefinitionError(f"a parallel group takes a list of functions, or of (name, function), not {members!r}")
    found: list[tuple[str, object]] = []
    problems: list[Problem] = []
    for member in cast("list[object]", members):
        whole: tuple[object, ...] = (own_name(cast("Function", member)), member)
        if isinstance(member, tuple):
            whole = cast("tuple[object, ...]", member)
        if len(whole) == 2 and isinstance(whole[0], str) and whole[0]:
            found.append((whole[0], whole[1]))
        else:
            problems.append(Problem(f"a member of a parallel group is a function or (name, function), not {member!r}"))
    if problems:
        raise DefinitionError(problems)
    return found


def _callable(function: object) -> Callable[..., object]:
    """What is called of an object: itself, else its `execute`; what has neither is refused where options are read."""
    execute = None if callable(function) else getattr(function, "execute", None)
    return cast("Callable[..., object]", function if execute is None else execute)


def _listed(refs: object) -> list[object]:
    if refs is None:
        return []
    return list(cast("list[object]", refs)) if isinstance(refs, (list, tuple, set, frozenset)) else [refs]
