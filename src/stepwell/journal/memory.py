"""A store in memory: as strict as one on disk, gone with the process.

Appending is on the hottest path of all (a chain without a store of its own), so it is kept plain: one lookup for the
lease, one for each event's class, and nothing that is not needed before somebody reads.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice

from stepwell.errors import PayloadLost, StoreError
from stepwell.events import Event, Payload, StepCompleted
from stepwell.journal import refusals
from stepwell.journal.done import is_done
from stepwell.journal.followers import Followers
from stepwell.journal.items import count_items
from stepwell.journal.memory_run import ITEM_END, PARTS, STEP_END, Run, turn
from stepwell.journal.port import Lease, Request, RunRow, Wanted


class MemoryStore:
    """Everything in memory; values are kept as the objects they are.

    With `retain=False` the facts of a run that nobody follows are not kept, and neither are the ends of its items: it
    is for a run whose only reader, and only writer, is the process that runs it.
    """

    encodes = False

    def __init__(self, retain: bool = True) -> None:
        self._retain = retain
        self._parts = PARTS if retain else {cls: part for cls, part in PARTS.items() if part != ITEM_END}
        self._runs: dict[str, Run] = {}
        self._held: dict[str, Run] = {}
        self._keys: dict[tuple[str, str], str] = {}
        self._asked: set[str] = set()
        self._followers = Followers()
        self._followed = self._followers.by_run
        self._listeners = Followers()
        """Told of requests only."""
        self._closed = False

    # --- facts --------------------------------------------------------------------------------------------------------

    def append(self, lease: Lease, events: Sequence[Event], alone: bool = False) -> None:
        """Keep these facts; they are as durable as they get at once, so this gives None."""
        run_id = lease.run_id
        run = self._held.get(run_id)
        if run is None or run.epoch != lease.epoch:
            raise refusals.closed("this store in memory") if self._closed else refusals.lease_lost(run_id)
        seq, parts, ends = run.seq, self._parts, run.ends
        turns = False
        for event in events:
            seq += 1
            if event.seq != seq or event.run_id != run_id:
                raise self._refusal(run, events, seq)
            part = parts.get(event.__class__)
            if part is None:
                continue
            if part == STEP_END:
                path = event.path
                if path in ends:
                    raise self._refusal(run, events, seq)
                ends[path] = event.__class__ is StepCompleted or is_done(event)
            elif part == ITEM_END:
                path = event.path
                if path in run.item_ends:
                    raise self._refusal(run, events, seq)
                run.item_ends.add(path)
            else:
                turns = True
        run.seq = seq
        if events:
            run.last = events[-1]
        if turns:
            turn(run, events)
        if self._retain or run_id in self._followed:
            run.events.extend(events)
        else:
            run.dropped = seq
            if run.events:  # from the time when somebody followed
                run.events.clear()
        if self._followed:
            self._followers.tell(run_id)

    def _refusal(self, run: Run, events: Sequence[Event], seq: int) -> StoreError:
        """Why the fact that would be number `seq` is refused; what was noted for those before it is taken back."""
        index = seq - run.seq - 1
        for event in events[:index]:
            part = self._parts.get(type(event))
            if part == STEP_END:
                del run.ends[event.path]
            elif part == ITEM_END:
                run.item_ends.discard(event.path)
        event = events[index]
        if event.run_id != run.run_id:
            return refusals.other_run(run.run_id, event.run_id)
        if event.seq != seq:
            return refusals.gap(run.run_id, seq, event.seq)
        return refusals.second_end(run.run_id, event.path)

    def read(
        self, run_id: str, after: int = 0, limit: int = 1000, wanted: Wanted | None = None, *, latest: bool = False
    ) -> Sequence[Event]:
        """Facts with `seq > after`; raises StoreError where they were not kept."""
        if wanted is None and not latest:
            return self._kept(run_id, after, limit)
        kept = self._kept(run_id, after)
        found = (fact for fact in (reversed(kept) if latest else kept) if wanted is None or wanted.takes(fact))
        facts = list(islice(found, limit))
        return facts[::-1] if latest else facts

    def count_items(
        self, run_id: str, maps: Collection[str], after: int = 0, but: Collection[str] = ()
    ) -> Mapping[str, Mapping[str, int]]:
        """How many items of each of these maps have come to what."""
        return count_items(self._kept(run_id, after), maps, but)

    def _kept(self, run_id: str, after: int, limit: int | None = None) -> Sequence[Event]:
        run = self._runs.get(run_id)
        if run is None:
            return []
        if after < run.dropped:
            raise StoreError(
                f"run {run_id}: its first {run.dropped} facts were not kept, since nobody followed it; "
                "give the run a store (`store=` or `App()`), or iterate it from its start"
            )
        start = after - run.dropped
        return run.events[start : None if limit is None else start + limit]

    def follow(self, run_id: str, call: Callable[[], None], *, facts: bool = True) -> Callable[[], None]:
        """Call on the running loop when there may be news; with `retain=False` facts are kept from here on."""
        return (self._followers if facts else self._listeners).add(run_id, call)

    # --- values -------------------------------------------------------------------------------------------------------

    def load(self, payload: Payload) -> bytes:
        """The bytes that the payload itself has: there is no other place."""
        if payload.data is None:
            raise PayloadLost(f"a store in memory has no value {payload.digest or '(without digest)'}; run again")
        return payload.data

    # --- the index ----------------------------------------------------------------------------------------------------

    def create(self, run_id: str, pipeline: str, key: str) -> Lease | None:
        """Own a new run, seen by nobody before its RUN_STARTED."""
        if self._closed:
            raise refusals.closed("this store in memory")
        if key and (pipeline, key) in self._keys:
            return None  # before the id counts: the same call with both is to find its run
        if run_id in self._runs:
            raise refusals.id_taken(run_id)
        if key:
            self._keys[pipeline, key] = run_id
        self._runs[run_id] = self._held[run_id] = Run(run_id, pipeline, key)
        return Lease(run_id, "memory", 1)

    def claim(self, run_id: str) -> Lease:
        """Own an existing run that nobody runs."""
        if self._closed:
            raise refusals.closed("this store in memory")
        run = self._runs.get(run_id)
        if run is None or not run.seq:
            raise refusals.not_found(run_id)
        if run.owned:
            raise refusals.live(run_id, "in this process")
        run.owned = True
        run.epoch += 1
        self._held[run_id] = run
        return Lease(run_id, "memory", run.epoch)

    def release(self, lease: Lease) -> None:
        """Give it up; a run that has no fact yet is forgotten, its key is free again."""
        run = self._held.get(lease.run_id)
        if run is None or run.epoch != lease.epoch:
            return
        del self._held[lease.run_id]
        run.owned = False
        if not run.seq:
            del self._runs[lease.run_id]
            self._keys.pop((run.pipeline, run.key), None)

    def get(self, run_id: str) -> RunRow | None:
        """The run of exactly this id."""
        run = self._runs.get(run_id)
        return run.row() if run is not None and run.seq else None

    def find(self, prefix: str, limit: int = 10) -> Sequence[RunRow]:
        """Runs whose id begins so, the latest first."""
        start = prefix.casefold()
        found = [
            run.row() for run in reversed(self._runs.values()) if run.seq and run.run_id.casefold().startswith(start)
        ]
        return sorted(found, key=_latest_first, reverse=True)[:limit]

    def with_key(self, pipeline: str, key: str) -> RunRow | None:
        """The run of this pipeline that was started with this key."""
        run_id = self._keys.get((pipeline, key))
        return None if run_id is None else self.get(run_id)

    def runs(self, status: str = "", pipeline: str = "", limit: int = 100) -> Sequence[RunRow]:
        """Runs, the latest first."""
        rows = [run.row() for run in reversed(self._runs.values()) if run.seq and pipeline in ("", run.pipeline)]
        return sorted((row for row in rows if status in ("", row.status)), key=_latest_first, reverse=True)[:limit]

    # --- requests -----------------------------------------------------------------------------------------------------

    def ask(self, request: Request) -> None:
        """Leave a request for whoever runs the run."""
        run = self._runs.get(request.run_id)
        if run is None or not run.seq:
            raise refusals.not_found(request.run_id)
        if request.id not in self._asked:
            self._asked.add(request.id)
            run.asked[request.id] = request
            self._followers.tell(request.run_id)
            self._listeners.tell(request.run_id)

    def requests(self, run_id: str) -> Sequence[Request]:
        """What is asked and not taken, oldest first."""
        run = self._runs.get(run_id)
        return [] if run is None else list(run.asked.values())

    def taken(self, lease: Lease, request_id: str) -> None:
        """It is in the journal: drop it."""
        run = self._held.get(lease.run_id)
        if run is None or run.epoch != lease.epoch:
            raise refusals.lease_lost(lease.run_id)
        run.asked.pop(request_id, None)

    def close(self) -> None:
        """Give up all leases; what was kept can still be read."""
        for run in self._held.values():
            run.owned = False
        self._held.clear()
        self._closed = True


def _latest_first(row: RunRow) -> float:
    """Of those that began at one time the latest to be created stays first, as it is given."""
    return row.started_at
