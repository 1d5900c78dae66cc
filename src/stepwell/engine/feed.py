"""The sink of a generator that maps run over: its values are recorded in parts and become items as they come.

What was recorded of an earlier attempt, or by a process that died, must come again: it is matched by key, else by
place and digest (S7). What does not match blocks the run; items of two sources are never mixed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256

from stepwell import events as ev
from stepwell.clock import Clock
from stepwell.engine.by_key import ByKey
from stepwell.engine.expand import keys_of
from stepwell.engine.ledger import Ledger
from stepwell.engine.outcome import Failed
from stepwell.engine.values import Values
from stepwell.errors import CodecError
from stepwell.failpoints import failpoint
from stepwell.graph import reached
from stepwell.plan.plan import Fan, PlanStep
from stepwell.state.items import DIGEST, MapState
from stepwell.state.sparks import Blocking, ItemsSeen, SlotsHeld
from stepwell.state.state import COMPLETED

_AHEAD = 1024
"""So many items may wait to be started before the source waits."""
_MOST_HELD = 1_000_000
"""After so many items with new keys those that are recorded are no longer expected: the source may have no end."""
_LOOKS = 32
"""After so many values it is asked whether it waits."""
_UNKNOWN = bytes(DIGEST)
"""The digest of what has none."""


class Feed:
    """Feeds the maps over one generator, in one attempt of it.

    `news` is called after something was written down; `stop` ends the attempt. A source holds no slot of the run's
    concurrency, as a map holds none: it would wait for the items that wait for it.
    """

    def __init__(
        self, ledger: Ledger, values: Values, clock: Clock, step: PlanStep, *, encodes: bool, news: Callable[[], None],
        stop: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.values: list[object] = []
        self.broken: Failed | None = None
        """Why its values cannot be items."""
        self._ledger = ledger
        self._state = ledger.state
        self._given = values
        self._clock = clock
        self._step = step
        self._encodes = encodes
        self._news = news
        self._stop = stop
        self._digests = bytearray()
        self._by_key: dict[str, ByKey] = {}
        """By map that has keys, as a path: the values of its items."""
        self._taken: dict[str, int] = {}
        """By map, as a path: how many values of this attempt it has."""
        self._room: asyncio.Future[None] | None = None
        self._patient = {number for number, _ in self._fans() if self._is_patient(number)}
        """Maps that hold it up before they have begun."""
        self._scheduled = False
        self._closed = False

    def take(self, value: object) -> bool:
        """The next value; whether too many wait now. Raises CodecError where it cannot be recorded."""
        self._keep(value)
        self._soon()
        return len(self.values) % _LOOKS == 0 and self.full

    def _keep(self, value: object) -> None:
        """The value as an item, and its digest."""
        codec, digest = self._step.yields, _UNKNOWN
        if codec is not None:
            try:
                data = codec.encode(value)
                digest = sha256(data).digest()[: len(_UNKNOWN)]
                value = codec.decode(data) if self._encodes else value
            except CodecError:
                if self._encodes:
                    raise  # in memory a value need not be one that can be recorded
        self.values.append(value)
        self._digests += digest

    def begin(self) -> None:
        """The attempt has begun: the slot that it does not need is for others."""
        self._soon()

    def _soon(self) -> None:
        """Write down what has come once the generator pauses."""
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._write)

    @property
    def full(self) -> bool:
        """Whether too many items wait to be started."""
        return any(self._waiting(number) >= _AHEAD for number, _ in self._fans()) and not self._state.halt

    def room(self) -> asyncio.Future[None]:
        """Done when that is not so any more."""
        if self._room is None:
            self._room = asyncio.get_running_loop().create_future()
        return self._room

    def look(self) -> None:
        """Something has gone on in the run: a map may have begun, or have room."""
        if self._room is not None and (self._state.halt or not self._crowded()):
            room, self._room = self._room, None
            if not room.done():
                room.set_result(None)
        if any(self._taken.get(path, 0) < len(self.values) for _, path, _ in self._begun()):
            self._soon()

    def _crowded(self) -> bool:
        """Whether more than half as many wait as may: it is asked again when there is room for many, not for one."""
        return any(self._waiting(number) > _AHEAD // 2 for number, _ in self._fans())

    def _waiting(self, number: int) -> int:
        items, own = self._state.maps.get(number), self._by_key.get(self._state.paths[number])
        if own is not None and own.missing():
            return 0  # what is recorded may come after any number of new ones
        if items is None:
            return len(self.values) if number in self._patient else 0
        return len(self.values) - items.ended - items.running - len(items.due)

    def _is_patient(self, number: int) -> bool:
        """Whether a map waits for no other source, which may wait for what waits for this one."""
        graph = self._state.graph
        return reached([number], graph.before.__getitem__) & graph.feeders == {self._step.number}

    def _fans(self) -> Iterator[tuple[int, Fan]]:
        """The maps that take these values and have no end yet."""
        steps = self._ledger.plan.steps
        for link in self._state.graph.after[self._step.number]:
            fan = steps[link.target].fan
            if link.live and fan is not None and self._state.steps[link.target] < COMPLETED:
                yield link.target, fan

    def finish(self) -> None:
        """There are no more values: what is recorded and did not come again is missing."""
        self._write()
        for number, path, items in self._begun():
            if self._state.halt:
                return
            if missing := self._missing(path, items):
                self._block(number, missing)

    def _missing(self, path: str, items: MapState) -> str:
        """Which of the recorded items have not come again."""
        own = self._by_key.get(path)
        if own is None:
            less = len(self.values) < items.total
            return f"it gave {len(self.values)} items, and {items.total} are recorded" if less else ""
        missing = own.missing()
        return f"the item {missing!r} is recorded and did not come" if missing else ""

    def _begun(self) -> Iterator[tuple[int, str, MapState]]:
        """The maps that have begun and have not all of their items: step, path and items."""
        state = self._state
        for number, _ in self._fans():
            items = state.open.get(number)
            if items is not None and not items.closed:
                yield number, state.paths[number], items

    def settle(self) -> bool:
        """Write down what came last; whether every map that has begun has all of it, and lacks nothing."""
        self._write()
        return all(
            self._taken.get(path, 0) == len(self.values) and not self._missing(path, items)
            for _, path, items in self._begun()
        )

    def complete(self) -> None:
        """Write down that there are no more items: in one breath with the end of the source."""
        for number, path, _ in list(self._begun()):
            self._ledger.note(ev.MapExpanded, path, self._state.attempts[number])

    def give_all(self, values: Iterable[object]) -> None:
        """The values of a source that has ended before the map began, or began again on the items it has."""
        self._scheduled = True
        for value in values:
            self._keep(value)
        self.finish()
        if self.settle():
            self.complete()

    def close(self) -> None:
        """The attempt is over: what comes of it now is not taken any more."""
        self._closed = True
        self._ledger.spark(SlotsHeld, "", 0, 1)

    @failpoint("engine.feed")
    def _write(self) -> None:
        """Write down what has come since the last time; nothing of a run that ends."""
        self._scheduled = False
        state = self._state
        if self._closed or state.halt or state.status != "running" or self.broken is not None:
            return
        self._ledger.now = self._clock.now()
        for number, path, items in self._begun():
            first, fan = self._taken.get(path, 0), self._ledger.plan.steps[number].fan
            if fan is not None and first < len(self.values):
                if not self._add(number, fan, items, first):
                    return
                self._taken[path] = len(self.values)
        self._news()

    def _add(self, number: int, fan: Fan, items: MapState, first: int) -> bool:
        """These values are items of this map: those that are recorded must match, the others are recorded now."""
        path = self._state.paths[number]
        if fan.key is None:
            wrong = self._match_places(items, first)
            keys, given = None, self.values
        else:
            try:
                keys = self._new_keys(path, items, fan.key, first)
            except BaseException as error:
                name = self._ledger.plan.steps[number].name
                said = ValueError(f"the items of map `{name}` cannot be told apart: {type(error).__name__}: {error}")
                said.__cause__ = error
                self.broken = Failed("input", "items_not_usable", said, retryable=False)
                self._stop("its items cannot be used")
                return False
            own = self._by_key[path]
            wrong, given = self._missing(path, items) if own.held > _MOST_HELD else "", own.values
        if wrong:
            self._block(number, wrong)
            return False
        seen = len(given) if keys is None else self._by_key[path].seen()
        if seen >= items.known:  # until then those of an attempt before this one are at hand
            self._given.use_source(number, given)
        new = len(given) - items.total
        if new > 0:
            digests = bytes(self._digests[items.total * DIGEST :]) if keys is None else b""
            self._ledger.note(ev.MapExpanded, path, self._state.attempts[number], new, keys, True, digests)
        if seen > items.known:
            self._ledger.spark(ItemsSeen, path, 0, seen)
        return True

    def _new_keys(self, path: str, items: MapState, key: Callable[[object], object], first: int) -> tuple[str, ...]:
        """Put each value in the place of its key; gives the keys that are not recorded."""
        own = self._by_key.setdefault(path, ByKey(items))
        for one, value in zip(keys_of(key, self.values[first:], first), self.values[first:], strict=True):
            own.put(one, value)
        return own.new_keys()

    def _match_places(self, items: MapState, first: int) -> str:
        """What is wrong with the items that are recorded, by their places and digests; nothing where all match."""
        for place in range(first, min(items.total, len(self.values))):
            where = slice(place * DIGEST, (place + 1) * DIGEST)
            recorded, present = bytes(items.digests[where]), bytes(self._digests[where])
            if recorded != present and _UNKNOWN not in (recorded, present):
                return f"item {place} is another one than the one that is recorded"
        return ""

    def _block(self, number: int, what: str) -> None:
        source, name = self._step.name, self._ledger.plan.steps[number].name
        message = (
            f"`{source}`, which gives the items of `{name}`, ran again and did not give what it gave before: {what}. "
            "Make it yield the same items in the same order and resume, or start a new run"
        )
        self._ledger.spark(Blocking, "", 0, "source_changed", message)
        self._news()
