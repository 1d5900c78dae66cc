"""The facts of a run read a second time, in the plainest way, to hold the engine's own counting against."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import cast

from stepwell import events as ev
from stepwell.ids import parse_path, path_text

from .cases import Case
from .draw import key_of
from .rules import Rules

Place = tuple[int, int]
"""A step's number, and the index of an item or -1."""


class Recount:
    """What the facts say so far; `take` refuses a fact that breaks a promise."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.names = [step.name for step in case.plan.steps]
        self.number = {name: number for number, name in enumerate(self.names)}
        self.rules = Rules(case, self)
        self.seq = 0
        self.ever: dict[str, str] = {}
        """The end of each path, whatever was reset since (S2)."""
        self.status: dict[int, str] = {}
        self.reason: dict[int, str] = {}
        self.items: dict[Place, str] = {}
        self.keys: dict[int, list[str]] = {}
        """By map that knows items: their keys, or their places."""
        self.digests: dict[int, bytearray] = {}
        self.closed: set[int] = set()
        """Maps that know all of their items."""
        self.visits: dict[int, int] = {}
        self.bases: dict[int, int] = {}
        """The visit in which the items of a map began that has lost others."""
        self.item_visits: dict[Place, int] = {}
        self.words: Counter[Place] = Counter()
        """How many words of its script each has said on the record."""
        self.offsets: dict[Place, int] = {}
        self.loops: Counter[int] = Counter()
        self.jumping: dict[int, int] = {}
        self.feeding: set[int] = set()
        self.attempts: dict[str, int] = {}
        self.retries: Counter[str] = Counter()
        self.open: set[str] = set()
        """Paths of steps whose attempt has begun and not ended."""
        self.waits: dict[str, float] = {}
        """When each path may be tried again."""
        self.patience: dict[str, float] = {}
        """Until when a join waits."""
        self.decided: dict[int, float] = {}
        """Since when a step need not wait any more."""
        self.told: set[tuple[ev.EventKind, str]] = set()
        self.outputs: dict[Place, object] = {}
        self.unkept: set[int] = set()
        self.gone: set[int] = set()
        """Steps whose output was not kept; those of them whose process is gone."""
        self.chosen: dict[int, tuple[int, ...]] = {}
        self.degraded: set[int] = set()
        self.halts: list[str] = []
        """Why nothing starts any more, in this leg."""
        self.stopped_by: Place | None = None
        self.running = False
        self.finished = ""
        self.recoveries = 0
        self.last: ev.Event | None = None

    def path(self, number: int, index: int = -1) -> str:
        """The text of a path in its present visit."""
        if index < 0:
            return path_text(self.names[number], visit=self.visits.get(number, 1))
        visit = self.item_visits.get((number, index), self.bases.get(number, 1))
        return path_text(self.names[number], self.keys[number][index], visit)

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
        if self.patience:
            self._note_decided(fact.at)

    def _note_decided(self, now: float) -> None:
        for path in self.patience:
            number, _ = self.place(path)
            if self.rules.gate(number).verdict == "wait":
                self.decided.pop(number, None)
            else:
                self.decided.setdefault(number, now)

    def _nothing(self, fact: ev.Event) -> None:
        assert fact.kind is ev.EventKind.WARNING

    # The run.

    def _run_started(self, fact: ev.RunStarted) -> None:
        assert fact.seq == 1
        self.running = True

    def _run_resumed(self, fact: ev.RunResumed) -> None:
        self.recoveries = self.recoveries + 1 if fact.recovered else 0
        self.running, self.finished = True, ""
        assert not (fact.recovered and "cancelled" in self.halts), "a cancel that was recorded has no end"
        self.halts = ["stopped"] if self.stopped_by is not None else []
        self.open.clear()
        self.gone |= self.unkept
        if not fact.recovered:  # nobody's patience goes on while a run has ended
            for path in self.patience:
                self.told.discard((ev.EventKind.JOIN_WAITING, path))
            self.patience.clear()

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

    # What begins again.

    def _step_reset(self, fact: ev.StepReset) -> None:
        places = [self.place(path) for path in fact.paths]
        assert len(set(places)) == len(places), f"reset twice: {fact.paths}"
        whole = {self.place(path)[0] for path in fact.whole}
        steps = {number for number, index in places if index < 0}
        assert whole <= steps, f"{fact.whole} lose their items and are not reset"
        if fact.cause == "goto":
            self._goes_back(fact, steps)
            assert whole == steps & self.keys.keys(), f"{fact.whole} lose their items, and not all in {fact.paths}"
        for number, index in places:
            if index >= 0:
                assert number not in whole
                self._item_reset((number, index))
                continue
            ended = self.status.get(number, "")
            needed = ended == "completed" and number in self.gone
            assert fact.cause == "goto" or ended in ("failed", "cancelled", "pruned") or needed or number in whole, (
                f"without need: {fact.paths}"
            )
            if number in whole:
                self._loses_items(number)
            self._step_again(number)

    def _goes_back(self, fact: ev.StepReset, steps: set[int]) -> None:
        """A jump: only after it was recorded, when nothing that it goes over is under way, and to its whole extent."""
        by, _ = self.place(fact.path)
        assert self.status.get(by) == "completed", f"{fact.path} resets its loop and has not jumped"
        target = self.jumping.get(by)
        assert target is not None, f"{fact.path} resets its loop twice"
        assert not self.halted, f"{fact.path} goes back although the run is halted by {self.halts}"
        assert by in steps, f"{fact.path} has jumped and keeps its end"
        under_way = {self.place(path)[0] for path in self.open} & steps - self.keys.keys()
        assert not under_way, f"{fact.path} goes back while {under_way} run"
        following = self.rules.after(target)
        lost = {one for one in self.gone if self.status.get(one) == "completed"}
        must = following | self.rules.needed(following, lost)
        assert steps <= must, f"a jump resets {steps - must}, which is not after its target"
        begun = self.status.keys() | self.keys.keys()
        kept = {one for one in must - steps if one in begun or self.attempts.get(self.path(one))}
        assert not kept, f"a jump leaves {kept} as they were"
        self.loops.update(steps)

    def _item_reset(self, place: Place) -> None:
        assert self.items.pop(place, "") in ("failed", "cancelled"), f"an item without need: {place}"
        self.offsets[place] = self.words[place]
        self.outputs.pop(place, None)
        self.item_visits[place] = self.item_visits.get(place, self.bases.get(place[0], 1)) + 1
        if self.stopped_by == place:
            self.stopped_by = None

    def _loses_items(self, number: int) -> None:
        places = [(number, index) for index in range(len(self.keys.pop(number)))]
        visits = [self.item_visits.pop(place, 0) for place in places]
        self.bases[number] = max(self.bases.get(number, 1), *visits, 0) + 1
        for place in places:
            self.items.pop(place, None)
            self.outputs.pop(place, None)
            self.offsets[place] = self.words[place]
            if self.stopped_by == place:
                self.stopped_by = None
        self.digests.pop(number, None)
        self.closed.discard(number)

    def _step_again(self, number: int) -> None:
        place, path = (number, -1), self.path(number)
        self.offsets[place] = self.words[place]
        self.outputs.pop(place, None)
        if self.stopped_by == place:
            self.stopped_by = None
        for known in (self.status, self.reason, self.jumping, self.chosen, self.decided):
            known.pop(number, None)
        for some in (self.degraded, self.unkept, self.gone, self.feeding):
            some.discard(number)
        for due in (self.waits, self.patience):
            due.pop(path, None)
        self.visits[number] = self.visits.get(number, 1) + 1

    # Steps.

    def _step_started(self, fact: ev.StepStarted) -> None:
        number, _ = self.place(fact.path)
        assert number not in self.status, f"{fact.path} begins after its end (S3)"
        assert fact.path not in self.open, f"{fact.path} begins twice"
        made = self.attempts.get(fact.path, 0)
        assert fact.attempt == made + 1, f"{fact.path}: attempt {fact.attempt} after {made}"
        assert fact.at >= self.waits.pop(fact.path, fact.at), f"{fact.path} is tried again too early (S9)"
        gate = self.rules.gate(number)
        timed_out = isinstance(self.last, ev.JoinTimedOut) and self.last.path == fact.path
        assert gate.verdict == "go" or timed_out or self._could_begin(number), (
            f"{fact.path} begins, and must {gate.verdict} {gate.reason}"
        )
        self.attempts[fact.path] = fact.attempt
        self.open.add(fact.path)
        self.patience.pop(fact.path, None)
        if self.case.plan.steps[number].feeds:
            self.feeding.add(number)

    def _could_begin(self, number: int) -> bool:
        """Whether it could begin before the generator came to a bad end that feeds it: its `when` was asked, or so."""
        fan = self.case.plan.steps[number].fan
        return fan is not None and fan.live and fan.over in self.status

    def _ends(self, fact: ev.Event, status: str, reason: str = "") -> Place:
        number, index = self.place(fact.path)
        assert number not in self.status, f"{fact.path} has an end already"
        self.status[number], self.reason[number] = status, reason
        if fact.attempt and number not in self.keys:
            assert fact.path in self.open, f"{fact.path} ends an attempt that never began"
            assert fact.attempt == self.attempts[fact.path]
        self.open.discard(fact.path)
        self.waits.pop(fact.path, None)
        self.patience.pop(fact.path, None)
        for item in range(len(self.keys.get(number, ()))):  # if the map is ever reset, nobody waits any more
            self.waits.pop(self.path(number, item), None)
        self.recoveries = 0
        return number, index

    def _step_completed(self, fact: ev.StepCompleted) -> None:
        number, _ = self.place(fact.path)
        step = self.case.plan.steps[number]
        if step.fan is not None:
            self._map_completed(fact, number)
        else:
            must = self.rules.single(number)
            came = "goto" if fact.goto else "soft" if fact.soft_failed else "stops" if fact.stops else "completed"
            assert came == must, f"{fact.path} ends as {came}, and must as {must}"
            self._tried_as_often_as_it_may(fact.path, number)
        place = self._ends(fact, "completed")
        word = self.words[place]
        if step.fan is None:
            self.words[place] += 1
        if fact.goto:
            assert fact.goto == self.names[self.rules.target(number, word)]
            self.jumping[number] = self.number[fact.goto]
            return
        if step.fan is None:
            yields = number in self.case.gifts
            self.outputs[place] = fact.output if yields else self.case.value(number, -1, word)
            assert fact.output == (None if step.ephemeral else self.outputs[place]), f"{fact.path} gave {fact.output}"
        assert fact.kept != step.ephemeral
        for target in self.closed & self.rules.fed[number]:  # its parts were closed in one breath with its end
            if target not in self.status:
                self.items_are_those_of(target, self.outputs[place])
        if not fact.kept:
            self.unkept.add(number)
        if fact.degraded:
            self.degraded.add(number)
        if fact.stops:
            self._stops(place)

    def _tried_as_often_as_it_may(self, path: str, number: int) -> None:
        """S9: each visit has its whole budget, no crash uses any of it, and no attempt beyond it is made."""
        made, must = self.retries[path] + 1, self.rules.fate(number, -1).made
        assert made == must, f"{path} ended by attempt {made}, and must by {must}"

    def _map_completed(self, fact: ev.StepCompleted, number: int) -> None:
        count = len(self.keys[number])
        assert number in self.closed, f"{fact.path} completes, and not all of its items are known"
        ended = sum((number, item) in self.items for item in range(count))
        assert ended == count, f"{fact.path} completes with {ended} of {count} items"
        assert self.rules.enough(number, count), f"{fact.path} completes with too few items"
        assert fact.degraded == any(self.items[number, item] == "failed" for item in range(count))
        fan = self.case.plan.steps[number].fan
        assert fan is not None
        assert self.status[fan.over] == "completed", f"{fact.path} completes, and what it runs over has no value"
        self.items_are_those_of(number, self.output(fan.over))

    def items_are_those_of(self, number: int, values: object) -> None:
        """S7: the parts, one after the other, are what its source gave: none twice, none missing, none of another."""
        values = listed(values)
        fan = self.case.plan.steps[number].fan
        assert fan is not None
        keys = [str(key_of(value)) if fan.key else str(place) for place, value in enumerate(values)]
        same = sorted(self.keys[number]) == sorted(keys) if fan.key and fan.live else self.keys[number] == keys
        assert same, f"the items of {number} are {self.keys[number]}, and {keys} were given (S7)"
        if number in self.digests and fan.key is None:
            digests = b"".join(map(digest_of, values))
            assert self.digests[number] == digests, f"the items of {number} are not those that were given (S7)"

    def output(self, number: int) -> object:
        """What a step that has completed has given."""
        if self.case.plan.steps[number].fan is None:
            return self.outputs.get((number, -1))
        places = [(number, index) for index in range(len(self.keys[number]))]
        return [self.outputs[place] for place in places if self.items[place] == "completed"]

    def _step_retrying(self, fact: ev.StepRetrying) -> None:
        assert fact.path in self.open
        self.open.discard(fact.path)
        self.waits[fact.path] = fact.retry_at
        self.retries[fact.path] += 1
        self.words[self.place(fact.path)] += 1

    def _step_failed(self, fact: ev.StepFailed) -> None:
        reason = fact.failure.reason if fact.failure else ""
        number, _ = self.place(fact.path)
        self._must_fail(fact, number, reason)
        place = self._ends(fact, "tolerated" if fact.tolerated else "failed", reason)
        step = self.case.plan.steps[number]
        assert fact.tolerated != step.critical
        if step.fan is None and reason not in ("when_raised", "join_timed_out"):
            self.words[place] += 1
        if fact.tolerated:
            self.degraded.add(number)
        elif self.case.on_failure != "finish":
            self.halts.append("failed")

    def _must_fail(self, fact: ev.StepFailed, number: int, reason: str) -> None:
        fan = self.case.plan.steps[number].fan
        if reason == "when_raised":
            assert self.rules.answer(number) == "raises"
        elif reason == "join_timed_out":
            assert isinstance(self.last, ev.StepStarted), f"{fact.path} has run, and failed since it waited too long"
        elif fan is None and reason == "items_not_usable":
            assert self._is_doubled(number), (
                f"{fact.path} fails for the keys of its items, and they are as they must be"
            )
        elif fan is None:
            must = self.rules.single(number)
            assert must == ("loop" if reason == "max_visits" else "failed"), f"{fact.path} failed, and must {must}"
            self._tried_as_often_as_it_may(fact.path, number)
        elif reason == "items_not_usable":
            assert self.case.counts.get(fan.over) == -1 or fan.key is not None
        elif reason == "source_failed":
            assert number not in self.closed
            assert self.status.get(fan.over, "completed") != "completed", f"{fact.path}: its source has not failed"
        else:
            assert reason == "items_failed", reason
            assert not self.rules.enough(number, len(self.keys[number])), f"{fact.path} has enough items"

    def _is_doubled(self, source: int) -> bool:
        """Whether two items of a generator have one key, in a map that takes them by key."""
        doubled = any(len(set(map(key_of, gift))) < len(gift) for gift in self.case.gifts[source])
        fans = [self.case.plan.steps[target].fan for one, target in self.case.live if one == source]
        return doubled and any(fan is not None and fan.key is not None for fan in fans)

    def _step_cancelled(self, fact: ev.StepCancelled) -> None:
        number, _ = self.place(fact.path)
        if not self.halts:
            jumps = any(number in self.rules.after(target) for target in self.jumping.values())
            over = all(one in self.status for one in self.rules.after(number) - {number})
            idle = self.case.plan.steps[number].feeds and (over or fact.reason == "nothing_needs_it")
            blocked = self._is_blocked(fact.reason)
            assert (jumps and fact.reason == "goto") or idle or blocked, (
                f"{fact.path} is cancelled for {fact.reason!r} in a run that goes on"
            )
        self._ends(fact, "cancelled", fact.reason)

    def _is_blocked(self, reason: str) -> bool:
        """Whether the run is to be blocked, which is no fact before it is; in its process it is known before."""
        if reason not in ("blocked", "run_blocked"):
            return False
        self.halts.append("blocked")
        return True

    def _step_skipped(self, fact: ev.StepSkipped) -> None:
        number, _ = self.place(fact.path)
        gate = self.rules.gate(number)
        assert gate.verdict == "go" or self._could_begin(number), (
            f"{fact.path} is skipped, and must {gate.verdict} {gate.reason}"
        )
        assert self.rules.answer(number) == "no"
        self._ends(fact, "skipped", fact.reason)

    def _step_pruned(self, fact: ev.StepPruned) -> None:
        number, _ = self.place(fact.path)
        fan = self.case.plan.steps[number].fan
        if fact.reason == "source_gave_nothing":
            assert fan is not None
            assert fan.live
            assert self.status[fan.over] == "pruned", f"{fact.path}: its source was not pruned"
            assert fact.attempt
        elif fact.attempt and fan is None:
            assert self.rules.single(number) == "pruned", f"{fact.path} did not return Skip"
            self._tried_as_often_as_it_may(fact.path, number)
        else:
            gate = self.rules.gate(number)
            assert gate.verdict == "prune", f"{fact.path} is pruned, and must {gate.verdict}"
            # A join that waits for a number may be hopeless before it is known for how many reasons.
            early = number in self.case.plan.graph.quorums and fact.reason != "upstream_failed"
            assert gate.reason == fact.reason or early, (
                f"{fact.path} is pruned for {fact.reason}, and must for {gate.reason}"
            )
        place = self._ends(fact, "pruned", fact.reason)
        self.words[place] += bool(fact.attempt) and fan is None

    def _branch_chosen(self, fact: ev.BranchChosen) -> None:
        place = self.place(fact.path)
        choice = self.case.word(*place, self.words[place]).choice
        wires = [w for w in self.case.wires if w.source == place[0] and w.means == "route" and w.choice == choice]
        self.chosen[place[0]] = tuple(dict.fromkeys(self.number[name] for name in fact.chosen))
        assert set(self.chosen[place[0]]) == {wire.target for wire in wires}

    def _stops(self, place: Place) -> None:
        self.stopped_by = place
        self.halts.append("stopped")

    # Joins.

    def _join_waiting(self, fact: ev.JoinWaiting) -> None:
        self._tell(fact)
        number, _ = self.place(fact.path)
        left = tuple(self.names[one] for one in self.rules.sources[number] if one not in self.status)
        assert sorted(fact.waiting_for) == sorted(left), f"{fact.path} waits for {left}, not {fact.waiting_for}"
        limit = self.case.plan.steps[number].join_timeout
        assert fact.deadline == (None if limit is None else fact.at + limit)
        if fact.deadline is not None:
            self.patience[fact.path] = fact.deadline

    def _join_released(self, fact: ev.JoinReleased) -> None:
        self._tell(fact)
        number, _ = self.place(fact.path)
        assert len(self.rules.sources[number]) > 1, f"{fact.path} has one step before it and is no join"
        assert self.rules.gate(number).verdict != "wait", f"{fact.path} is released before it knows what it must"
        assert (ev.EventKind.JOIN_WAITING, fact.path) in self.told, f"{fact.path} is released and never waited"
        self.patience.pop(fact.path, None)

    def _join_timed_out(self, fact: ev.JoinTimedOut) -> None:
        number, _ = self.place(fact.path)
        deadline = self.patience.pop(fact.path, None)
        assert deadline is not None, f"{fact.path} does not wait, or not only so long"
        assert fact.at >= deadline, f"{fact.path} waited until {fact.at}, and may until {deadline}"
        since = self.decided.get(number, deadline)
        assert since >= deadline, f"{fact.path} timed out at {deadline}, and has all it waits for since {since}"

    def _tell(self, fact: ev.Event) -> None:
        said = (fact.kind, fact.path)
        assert said not in self.told, f"{fact.kind} of {fact.path} is told twice"
        self.told.add(said)

    # Items.

    def _map_expanded(self, fact: ev.MapExpanded) -> None:
        number, _ = self.place(fact.path)
        assert number not in self.closed, f"{fact.path} is expanded twice (S7)"
        assert number not in self.status, f"{fact.path} is expanded after its end"
        fan = self.case.plan.steps[number].fan
        assert fan is not None
        if not fact.more:
            self.closed.add(number)
        else:
            assert (fan.over, number) in self.case.live, f"{fact.path} has its items in parts, and is not live"
        known = self.keys.setdefault(number, [])
        assert not fact.count or (fact.keys is not None) == (fan.key is not None)
        known += fact.keys or tuple(map(str, range(len(known), len(known) + fact.count)))
        if fact.digests:
            self.digests.setdefault(number, bytearray()).extend(fact.digests)
        assert len(set(known)) == len(known), f"{fact.path} has an item twice"
        if not fact.more and self.status.get(fan.over) == "completed":
            self.items_are_those_of(number, self.output(fan.over))

    def _item_ends(self, fact: ev.Event, status: str) -> Place:
        place = self.place(fact.path)
        assert place[0] not in self.status, f"{fact.path} ends after its map"
        assert place not in self.items, f"{fact.path} has an end already"
        self.items[place] = status
        if status != "cancelled":
            fate = self.rules.fate(*place)
            must = {"value": "completed", "stop": "completed", "skip": "skipped"}.get(fate.how, "failed")
            assert status == must, f"{fact.path} ended {status}, and must {must}"
            made = self.retries[fact.path] + 1
            assert made == fate.made, f"{fact.path} ended by attempt {made}, and must by {fate.made}"
            self.words[place] += 1
        self.attempts[fact.path] = fact.attempt
        self.waits.pop(fact.path, None)
        self.recoveries = 0
        return place

    def _item_completed(self, fact: ev.ItemCompleted) -> None:
        place = self._item_ends(fact, "skipped" if fact.skipped else "completed")
        if not fact.skipped:
            self.outputs[place] = self.case.value(*place, self.words[place] - 1)
            ephemeral = self.case.plan.steps[place[0]].ephemeral
            assert fact.output == (None if ephemeral else self.outputs[place])
        if fact.stops:
            self._stops(place)

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
        number, _ = self.place(fact.path)
        jumps = any(number in self.rules.after(target) for target in self.jumping.values())
        goes_on = not self.halts and not self._is_blocked(fact.reason)
        assert not goes_on or (jumps and fact.reason == "goto"), f"{fact.path} is cancelled in a run that goes on"
        self._item_ends(fact, "cancelled")

    # What follows from it.

    @property
    def halted(self) -> bool:
        """Whether no new attempt may start."""
        return bool(self.halts)

    def to_reset(self) -> tuple[set[str], set[str]]:
        """What a resume must un-end: what failed or was cancelled, what ended because of a failure before it, what is
        needed and nobody has any more; and the maps of it that lose their items.
        """
        numbers = {
            number
            for number, status in self.status.items()
            if status in ("failed", "cancelled") or self.reason[number] == "upstream_failed"
        }
        unfinished = numbers | {number for number in range(len(self.names)) if number not in self.status}
        stopped = self.stopped_by is not None  # nothing runs any more that could need anything
        lost = set[int]() if stopped else {one for one in self.unkept if self.status[one] == "completed"}
        numbers |= self.rules.needed(unfinished, lost)
        steps = self.case.plan.steps
        whole = {number for number in self.keys if steps[number].ephemeral and number in unfinished | numbers}
        paths = {self.path(number) for number in numbers | whole}
        for (number, index), status in self.items.items():
            kept = number in whole or (number in self.status and number not in numbers)
            if status in ("failed", "cancelled") and not kept:
                paths.add(self.path(number, index))
        return paths, {self.path(number) for number in whole}


def listed(values: object) -> list[object]:
    """What a source has given, which must be a list."""
    assert isinstance(values, list)
    return cast("list[object]", values)


def digest_of(value: object) -> bytes:
    """What is recorded of an item that has no key."""
    return sha256(str(value).encode()).digest()[:8]
