"""The state of a run, with the counters by which a decision costs what has changed and never a look at all steps.

It knows the graph, by number, and nothing else of the plan. Only `fold.py` changes it.
"""

from __future__ import annotations

from collections import deque
from heapq import heapify, heappop

from stepwell.events import Failure
from stepwell.graph import Graph
from stepwell.ids import escape, unescape

PENDING, GUARDING, RUNNING, WAITING, COMPLETED, SKIPPED, TOLERATED, PRUNED, FAILED, CANCELLED = range(10)
"""Where a step is; from COMPLETED on it has ended. Items of a map use the same numbers."""

STATUS = [
    "pending",
    "pending",
    "running",
    "waiting",
    "completed",
    "skipped",
    "tolerated",
    "pruned",
    "failed",
    "cancelled",
]
"""The same in words."""


SUCCESS = ("completed", "stopped", "degraded")
"""The statuses of a run that count as success."""


class MapState:
    """The items of one map: what each has come to, by index."""

    __slots__ = (
        "_indices",
        "attempts",
        "cancelled",
        "cursor",
        "due",
        "ended",
        "failed",
        "keys",
        "results",
        "running",
        "stages",
        "stopped_by",
        "total",
        "visits",
    )

    def __init__(self, total: int, keys: tuple[str, ...] | None) -> None:
        self.total = total
        self.keys = keys
        self.stages = bytearray(total)
        self.results: list[object] = [None] * total
        self.cursor = 0
        """No item before this one is still to be started."""
        self.running = 0
        self.ended = 0
        self.failed = 0
        self.cancelled = 0
        self.stopped_by = -1
        """The item that returned `Stop`."""
        self.attempts: dict[int, int] = {}
        """Attempts that ended in a retry so far, of the items that have any."""
        self.due: dict[int, float] = {}
        """When the retries of those items begin that wait for one."""
        self.visits: dict[int, int] = {}
        """Which visit an item is in, of those that were reset."""
        self._indices: dict[str, int] | None = None

    def key(self, index: int) -> str:
        """The key of an item."""
        return str(index) if self.keys is None else self.keys[index]

    def index(self, key: str) -> int:
        """The index of the item with this key."""
        if self.keys is None:
            return int(key)
        if self._indices is None:
            self._indices = {one: index for index, one in enumerate(self.keys)}
        return self._indices[key]


