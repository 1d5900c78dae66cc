"""What the engine folds and nobody else hears of: it changes what goes on at this moment, and no record."""

from __future__ import annotations

from stepwell import events as ev


class StepGuarded(ev.Event, frozen=True):
    """The `when` of a step is being evaluated."""


class GuardPassed(ev.Event, frozen=True):
    """The `when` of a step was true."""


class GuardDropped(ev.Event, frozen=True):
    """The `when` of a step was not evaluated to its end."""


class CancelSent(ev.Event, frozen=True):
    """All that runs has been told to end."""


class Blocking(ev.Event, frozen=True):
    """The run is to end with RUN_BLOCKED, once nothing of it runs any more."""

    reason: str = ""
    message: str = ""


class StepsTold(ev.Event, frozen=True):
    """These steps were told to end: a jump goes back over them, or nobody needs what they give."""

    numbers: tuple[int, ...] = ()


class SlotsHeld(ev.Event, frozen=True):
    """So many more (or fewer) slots are held: by threads that nobody can stop, less those that sources do not need."""

    change: int = 0


class ItemsSeen(ev.Event, frozen=True):
    """A live source has yielded the first `count` items again."""

    count: int = 0
