"""`StepSpec` and `Definition`: a pipeline as it was written down, with file and line of each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct, field

from stepwell.policy import RetryPolicy

Function = Callable[..., object]
StepRef = str | Function
"""A step as one refers to it: its name, or its function."""

Kind = Literal["step", "map", "switch"]
OnFailure = Literal["stop", "cancel", "finish"]
RunsOn = Literal["auto", "inline", "thread"]
Durability = Literal["strict", "ephemeral"]


class StepSpec(Struct, frozen=True):
    """One step as it was written down; references are still names or functions, durations are seconds."""

    name: str
    kind: Kind
    function: Function
    file: str
    line: int
    label: str = ""
    after: tuple[StepRef, ...] = ()
    to: tuple[StepRef, ...] = ()
    inputs: Mapping[str, StepRef] = field(default_factory=dict[str, StepRef])
    bound: Mapping[str, object] = field(default_factory=dict[str, object])
    """Values given by `add_step(**kwargs)`: they reach these parameters as they are."""
    when: Function | str | None = None
    join: int = 0
    """How many of the steps before it must be live; 0: all of them must have ended."""
    join_timeout: float | None = None
    retry: RetryPolicy | None = None
    timeout: float | None = None
    critical: bool = True
    durability: Durability | None = None
    goto: tuple[StepRef, ...] = ()
    max_visits: int = 100
    runs_on: RunsOn = "auto"
    version: str = ""
    tags: tuple[str, ...] = ()
    meta: Mapping[str, object] = field(default_factory=dict[str, object])
    routes: tuple[tuple[object, tuple[StepRef, ...]], ...] = ()
    """A switch's value → steps, in the order written."""
    default: tuple[StepRef, ...] | None = None
    over: StepRef | None = None
    key: Callable[[object], object] | None = None
    concurrency: int = 32
    min_success: float | int | None = None
    names: Mapping[str, object] = field(default_factory=dict[str, object])
    """What names in string annotations stood for where the function was defined inside another one."""


class Definition(Struct, frozen=True):
    """A whole pipeline as it was written down; `retry`, `timeout` and `durability` are defaults of its steps."""

    name: str
    steps: tuple[StepSpec, ...]
    description: str = ""
    version: str = ""
    output: StepRef | None = None
    retry: RetryPolicy | None = None
    timeout: float | None = None
    durability: Durability = "strict"
    on_failure: OnFailure = "stop"
    concurrency: int | None = None
    run_timeout: float | None = None
