"""What is left of a run: which steps keep what is recorded, which run again and why, which never began."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from stepwell.state.state import (
    CANCELLED,
    COMPLETED,
    FAILED,
    GUARDING,
    PENDING,
    PRUNED,
    RUNNING,
    SKIPPED,
    STATUS,
    WAITING,
    State,
)
from stepwell.views.words import plural, reason

Fate = Literal["kept", "again", "new", "off"]


@dataclass(frozen=True, slots=True)
class Remains:
    """What becomes of one step: it is `kept`, runs `again`, is `new` (it never began), or is `off`: it does not run.

    `status` is that of the record, `why` says in words why it runs again, or came to an end without having run.
    `seconds` is how long its present visit took. Of a map that knows its items, `items` is their number, and `left`
    how many of them would run.
    """

    name: str
    fate: Fate
    status: str
    why: str = ""
    seconds: float | None = None
    items: int | None = None
    left: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the steps of a run stand, by number: what of a state is needed to compare it with one that went on."""

    names: Sequence[str]
    status: str
    steps: Sequence[int]
    attempts: Sequence[int]
    reasons: Mapping[int, str]
    because: Mapping[int, str]
    seconds: Sequence[float | None]
    items: Mapping[int, bytes]


def standing(state: State) -> Standing:
    """The standing of a state, which may then go on changing."""
    times = zip(state.started_at, state.ended_at, strict=True)
    return Standing(
        names=state.graph.names,
        status=state.status,
        steps=tuple(state.steps),
        attempts=tuple(state.attempts),
        reasons=dict(state.reasons),
        because=dict(state.because),
        seconds=tuple(None if begun is None or ended is None else ended - begun for begun, ended in times),
        items={number: bytes(items.stages) for number, items in state.maps.items()},
    )


def remainder(before: Standing, after: State, *, runs: bool = True) -> tuple[Remains, ...]:
    """Compare where a run stands with the state that going on with it would begin from, step by step.

    `after` is the same state when the facts are folded that a resume begins with. Where that `runs` nothing, what
    has no end stays without one.
    """
    return tuple(_remains(before, after, number, runs=runs) for number in range(len(before.steps)))


def _remains(before: Standing, after: State, number: int, *, runs: bool) -> Remains:
    name, status = before.names[number], STATUS[before.steps[number]]
    items = before.items.get(number)
    total = None if items is None else len(items)
    if after.steps[number] >= COMPLETED:
        why = "" if before.steps[number] == COMPLETED else reason(_recorded(before, number))
        return Remains(name, "kept", status, why, before.seconds[number], total)
    if not runs:
        return Remains(name, "off", status, items=total)
    begun = before.steps[number] != PENDING or before.attempts[number] > 0
    if items is None or number not in after.maps:
        return Remains(name, "again" if begun else "new", status, _why(before, number) if begun else "")
    left = sum(stage < COMPLETED for stage in after.maps[number].stages)
    return Remains(name, "again", status, _why_items(items, left), items=total, left=left)


def _recorded(before: Standing, number: int) -> str:
    because, reason = before.because.get(number), before.reasons.get(number, "")
    return f"{reason}: {because}" if because else reason


def _why(before: Standing, number: int) -> str:
    """Why a step that has begun, or ended, runs again."""
    status, said = before.steps[number], reason(_recorded(before, number))
    if status == FAILED:
        return "it failed"
    if status == COMPLETED:
        return "it is needed again, and its output was not kept"
    if status == CANCELLED:
        return f"it was cancelled: {said}" if said else "it was cancelled"
    if status in (PRUNED, SKIPPED):
        return said
    if status == WAITING:
        return "it waits for a retry"
    if status in (RUNNING, GUARDING) and before.status == "running":
        return "its process died while it ran"
    return "it had begun and has no end"


def _why_items(was: bytes, left: int) -> str:
    """The same for a map whose items are known: how many are left, and what became of them before."""
    failed, cancelled = was.count(FAILED), was.count(CANCELLED)
    others = left - failed - cancelled
    parts = [f"{failed:,} failed"] if failed else []
    parts += [f"{cancelled:,} cancelled"] if cancelled else []
    parts += [f"{others:,} without an end"] if others > 0 and parts else []
    told = f": {', '.join(parts)}" if parts else ""
    return f"{left:,} of {plural(len(was), 'item')} left{told}"
