"""What somebody wants to run: options told from inputs, and both checked, before anything happens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from msgspec import Struct

from stepwell.api.inputs import check_inputs
from stepwell.clock import Duration, seconds
from stepwell.errors import DefinitionError, InputError
from stepwell.plan.plan import Plan
from stepwell.text import can_be_written

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*\Z")
_OPTIONS = ("key", "on_failure", "run_timeout", "run_id")
_LATER = frozenset(
    {"state", "context", "work_dir", "use_cache", "pause", "rollback_on_failure", "budget", "only", "skip"}
)
"""Options of a run that this version does not have."""


class Wish(Struct, frozen=True):
    """A run to be started: the plan, inputs that are checked and complete, and how it is to run."""

    plan: Plan
    inputs: Mapping[str, object]
    key: str = ""
    target: str = ""
    on_failure: str = "stop"
    run_timeout: float | None = None
    run_id: str = ""


def wish(plan: Plan, given: Mapping[str, object], *, target: str = "") -> Wish:
    """The wish in these keywords; raises DefinitionError for options and InputError for inputs that are wrong.

    A keyword that the pipeline has an input for is that input, whatever options there are.
    """
    inputs: object = given.get("inputs", {}) if "inputs" not in plan.inputs else {}
    if not isinstance(inputs, Mapping):
        raise DefinitionError(f"inputs= is a dict of the run's inputs, not {inputs!r}")
    inputs = cast("Mapping[str, object]", inputs)
    options = {name: given[name] for name in _OPTIONS if name in given and name not in plan.inputs}
    rest = {name: value for name, value in given.items() if name not in options}
    if "inputs" not in plan.inputs:
        rest.pop("inputs", None)
    if twice := sorted(rest.keys() & inputs.keys()):
        raise InputError(
            f"given both by name and in inputs=: {', '.join(f'`{name}`' for name in twice)}; give each once"
        )
    if late := sorted(name for name in rest if name in _LATER and name not in plan.inputs):
        raise DefinitionError(f"this version has no run option {', '.join(f'`{name}`' for name in late)} yet")
    return Wish(
        plan=plan,
        inputs=check_inputs(plan, {**inputs, **rest}),
        key=_text("key", options.get("key", "")),
        target=target,
        on_failure=_on_failure(options.get("on_failure", plan.on_failure)),
        run_timeout=_timeout(options.get("run_timeout", plan.run_timeout)),
        run_id=_run_id(options.get("run_id", "")),
    )


def _text(option: str, value: object) -> str:
    if value is not None and not isinstance(value, str):
        raise DefinitionError(f"{option} is text, not {value!r}")
    if value and not can_be_written(value):
        raise DefinitionError(f"{option} is text, and {value!r} holds half of a character (a lone surrogate)")
    return value or ""


def _run_id(value: object) -> str:
    """An id that can be typed, and is none of the words that stand for one."""
    text = _text("run_id", value)
    if text and (text == "last" or not _RUN_ID.match(text)):
        raise DefinitionError(f"run_id has letters, digits, `_`, `-`, `.` and `:`, and is not `last`; not {text!r}")
    return text


def _on_failure(value: object) -> str:
    if value not in ("stop", "cancel", "finish"):
        raise DefinitionError(f'on_failure is "stop", "cancel" or "finish", not {value!r}')
    return str(value)


def _timeout(value: object) -> float | None:
    if value is None:
        return None
    try:
        return seconds(cast("Duration", value), "run_timeout")
    except ValueError as error:
        raise DefinitionError(str(error)) from None
