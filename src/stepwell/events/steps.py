"""What happens to a step: its attempts, its end, and what it waits for."""

from __future__ import annotations

from stepwell.events.base import Event, EventKind, Failure


class StepStarted(Event, frozen=True):
    """An attempt of a step begins."""

    kind = EventKind.STEP_STARTED


class StepCompleted(Event, frozen=True):
    """A step has its output; a map's is that of its items.

    `stops` says that it returned `Stop`; `goto` names the step that it jumps back to (STEP_RESET follows);
    `soft_failed` that it gives its best, since its loop may not go on; `kept` is false where no output is recorded.
    """

    kind = EventKind.STEP_COMPLETED
    output: object = None
    stops: bool = False
    degraded: bool = False
    goto: str = ""
    soft_failed: bool = False
    kept: bool = True


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
    """A step does not run: it returned `Skip` (then `attempt` is not 0), or nothing before it leads to it any more.

    `because` is the path of the step that failed for good before it, if that is why.
    """

    kind = EventKind.STEP_PRUNED
    reason: str = ""
    because: str = ""


class StepReset(Event, frozen=True):
    """The only record that un-ends: the steps and items of these paths begin a new visit.

    `path` is that of the step that caused it, if one did. A map keeps its items, but those named, unless it is in
    `whole`.
    """

    kind = EventKind.STEP_RESET
    paths: tuple[str, ...] = ()
    cause: str = ""
    whole: tuple[str, ...] = ()


class JoinWaiting(Event, frozen=True):
    """The first of several steps before this one has ended; `waiting_for` names the others."""

    kind = EventKind.JOIN_WAITING
    waiting_for: tuple[str, ...] = ()
    deadline: float | None = None


class JoinReleased(Event, frozen=True):
    """As many steps before this one have ended as it waits for."""

    kind = EventKind.JOIN_RELEASED


class JoinTimedOut(Event, frozen=True):
    """Not enough steps before this one have ended in time; it fails."""

    kind = EventKind.JOIN_TIMED_OUT
    waiting_for: tuple[str, ...] = ()


class BranchChosen(Event, frozen=True):
    """A switch chose: the value it returned, as text, and the steps it leads to. Its STEP_COMPLETED follows."""

    kind = EventKind.BRANCH_CHOSEN
    value: str = ""
    chosen: tuple[str, ...] = ()
