"""What all events have in common: their kinds, and where, when and in which attempt they happened."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import ClassVar

from msgspec import Struct


class EventKind(StrEnum):
    """The kind of an event, as it stands in the journal, on the command line and in `events --json`."""

    RUN_STARTED = "RUN_STARTED"
    RUN_RESUMED = "RUN_RESUMED"
    RUN_CANCELLED = "RUN_CANCELLED"
    RUN_TIMED_OUT = "RUN_TIMED_OUT"
    RUN_BLOCKED = "RUN_BLOCKED"
    RUN_FINISHED = "RUN_FINISHED"
    STEP_STARTED = "STEP_STARTED"
    STEP_COMPLETED = "STEP_COMPLETED"
    STEP_RETRYING = "STEP_RETRYING"
    STEP_FAILED = "STEP_FAILED"
    STEP_CANCELLED = "STEP_CANCELLED"
    STEP_SKIPPED = "STEP_SKIPPED"
    STEP_PRUNED = "STEP_PRUNED"
    STEP_RESET = "STEP_RESET"
    MAP_EXPANDED = "MAP_EXPANDED"
    ITEM_STARTED = "ITEM_STARTED"
    ITEM_COMPLETED = "ITEM_COMPLETED"
    ITEM_RETRYING = "ITEM_RETRYING"
    ITEM_FAILED = "ITEM_FAILED"
    ITEM_CANCELLED = "ITEM_CANCELLED"
    JOIN_WAITING = "JOIN_WAITING"
    JOIN_RELEASED = "JOIN_RELEASED"
    JOIN_TIMED_OUT = "JOIN_TIMED_OUT"
    BRANCH_CHOSEN = "BRANCH_CHOSEN"
    WARNING = "WARNING"
    TOKEN = "TOKEN"
    LOG = "LOG"


LARGE = 16 * 1024
"""A value of more bytes than this lies outside of the journal."""


class Payload(Struct, frozen=True, gc=False):
    """A value in its recorded form: msgpack bytes; of those that lie outside of the journal, their digest and size."""

    data: bytes | None
    digest: str = ""
    size: int = 0

    @classmethod
    def of(cls, data: bytes) -> Payload:
        """These bytes, with their digest where they are LARGE."""
        return cls(data) if len(data) <= LARGE else cls(data, sha256(data).hexdigest(), len(data))


def in_memory(output: object) -> object:
    """What a run keeps of an output: of bytes that lie outside of the journal, only which they are."""
    if isinstance(output, Payload) and output.digest:
        return Payload(None, output.digest, output.size)
    return output


class Failure(Struct, frozen=True):
    """What went wrong in one attempt.

    `kind` is `error`, `timeout`, `cancelled`, `input`, `codec` or `loop`; `source` is `user`, `dependency` or `engine`;
    `reason` is short and snake_case. `traceback` is text, the user's own frames last.
    """

    path: str
    step: str
    item: str | None
    kind: str
    source: str
    reason: str
    type: str
    message: str
    traceback: str
    retryable: bool
    attempt: int


class Event(Struct, frozen=True, gc=False):
    """One thing that happened: when, where, in which attempt.

    `seq` counts the facts of a run from 1 without a gap and is 0 for what is live only; `at` is in seconds since the
    epoch, UTC; `path` is the text of the path (`collect`, `measure[key]`, `draft#2`), empty for the run itself.
    """

    kind: ClassVar[EventKind]

    run_id: str
    seq: int
    at: float
    path: str = ""
    attempt: int = 0

    @property
    def time(self) -> datetime:
        """`at` as a datetime in UTC."""
        return datetime.fromtimestamp(self.at, UTC)
