"""The plan: a pipeline that has been checked, with everything resolved that can be before a run; frozen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from msgspec import Struct, field, structs

from stepwell.codecs.port import Codec
from stepwell.definition.spec import Function, Kind, OnFailure
from stepwell.graph import Graph
from stepwell.policy import RetryPolicy

Source = Literal["step", "input", "bound", "item", "context", "token", "step_name"]
Mode = Literal["async", "inline", "thread"]


class Unset:
    """The type of `UNSET`: no value, where None would be one."""

    def __repr__(self) -> str:
        """How it reads in a traceback."""
        return "UNSET"


UNSET = Unset()


class Parameter(Struct, frozen=True):
    """What one parameter of a function receives.

    `source` says from where: `step` (the output of step number `step`), `input` (the run's input `input`),
    `bound` (the value `default`), `item`, `context` (a StepContext), `token` (a CancelToken), `step_name`.
    `default` is the parameter's own default, or UNSET.
    """

    name: str
    source: Source
    step: int = -1
    input: str = ""
    default: object = UNSET
    keyword_only: bool = False


class Guard(Struct, frozen=True):
    """A step's `when`: a function of its own parameters."""

    function: Function
    parameters: tuple[Parameter, ...]
    text: str
    """How it reads, for the reason in the journal."""


class Routes(Struct, frozen=True):
    """Where a switch leads: pairs of a value and step numbers, in the order written, and those of `default`."""

    by_value: tuple[tuple[object, tuple[int, ...]], ...]
    default: tuple[int, ...] | None


class Fan(Struct, frozen=True):
    """What a map runs over: the step whose output gives the items, and how."""

    over: int
    key: Callable[[object], object] | None
    concurrency: int
    min_success: float | int | None
    live: bool = False
    """That step is a generator, and its items are taken as they come."""


class PlanStep(Struct, frozen=True):
    """One step, ready to run. `codec` encodes what the function returns (of a map: for one item)."""

    number: int
    name: str
    label: str
    kind: Kind
    function: Function
    parameters: tuple[Parameter, ...]
    mode: Mode
    codec: Codec
    fingerprint: str
    opaque: bool = False
    """The fingerprint does not cover all of the code: no source, or values in a closure."""
    critical: bool = True
    retry: RetryPolicy | None = None
    timeout: float | None = None
    streams: bool = False
    """Its function is a generator."""
    yields: Codec | None = None
    """Of a generator that a map runs over: encodes one item. Its output is the list of them, whatever they are."""
    feeds: bool = False
    """A map takes its items as they come."""
    join_timeout: float | None = None
    ephemeral: bool = False
    """No output is kept: it runs again on a resume if an unfinished step needs it."""
    goto: tuple[int, ...] = ()
    """Where it may jump back to."""
    max_visits: int = 100
    guard: Guard | None = None
    routes: Routes | None = None
    fan: Fan | None = None
    tags: tuple[str, ...] = ()
    meta: Mapping[str, object] = field(default_factory=dict[str, object])
    file: str = ""
    line: int = 0
    asks: bool = False
    """A parameter asks for something of the attempt itself."""
    watched: bool = False
    """A call of it is more than awaiting it: it has a timeout, is a generator, or runs in a thread."""

    def sources(self) -> Iterator[int]:
        """The steps whose outputs it takes."""
        guard = () if self.guard is None else self.guard.parameters
        for parameter in (*self.parameters, *guard):
            if parameter.source == "step":
                yield parameter.step
        if self.fan is not None:
            yield self.fan.over

    def __post_init__(self) -> None:
        asks = any(parameter.source in ("context", "token", "step_name") for parameter in self.parameters)
        structs.force_setattr(self, "asks", asks)
        structs.force_setattr(self, "watched", self.timeout is not None or self.streams or self.mode == "thread")


class InputSpec(Struct, frozen=True):
    """One input of a run: `default` is UNSET where it is required; `used_by` names the steps that ask for it."""

    name: str
    annotation: object
    codec: Codec
    default: object = UNSET
    used_by: tuple[str, ...] = ()

    @property
    def required(self) -> bool:
        """Whether a run cannot start without it."""
        return self.default is UNSET


class Plan(Struct, frozen=True):
    """A pipeline that can be run; nothing in it changes any more.

    `output` is the number of the step whose output is the run's, or None: then it is a dict of the last steps.
    """

    name: str
    steps: tuple[PlanStep, ...]
    graph: Graph
    inputs: Mapping[str, InputSpec]
    output: int | None
    last: tuple[int, ...]
    """The steps that nothing follows."""
    fingerprint: str
    description: str = ""
    version: str = ""
    on_failure: OnFailure = "stop"
    concurrency: int | None = None
    run_timeout: float | None = None
    fingerprints: dict[str, str] = field(default_factory=dict[str, str])
    """That of each step, by name."""
    edges: tuple[tuple[int, int, int], ...] = ()
    """The edges of the graph as every run of it records them."""
    warnings: tuple[str, ...] = ()
    taken: frozenset[int] = frozenset()
    """The steps whose outputs others take."""

    def __post_init__(self) -> None:
        structs.force_setattr(self, "taken", frozenset(source for step in self.steps for source in step.sources()))
