"""Ctrl-C and its like: the first asks the run to end, the second ends this process at once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from contextvars import copy_context
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Self

from stepwell.cli.exits import SIGNAL

if TYPE_CHECKING:  # a help needs no loop
    from asyncio import AbstractEventLoop

_NAMES = {"SIGINT": "Ctrl-C", "SIGTERM": "SIGTERM", "SIGHUP": "SIGHUP", "SIGBREAK": "Ctrl-Break"}
"""What there is of them: SIGHUP (its terminal was closed) not on Windows, SIGBREAK only there."""


class Interrupted(KeyboardInterrupt):
    """A signal came before there was a run that could be asked to end; `code` is the exit code."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


class Interrupts:
    """Takes the signals that ask this process to end, from `with` on; `bind` says whom to ask.

    Before that the first signal raises `Interrupted`. `code` is the exit code that the first one asks for, or 0;
    `reason` says which one it was.
    """

    def __init__(self) -> None:
        self.code = 0
        self.reason = ""
        self._loop: AbstractEventLoop | None = None
        self._ask: Callable[[str], object] | None = None
        self._last_words = ""
        self._context = copy_context()
        self._before: dict[int, object] = {}

    def bind(self, loop: AbstractEventLoop, ask: Callable[[str], object], last_words: str) -> None:
        """From now on the first signal calls `ask` on the loop, and the second prints `last_words`."""
        self._loop, self._ask, self._last_words = loop, ask, last_words
        self._context = copy_context()  # not that of the step which runs when the signal comes: it would be its output

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for name in _NAMES:
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # as with nohup
                    self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.code:
            self._kill(SIGNAL + number)
        self.code = SIGNAL + number
        self.reason = f"interrupted ({_NAMES[signal.Signals(number).name]})"
        ask, loop = self._ask, self._loop
        if ask is None or loop is None:
            raise Interrupted(self.code)
        with contextlib.suppress(RuntimeError):  # the loop has ended by itself just now
            loop.call_soon_threadsafe(ask, self.reason, context=self._context)

    def _kill(self, code: int) -> None:
        """At once, and past every lock: the cursor comes back, and the way on is told."""
        words = "\x1b[?25h\r" if self._is_terminal() else ""
        with contextlib.suppress(OSError):
            os.write(2, f"{words}stepwell: killed; {self._last_words}\n".encode(errors="replace"))
        os._exit(code)

    @staticmethod
    def _is_terminal() -> bool:
        try:
            return os.isatty(2)
        except OSError:
            return False
