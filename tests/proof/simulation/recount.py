"""The facts of a run read a second time, in the plainest way, to hold the engine's own counting against."""

from __future__ import annotations

from collections import Counter

from stepwell import events as ev
from stepwell.ids import parse_path, path_text

from .cases import Case

Place = tuple[int, int]
"""A step's number, and the index of an item or -1."""


class Recount:
    """What the facts say so far; `take` refuses a fact that breaks a promise."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.names = [step.name for step in case.plan.steps]
        self.number = {name: number for number, name in enumerate(self.names)}
        self.seq = 0
        self.ever: dict[str, str] = {}
        """The end of each path, whatever was reset since (S2)."""
        self.status: dict[int, str] = {}
        self.reason: dict[int, str] = {}
        self.items: dict[Place, str] = {}
        self.keys: dict[int, tuple[str, ...]] = {}
        self.visits: dict[int, int] = {}
        self.item_visits: dict[Place, int] = {}
        self.words: Counter[Place] = Counter()
        """How many words of its script each has said on the record."""
        self.offsets: dict[Place, int] = {}
        self.attempts: dict[str, int] = {}
        self.retries: Counter[str] = Counter()
        self.open: set[str] = set()
        """Paths of steps whose attempt has begun and not ended."""
        self.waits: dict[str, float] = {}
        """When each path may be tried again."""
        self.told: set[tuple[ev.EventKind, str]] = set()
        self.outputs: dict[Place, object] = {}
        self.chosen: dict[int, tuple[str, ...]] = {}
        self.degraded: set[int] = set()
        self.halts: list[str] = []
        """Why nothing starts any more, in this leg."""
        self.stopped = False
        self.running = False
        self.finished = ""
        self.recoveries = 0
        self.last: ev.Event | None = None

    def path(self, number: int, index: int = -1) -> str:
        """The text of a path in its present visit."""
        if index < 0:
            return path_text(self.names[number], visit=self.visits.get(number, 1))
        return path_text(self.names[number], self.keys[number][index], self.item_visits.get((number, index), 1))

    def place(self, path: str) -> Place:
        """What a path means; its visit must be the present one."""
        (segment,) = parse_path(path)
        number = self.number[segment.name]
        index = -1 if segment.key is None else self.keys[number].index(segment.key)
        assert self.path(number, index) == path, f"{path} is not the present visit, {self.path(number, index)}"
        return number, index

    def take(self, fact: ev.Event) -> None:
        """Read one more fact."""
        assert fact.seq == self.seq + 1, f"seq {fact.seq} after {self.seq}: there is a gap (S17)"
        self.seq = fact.seq
        assert not self.finished or isinstance(fact, ev.RunResumed | ev.RunBlocked), f"{fact} after the run's end"
        if fact.kind in ev.ENDS:
            assert fact.path not in self.ever, f"{fact.path} ended twice: {self.ever[fact.path]}, {fact.kind} (S2)"
            self.ever[fact.path] = fact.kind.value
        getattr(self, f"_{fact.kind.value.lower()}", self._nothing)(fact)
        self.last = fact

    def _nothing(self, fact: ev.Event) -> None:
        assert fact.kind is ev.EventKind.WARNING

    # The run.

    def _run_started(self, fact: ev.RunStarted) -> None:
        assert fact.seq == 1
        self.running = True

    def _run_resumed(self, fact: ev.RunResumed) -> None:
        self.recoveries = self.recoveries + 1 if fact.recovered else 0
        self.running, self.finished = True, ""
        self.halts = []
        self.open.clear()

    def _run_blocked(self, fact: ev.RunBlocked) -> None:
        self.running, self.finished = False, "blocked"
        self.recoveries = 0

    def _run_cancelled(self, fact: ev.RunCancelled) -> None:
        assert "cancelled" not in self.halts, "a cancel was recorded twice in one leg"
        self.halts.append("cancelled")

    def _run_timed_out(self, fact: ev.RunTimedOut) -> None:
        assert fact.at >= fact.deadline, "timed out before its deadline"
        assert "timed_out" not in self.halts, "a deadline was recorded twice in one leg"
        self.halts.append("timed_out")

    def _run_finished(self, fact: ev.RunFinished) -> None:
        self.running, self.finished = False, fact.status
        left = tuple(name for number, name in enumerate(self.names) if number not in self.status)
        assert fact.not_run == left, f"not_run is {fact.not_run}, and without an end are {left}"

    def _step_reset(self, fact: ev.StepReset) -> None:
        places = [self.place(path) for path in fact.paths]
        assert len(set(places)) == len(places), f"reset twice: {fact.paths}"
        for number, index in places:
            place = (number, index)
            self.offsets[place] = self.words[place]
            self.outputs.pop(place, None)
            if index >= 0:
                assert self.items.pop(place, "") in ("failed", "cancelled"), f"an item without need: {fact.paths}"
                self.item_visits[place] = self.item_visits.get(place, 1) + 1
                continue
            assert self.status.pop(number, "") in ("failed", "cancelled", "pruned"), f"without need: {fact.paths}"
            self.reason.pop(number, None)
            self.degraded.discard(number)
            self.visits[number] = self.visits.get(number, 1) + 1

    # Steps.

    def _step_started(self, fact: ev.StepStarted) -> None:
        number, _ = self.place(fact.path)
        assert number not in self.status, f"{fact.path} begins after its end (S3)"
        assert fact.path not in self.open, f"{fact.path} begins twice"
        made = self.attempts.get(fact.path, 0)
        assert fact.attempt == made + 1, f"{fact.path}: attempt {fact.attempt} after {made}"
        assert fact.at >= self.waits.pop(fact.path, fact.at), f"{fact.path} is tried again too early (S9)"
        self.attempts[fact.path] = fact.attempt
        self.open.add(fact.path)

    def _ends(self, fact: ev.Event, status: str, reason: str = "") -> Place:
        number, index = self.place(fact.path)
        assert number not in self.status, f"{fact.path} has an end already"
        self.status[number], self.reason[number] = status, reason
        if fact.attempt and number not in self.keys:
            assert fact.path in self.open, f"{fact.path} ends an attempt that never began"
            assert fact.attempt == self.attempts[fact.path]
        self.open.discard(fact.path)
        self.waits.pop(fact.path, None)
        for item in range(len(self.keys.get(number, ()))):  # if the map is ever reset, nobody waits any more
            self.waits.pop(self.path(number, item), None)
        self.recoveries = 0
        return number, index

    def _step_completed(self, fact: ev.StepCompleted) -> None:
        place = self._ends(fact, "completed")
        self.outputs[place] = fact.output
        if place[0] not in self.keys:
            self.words[place] += 1
        if fact.degraded:
            self.degraded.add(place[0])
        if fact.stops:
            self.stopped = True

    def _step_retrying(self, fact: ev.StepRetrying) -> None:
        assert fact.path in self.open
        self.open.discard(fact.path)
        self.waits[fact.path] = fact.retry_at
        self.retries[fact.path] += 1
        self.words[self.place(fact.path)] += 1

    def _step_failed(self, fact: ev.StepFailed) -> None:
        reason = fact.failure.reason if fact.failure else ""
        number, _ = place = self._ends(fact, "tolerated" if fact.tolerated else "failed", reason)
        if number not in self.case.counts and reason != "when_raised":
            self.words[place] += 1
        if fact.tolerated:
            self.degraded.add(number)
        else:
            self.halts += [] if self.case.on_failure == "finish" else ["failed"]

    def _step_cancelled(self, fact: ev.StepCancelled) -> None:
        assert self.halts or self.stopped, f"{fact.path} is cancelled in a run that goes on"
        self._ends(fact, "cancelled", fact.reason)

    def _step_skipped(self, fact: ev.StepSkipped) -> None:
        self._ends(fact, "skipped", fact.reason)

    def _step_pruned(self, fact: ev.StepPruned) -> None:
        place = self._ends(fact, "pruned", fact.reason)
        self.words[place] += bool(fact.attempt)

    def _branch_chosen(self, fact: ev.BranchChosen) -> None:
        self.chosen[self.place(fact.path)[0]] = fact.chosen

    def _join_waiting(self, fact: ev.JoinWaiting) -> None:
        self._tell(fact)

    def _join_released(self, fact: ev.JoinReleased) -> None:
        self._tell(fact)
        number, _ = self.place(fact.path)
        sources = {wire.source for wire in self.case.wires if wire.target == number}
        assert len(sources) > 1, f"{fact.path} has one step before it and is no join"
        assert sources <= self.status.keys(), f"{fact.path} is released before all steps before it have ended"
        assert (ev.EventKind.JOIN_WAITING, fact.path) in self.told, f"{fact.path} is released and never waited"

    def _tell(self, fact: ev.Event) -> None:
        said = (fact.kind, fact.path)
        assert said not in self.told, f"{fact.kind} of {fact.path} is told twice"
        self.told.add(said)

    # Items.

    def _map_expanded(self, fact: ev.MapExpanded) -> None:
        number, _ = self.place(fact.path)
        assert number not in self.keys, f"{fact.path} is expanded twice (S7)"
        self.keys[number] = fact.keys or tuple(map(str, range(fact.count)))
        assert len(self.keys[number]) == fact.count

    def _item_ends(self, fact: ev.Event, status: str) -> Place:
        place = self.place(fact.path)
        assert place[0] not in self.status, f"{fact.path} ends after its map"
        assert place not in self.items, f"{fact.path} has an end already"
        self.items[place] = status
        self.words[place] += status != "cancelled"
        self.attempts[fact.path] = fact.attempt
        self.waits.pop(fact.path, None)
        self.recoveries = 0
        return place

    def _item_completed(self, fact: ev.ItemCompleted) -> None:
        self.outputs[self._item_ends(fact, "skipped" if fact.skipped else "completed")] = fact.output
        if fact.stops:
            self.stopped = True

    def _item_retrying(self, fact: ev.ItemRetrying) -> None:
        self.words[self.place(fact.path)] += 1
        self.retries[fact.path] += 1
        assert fact.attempt == self.attempts.get(fact.path, 0) + 1, (
            f"{fact.path}: attempt {fact.attempt} is out of turn"
        )
        self.attempts[fact.path] = fact.attempt
        self.waits[fact.path] = fact.retry_at

    def _item_failed(self, fact: ev.ItemFailed) -> None:
        self._item_ends(fact, "failed")

    def _item_cancelled(self, fact: ev.ItemCancelled) -> None:
        assert self.halts or self.stopped, f"{fact.path} is cancelled in a run that goes on"
        self._item_ends(fact, "cancelled")

    # What follows from it.

    @property
    def halted(self) -> bool:
        """Whether no new attempt may start."""
        return bool(self.halts) or self.stopped

    def to_reset(self) -> set[str]:
        """What a resume must un-end: what failed or was cancelled, and what ended because of a failure before it."""
        paths = {
            self.path(number)
            for number, status in self.status.items()
            if status in ("failed", "cancelled") or self.reason[number] == "upstream_failed"
        }
        for (number, index), status in self.items.items():
            if status in ("failed", "cancelled") and self.status.get(number) not in ("completed", "tolerated"):
                paths.add(self.path(number, index))
        return paths
