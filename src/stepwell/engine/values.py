"""The values of one run: outputs of steps and map items, live where this process made them, else out of the record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import cast
from uuid import UUID

from stepwell.errors import CodecError, PayloadLost
from stepwell.events import LARGE, Payload
from stepwell.ids import escape
from stepwell.journal.port import Blobs
from stepwell.plan.plan import UNSET, Plan
from stepwell.state.state import COMPLETED, State

_UNCHANGING = (type(None), bool, int, float, complex, str, bytes, PurePath, date, time, timedelta, Decimal, UUID, Enum)
"""Values of these classes can be shared, since nobody can change them."""


class Values:
    """What the parameters of steps receive, and what a result shows.

    Where outputs are recorded in bytes, a live value is handed out once, and who comes later gets it decoded anew:
    what one step does to a list, no other step sees, neither now nor after a resume. In memory all share one object.
    """

    __slots__ = ("_blobs", "_copies", "_inputs", "_items", "_plan", "_sources", "_state", "_steps")

    def __init__(self, plan: Plan, state: State, blobs: Blobs, inputs: Mapping[str, object], *, copies: bool) -> None:
        self._plan = plan
        self._state = state
        self._blobs = blobs
        self._inputs = inputs
        self._copies = copies
        self._steps: list[object] = [UNSET] * len(plan.steps)
        self._items: dict[int, dict[int, object]] = {}
        """Of ephemeral maps, by index: the outputs of items."""
        self._sources: dict[int, Sequence[object]] = {}

    def keep(self, number: int, value: object) -> None:
        """The output that a step has just given, for who is to take it."""
        if (self._copies and number in self._plan.taken) or self._plan.steps[number].ephemeral:
            self._steps[number] = value

    def forget(self, numbers: Iterable[int]) -> None:
        """These steps begin a new visit: nothing of what they gave counts any more."""
        for number in numbers:
            self._steps[number] = UNSET
            self._items.pop(number, None)
            self._sources.pop(number, None)

    def keep_item(self, number: int, index: int, value: object) -> None:
        """The output that an item of an ephemeral map has just given: nothing of it is recorded."""
        self._items.setdefault(number, {})[index] = value

    def input(self, name: str) -> object:
        """An input of the run."""
        value = self._inputs[name]
        if not self._copies or isinstance(value, _UNCHANGING):
            return value
        codec = self._plan.inputs[name].codec
        return codec.decode(codec.encode(value))  # as who resumes the run gets it

    def _own(self, value: object) -> object:
        """A copy where values are recorded: they are plain data then, and nobody may see what another does to them."""
        return deepcopy(value) if self._copies and not isinstance(value, _UNCHANGING) else value

    def step(self, number: int) -> object:
        """The output of a step; UNSET where it has none. Raises PayloadLost or CodecError for a damaged record.

        An ephemeral step's is what it gave in this process, the same object for all.
        """
        if self._state.steps[number] != COMPLETED or number in self._state.jumps:
            return UNSET
        value = self._steps[number]
        if value is UNSET:
            value = self._recorded(number)
        keep = not self._copies or _is_small(value) or self._plan.steps[number].ephemeral
        self._steps[number] = value if keep else UNSET
        return value

    def at_hand(self, number: int) -> bool:
        """Whether a step has an output that can still be had: of an ephemeral step, only its own process has one."""
        if self._state.steps[number] != COMPLETED or number in self._state.jumps:
            return False
        if not self._plan.steps[number].ephemeral or self._steps[number] is not UNSET or number in self._items:
            return True
        items = self._state.maps.get(number)
        return items is not None and COMPLETED not in items.stages  # an empty list needs no record

    def stopped_item(self, number: int) -> object:
        """What the item that returned `Stop` gave with it: the last one that has an output."""
        items, live = self._state.maps[number], self._items.get(number, {})
        index = items.stopped_by
        return live[index] if index in live else self._decoded(number, items.results[index], index)

    def use_source(self, number: int, items: Sequence[object]) -> None:
        """The items that a map runs over."""
        self._sources[number] = items

    def item(self, number: int, index: int) -> object:
        """What a map item is called with."""
        items = self._sources.get(number)
        if items is None:
            fan = self._plan.steps[number].fan
            items = self._sources[number] = items_of(() if fan is None else self.step(fan.over))
        # A retry must not see what the attempt before it did to its item, and there is no other copy of one item.
        return items[index] if self._plan.steps[number].retry is None else self._own(items[index])

    def _recorded(self, number: int) -> object:
        """A step's output as the state has it; a map's is that of its items, in their order."""
        if not self.at_hand(number):
            name = self._plan.steps[number].name
            raise PayloadLost(f"step `{name}` is ephemeral: its output was not kept, and its process is gone")
        if self._plan.steps[number].fan is None:
            return self._decoded(number, self._state.outputs[number])
        items, live = self._state.maps[number], self._items.pop(number, {})
        return [
            live[index] if index in live else self._decoded(number, output, index)
            for index, output in enumerate(items.results)
            if items.stages[index] == COMPLETED
        ]

    def _decoded(self, number: int, output: object, index: int | None = None) -> object:
        if not isinstance(output, Payload):
            return output
        step = self._plan.steps[number]
        data = self._loaded(number, output, index) if output.data is None else output.data
        try:
            return step.codec.decode(data)
        except CodecError as error:
            raise CodecError(
                f"what is recorded of step `{step.name}` does not fit its return type any more: {error}; "
                "give it back its former type, or start a new run"
            ) from error

    def _loaded(self, number: int, output: Payload, index: int | None) -> bytes:
        """The bytes of a value that lies outside of the record; where they are lost, whose they are is said."""
        try:
            return self._blobs.load(output)
        except PayloadLost as error:
            item = "" if index is None else f"[{escape(self._state.maps[number].key(index))}]"
            raise PayloadLost(f"what `{self._state.paths[number]}{item}` gave is lost: {error}") from error


def _is_small(value: object) -> bool:
    """Whether a value can be shared, and kept for others although the record has it too."""
    if isinstance(value, (str, bytes)):
        return len(value) <= LARGE
    return isinstance(value, _UNCHANGING)


def items_of(source: object) -> Sequence[object]:
    """The source's output as items that can be counted, in an order that is always the same."""
    if isinstance(source, (str, bytes, bytearray)):
        raise TypeError(f"a map runs over a list of items, and its source gave one {type(source).__name__}")
    if isinstance(source, (tuple, range)):
        return cast("Sequence[object]", source)  # what cannot change need not be listed
    if isinstance(source, Iterable):
        return list(cast("Iterable[object]", source))
    raise TypeError(f"a map runs over a list of items, and its source gave {type(source).__name__}")
