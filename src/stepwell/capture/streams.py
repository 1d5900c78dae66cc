"""The standard streams while some run listens: what an attempt writes is heard, all else passes through untouched."""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Iterable
from typing import Literal, TextIO, cast

from stepwell.capture import records
from stepwell.capture.source import PRESENT, heard, present

Name = Literal["stdout", "stderr"]


class Routed(io.TextIOBase):
    """Stands in for a standard stream; whoever still holds it when no run listens any more notices no difference."""

    def __init__(self, name: Name, beyond: TextIO) -> None:
        super().__init__()
        self._name: Name = name
        self.beyond = beyond

    def write(self, text: str, /) -> int:
        """To the attempt that speaks, else to the stream beyond."""
        source = present()
        if source is None or not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            return self.beyond.write(text)
        heard(source, self._name, text, self.beyond)
        return len(text)

    def writelines(self, lines: Iterable[str], /) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Each of them."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Of the stream beyond; a line of an attempt is whole when it ends."""
        self.beyond.flush()

    def isatty(self) -> bool:
        """Whether a person sees it at once: not where the words of attempts are shown in another way."""
        source = present()
        return (source is None or source.capture.tee) and self.beyond.isatty()

    def fileno(self) -> int:
        """Of the stream beyond: what goes past Python goes past us."""
        return self.beyond.fileno()

    def writable(self) -> bool:
        """Always."""
        return True

    def close(self) -> None:
        """The stream beyond is not ours to close; this is called when we are thrown away, too."""

    @property
    def closed(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Whether the stream beyond is."""
        return self.beyond.closed

    @property
    def encoding(self) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        """Of the stream beyond."""
        return self.beyond.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        """What the stream beyond does about characters that it has not."""
        return self.beyond.errors

    def __getattr__(self, name: str) -> object:
        return getattr(self.beyond, name)


_lock = threading.Lock()
_listening = 0
_placed: list[Routed] = []
_records: list[records.Wrapped] = []


def _forget() -> None:
    """A process that was forked is not the run's: it has neither its loop nor its locks, and speaks for itself."""
    global _lock, _listening
    _lock = threading.Lock()
    _listening = 0
    _placed.clear()
    _records.clear()
    PRESENT.set(None)


if sys.platform != "win32":  # nothing is forked there
    os.register_at_fork(after_in_child=_forget)


def listen() -> None:
    """One more run listens. Streams that were replaced since the first one are routed anew."""
    global _listening
    with _lock:
        _listening += 1
        for name in ("stdout", "stderr"):
            present_stream = cast("TextIO | None", getattr(sys, name))
            if present_stream is not None and not isinstance(present_stream, Routed):
                routed = Routed(name, present_stream)
                setattr(sys, name, routed)
                _placed.append(routed)
        if not _records:
            _records.append(records.wrap())


def leave() -> None:
    """One run fewer; with the last one all is as it was. A stream that somebody has put over ours stays."""
    global _listening
    with _lock:
        _listening -= 1
        if _listening:
            return
        while _placed:
            routed = _placed.pop()
            for name in ("stdout", "stderr"):
                if getattr(sys, name) is routed:
                    setattr(sys, name, routed.beyond)
        records.unwrap(_records.pop())
