"""How an attempt can end, as data; whether it is made again; and what went wrong in it, as it is recorded."""

from __future__ import annotations

import traceback
from pathlib import Path

from msgspec import Struct

from stepwell.events import Failure
from stepwell.plan.plan import PlanStep
from stepwell.text import clean

_LONGEST_MESSAGE, _LONGEST_TRACEBACK = 10_000, 100_000
_OWN = str(Path(__file__).parent.parent)


class Completed(Struct, frozen=True, gc=False):
    """It returned a value: `value` goes to the steps that need it, `output` into the journal."""

    value: object
    output: object
    stops: bool = False
    route: tuple[int, ...] | None = None
    """Of a switch: the steps that it leads to."""
    soft: bool = False
    """It is the best that a loop came to before it had to end."""


class Jump(Struct, frozen=True):
    """It returned `Goto`: to which step, and what it is to end with where it may not jump."""

    target: int
    best: Completed | None


class Skipped(Struct, frozen=True):
    """It returned `Skip`."""

    reason: str


class Again(Struct, frozen=True):
    """It returned `Retry`; `after` is in seconds."""

    after: float | None
    reason: str


class Failed(Struct, frozen=True):
    """It raised, ran out of time, or gave what cannot be recorded."""

    kind: str
    reason: str
    error: BaseException
    retryable: bool = True
    source: str = "user"


class Cancelled(Struct, frozen=True):
    """It was told to end and did."""

    reason: str


class Expanded(Struct, frozen=True):
    """A map knows its items; `more` are to come."""

    count: int
    keys: tuple[str, ...] | None
    more: bool = False


class Guarded(Struct, frozen=True):
    """A step's `when` gave an answer."""

    passed: bool
    text: str


Outcome = Completed | Jump | Skipped | Again | Failed | Cancelled | Expanded | Guarded


def failure(failed: Failed, *, path: str, step: str, item: str | None, attempt: int, retryable: bool) -> Failure:
    """What is recorded of a failed attempt; the traceback shows the user's frames, not the engine's."""
    error = failed.error
    return Failure(
        path=path,
        step=step,
        item=item,
        kind=failed.kind,
        source=failed.source,
        reason=failed.reason,
        type=type(error).__qualname__,
        message=_message(error),
        traceback=_short(clean(_traceback(error)), _LONGEST_TRACEBACK),
        retryable=retryable,
        attempt=attempt,
    )


def retries(step: PlanStep, spent: int, failed: Failed) -> bool:
    """Whether a failure with so many attempts spent before it is tried again."""
    policy = step.retry
    return (
        policy is not None
        and failed.retryable
        and spent + 1 < policy.attempts
        and policy.covers(failed.kind, failed.error)
    )


def spelled(value: object) -> str:
    """The value as text, for the record; what cannot say what it is, is named by its class."""
    try:
        return _short(clean(str(value)), _LONGEST_MESSAGE)
    except Exception:  # its __str__ is the user's code
        return f"({type(value).__name__})"


def _short(text: str, most: int) -> str:
    """The text, with its middle left out where it is longer than anyone reads."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2]}\n… {len(text) - most:,} characters left out …\n{text[-most // 2 :]}"


def _message(error: BaseException) -> str:
    """What the exception says, if it can say anything."""
    try:
        return _short(clean(str(error)), _LONGEST_MESSAGE)
    except Exception as own:  # its __str__ is the user's code too
        return f"(its text cannot be had: {type(own).__name__})"


def _traceback(error: BaseException) -> str:
    """The traceback's text without the frames of the engine at its head."""
    try:
        frame = error.__traceback__
        while frame is not None and frame.tb_frame.f_code.co_filename.startswith(_OWN) and frame.tb_next is not None:
            frame = frame.tb_next
        return "".join(traceback.format_exception(type(error), error, frame))
    except Exception as own:  # notes and causes are the user's code
        return f"(its traceback cannot be had: {type(own).__name__})"