class State:
    """Everything that follows from the facts of one run so far."""

    __slots__ = (
        "at",
        "attempts",
        "because",
        "cancelling",
        "chosen",
        "concurrency",
        "deadline",
        "degraded",
        "doomed",
        "ended",
        "ended_at",
        "failures",
        "graph",
        "halt",
        "held",
        "joins",
        "live",
        "maps",
        "missing",
        "on_failure",
        "open",
        "outputs",
        "passed",
        "paths",
        "ready",
        "reasons",
        "recoveries",
        "released",
        "running",
        "seq",
        "spent",
        "started_at",
        "starved",
        "status",
        "steps",
        "stopped_by",
        "timers",
        "visits",
        "waited",
    )

    def __init__(self, graph: Graph) -> None:
        size = len(graph.names)
        self.graph = graph
        self.seq = 0
        self.status = "pending"
        """`running`, or how it ended; a run that can be resumed becomes `running` again."""
        self.halt = ""
        """Why nothing new starts: `stopped`, `failed`, `cancelled` or `timed_out`."""
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
        self.degraded: set[int] = set()
        """Steps that were tolerated, and maps that left items out."""
        # By step: where it is, what is recorded of it.
        self.steps = [PENDING] * size
        self.attempts = [0] * size
        self.spent = [0] * size
        """Attempts that ended in a retry; one that dies with its process is not spent."""
        self.started_at: list[float | None] = [None] * size
        self.ended_at: list[float | None] = [None] * size
        """When its first attempt began, when it came to its end."""
        self.visits = [1] * size
        self.paths = list(graph.names)
        self.at = dict(graph.number)
        """The step of each path, in its present visit."""
        self.outputs: list[object] = [None] * size
        self.reasons = [""] * size
        self.because = [""] * size
        """Of a pruned step: the path of the step that failed for good before it, if that is why."""
        self.chosen: dict[int, frozenset[int]] = {}
        self.maps: dict[int, MapState] = {}
        self._nothing_goes_on()
        self.count()

    def _nothing_goes_on(self) -> None:
        """What goes on at this moment, and what is counted: all of it follows from the rest."""
        self.running = 0
        """Attempts under way; a map counts by its items."""
        self.held = 0
        """Slots held by threads that were abandoned and have not ended yet."""
        self.timers: list[tuple[float, int, int]] = []
        """Retries to come: (time, step, item or -1), a heap."""
        self.open: dict[int, MapState] = {}
        """Maps that have been expanded and have no end yet."""
        self.passed: set[int] = set()
        """Steps whose `when` was true, that have not started yet."""
        self.waited: set[int] = set()
        self.released: set[int] = set()
        """Joins that were said to wait, and to wait no more."""
        self.ended = 0
        self.missing: list[int] = []
        self.live: list[int] = []
        self.starved: list[int] = []
        self.doomed: list[str] = []
        """By step: sources without an end, live ones that count, values that will not come, a failure before it."""
        self.joins: deque[int] = deque()
        """Joins before which a first step has ended, still to be told."""
        self.ready: deque[int] = deque()
        """Steps that have no end and no attempt, with nothing missing before them."""

    def count(self) -> None:
        """Count anew, from where each step is; what `settle` keeps up to date must always equal this."""
        graph, size = self.graph, len(self.steps)
        self.missing = [len(sources) for sources in graph.before]
        self.live = [0] * size
        self.starved = [0] * size
        self.doomed = [""] * size
        self.ended = 0
        self.joins.clear()
        for number in range(size):
            if self.steps[number] >= COMPLETED:
                self.ended += 1
                self.settle(number)
        self.ready = deque(n for n in range(size) if self.steps[n] == PENDING and self.missing[n] == 0)

    def settle(self, number: int) -> None:
        """A step has ended: count it off before all that follow it."""
        status = self.steps[number]
        goes_on = status == COMPLETED or status == SKIPPED or status == TOLERATED
        failure = self.paths[number] if status == FAILED else self.because[number]
        missing = self.missing
        for target, counts, route, needs in self.graph.after[number]:
            left = missing[target] = missing[target] - 1
            if goes_on and not (route and target not in self.chosen.get(number, ())):
                self.live[target] += counts
            if needs and status != COMPLETED:
                self.starved[target] += 1
            if failure and not self.doomed[target]:
                self.doomed[target] = failure
            before = len(self.graph.before[target])
            if before > 1 and left == before - 1 and target not in self.waited:
                self.joins.append(target)
            if left == 0 and self.steps[target] == PENDING:
                self.ready.append(target)

    def leave_ready(self, number: int) -> None:
        """Take a step from those that may start; nearly always it is the first."""
        if self.ready and self.ready[0] == number:
            self.ready.popleft()
        elif number in self.ready:
            self.ready.remove(number)

    def drop_timer(self, number: int, index: int = -1) -> None:
        """A retry begins: its timer is done; nearly always it is the next one."""
        timers = self.timers
        if timers and timers[0][1:] == (number, index):
            heappop(timers)
            return
        self.timers = [timer for timer in timers if timer[1:] != (number, index)]
        heapify(self.timers)

    def item_path(self, number: int, index: int) -> str:
        """The text of an item's path, in its present visit."""
        items = self.maps[number]
        key = str(index) if items.keys is None else escape(items.keys[index])
        visit = items.visits.get(index, 1) if items.visits else 1
        text = f"{self.graph.names[number]}[{key}]"
        return text if visit == 1 else f"{text}#{visit}"

    def item_at(self, path: str) -> tuple[int, int]:
        """The map and the index that an item's path means."""
        name, _, rest = path.rpartition("[")
        number = self.graph.number[name]
        return number, self.maps[number].index(unescape(rest.rpartition("]")[0]))
