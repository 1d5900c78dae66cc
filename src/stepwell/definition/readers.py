"""What each option takes: a reader an option, from what somebody wrote to what `StepSpec` keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

from stepwell.clock import Duration, seconds
from stepwell.definition import later
from stepwell.definition.functions import is_generator
from stepwell.definition.spec import Function, Kind, StepRef
from stepwell.ids import NAME
from stepwell.policy import RetryPolicy

Reader = Callable[[object], object]
"""Reads what an option was given; raises ValueError or TypeError that says what it takes."""


def checked_name(name: object, what: str) -> str:
    """The name; raises ValueError where it is none."""
    if not isinstance(name, str) or not NAME.match(name):
        raise ValueError(
            f"{what} begins with a letter, then letters, digits, `_` and `-` may follow; {name!r} does not do"
        )
    return name


def retry_policy(given: object) -> RetryPolicy:
    """What `retry=` says: a number of attempts, or a policy."""
    if isinstance(given, RetryPolicy):
        return given
    if isinstance(given, int):
        return RetryPolicy(attempts=given)
    raise TypeError(f"retry takes a number of attempts or a RetryPolicy, not {given!r}")


def wait(what: str) -> Callable[[object], float]:
    """The reader of a duration that cannot be nothing."""

    def read(given: object) -> float:
        length = seconds(cast("Duration", given), what)
        if length == 0:
            raise ValueError(f"{what} must be longer than nothing; leave it out for no limit")
        return length

    return read


def at_least_one(what: str) -> Callable[[object], int]:
    """The reader of a number of things at once."""

    def read(given: object) -> int:
        if isinstance(given, bool) or not isinstance(given, int) or given < 1:
            raise ValueError(f"{what} must be a whole number of at least 1, not {given!r}")
        return given

    return read


def one_of(what: str, *choices: str) -> Callable[[object], str]:
    """The reader of a choice."""

    def read(given: object) -> str:
        if given in choices:
            return str(given)
        raise ValueError(f"{what} is one of {', '.join(map(repr, choices))}, not {given!r}")

    return read


def text(what: str) -> Callable[[object], str]:
    """The reader of a text."""

    def read(given: object) -> str:
        if not isinstance(given, str):
            raise TypeError(f"{what} takes a text, not {given!r}")
        return given

    return read


def step_ref(what: str) -> Callable[[object], StepRef]:
    """The reader of one step."""

    def read(given: object) -> StepRef:
        if isinstance(given, str) or callable(given):
            return given
        raise TypeError(f"{what} takes a step: its name or its function, not {given!r}")

    return read


def step_refs(what: str) -> Callable[[object], tuple[StepRef, ...]]:
    """The reader of one step or several."""
    one = step_ref(what)

    def read(given: object) -> tuple[StepRef, ...]:
        if isinstance(given, (list, tuple, set, frozenset)):
            return tuple(one(ref) for ref in _in_order(cast("Iterable[object]", given)))
        return (one(given),)

    return read


def _in_order(given: Iterable[object]) -> list[object]:
    """A set has none of its own, and its order changes from process to process."""
    return sorted(given, key=str) if isinstance(given, (set, frozenset)) else list(given)


def _bindings(given: object) -> dict[str, StepRef]:
    if not isinstance(given, Mapping):
        raise TypeError(f"inputs takes a mapping from parameter to step, not {given!r}")
    one = step_ref("inputs")
    return {str(name): one(ref) for name, ref in cast("Mapping[object, object]", given).items()}


def _guard(given: object) -> Function | str:
    if isinstance(given, str) and given.strip():
        return given
    if callable(given) and not is_generator(given):
        return given
    raise TypeError(f"when takes a function or the text of a condition, not {given!r}")


def _runs_on(given: object) -> str:
    if given in later.RUNS_ON:
        raise ValueError(later.not_yet(f"runs_on={given!r}", 'use "thread", or leave it out'))
    return one_of("runs_on", "auto", "inline", "thread")(given)


def _join(given: object) -> int:
    """How many of the steps before it must be live: 0 for all of them."""
    if given in ("all", "any"):
        return int(given == "any")
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ValueError(f"join is 'all', 'any' or how many of the steps before it must be live, not {given!r}")
    return given


def _flag(given: object) -> bool:
    if not isinstance(given, bool):
        raise TypeError(f"critical is True or False, not {given!r}")
    return given


def _tags(given: object) -> tuple[str, ...]:
    tags = _in_order(cast("Iterable[object]", given)) if isinstance(given, (list, tuple, set, frozenset)) else [given]
    return tuple(text("tags")(tag) for tag in tags)


def _meta(given: object) -> dict[str, object]:
    if not isinstance(given, Mapping):
        raise TypeError(f"meta takes a mapping, not {given!r}")
    return {str(name): value for name, value in cast("Mapping[object, object]", given).items()}


def _routes(given: object) -> tuple[tuple[object, tuple[StepRef, ...]], ...]:
    """A mapping from value to steps, or pairs of the two."""
    targets = step_refs("to")
    pairs = list(cast("Mapping[object, object]", given).items()) if isinstance(given, Mapping) else given
    if not isinstance(pairs, (list, tuple)) or not all(_is_pair(pair) for pair in cast("list[object]", pairs)):
        raise TypeError(f"to of a switch takes a mapping from value to step, not {given!r}")
    return tuple((value, targets(refs)) for value, refs in cast("Sequence[tuple[object, object]]", pairs))


def _is_pair(given: object) -> bool:
    return isinstance(given, tuple) and len(cast("tuple[object, ...]", given)) == 2


def _key(given: object) -> Function:
    if not callable(given):
        raise TypeError(f"key takes a function of one item, not {given!r}")
    return given


def _min_success(given: object) -> float | int:
    share = isinstance(given, float) and 0 <= given <= 1
    number = isinstance(given, int) and not isinstance(given, bool) and given >= 0
    if not share and not number:
        raise ValueError(f"min_success is a number of items such as 10, or a share such as 0.9, not {given!r}")
    return cast("float | int", given)


READERS: Mapping[str, Reader] = {
    "label": text("label"),
    "after": step_refs("after"),
    "to": step_refs("to"),
    "inputs": _bindings,
    "when": _guard,
    "join": _join,
    "join_timeout": wait("join_timeout"),
    "retry": retry_policy,
    "timeout": wait("timeout"),
    "critical": _flag,
    "runs_on": _runs_on,
    "durability": one_of("durability", "strict", "ephemeral"),
    "max_visits": at_least_one("max_visits"),
    "version": text("version"),
    "tags": _tags,
    "meta": _meta,
}
"""The options that every step has."""

READERS_OF: Mapping[Kind, Mapping[str, Reader]] = {
    "step": {"goto": step_refs("goto")},
    "map": {
        "over": step_ref("over"),
        "key": _key,
        "concurrency": at_least_one("concurrency of a map"),
        "min_success": _min_success,
    },
    "switch": {"to": _routes, "default": step_refs("default"), "goto": step_refs("goto")},
}
"""Those of one kind of step."""
