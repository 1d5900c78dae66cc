"""Log records while some run listens: each goes to the attempt that it comes from, and on to the handlers it has.

`Logger.callHandlers` is wrapped, as a handler on the root logger would change what the program does: `basicConfig`
does nothing once there is a handler, the last resort stays silent, and loggers that do not propagate are not heard.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator

import msgspec
from msgspec import Struct

from stepwell.capture.lines import tidy
from stepwell.capture.source import PRESENT, Source, present

_LIFTED = logging.INFO - 1
"""The level of the root logger while it is ours: lets INFO through, and is none that a program sets."""
_Call = Callable[[logging.Logger, logging.LogRecord], None]
_tracebacks = logging.Formatter()


class Wrapped(Struct):
    """What was there before, to be put back."""

    call: _Call
    ours: _Call


def wrap() -> Wrapped:
    """From here on records are heard; where nobody has configured logging, from INFO on."""
    before: _Call = logging.Logger.callHandlers

    def call_handlers(logger: logging.Logger, record: logging.LogRecord) -> None:
        source = present()
        lifted = record.levelno < logging.WARNING and _is_lifted(logger)
        if source is not None and not source.muted:
            _hear(source, logger, record, _to_nobody if lifted else before)
        elif not lifted:
            before(logger, record)

    setattr(logging.Logger, "callHandlers", call_handlers)  # noqa: B010 - type checkers refuse to see a method replaced
    root = logging.getLogger()
    if root.level == logging.WARNING and not root.handlers:
        root.setLevel(_LIFTED)
    return Wrapped(before, call_handlers)


def unwrap(wrapped: Wrapped) -> None:
    """Put back what was there, unless somebody has put something else there since."""
    if logging.Logger.callHandlers is wrapped.ours:
        setattr(logging.Logger, "callHandlers", wrapped.call)  # noqa: B010
    root = logging.getLogger()
    if root.level == _LIFTED:
        root.setLevel(logging.WARNING)


def _is_lifted(logger: logging.Logger) -> bool:
    """Whether its records below WARNING come this far only because the root logger is ours: no handler expects them."""
    one: logging.Logger | None = logger
    while one is not None and one.level == logging.NOTSET:
        one = one.parent
    return one is not None and one.level == _LIFTED


def _to_nobody(logger: logging.Logger, record: logging.LogRecord) -> None:
    """Stands for the handlers."""


def text_of(record: logging.LogRecord) -> str:
    """The message with the traceback below it, as a plain formatter shows it; a message that fails says so."""
    try:
        text = record.getMessage()
    except Exception as error:  # the arguments do not fit the message, or their __str__ fails: the user's code
        text = f"{record.msg!r} ({type(error).__name__} while formatting its arguments)"
    if record.exc_info and record.exc_info[0] is not None:
        text = f"{text}\n{_tracebacks.formatException(record.exc_info)}"
    if record.stack_info:
        text = f"{text}\n{record.stack_info}"
    return tidy(text)


def _hear(source: Source, logger: logging.Logger, record: logging.LogRecord, before: _Call) -> None:
    """Tell the attempt, and those around it; then the handlers, but for those of a console that others use."""
    speaker: Source | None = source
    tee = True
    while speaker is not None and tee:
        if speaker.capture.on:
            speaker.capture.record(speaker, record)
            tee = speaker.capture.tee
        speaker = speaker.capture.outer
    # What a handler writes to a stream is this record again, and must not be heard twice.
    token = PRESENT.set(None if tee else msgspec.structs.replace(source, muted=True))
    try:
        if tee or before is _to_nobody:
            before(logger, record)
            return
        for handler in _handlers(logger):
            if record.levelno >= handler.level and not _writes_to_console(handler):
                handler.handle(record)
    finally:
        PRESENT.reset(token)


def _handlers(logger: logging.Logger) -> Iterator[logging.Handler]:
    """All that a record of this logger goes to."""
    one: logging.Logger | None = logger
    while one is not None:
        yield from one.handlers
        one = one.parent if one.propagate else None


def _writes_to_console(handler: logging.Handler) -> bool:
    if not isinstance(handler, logging.StreamHandler):
        return False
    stream: object = handler.stream  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return any(stream is one for one in _consoles())


def _consoles() -> Iterator[object]:
    """The standard streams: those of the process, those of now, and those that ours stand in for."""
    yield from (sys.__stdout__, sys.__stderr__)
    for stream in (sys.stdout, sys.stderr):
        one: object = stream
        while one is not None:
            yield one
            one = getattr(one, "beyond", None)
