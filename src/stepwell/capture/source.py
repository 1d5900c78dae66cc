"""Whose words these are: the attempt that the present context belongs to, and the capture of its run."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import Literal, Protocol, TextIO

from msgspec import Struct

Stream = Literal["stdout", "stderr", "log"]


class Listens(Protocol):
    """What is told of an attempt's words; `on` while its run goes on."""

    on: bool
    tee: bool
    """What it hears also goes on to where it would have gone."""
    outer: Source | None
    """The attempt in which this run was begun, where a step runs a pipeline of its own."""

    def end(self, source: Source) -> None:
        """The attempt has ended."""
        ...

    def write(self, source: Source, stream: Stream, text: str) -> None:
        """The attempt has printed this."""
        ...

    def record(self, source: Source, record: logging.LogRecord) -> None:
        """The attempt has logged this."""
        ...


class Source(Struct, gc=False):
    """One attempt, as the one who speaks."""

    capture: Listens
    path: str
    attempt: int
    held: dict[tuple[Stream, int], str] | None = None
    """Lines that have no end yet, by stream and thread."""
    muted: bool = False
    """What is written now was heard already, as a log record."""


PRESENT: ContextVar[Source | None] = ContextVar("stepwell_attempt", default=None)
"""Set where an attempt begins; threads of the executor and tasks that the attempt starts inherit it."""


def present() -> Source | None:
    """The attempt that speaks in this context, if its run still listens."""
    source = PRESENT.get()
    while source is not None and not source.capture.on:
        source = source.capture.outer
    return source


def heard(source: Source, stream: Stream, text: str, beyond: TextIO) -> None:
    """Tell the run of the source, then those around it that it lets hear, and at last the stream beyond."""
    speaker: Source | None = source
    while speaker is not None:
        if speaker.muted:
            return
        if speaker.capture.on:
            speaker.capture.write(speaker, stream, text)
            if not speaker.capture.tee:
                return
        speaker = speaker.capture.outer
    token = PRESENT.set(None)  # the stream beyond may lead to one of ours again
    try:
        beyond.write(text)
    finally:
        PRESENT.reset(token)
