"""The words of one run: each line and log record becomes an event that names the attempt it comes from."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from stepwell.capture import streams
from stepwell.capture.lines import overwritten, split, tidy
from stepwell.capture.records import text_of
from stepwell.capture.source import PRESENT, Source, Stream
from stepwell.events import LogLine

_set_present = PRESENT.set
"""Looked up once: it is called twice an attempt."""


class Log(Protocol):
    """Where the words of a run go; called from any thread, though from one at a time. It raises nothing."""

    def say(self, line: LogLine) -> None:
        """An attempt has said this."""
        ...

    def close(self) -> None:
        """The run is over."""
        ...


class Nobody:
    """Takes the place of a log whose run is over: what a step has left running must not keep all of the run alive."""

    def say(self, line: LogLine) -> None:
        """Nothing comes of it."""

    def close(self) -> None:
        """Nothing is open."""


class Capture:
    """Listens to the attempts of one run, in whichever threads and tasks they speak.

    With `tee`, what is heard also goes on to where it would have gone. Nothing is put in the place of the standard
    streams before the first attempt begins, nor is anything left there after `close`.
    """

    __slots__ = ("_begun", "_lock", "_log", "_now", "_run_id", "on", "outer", "tee")

    def __init__(self, run_id: str, log: Log, now: Callable[[], float], *, tee: bool) -> None:
        self._run_id = run_id
        self._log: Log = log
        self._now = now
        # Reentrant: a signal, or a finalizer, may print in the midst of a line.
        self._lock = threading.RLock()
        self._begun = False
        self.on = True
        self.tee = tee
        self.outer = PRESENT.get()

    def begin(self, path: str, attempt: int) -> Source:
        """From here on this context, with the threads and tasks that it starts, speaks for this attempt."""
        if not self._begun:
            self._begun = True
            streams.listen()
        source = Source(self, path, attempt)
        _set_present(source)
        return source

    def end(self, source: Source) -> None:
        """The attempt has ended, in the context in which it began: a line that it left unfinished is one now."""
        _set_present(self.outer)
        while source.held:
            (stream, _), rest = source.held.popitem()
            if text := overwritten(rest):
                self._tell(source, stream, tidy(text))

    def close(self) -> None:
        """The run is over; what its threads still say goes to where it would have gone."""
        with self._lock:
            if not self.on:
                return
            self.on = False
            log, self._log = self._log, Nobody()
        if self._begun:
            streams.leave()
        log.close()

    def write(self, source: Source, stream: Stream, text: str) -> None:
        """An attempt has printed this, perhaps in the middle of a line."""
        held = source.held
        if held is None:
            with self._lock:  # two threads of the attempt may write their first words at once
                if source.held is None:
                    source.held = {}
                held = source.held
        place = (stream, threading.get_ident())
        lines, rest = split(held.pop(place, ""), text)
        if rest:
            held[place] = rest
        for line in lines:
            self._tell(source, stream, line)

    def record(self, source: Source, record: logging.LogRecord) -> None:
        """An attempt has logged this."""
        self._tell(source, "log", text_of(record), record.levelname, record.name)

    def _tell(self, source: Source, stream: Stream, text: str, level: str = "", logger: str = "") -> None:
        with self._lock:  # the times in a log never go back
            if self.on:
                now = self._now()
                self._log.say(LogLine(self._run_id, 0, now, source.path, source.attempt, stream, text, level, logger))
