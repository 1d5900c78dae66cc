"""An event as a row of the journal, and back: its kind a small number, its own fields only where they say something."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from stepwell.errors import StoreError
from stepwell.events import ENDS, FACTS, LARGE, Event, EventKind, Payload

Row = tuple[int, int, int, float, str, int, bytes | None, bytes | None, bytes | None, int | None, int]
"""run, seq, kind, at, path, attempt, body, value, digest, size, crc"""

COLUMNS = "seq, kind, at, path, attempt, body, value, digest, size, crc"
"""What `from_rows` reads: all of it, for the checksum is over all of it."""

KINDS = {
    EventKind.RUN_STARTED: 1,
    EventKind.RUN_RESUMED: 2,
    EventKind.RUN_CANCELLED: 3,
    EventKind.RUN_TIMED_OUT: 4,
    EventKind.RUN_BLOCKED: 5,
    EventKind.RUN_FINISHED: 6,
    EventKind.STEP_STARTED: 7,
    EventKind.STEP_COMPLETED: 8,
    EventKind.STEP_RETRYING: 9,
    EventKind.STEP_FAILED: 10,
    EventKind.STEP_CANCELLED: 11,
    EventKind.STEP_SKIPPED: 12,
    EventKind.STEP_PRUNED: 13,
    EventKind.STEP_RESET: 14,
    EventKind.MAP_EXPANDED: 15,
    EventKind.ITEM_STARTED: 16,
    EventKind.ITEM_COMPLETED: 17,
    EventKind.ITEM_RETRYING: 18,
    EventKind.ITEM_FAILED: 19,
    EventKind.ITEM_CANCELLED: 20,
    EventKind.JOIN_WAITING: 21,
    EventKind.JOIN_RELEASED: 22,
    EventKind.BRANCH_CHOSEN: 23,
    EventKind.WARNING: 24,
    EventKind.JOIN_TIMED_OUT: 25,
}
"""The numbers stand in stores everywhere: add to them, never change one, never use one again."""

STEP_ENDS = tuple(KINDS[kind] for kind in EventKind if kind in ENDS and kind.value.startswith("STEP_"))
STEP_RESET = KINDS[EventKind.STEP_RESET]
ENDS_IN_SQL = ", ".join(str(KINDS[kind]) for kind in sorted(ENDS, key=KINDS.__getitem__))
"""The kinds of which a path has one at most, as the index `journal_end` has them."""

_COMMON = ("run_id", "seq", "at", "path", "attempt")
_VALUES = ("output", "inputs")

SKIPPED = "x'a7736b6970706564'"
"""The bytes in a body that say of an ITEM_COMPLETED that it is skipped (the name of the field), as SQL has them."""

LATEST = 253_402_300_800
"""The year 10,000, in seconds since the epoch."""

_encode = msgspec.msgpack.encode
_say = msgspec.msgpack.Encoder().encode
"""All that a row says as bytes, where every two rows differ: for its checksum. These bytes must never change."""


class _Shape(NamedTuple):
    """How one class of events is written and read."""

    code: int
    cls: type[Event]
    value: str
    """The field that holds the value, if there is one."""
    body: type[msgspec.Struct] | None
    """The other fields of its own."""
    own: Callable[[Event], Any] | None
    """Takes these out of an event; where they are the usual ones nothing is written."""
    usual: tuple[object, ...]
    many: bool
    decode: Callable[[bytes], msgspec.Struct]


def _shape(cls: type[Event]) -> _Shape:
    fields = [field for field in msgspec.structs.fields(cls) if field.name not in _COMMON]
    value = next((field.name for field in fields if field.name in _VALUES), "")
    own = [field for field in fields if field.name != value]
    fields_of_body: list[tuple[str, Any, Any]] = [
        (field.name, field.type, field.default if field.default is not msgspec.NODEFAULT else field.default_factory())
        for field in own
    ]
    body = msgspec.defstruct(cls.__name__, fields_of_body, omit_defaults=True, frozen=True)
    decode = msgspec.msgpack.Decoder(body).decode
    getter = attrgetter(*(field.name for field in own)) if own else None
    usual = tuple(default for _, _, default in fields_of_body)
    return _Shape(KINDS[cls.kind], cls, value, body if own else None, getter, usual, len(own) > 1, decode)


_BY_CLASS = {cls: _shape(cls) for cls in FACTS.values()}
_BY_CODE = {shape.code: shape for shape in _BY_CLASS.values()}


def seed_of(run_id: str) -> int:
    """Where the checksums of a run's rows begin: with its id, so that a row under another run's number is noticed."""
    return crc32(run_id.encode())


def to_row(run: int, seed: int, event: Event) -> Row:
    """The event's row under the run's number; a value too large for the journal is still in it, without a checksum."""
    shape = _BY_CLASS.get(type(event))
    if shape is None:
        raise StoreError(f"run {event.run_id}: {event.kind.value} is told live and never journaled")
    body = None
    if shape.body is not None and shape.own is not None:
        own = shape.own(event)
        own = own if shape.many else (own,)
        if own != shape.usual:
            body = _encode(shape.body(*own))
    data = digest = size = None
    if shape.value:
        payload = getattr(event, shape.value)
        if type(payload) is Payload:
            data = payload.data
            if data is None:
                digest, size = bytes.fromhex(payload.digest), payload.size
        elif payload is not None:
            raise StoreError(
                f"run {event.run_id}: {shape.value} of {event.kind.value} `{event.path}` is a "
                f"{type(payload).__name__}; a store on disk takes a Payload of encoded bytes"
            )
    # A whole number of seconds comes back from SQLite as a float.
    said = (event.seq, shape.code, event.at + 0.0, event.path, event.attempt, body, data, digest, size)
    return (run, *said, crc32(_say(said), seed) if data is None or len(data) <= LARGE else 0)


def outside(row: Row, seed: int, digest: bytes) -> Row:
    """The row of a value that lies in a file."""
    said = (*row[1:7], None, digest, len(row[7] or b""))
    return (row[0], *said, crc32(_say(said), seed))


def from_rows(run_id: str, rows: Iterable[tuple[Any, ...]]) -> list[Event]:
    """The events of these rows of COLUMNS; raises StoreError where one is not as it was written."""
    events: list[Event] = []
    seed = seed_of(run_id)
    for row in rows:
        seq, code, at, path, attempt, body, value, digest, size, crc = row
        if crc32(_say(row[:-1]), seed) != crc:
            raise StoreError(
                f"run {run_id}: fact {seq} is not as it was written (its checksum differs); "
                "the store is damaged: restore a backup"
            )
        shape = _BY_CODE.get(code)
        if shape is None:
            raise StoreError(
                f"run {run_id}: fact {seq} is of a kind ({code}) that this version does not know; "
                "read it with the version that wrote it (`pip install --upgrade stepwell`)"
            )
        try:
            own = {} if body is None else msgspec.structs.asdict(shape.decode(body))
            if value is not None:
                own[shape.value] = Payload(value)
            elif digest is not None:
                own[shape.value] = Payload(None, digest.hex(), size)
            if not 0 <= at < LATEST:
                raise ValueError(f"no time is {at}")
            events.append(shape.cls(run_id, seq, at, path, attempt, **own))
        except (msgspec.MsgspecError, ValueError, TypeError, AttributeError) as error:
            raise StoreError(
                f"run {run_id}: fact {seq} ({shape.cls.kind.value}) cannot be read: {error}; "
                "the store is damaged: restore a backup"
            ) from error
    return events
