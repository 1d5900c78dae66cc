"""How far a run has come: a fold of its facts that keeps counts and what goes on, and forgets all values."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import cast

from stepwell import events as ev
from stepwell.ids import parse_path
from stepwell.views.step_progress import Change, StepProgress

_SHOWN_ENDS = 20


class Progress:
    """Folds the facts of one run, from its first. `labels` are what the steps are called for people."""

    def __init__(self, labels: Mapping[str, str] | None = None) -> None:
        self._labels = labels or {}
        self.steps: dict[str, StepProgress] = {}
        self.pipeline = ""
        self.run_id = ""
        self.status = "pending"
        self.started_at: float | None = None
        self.ended_at: float | None = None
        self.deadline: float | None = None
        self.counts: Counter[str] = Counter()
        """How many steps have each status."""
        self.active: dict[str, StepProgress] = {}
        """Steps that run or wait for a retry, in the order in which they started."""
        self.last_ended: deque[StepProgress] = deque(maxlen=_SHOWN_ENDS)
        self.warnings: Counter[str] = Counter()
        """How many there were, by their reason."""
        self.seq = 0

    @property
    def ended(self) -> int:
        """How many steps have come to an end."""
        return len(self.steps) - sum(self.counts[status] for status in ("pending", "running", "waiting"))

    def apply(self, event: ev.Event) -> Change | None:
        """Fold one fact; gives what is worth telling about it."""
        if event.seq:
            self.seq = event.seq
        fold = _FOLD.get(event.__class__)
        return None if fold is None else fold(self, event)

    def step(self, path: str) -> StepProgress:
        """The step of a path, its own or that of an item."""
        name = path.partition("[")[0]
        if (found := self.steps.get(name)) is not None:
            return found
        name = name.partition("#")[0]
        return self.steps.get(name) or self._add(name)

    def _add(self, name: str) -> StepProgress:
        found = self.steps[name] = StepProgress(name, self._labels.get(name) or name.replace("_", " ").capitalize())
        self.counts["pending"] += 1
        return found

    def _becomes(self, step: StepProgress, status: str) -> None:
        self.counts[step.status] -= 1
        self.counts[status] += 1
        step.status = status
        if status in ("running", "waiting"):
            self.active[step.name] = step
        else:
            self.active.pop(step.name, None)

    def _ends(self, event: ev.Event, status: str, reason: str = "") -> Change:
        step = self.step(event.path)
        self._becomes(step, status)
        step.ended_at, step.reason, step.retry_at, step.waits_for = event.at, reason, None, ()
        step.waiting.clear()
        self.last_ended.append(step)
        return Change("ended", event.at, step, event.path, reason, step.failure)

    # --- one function a kind ------------------------------------------------------------------------------------------

    def run_started(self, event: ev.RunStarted) -> None:
        self.pipeline, self.run_id = event.pipeline, event.run_id
        self.status, self.started_at, self.deadline = "running", event.at, event.deadline
        for name in event.fingerprints:
            if name not in self.steps:
                self._add(name)

    def run_resumed(self, event: ev.RunResumed) -> Change:
        self.status, self.ended_at, self.deadline = "running", None, event.deadline
        for name in event.fingerprints:
            if name not in self.steps:
                self._add(name)
        for step in list(self.active.values()):
            if step.status == "running":
                self._becomes(step, "pending")
        for step in self.steps.values():
            step.pace.begin(event.at, step.ended_items)
        return Change("resumed", event.at, text="its process had died" if event.recovered else "")

    def run_cancelled(self, event: ev.RunCancelled) -> Change:
        return Change("cancelling", event.at, text=event.reason)

    def run_timed_out(self, event: ev.RunTimedOut) -> Change:
        return Change("cancelling", event.at, text="its time is up")

    def run_blocked(self, event: ev.RunBlocked) -> Change:
        self.status, self.ended_at = "blocked", event.at
        return Change("blocked", event.at, text=event.message)

    def run_finished(self, event: ev.RunFinished) -> None:
        self.status, self.ended_at = event.status, event.at

    def step_started(self, event: ev.StepStarted) -> None:
        step = self.step(event.path)
        self._becomes(step, "running")
        step.attempt, step.retry_at, step.waits_for = event.attempt, None, ()
        if "#" in event.path:
            step.visit = parse_path(event.path)[-1].visit
        if event.attempt <= 1 or step.started_at is None:
            step.started_at = event.at

    def step_completed(self, event: ev.StepCompleted) -> Change:
        return self._ends(event, "completed")

    def step_retrying(self, event: ev.StepRetrying) -> Change:
        step = self.step(event.path)
        self._becomes(step, "waiting")
        step.retry_at, step.failure = event.retry_at, event.failure
        return Change("retrying", event.at, step, event.path, event.reason, event.failure, event.retry_at)

    def step_failed(self, event: ev.StepFailed) -> Change:
        step = self.step(event.path)
        step.failure = event.failure
        return self._ends(event, "tolerated" if event.tolerated else "failed")

    def step_cancelled(self, event: ev.StepCancelled) -> Change:
        return self._ends(event, "cancelled", event.reason)

    def step_skipped(self, event: ev.StepSkipped) -> Change:
        return self._ends(event, "skipped", event.reason)

    def step_pruned(self, event: ev.StepPruned) -> Change:
        return self._ends(event, "pruned", f"{event.reason}: {event.because}" if event.because else event.reason)

    def step_reset(self, event: ev.StepReset) -> None:
        for path in event.paths:
            step = self.step(path)
            if "[" in path:
                self._item_reset(step, path)
                continue
            self._becomes(step, "pending")
            step.started_at = step.ended_at = step.failure = None
            step.reason = ""
            if path in event.whole:
                step.forget_items()
        self.last_ended = deque((one for one in self.last_ended if one.status != "pending"), maxlen=_SHOWN_ENDS)

    def _item_reset(self, step: StepProgress, path: str) -> None:
        if path in step.failed:
            step.failed.discard(path)
        elif path in step.cancelled:
            step.cancelled.discard(path)
        else:
            step.done -= 1

    def map_expanded(self, event: ev.MapExpanded) -> None:
        step = self.step(event.path)
        if step.total is None:
            step.pace.begin(event.at, step.ended_items)
        step.total = (step.total or 0) + event.count
        step.grows = event.more

    def item_completed(self, event: ev.ItemCompleted) -> None:
        step = self.step(event.path)
        step.done += 1
        if event.at >= step.pace.due:  # asked here, for each of many
            step.pace.note(event.at, step.ended_items)
        if step.waiting:
            step.waiting.pop(event.path, None)

    def item_retrying(self, event: ev.ItemRetrying) -> Change:
        step = self.step(event.path)
        step.waiting[event.path] = event.retry_at
        return Change("item_retrying", event.at, step, event.path, event.reason, event.failure, event.retry_at)

    def item_failed(self, event: ev.ItemFailed) -> Change:
        step = self.step(event.path)
        step.failed.add(event.path)
        step.pace.note(event.at, step.ended_items)
        step.waiting.pop(event.path, None)
        return Change("item_failed", event.at, step, event.path, failure=event.failure)

    def item_cancelled(self, event: ev.ItemCancelled) -> None:
        step = self.step(event.path)
        step.cancelled.add(event.path)
        step.waiting.pop(event.path, None)

    def join_waiting(self, event: ev.JoinWaiting) -> None:
        self.step(event.path).waits_for = event.waiting_for

    def join_released(self, event: ev.JoinReleased) -> None:
        self.step(event.path).waits_for = ()

    def warning(self, event: ev.WarningIssued) -> Change:
        self.warnings[event.reason] += 1
        return Change("warning", event.at, text=event.message, path=event.path, alike=self.warnings[event.reason])


_FOLD = cast(
    "dict[type[ev.Event], Callable[[Progress, ev.Event], Change | None]]",
    {
        ev.RunStarted: Progress.run_started,
        ev.RunResumed: Progress.run_resumed,
        ev.RunCancelled: Progress.run_cancelled,
        ev.RunTimedOut: Progress.run_timed_out,
        ev.RunBlocked: Progress.run_blocked,
        ev.RunFinished: Progress.run_finished,
        ev.StepStarted: Progress.step_started,
        ev.StepCompleted: Progress.step_completed,
        ev.StepRetrying: Progress.step_retrying,
        ev.StepFailed: Progress.step_failed,
        ev.StepCancelled: Progress.step_cancelled,
        ev.StepSkipped: Progress.step_skipped,
        ev.StepPruned: Progress.step_pruned,
        ev.StepReset: Progress.step_reset,
        ev.MapExpanded: Progress.map_expanded,
        ev.ItemCompleted: Progress.item_completed,
        ev.ItemRetrying: Progress.item_retrying,
        ev.ItemFailed: Progress.item_failed,
        ev.ItemCancelled: Progress.item_cancelled,
        ev.JoinWaiting: Progress.join_waiting,
        ev.JoinReleased: Progress.join_released,
        ev.WarningIssued: Progress.warning,
    },
)
