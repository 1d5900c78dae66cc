"""The state of a run, with the counters by which a decision costs what has changed and never a look at all steps.

It knows the graph, by number, and nothing else of the plan. It changes in the fold alone: `fold.py`, what that calls of
`fold_items.py` and `fold_again.py`, and the methods here that count.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from heapq import heapify, heappop

from stepwell.events import Failure
from stepwell.graph import Graph
from stepwell.ids import unescape
from stepwell.state.items import MapState
from stepwell.state.visit import Visit

PENDING, GUARDING, RUNNING, WAITING, COMPLETED, SKIPPED, TOLERATED, PRUNED, FAILED, CANCELLED = range(10)
"""Where a step is; from COMPLETED on it has ended. Items of a map use the same numbers."""

STATUS = [
    "pending", "pending", "running", "waiting", "completed", "skipped", "tolerated", "pruned", "failed", "cancelled",
]  # fmt: skip
"""The same in words."""


RETRY, JOIN = range(2)
"""What a timer is of: the next attempt of a step, or the patience of a join."""

WAITED, RELEASED = 1, 2
"""What was said of a join: that it waits, that it waits no more."""

_NONE: frozenset[int] = frozenset()

SUCCESS = ("completed", "stopped", "degraded")
"""The statuses of a run that count as success."""


class State:
    """Everything that follows from the facts of one run so far.

    Runs come by the thousand, and the garbage collector walks over every list and set of each: what is known of few
    steps is a dict of theirs, or a frozenset that is replaced; what is the same for most runs is shared with the graph.
    """

    __slots__ = (
        "at", "attempts", "bases", "because", "block", "cancelling", "chosen", "clearing", "concurrency",
        "deadline", "degraded", "doomed", "ended", "ended_at", "failures", "gone", "graph", "halt", "held",
        "hope", "joining", "joins", "jumps", "live", "loops", "maps", "missing", "on_failure", "open",
        "outputs", "passed", "past", "paths", "patience", "ready", "reasons", "recoveries", "running", "seq",
        "soft", "spent", "started_at", "starved", "status", "steps", "stopped_by", "streaming", "timers",
        "to_tell", "unkept", "visits", "wants",
    )  # fmt: skip

    def __init__(self, graph: Graph) -> None:
        size = len(graph.names)
        self.graph = graph
        self.seq = 0
        self.status = "pending"
        """`running`, or how it ended; a run that can be resumed becomes `running` again."""
        self.halt = ""
        """Why nothing new starts: `stopped`, `failed`, `blocked`, `cancelled` or `timed_out`."""
        self.block: tuple[str, str] = ("", "")
        """Why it is blocked, and what to do about it."""
        self.cancelling = False
        """What runs has been told to end."""
        self.on_failure = "stop"
        self.concurrency: int | None = None
        self.deadline: float | None = None
        self.recoveries = 0
        """How often its process has died since a step or item last ended."""
        self.failures: list[Failure] = []
        self.stopped_by = -1
        """The step that returned `Stop`, itself or by one of its items."""
        self.degraded: frozenset[int] = _NONE
        """Steps that were tolerated, and maps that left items out."""
        # By step: where it is, what is recorded of it.
        self.steps = bytearray(size)
        self.attempts = [0] * size
        self.started_at: list[float | None] = [None] * size
        self.ended_at: list[float | None] = [None] * size
        """When its first attempt began, when it came to its end."""
        self.outputs: list[object] = [None] * size
        self.paths: tuple[str, ...] = graph.names
        self.at: Mapping[str, int] = graph.number
        """The path of each step in its present visit, and the step of each such path; replaced with a reset."""
        self._nothing_is_told()
        self._nothing_goes_on()
        if graph.quorums:  # nothing else is to be counted before anything has happened
            self.count()

    def _nothing_is_told(self) -> None:
        """What is recorded of few steps only."""
        self.spent: dict[int, int] = {}
        """Attempts that ended in a retry; one that dies with its process is not spent."""
        self.visits: dict[int, int] = {}
        """Which visit a step is in that was reset."""
        self.reasons: dict[int, str] = {}
        self.because: dict[int, str] = {}
        """Of a pruned step: the path of the step that failed for good before it, if that is why."""
        self.past: dict[int, list[Visit]] = {}
        """The earlier visits of steps that were reset."""
        self.loops: dict[int, int] = {}
        """How often a jump has reset a step."""
        self.jumps: dict[int, int] = {}
        """Steps that have jumped back, and where to; what lies between has still to be reset."""
        self.soft: frozenset[int] = _NONE
        """Steps that gave their best because their loop may not go on."""
        self.unkept: frozenset[int] = _NONE
        self.gone: frozenset[int] = _NONE
        """Steps that have ended and of whose output nothing is recorded; those of them whose process is gone."""
        self.chosen: dict[int, frozenset[int]] = {}
        self.bases: dict[int, int] = {}
        """Of maps that have lost their items: the visit that new ones begin with."""
        self.maps: dict[int, MapState] = {}

    def _nothing_goes_on(self) -> None:
        """What goes on at this moment, and what is counted: all of it follows from the rest."""
        self.running = 0
        """Attempts under way; a map counts by its items."""
        self.held = 0
        """Slots held by threads that were abandoned and have not ended yet."""
        self.timers: list[tuple[float, int, int]] = []
        """What steps wait for: (time, step, RETRY or JOIN), a heap; each map has one of its own."""
        self.patience: dict[int, float] = {}
        """Until when those joins wait that do not wait for ever."""
        self.clearing: frozenset[int] = _NONE
        """Steps that were told to end, and not by the end of the run."""
        self.streaming: frozenset[int] = _NONE
        """Generators that have begun to feed maps: the links to those are settled."""
        self.open: dict[int, MapState] = {}
        """Maps that have been expanded and have no end yet."""
        self.passed: frozenset[int] = _NONE
        """Steps whose `when` was true, that have not started yet."""
        self.joining = bytearray(len(self.steps))
        """By step: whether it was said to wait for others (WAITED), and to wait no more (RELEASED)."""
        self.ended = 0
        self.missing, self.live = list(self.graph.missing), [0] * len(self.steps)
        """By step: how many before it have no end yet (missing), how many live links lead to it (live)."""
        self.starved: dict[int, int] = {}
        self.doomed: dict[int, str] = {}
        """Of some steps: how many values will not come (starved); the path of a failure before it (doomed)."""
        self.hope: dict[int, int] = {}
        self.wants: dict[int, int] = {}
        """Of joins that wait for a number of live links: how many may still become live (hope), how many values that
        they need are still to come (wants)."""
        self.joins: dict[int, None] = {}
        """Joins, in order, before which a first step has ended, still to be told."""
        self.ready: deque[int] = deque(self.graph.first)
        """Steps that have no end and no attempt, with nothing missing before them."""
        self.to_tell: dict[int, None] = {}
        """Those of them that are told of whether there is a slot or not: joins that wait no more, what is pruned."""

    def count(self) -> None:
        """Count anew, from where each step is; what `settle` keeps up to date must always equal this."""
        graph, size = self.graph, len(self.steps)
        self.missing, self.live = list(graph.missing), [0] * size
        self.starved.clear()
        self.doomed.clear()
        self.ended = 0
        self.joins.clear()
        self.hope = dict.fromkeys(graph.quorums, 0)
        self.wants = dict.fromkeys(graph.quorums, 0)
        for target in graph.quorums:
            for link in (link for source in graph.before[target] for link in graph.after[source]):
                if link.target == target:
                    self.hope[target] += link.counts
                    self.wants[target] += link.needs
        for number in self.streaming:
            self.stream(number)
        for number in range(size):
            if self.steps[number] >= COMPLETED:
                self.ended += 1
                if number not in self.jumps:
                    self.settle(number)
        self.ready.clear()
        self.to_tell.clear()
        for number in range(size):
            if self.steps[number] == PENDING and self.may_begin(number):
                self._line_up(number)

    def settle(self, number: int) -> None:
        """A step has ended: count it off before all that follow it."""
        status = self.steps[number]
        goes_on = status == COMPLETED or status == SKIPPED or status == TOLERATED
        failure = self.paths[number] if status == FAILED else self.because.get(number)
        missing, hope = self.missing, self.hope
        for target, counts, route, needs, live, joins, plain in self.graph.after[number]:
            if plain and status == COMPLETED:  # what nearly all links come to, at a fifth of the cost
                missing[target], self.live[target] = 0, counts
                if self.steps[target] == PENDING:
                    self.ready.append(target)
                continue
            if needs and status != COMPLETED:
                self.starved[target] = self.starved.get(target, 0) + 1
            if failure:
                self.doomed.setdefault(target, failure)
            begun = live and number in self.streaming  # counted when it began
            if not begun:
                missing[target] -= 1
                if goes_on and not (route and target not in self.chosen.get(number, ())):
                    self.live[target] += counts
                if target in hope:
                    hope[target] -= counts
                    self.wants[target] -= needs and status == COMPLETED
            if joins and not self.joining[target]:
                self.joins[target] = None
            if self.steps[target] != PENDING:
                continue
            if self._decided(target) if begun or target in hope else missing[target] == 0:
                self._line_up(target)
            elif begun and target in self.ready and not self.reached(target):
                self.to_tell[target] = None  # its source has failed before there was a slot for it

    def stream(self, number: int) -> None:
        """A generator has begun: maps that take its items as they come may begin too."""
        for target, counts, _, needs, live, _, _ in self.graph.after[number]:
            if live:
                self.missing[target] -= 1
                self.live[target] += counts
                if target in self.hope:
                    self.hope[target] -= counts
                    self.wants[target] -= needs
                if self.steps[target] == PENDING and self._decided(target):
                    self._line_up(target)

    def may_begin(self, number: int) -> bool:
        """Whether nothing is missing before a step, or so much that it never will begin."""
        return self.reached(number) or self.hopeless(number) if number in self.hope else self.missing[number] == 0

    def reached(self, number: int) -> bool:
        """Whether as many live links lead to a step as it waits for, and no value is missing that it needs."""
        if number in self.hope:
            enough = self.live[number] >= self.graph.quorums[number]
            return enough and self.wants[number] == 0 and number not in self.starved
        live = self.live[number] > 0 and number not in self.doomed and number not in self.starved
        return live or not self.graph.before[number]

    def hopeless(self, number: int) -> bool:
        """Whether a join can no longer come to that."""
        return number in self.starved or self.live[number] + self.hope[number] < self.graph.quorums[number]

    def _decided(self, number: int) -> bool:
        """Whether a join may begin, or never will, and that was not so before."""
        return number not in self.ready and self.may_begin(number)

    def leave_ready(self, number: int) -> None:
        """Take a step from those that may start; nearly always it is the first."""
        if self.ready and self.ready[0] == number:
            self.ready.popleft()
        elif number in self.ready:
            self.ready.remove(number)
        self.to_tell.pop(number, None)

    def _line_up(self, number: int) -> None:
        """Nothing is missing before a step any more: it may begin, or never will."""
        self.ready.append(number)
        waits = len(self.graph.before[number]) > 1 and self.joining[number] != RELEASED
        if waits or not self.reached(number):
            self.to_tell[number] = None

    def drop_timer(self, number: int, kind: int = RETRY) -> None:
        """What was waited for begins; nearly always its timer is the next one."""
        timers = self.timers
        if timers and timers[0][1] == number and timers[0][2] == kind:
            heappop(timers)
            return
        self.timers = [timer for timer in timers if timer[1:] != (number, kind)]
        heapify(self.timers)

    def item_path(self, number: int, index: int) -> str:
        """The text of an item's path, in its present visit."""
        return self.maps[number].path(self.graph.names[number], index)

    def item_at(self, path: str) -> tuple[int, int]:
        """The map and the index that an item's path means."""
        name, _, rest = path.rpartition("[")
        number = self.graph.number[name]
        return number, self.maps[number].index(unescape(rest.rpartition("]")[0]))
