"""What a step may say instead of a value (`Stop`, `Goto`, …) and what it may ask (`StepContext`, `CancelToken`)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from msgspec import Struct

from stepwell.clock import Duration
from stepwell.errors import StepwellError

T = TypeVar("T")


class Nothing:
    """The type of `NOTHING`: nothing was given, where None would be something."""

    def __repr__(self) -> str:
        """How it reads in a signature."""
        return "NOTHING"


NOTHING: Final = Nothing()


class Control(Struct, frozen=True):
    """What says something else than a value; each of those below is one."""


class Stop(Control, Generic[T], frozen=True):
    """Ends the run now, with success and status `stopped`; its value is the run's output.

    >>> def enough(found: int) -> int | Stop[str]:
    ...     return Stop("nothing to do") if found == 0 else found
    """

    value: T | None = None


class Skip(Control, frozen=True):
    """Prunes this step and what depends on it alone; in a map, the item leaves no place in the results."""

    reason: str = ""


class Retry(Control, frozen=True):
    """Tries this step again, after a wait; counts as one of its attempts (of 100 where it declares none)."""

    after: Duration | None = None
    reason: str = ""


class Raise(Control, frozen=True):
    """Exactly as if the exception had been raised."""

    exception: BaseException


class Goto(Control, frozen=True):
    """Jumps back: `step`, everything after it and this step run again; the step declares it with `goto=[step]`.

    `best` is the output for the case that no further visit is allowed (`max_visits`); without it the step fails then.

    >>> def judge(draft: str) -> str | Goto:
    ...     return draft if len(draft) > 100 else Goto("write", best=draft)
    """

    step: str | Callable[..., object]
    best: object = NOTHING


class Output(Control, Generic[T], frozen=True):
    """The output of a step, said outright: what a generator yields last, where that is not all that it yielded.

    >>> from collections.abc import Iterator
    >>> def write(words: list[str]) -> Iterator[str | Output[int]]:
    ...     yield from words
    ...     yield Output(len(words))
    """

    value: T


CONTROLS = (Stop, Skip, Retry, Raise, Goto, Output)


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


class StepContext(Struct, frozen=True):
    """What an attempt may know of itself; a parameter of this type receives it."""

    run_id: str
    path: str
    step_name: str
    attempt: int
    idempotency_key: str
    token: CancelToken

    def __repr__(self) -> str:
        """Everything but the token, which says nothing to a reader."""
        told = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__[:-1])
        return f"{type(self).__name__}({told})"
