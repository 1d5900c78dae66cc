"""One run of a store in memory: its facts, and what its row in the index is made of when somebody reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stepwell.events import (
    ENDS,
    FACTS,
    Event,
    EventKind,
    RunBlocked,
    RunFinished,
    RunResumed,
    RunStarted,
    StepReset,
)  # fmt: skip
from stepwell.journal.done import count_done
from stepwell.journal.port import Request, RunRow

STEP_END, ITEM_END, TURN = 1, 2, 3

_RUN_KINDS = (EventKind.RUN_STARTED, EventKind.RUN_RESUMED, EventKind.RUN_FINISHED, EventKind.RUN_BLOCKED)
PARTS: dict[type[Event], int] = {
    **{FACTS[kind]: STEP_END if kind.value.startswith("STEP") else ITEM_END for kind in ENDS},
    **{FACTS[kind]: TURN for kind in (*_RUN_KINDS, EventKind.STEP_RESET)},
}
"""What a fact does to what the store keeps beside it; those not named here do nothing."""


class Run:
    """One run: its facts, which paths have an end, and the columns of its row."""

    __slots__ = (
        "asked", "dropped", "ended_at", "ends", "epoch", "events", "item_ends", "key", "last", "owned", "pipeline",
        "reason", "resets", "run_id", "seq", "started_at", "status", "steps", "target",
    )  # fmt: skip

    def __init__(self, run_id: str, pipeline: str, key: str) -> None:
        self.run_id = run_id
        self.pipeline = pipeline
        self.key = key
        self.epoch = 1
        self.owned = True
        self.seq = 0
        self.events: list[Event] = []
        self.dropped = 0
        """How many of the first facts were not kept."""
        self.ends: dict[str, bool] = {}
        """The paths of steps that have an end, in the order in which they ended, and whether these are done."""
        self.item_ends: set[str] = set()
        self.resets: list[tuple[int, tuple[str, ...]]] = []
        """What each STEP_RESET named, with how many steps had ended before it."""
        self.status = self.reason = self.target = ""
        self.started_at = 0.0
        self.last: Event | None = None
        self.ended_at: float | None = None
        self.steps = 0
        self.asked: dict[str, Request] = {}

    def row(self) -> RunRow:
        """The run as the index shows it."""
        gone = self.status == "running" and not self.owned
        return RunRow(
            run_id=self.run_id, pipeline=self.pipeline, status="interrupted" if gone else self.status,
            started_at=self.started_at, updated_at=self.last.at if self.last else 0.0, ended_at=self.ended_at,
            key=self.key, target=self.target, reason=self.reason, steps=self.steps, done=count_done(self._history()),
            seq=self.seq,
        )  # fmt: skip

    def _history(self) -> Iterator[tuple[str, ...]]:
        ends = list(self.ends.items())
        start = 0
        for count, paths in self.resets:
            yield from ((path,) for path, done in ends[start:count] if done)
            yield ("", *paths)
            start = count
        yield from ((path,) for path, done in ends[start:] if done)


def turn(run: Run, events: Sequence[Event]) -> None:
    """Note in the run's row what the facts about the run itself say; STEP_RESET changes how many steps are done."""
    ended = len(run.ends) - sum(1 for event in events if PARTS.get(type(event)) == STEP_END)
    for event in events:
        if PARTS.get(type(event)) == STEP_END:
            ended += 1
        elif isinstance(event, StepReset):
            run.resets.append((ended, event.paths))
        elif isinstance(event, RunStarted):
            run.pipeline, run.target = event.pipeline or run.pipeline, event.target
            run.started_at = event.at
            run.steps = len(event.fingerprints)
            run.status = "running"
        elif isinstance(event, RunResumed):
            run.status, run.reason, run.ended_at = "running", "", None
        elif isinstance(event, RunFinished):
            run.status, run.reason, run.ended_at = event.status, event.reason, event.at
        elif isinstance(event, RunBlocked):
            run.status, run.reason = "blocked", event.reason
