"""One step, or one map with its items counted, as somebody who watches the run sees it; and what changed in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from stepwell.events import Failure
from stepwell.views.pace import Pace

What = Literal["ended", "retrying", "item_failed", "item_retrying", "warning", "cancelling", "resumed", "blocked"]


@dataclass(slots=True)
class StepProgress:
    """One step: `status` is as in a StepRecord; a map also counts its items."""

    name: str
    label: str
    status: str = "pending"
    reason: str = ""
    attempt: int = 0
    visit: int = 1
    """2 and more: it runs again, because of a jump back to it or of a resume."""
    started_at: float | None = None
    ended_at: float | None = None
    retry_at: float | None = None
    failure: Failure | None = None
    waits_for: tuple[str, ...] = ()
    """Of a join that does not run yet: the steps that it still waited for when the first had ended."""
    total: int | None = None
    """How many items, of a map that knows them."""
    grows: bool = False
    """More items may come: the source of the map runs still."""
    done: int = 0
    failed: set[str] = field(default_factory=set[str])
    cancelled: set[str] = field(default_factory=set[str])
    waiting: dict[str, float] = field(default_factory=dict[str, float])
    """When the items that failed and are tried again are due."""
    pace: Pace = field(default_factory=Pace)

    @property
    def seconds(self) -> float | None:
        """From the start of its first attempt to its end."""
        if self.started_at is None or self.ended_at is None:
            return None
        return self.ended_at - self.started_at

    @property
    def ended_items(self) -> int:
        """Items that nobody waits for any more."""
        return self.done + len(self.failed)

    def forget_items(self) -> None:
        """The map begins anew, with the items that it will be given then."""
        self.total, self.done, self.grows = None, 0, False
        for items in (self.failed, self.cancelled, self.waiting):
            items.clear()

    def next_retry(self, now: float) -> float | None:
        """When something that waits is tried again; None where nothing waits."""
        if self.status == "waiting":
            return self.retry_at
        if self.total is not None and (self.grows or self.ended_items + len(self.waiting) < self.total):
            return None  # other items keep it busy
        return min((at for at in self.waiting.values() if at > now), default=None)

    def rate(self, now: float) -> float | None:
        """Items a second, of late; None where that means nothing (yet)."""
        return self.pace.rate(self.ended_items, now) if self.status == "running" and self.total else None

    def left(self, now: float) -> float | None:
        """Seconds until its last item will have ended; None where that cannot be said (yet)."""
        if self.total is None or self.grows or self.status != "running" or self.next_retry(now) is not None:
            return None
        return self.pace.left(max(0, self.total - self.ended_items), self.ended_items, now)


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody who watches is told of one fact."""

    what: What
    at: float
    step: StepProgress | None = None
    path: str = ""
    text: str = ""
    failure: Failure | None = None
    retry_at: float | None = None
    alike: int = 1
    """Of a warning: how many there were for this reason, with this one."""
