"""An earlier visit of a step, as it is remembered after a reset."""

from __future__ import annotations

from msgspec import Struct

from stepwell.events import Failure
from stepwell.state.items import MapState


class Visit(Struct, frozen=True):
    """An earlier visit of a step: how far it had come when it was reset."""

    path: str
    status: int
    reason: str
    attempts: int
    started_at: float | None
    ended_at: float | None
    failure: Failure | None
    soft_failed: bool
    items: MapState | None = None
    """Of a map that lost its items then: what each had come to, without its result."""
