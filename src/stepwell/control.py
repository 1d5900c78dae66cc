"""What a step may say instead of a value (`Stop`, `Skip`, …) and what it may ask (`StepContext`, `CancelToken`)."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from stepwell.clock import Duration
from stepwell.errors import StepwellError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stop(Generic[T]):
    """Ends the run now, with success and status `stopped`; its value is the run's output.

    >>> def enough(found: int) -> int | Stop[str]:
    ...     return Stop("nothing to do") if found == 0 else found
    """

    value: T | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """Prunes this step and what depends on it alone; in a map, the item leaves no place in the results."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """Tries this step again, after a wait; counts as one of its attempts (of 100 where it declares none)."""

    after: Duration | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Raise:
    """Exactly as if the exception had been raised."""

    exception: BaseException


Control = Stop[object] | Skip | Retry | Raise
CONTROLS = (Stop, Skip, Retry, Raise)


class Cancelled(StepwellError):
    """Raised by `CancelToken.check()` in a step whose run is being cancelled or whose time is up."""


class CancelToken:
    """Tells a step, above all one that runs in a thread, that nobody waits for its result any more.

    >>> def crunch(rows: list[int], token: CancelToken) -> int:
    ...     total = 0
    ...     for row in rows:
    ...         token.check()
    ...         total += row
    ...     return total
    """

    __slots__ = ("_event", "reason")

    def __init__(self) -> None:
        self._event = threading.Event()
        self.reason = ""

    @property
    def cancelled(self) -> bool:
        """Whether the attempt has been cancelled."""
        return self._event.is_set()

    def cancel(self, reason: str) -> None:
        """Cancel it; the first reason stands."""
        if not self._event.is_set():
            self.reason = reason
            self._event.set()

    def check(self) -> None:
        """Raise `Cancelled` if the attempt has been cancelled."""
        if self._event.is_set():
            raise Cancelled(self.reason)

    def wait(self, timeout: float | None = None) -> bool:
        """Block this thread until the attempt is cancelled or `timeout` seconds have passed; True if cancelled."""
        return self._event.wait(timeout)


@dataclass(frozen=True, slots=True)
class StepContext:
    """What an attempt may know of itself; a parameter of this type receives it."""

    run_id: str
    path: str
    step_name: str
    attempt: int
    idempotency_key: str
    token: CancelToken = field(repr=False)
