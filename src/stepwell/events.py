"""What can happen in a run: one frozen class a kind. Facts are journaled and numbered; sparks are live only."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
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
    BRANCH_CHOSEN = "BRANCH_CHOSEN"
    WARNING = "WARNING"


class Payload(Struct, frozen=True):
    """A value in its recorded form: msgpack bytes, or, where they lie outside the journal, their digest and size."""

    data: bytes | None
    digest: str = ""
    size: int = 0


class Failure(Struct, frozen=True):
    """What went wrong in one attempt.

    `kind` is `error`, `timeout`, `cancelled`, `input` or `codec`; `source` is `user`, `dependency` or `engine`;
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


class Event(Struct, frozen=True):
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


class RunStarted(Event, frozen=True):
    """A run begins; with `edges` (see `graph.flatten`) anyone can fold it without the code that defines it."""

    kind = EventKind.RUN_STARTED
    pipeline: str = ""
    version: str = ""
    inputs: object = None
    key: str = ""
    target: str = ""
    on_failure: str = "stop"
    concurrency: int | None = None
    deadline: float | None = None
    fingerprints: dict[str, str] = {}
    edges: tuple[tuple[int, int, int], ...] = ()


class RunResumed(Event, frozen=True):
    """A run goes on, in a new process or after an end; `recovered` says that its process had died."""

    kind = EventKind.RUN_RESUMED
    recovered: bool = False
    deadline: float | None = None
    fingerprints: dict[str, str] = {}


class RunCancelled(Event, frozen=True):
    """Somebody asked for the end of the run; recorded before anything is cancelled."""

    kind = EventKind.RUN_CANCELLED
    reason: str = ""


class RunTimedOut(Event, frozen=True):
    """The run's own deadline has passed."""

    kind = EventKind.RUN_TIMED_OUT
    deadline: float = 0.0


class RunBlocked(Event, frozen=True):
    """The run cannot go on before somebody decides; `message` has the command that unblocks it."""

    kind = EventKind.RUN_BLOCKED
    reason: str = ""
    message: str = ""


class RunFinished(Event, frozen=True):
    """The run has reached an end; `not_run` names the steps that have none."""

    kind = EventKind.RUN_FINISHED
    status: str = ""
    reason: str = ""
    failures: tuple[Failure, ...] = ()
    not_run: tuple[str, ...] = ()


class StepStarted(Event, frozen=True):
    """An attempt of a step begins."""

    kind = EventKind.STEP_STARTED


class StepCompleted(Event, frozen=True):
    """A step has its output; `stops` says that it returned `Stop`. A map's output is that of its items."""

    kind = EventKind.STEP_COMPLETED
    output: object = None
    stops: bool = False
    degraded: bool = False


class StepRetrying(Event, frozen=True):
    """An attempt failed, or returned `Retry`, and the step is tried again at `retry_at`."""

    kind = EventKind.STEP_RETRYING
    retry_at: float = 0.0
    failure: Failure | None = None
    reason: str = ""


class StepFailed(Event, frozen=True):
    """A step failed for good; `tolerated` where it is not critical."""

    kind = EventKind.STEP_FAILED
    failure: Failure | None = None
    tolerated: bool = False


class StepCancelled(Event, frozen=True):
    """The running attempt of a step was cancelled."""

    kind = EventKind.STEP_CANCELLED
    reason: str = ""


class StepSkipped(Event, frozen=True):
    """A step's `when` was false."""

    kind = EventKind.STEP_SKIPPED
    reason: str = ""


class StepPruned(Event, frozen=True):
    """A step does not run: it returned `Skip` (then `attempt` is not 0), or `because` a step before it failed, or …"""

    kind = EventKind.STEP_PRUNED
    reason: str = ""
    because: str = ""


class StepReset(Event, frozen=True):
    """The only record that un-ends: the steps and items of these paths begin a new visit."""

    kind = EventKind.STEP_RESET
    paths: tuple[str, ...] = ()
    cause: str = ""


class MapExpanded(Event, frozen=True):
    """A map knows its items: their keys in order, or None where the keys are 0 … count - 1."""

    kind = EventKind.MAP_EXPANDED
    count: int = 0
    keys: tuple[str, ...] | None = None


class ItemStarted(Event, frozen=True):
    """An attempt of a map item begins (a spark: its end tells when it started)."""

    kind = EventKind.ITEM_STARTED
    index: int = 0


class ItemCompleted(Event, frozen=True):
    """A map item has its output; `skipped` where it returned `Skip` and leaves no place in the results."""

    kind = EventKind.ITEM_COMPLETED
    index: int = 0
    started_at: float = 0.0
    output: object = None
    stops: bool = False
    skipped: bool = False


class ItemRetrying(Event, frozen=True):
    """An attempt of a map item failed, or returned `Retry`, and is made again at `retry_at`."""

    kind = EventKind.ITEM_RETRYING
    index: int = 0
    retry_at: float = 0.0
    failure: Failure | None = None
    reason: str = ""


class ItemFailed(Event, frozen=True):
    """A map item failed for good."""

    kind = EventKind.ITEM_FAILED
    index: int = 0
    started_at: float = 0.0
    failure: Failure | None = None


class ItemCancelled(Event, frozen=True):
    """The running attempt of a map item was cancelled."""

    kind = EventKind.ITEM_CANCELLED
    index: int = 0
    reason: str = ""


class JoinWaiting(Event, frozen=True):
    """The first of several steps before this one has ended; `waiting_for` names the others."""

    kind = EventKind.JOIN_WAITING
    waiting_for: tuple[str, ...] = ()


class JoinReleased(Event, frozen=True):
    """All steps before this one have ended."""

    kind = EventKind.JOIN_RELEASED


class BranchChosen(Event, frozen=True):
    """A switch chose: the value it returned, as text, and the steps it leads to. Its STEP_COMPLETED follows."""

    kind = EventKind.BRANCH_CHOSEN
    value: str = ""
    chosen: tuple[str, ...] = ()


class WarningIssued(Event, frozen=True):
    """Something that somebody should know and that stops nothing."""

    kind = EventKind.WARNING
    reason: str = ""
    message: str = ""


FACTS: dict[EventKind, type[Event]] = {kind.kind: kind for kind in Event.__subclasses__() if kind is not ItemStarted}
"""The class of each kind that is journaled."""

ENDS = frozenset(
    kind
    for kind in FACTS
    if kind.startswith(("STEP_", "ITEM_")) and kind.endswith(("COMPLETED", "FAILED", "SKIPPED", "PRUNED", "CANCELLED"))
)
"""The terminal kinds: of one path there is at most one of these, and the store enforces it."""
