"""What is told live only: it has no number, is never journaled, and nobody needs it to go on."""

from __future__ import annotations

from typing import Literal

from stepwell.events.base import Event, EventKind


class ItemStarted(Event, frozen=True):
    """An attempt of a map item begins (its end tells, in the record, when that was)."""

    kind = EventKind.ITEM_STARTED
    index: int = 0


class Token(Event, frozen=True):
    """One value that a generator step has yielded."""

    kind = EventKind.TOKEN
    value: object = None


class LogLine(Event, frozen=True):
    """What an attempt printed (a line) or logged (a record); `stepwell logs` shows it again.

    `stream` is `stdout`, `stderr` or `log`; `level` and `logger` are of a log record. Its `text` has several lines
    where a record has, no colours and no control characters.
    """

    kind = EventKind.LOG
    stream: Literal["stdout", "stderr", "log"] = "stdout"
    text: str = ""
    level: str = ""
    logger: str = ""
