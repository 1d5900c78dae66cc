"""What can happen in a run: one frozen class a kind. Facts are journaled and numbered; sparks are live only."""

from __future__ import annotations

from stepwell.events.base import LARGE, Event, EventKind, Failure, Payload, in_memory
from stepwell.events.items import ItemCancelled, ItemCompleted, ItemFailed, ItemRetrying, MapExpanded
from stepwell.events.live import ItemStarted, LogLine, Token
from stepwell.events.runs import (
    RunBlocked,
    RunCancelled,
    RunFinished,
    RunResumed,
    RunStarted,
    RunTimedOut,
    WarningIssued,
)
from stepwell.events.steps import (
    BranchChosen,
    JoinReleased,
    JoinTimedOut,
    JoinWaiting,
    StepCancelled,
    StepCompleted,
    StepFailed,
    StepPruned,
    StepReset,
    StepRetrying,
    StepSkipped,
    StepStarted,
)

__all__ = [
    "ENDS",
    "FACTS",
    "LARGE",
    "LIVE",
    "BranchChosen",
    "Event",
    "EventKind",
    "Failure",
    "ItemCancelled",
    "ItemCompleted",
    "ItemFailed",
    "ItemRetrying",
    "ItemStarted",
    "JoinReleased",
    "JoinTimedOut",
    "JoinWaiting",
    "LogLine",
    "MapExpanded",
    "Payload",
    "RunBlocked",
    "RunCancelled",
    "RunFinished",
    "RunResumed",
    "RunStarted",
    "RunTimedOut",
    "StepCancelled",
    "StepCompleted",
    "StepFailed",
    "StepPruned",
    "StepReset",
    "StepRetrying",
    "StepSkipped",
    "StepStarted",
    "Token",
    "WarningIssued",
    "in_memory",
]

LIVE = frozenset({ItemStarted, Token, LogLine})
"""The classes that are live only."""

FACTS: dict[EventKind, type[Event]] = {kind.kind: kind for kind in Event.__subclasses__() if kind not in LIVE}
"""The class of each kind that is journaled."""

ENDS = frozenset(
    kind
    for kind in FACTS
    if kind.startswith(("STEP_", "ITEM_")) and kind.endswith(("COMPLETED", "FAILED", "SKIPPED", "PRUNED", "CANCELLED"))
)
"""The terminal kinds: of one path there is at most one of these, and the store enforces it."""
