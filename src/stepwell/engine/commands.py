"""What `decide` wants done: facts to be written down, and attempts to be made."""

from __future__ import annotations

from msgspec import Struct


class Start(Struct, frozen=True, gc=False):
    """Begin an attempt of a step."""

    number: int
    attempt: int


class StartItem(Struct, frozen=True, gc=False):
    """Begin an attempt of a map item."""

    number: int
    index: int
    attempt: int


class Guard(Struct, frozen=True, gc=False):
    """Evaluate a step's `when`."""

    number: int


class Prune(Struct, frozen=True):
    """A step that will not run, why, and the path of the failed step before it, if that is why."""

    number: int
    reason: str
    because: str = ""


class Wait(Struct, frozen=True):
    """The first step before a join has ended."""

    number: int
    waiting_for: tuple[str, ...]


class Release(Struct, frozen=True, gc=False):
    """As many steps before a join have ended as it waits for."""

    number: int


class TimeOutJoin(Struct, frozen=True):
    """A join has waited long enough."""

    number: int
    waiting_for: tuple[str, ...]


class Conclude(Struct, frozen=True, gc=False):
    """A map whose items have come to an end; it failed where `failed` is set."""

    number: int
    failed: bool
    source_failed: bool = False
    """It failed because the generator did that gives its items."""


class Abandon(Struct, frozen=True):
    """A map that goes no further: the run ends, or a jump goes back over it."""

    number: int
    reason: str


class Reset(Struct, frozen=True):
    """Un-end these steps, because step `by` has jumped back; of the maps among them all items."""

    by: int
    numbers: tuple[int, ...]


class CancelSteps(Struct, frozen=True):
    """Cancel the attempts of these steps that are under way."""

    numbers: tuple[int, ...]
    reason: str


class CancelRunning(Struct, frozen=True):
    """Cancel every attempt that is under way."""

    reason: str


class TimeOut(Struct, frozen=True):
    """The deadline of the run has passed."""


class Finish(Struct, frozen=True):
    """The run has come to an end."""

    status: str
    reason: str = ""


Command = (
    Start | StartItem | Guard | Prune | Wait | Release | TimeOutJoin | Conclude | Abandon | Reset
    | CancelSteps | CancelRunning | TimeOut | Finish
)  # fmt: skip
