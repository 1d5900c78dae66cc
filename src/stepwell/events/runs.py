"""What happens to a run as a whole."""

from __future__ import annotations

from stepwell.events.base import Event, EventKind, Failure


class RunStarted(Event, frozen=True):
    """A run begins; with the graph in it anyone can fold it without the code that defines it.

    `edges` is as `graph.flatten` makes them, `quorums` and `jumps` are those of `graph.Graph`.
    """

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
    quorums: dict[int, int] = {}
    jumps: tuple[tuple[int, int], ...] = ()


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


class WarningIssued(Event, frozen=True):
    """Something that somebody should know and that stops nothing."""

    kind = EventKind.WARNING
    reason: str = ""
    message: str = ""
