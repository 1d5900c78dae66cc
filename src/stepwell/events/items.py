"""What happens to a map and its items."""

from __future__ import annotations

from stepwell.events.base import Event, EventKind, Failure


class MapExpanded(Event, frozen=True):
    """A map knows its items: `count` of them, with their keys in order, or None where the keys are their places.

    Of a live source they come in parts, each with `more`, and 8 bytes of digest an item where they have no keys; the
    last part has neither items nor `more`.
    """

    kind = EventKind.MAP_EXPANDED
    count: int = 0
    keys: tuple[str, ...] | None = None
    more: bool = False
    digests: bytes = b""


class ItemCompleted(Event, frozen=True):
    """A map item has its output; `skipped` where it returned `Skip` and leaves no place in the results."""

    kind = EventKind.ITEM_COMPLETED
    index: int = 0
    started_at: float = 0.0
    output: object = None
    stops: bool = False
    skipped: bool = False


class ItemRetrying(Event, frozen=True):
    """An attempt of a map item failed, or returned `Retry`, and is made again at `retry_at`."""

    kind = EventKind.ITEM_RETRYING
    index: int = 0
    retry_at: float = 0.0
    failure: Failure | None = None
    reason: str = ""


class ItemFailed(Event, frozen=True):
    """A map item failed for good."""

    kind = EventKind.ITEM_FAILED
    index: int = 0
    started_at: float = 0.0
    failure: Failure | None = None


class ItemCancelled(Event, frozen=True):
    """The running attempt of a map item was cancelled."""

    kind = EventKind.ITEM_CANCELLED
    index: int = 0
    reason: str = ""
