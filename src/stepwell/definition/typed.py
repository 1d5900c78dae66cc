"""The options of a step as a type checker and an editor see them; what they mean is in `readers.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from stepwell.clock import Duration
from stepwell.definition.spec import Durability, Function, RunsOn, StepRef
from stepwell.policy import RetryPolicy

StepRefs = StepRef | Sequence[StepRef]
"""One step or several."""


class CommonOptions(TypedDict, total=False):
    """What every step can be told; none of it must be."""

    name: str
    """Its identifier; the function's name where it is left out."""
    label: str
    """How it reads for people."""
    after: StepRefs
    """Order only: it starts when these are done."""
    inputs: Mapping[str, StepRef]
    """Which step's output a parameter receives, where its name does not say so."""
    when: Function | str
    """A condition with parameters of its own; where it is false the step is skipped."""
    join: Literal["all", "any"] | int
    """How many of the edges before it must be live: `"all"`, `"any"`, or a number."""
    join_timeout: Duration
    """How long it waits for that, from the end of the first step before it; then it fails."""
    retry: int | RetryPolicy
    """Attempts in all, or a policy."""
    timeout: Duration
    """How long an attempt may take."""
    critical: bool
    """False: its failure is recorded, and the run goes on."""
    durability: Durability
    """`"ephemeral"` keeps no output: the step runs again on a resume if an unfinished step needs it."""
    max_visits: int
    """How often a loop may run it."""
    runs_on: RunsOn
    """`"inline"` runs a quick sync function on the loop, `"thread"` in a thread; `"auto"` chooses."""
    version: str
    """Stands for the code in the fingerprint."""
    tags: str | Sequence[str]
    """Words to find it by."""
    meta: Mapping[str, object]
    """Whatever else is to be kept with it."""


class MapOptions(CommonOptions, total=False):
    """What a map can be told."""

    to: StepRefs
    """What it starts when it is done; may be defined later."""


class SwitchOptions(CommonOptions, total=False):
    """What a switch can be told."""

    goto: StepRefs
    """Where it may jump back to, by returning `Goto`."""


class StepOptions(MapOptions, SwitchOptions, total=False):
    """What a step can be told."""
