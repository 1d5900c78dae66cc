"""Small plans by hand, a state to tell facts, and a store that is as slow as a test wants."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, SupportsIndex, cast, overload

from stepwell import events as ev
from stepwell.codecs.port import Codec
from stepwell.graph import Edge, build
from stepwell.journal.memory import MemoryStore
from stepwell.journal.port import Lease
from stepwell.plan.plan import Fan, Guard, Plan, PlanStep, Routes
from stepwell.policy import RetryPolicy
from stepwell.state.fold import apply
from stepwell.state.state import State

NOW = 100.0


def nothing(*_: object) -> object:
    return None


class _NoCodec:
    annotation = object


def step(number: int, **options: Any) -> PlanStep:
    """A step `a`, `b`, … by its number; after `h` comes `s8`."""
    name = "abcdefgh"[number] if number < 8 else f"s{number}"
    known: dict[str, Any] = {"kind": "map" if "fan" in options else "step", **options}
    kind = known.pop("kind")
    return PlanStep(number, name, name, kind, nothing, (), "inline", cast("Codec", _NoCodec()), "", **known)


def guarded() -> Guard:
    return Guard(nothing, (), "it may")


def fan(over: int, concurrency: int = 32, min_success: float | int | None = None, *, live: bool = False) -> Fan:
    return Fan(over, None, concurrency, min_success, live)


def routes(*targets: int) -> Routes:
    return Routes(((True, targets),), ())


def tries(attempts: int, **options: Any) -> RetryPolicy:
    known: dict[str, Any] = {"delay": 1, "jitter": 0, **options}
    return RetryPolicy(attempts=attempts, **known)


def plan(
    steps: Sequence[PlanStep], *edges: Edge, concurrency: int | None = None, quorums: Mapping[int, int] | None = None
) -> Plan:
    """A plan of these steps and edges; `quorums` are joins of a number."""
    jumps = [(one.number, target) for one in steps for target in one.goto]
    graph = build([one.name for one in steps], edges, quorums, jumps)
    last = tuple(number for number, links in enumerate(graph.after) if not links)
    return Plan("p", tuple(steps), graph, {}, None, last, "", concurrency=concurrency)


class Story:
    """A state that is told facts in short."""

    def __init__(self, the_plan: Plan, **started: object) -> None:
        self.plan = the_plan
        self.state = State(the_plan.graph)
        self._seq = itertools.count(1)
        terms: dict[str, Any] = {"concurrency": the_plan.concurrency, **started}
        self.tell(ev.RunStarted, **terms)

    def tell(self, kind: type[ev.Event], path: str = "", attempt: int = 0, **fields: object) -> Story:
        fact = cast("Callable[..., ev.Event]", kind)("r", next(self._seq), NOW, path, attempt, **fields)
        apply(self.state, fact)
        self.state.seq = fact.seq
        return self

    def start(self, *paths: str) -> Story:
        for path in paths:
            self.tell(ev.StepStarted, path, 1)
        return self

    def complete(self, *paths: str, **fields: object) -> Story:
        for path in paths:
            self.start(path).tell(ev.StepCompleted, path, 1, **fields)
        return self

    def fail(self, path: str, **fields: object) -> Story:
        return self.start(path).tell(ev.StepFailed, path, 1, **fields)

    def expand(self, path: str, count: int) -> Story:
        return self.start(path).tell(ev.MapExpanded, path, 1, count=count)

    def item(self, kind: type[ev.Event], path: str, index: int, **fields: object) -> Story:
        fields.setdefault("attempt", 1)
        return self.tell(kind, f"{path}[{index}]", index=index, **cast("dict[str, Any]", fields))


class Looked(list[tuple[float, int]]):
    """A heap that counts how many of its entries were looked at."""

    looks = 0

    @overload
    def __getitem__(self, index: SupportsIndex) -> tuple[float, int]: ...

    @overload
    def __getitem__(self, index: slice) -> list[tuple[float, int]]: ...

    def __getitem__(self, index: SupportsIndex | slice) -> tuple[float, int] | list[tuple[float, int]]:
        found = super().__getitem__(index)
        self.looks += len(found) if isinstance(index, slice) else 1
        return found

    def __iter__(self) -> Iterator[tuple[float, int]]:
        for one in super().__iter__():
            self.looks += 1
            yield one


MANY = 2_000


def all_due(concurrency: int) -> tuple[Story, Looked]:
    """A map `b` of very many items that all failed once, and are due again at the same time; one more item runs."""
    steps = [step(0), step(1, fan=fan(0, concurrency))]
    story = Story(plan(steps, Edge(0, 1, needs=True))).complete("a").expand("b", MANY + 1)
    for index in range(MANY):
        story.item(ev.ItemStarted, "b", index).item(ev.ItemRetrying, "b", index, retry_at=NOW + 1)
    story.item(ev.ItemStarted, "b", MANY)
    items = story.state.maps[1]
    items.timers = looked = Looked(items.timers)
    return story, looked


class HeldStore(MemoryStore):
    """A store in memory whose disk is slow while `holds` is set: what is appended is durable after `let_go`."""

    def __init__(self) -> None:
        super().__init__()
        self.holds = False
        self.held: deque[tuple[Lease, Sequence[ev.Event], asyncio.Future[None]]] = deque()

    def append(self, lease: Lease, events: Sequence[ev.Event], alone: bool = False) -> asyncio.Future[None] | None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        if not self.holds and not self.held:
            super().append(lease, events)
            return None
        ack: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.held.append((lease, list(events), ack))
        return ack

    def let_go(self) -> None:
        """All that was held is durable, in its order."""
        self.holds = False
        while self.held:
            lease, events, ack = self.held.popleft()
            try:
                super().append(lease, events)
            except Exception as error:  # whatever it is, the one who waits hears of it
                ack.set_exception(error)
            else:
                ack.set_result(None)


async def until(what: Callable[[], object]) -> None:
    """Let the loop turn until this is so; threads may need a while."""
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end, "it never comes to this"
        await asyncio.sleep(0)


async def turns() -> None:
    """Let everything happen that can."""
    for _ in range(200):
        await asyncio.sleep(0)
