"""The death of a process, as a store sees it: from one instant on nothing more is written, and nothing is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from stepwell.errors import StepwellError
from stepwell.events import ENDS, Event, Payload
from stepwell.journal.port import Lease, Request, RunRow, Store, Wanted
from stepwell.testing.clock import VirtualClock


class Crashed(StepwellError):
    """The run's process has died, as the test wished; `await h.resume()` goes on from what is recorded.

    It is no StoreError: who is prepared for a store that fails is not prepared for being dead.
    """


@dataclass(frozen=True, slots=True)
class CrashPlan:
    """When a process dies: at its append number `at`, or when a path of `after` has its end."""

    at: int = 0
    after: str = ""
    durable: bool = True
    """The append that it dies at is written; it only never hears of it."""

    def meets(self, number: int, events: Sequence[Event]) -> bool:
        """Whether this append is the one."""
        if not self.after:
            return number == self.at
        return any(event.kind in ENDS and _ends(event.path, self.after) for event in events)


def _ends(path: str, wanted: str) -> bool:
    """A step's name also stands for its later visits."""
    return path == wanted or path.partition("#")[0] == wanted


class MortalStore:
    """A store as one process sees it, until it dies; what it has written stays in the store behind it."""

    def __init__(
        self, behind: Store, clock: VirtualClock, plan: CrashPlan | None, heard: Callable[[Sequence[Event]], None]
    ) -> None:
        self.behind = behind
        self.encodes = behind.encodes
        self.dead = False
        self.appends = 0
        self._clock = clock
        self._plan = plan
        self._heard = heard
        self._waiting: set[asyncio.Future[None]] = set()
        self._written: set[asyncio.Future[None]] = set()
        """Appends that the store behind has not done yet."""
        self._left: list[Lease] = []

    def append(self, lease: Lease, events: Sequence[Event], alone: bool = False) -> asyncio.Future[None] | None:
        """Write these facts, unless the process is dead or dies here."""
        self._alive()
        self.appends += 1
        self._clock.stir()
        dies = self._plan is not None and self._plan.meets(self.appends, events)
        if dies and self._plan is not None and not self._plan.durable:
            raise self._die()
        ack = self.behind.append(lease, events, alone)
        self._heard(events)
        told = None if ack is None else self._told(ack)
        if dies:
            raise self._die()
        return told

    async def bury(self) -> None:
        """Wait until what was written before the death is durable, then give up what the dead process owned."""
        while self._written:
            await asyncio.wait(self._written)
        while self._left:
            self.behind.release(self._left.pop())

    def _told(self, ack: asyncio.Future[None]) -> asyncio.Future[None]:
        """What the process hears of an append: how it ended, if it is alive by then."""
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(told)
        self._written.add(ack)
        self._clock.work_begins()

        def tell(ack: asyncio.Future[None]) -> None:
            self._clock.work_ends()
            self._waiting.discard(told)
            self._written.discard(ack)
            error: BaseException | None = asyncio.CancelledError() if ack.cancelled() else ack.exception()
            if told.done():
                return
            if error is None:
                told.set_result(None)
            else:
                told.set_exception(error)

        ack.add_done_callback(tell)
        return told

    def _alive(self) -> None:
        if self.dead:
            raise Crashed("this process is dead; `await h.resume()` goes on from what is recorded")

    def _die(self) -> Crashed:
        """Nothing is written and nothing heard from here on."""
        self.dead = True
        message = f"the process died at append {self.appends}, as planned; `await h.resume()` goes on"
        for told in list(self._waiting):
            if not told.done():
                told.set_exception(Crashed(message))
                told.exception()  # the append that the process dies at has nobody who would look at it
        self._waiting.clear()
        return Crashed(message)

    # What a process only reads does no harm when it is dead; what it owned is given up by its death.

    def read(
        self, run_id: str, after: int = 0, limit: int = 1000, wanted: Wanted | None = None, *, latest: bool = False
    ) -> Sequence[Event]:
        """Facts with `seq > after`."""
        return self.behind.read(run_id, after, limit, wanted, latest=latest)

    def count_items(
        self, run_id: str, maps: Collection[str], after: int = 0, but: Collection[str] = ()
    ) -> Mapping[str, Mapping[str, int]]:
        """How many items of each of these maps have come to what."""
        return self.behind.count_items(run_id, maps, after, but)

    def follow(self, run_id: str, call: Callable[[], None], *, facts: bool = True) -> Callable[[], None]:
        """Call when there may be news."""
        return self.behind.follow(run_id, call, facts=facts)

    def load(self, payload: Payload) -> bytes:
        """The bytes of a recorded value."""
        return self.behind.load(payload)

    def create(self, run_id: str, pipeline: str, key: str) -> Lease | None:
        """Own a new run."""
        self._alive()
        return self.behind.create(run_id, pipeline, key)

    def claim(self, run_id: str) -> Lease:
        """Own an existing run."""
        self._alive()
        return self.behind.claim(run_id)

    def release(self, lease: Lease) -> None:
        """Give it up; what a dead process owns is given up when it is buried."""
        if self.dead:
            self._left.append(lease)
        else:
            self.behind.release(lease)

    def get(self, run_id: str) -> RunRow | None:
        """The run of exactly this id."""
        return self.behind.get(run_id)

    def find(self, prefix: str, limit: int = 10) -> Sequence[RunRow]:
        """Runs whose id begins so."""
        return self.behind.find(prefix, limit)

    def with_key(self, pipeline: str, key: str) -> RunRow | None:
        """The run that was started with this key."""
        return self.behind.with_key(pipeline, key)

    def runs(self, status: str = "", pipeline: str = "", limit: int = 100) -> Sequence[RunRow]:
        """Runs, the latest first."""
        return self.behind.runs(status, pipeline, limit)

    def ask(self, request: Request) -> None:
        """Leave a request for a run's owner."""
        self._alive()
        self.behind.ask(request)

    def requests(self, run_id: str) -> Sequence[Request]:
        """What is asked of a run."""
        return self.behind.requests(run_id)

    def taken(self, lease: Lease, request_id: str) -> None:
        """A request is in the journal."""
        self._alive()
        self.behind.taken(lease, request_id)

    def close(self) -> None:
        """The store behind it belongs to the test."""
