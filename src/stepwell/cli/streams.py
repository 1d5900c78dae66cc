"""Standard streams: stdout carries data only, and nothing about them ever ends in a traceback."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Generator, Mapping
from typing import IO, TextIO, cast

SCHEMA_VERSION = 1
"""Of every document that `--json` gives; it grows when a field goes away or means something else."""


class Closed(io.StringIO):
    """Stands in for a stream that was closed before we began."""


class Gone(Exception):
    """Whoever read our output has gone away."""


def prepare() -> None:
    """Make the standard streams safe to write to, whatever they are.

    A descriptor that was closed is opened on the null device, or the next file that is opened would take its place
    and receive what is printed. What an encoding has no character for is escaped.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                os.open(os.devnull, os.O_RDWR)
    # A stream whose descriptor was closed is None.
    sys.stdout = sys.stdout or Closed()  # pyright: ignore[reportUnnecessaryComparison]
    sys.stderr = sys.stderr or Closed()  # pyright: ignore[reportUnnecessaryComparison]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def is_unicode(stream: IO[str]) -> bool:
    """Whether a stream takes every character."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return encoding.lower().replace("-", "").startswith("utf")


def tell(text: str) -> None:
    """A message for people, on stderr; where nobody listens it is lost."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


class Output:
    """Where the data of a command goes: what stdout was when the command began."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    @property
    def is_terminal(self) -> bool:
        """Whether a person looks at it."""
        try:
            return self.stream.isatty()
        except ValueError:
            return False

    def text(self, text: str) -> None:
        """Write a text as it is, with a line's end after it."""
        if isinstance(self.stream, Closed):
            tell("stepwell: stdout is closed, so the output was not printed")
            return
        self._write(text if text.endswith("\n") else f"{text}\n")

    def document(self, document: object) -> None:
        """Write JSON: indented for people, else in one line."""
        indent = 2 if self.is_terminal else None
        from json import dumps

        self.text(dumps(document, indent=indent, ensure_ascii=not is_unicode(self.stream), default=str))

    def versioned(self, document: Mapping[str, object]) -> None:
        """The same for a document of `--json`."""
        self.document({"schema_version": SCHEMA_VERSION, **document})

    def _write(self, text: str) -> None:
        try:
            self.stream.write(_writable(text))
            self.stream.flush()
        except BrokenPipeError:
            to_nowhere(self.stream)
            raise Gone from None


def _writable(text: str) -> str:
    """A lone surrogate is half of a character, or a byte of a file's name; no encoding takes it."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def to_nowhere(stream: TextIO) -> None:
    """What is still buffered must not be written, and fail, when the interpreter ends."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def output() -> Output:
    """The data's way out for a command that runs no code of the user's."""
    return Output(sys.stdout)


@contextlib.contextmanager
def guarded() -> Generator[Output]:
    """Give stdout to the command alone: what steps, and programs that they start, print there goes to stderr.

    Libraries that keep a stream from when they are imported keep one that knows which step writes to it.
    """
    from stepwell.capture.streams import Routed

    stdout, stderr = sys.stdout, sys.stderr
    stdout.flush()
    sys.stdout, sys.stderr = cast("TextIO", Routed("stdout", stderr)), cast("TextIO", Routed("stderr", stderr))
    try:
        with _descriptor_guarded(stdout) as stream:
            yield Output(stream)
    finally:
        sys.stdout, sys.stderr = stdout, stderr


@contextlib.contextmanager
def _descriptor_guarded(stdout: TextIO) -> Generator[TextIO]:
    """The same for the descriptor that child processes and libraries in C write to, where it is a real one."""
    if stdout is not sys.__stdout__ or isinstance(stdout, Closed):
        yield stdout
        return
    own = os.dup(1)
    stream = open(own, "w", encoding=stdout.encoding, errors=stdout.errors)  # noqa: PTH123, SIM115 - a descriptor
    os.dup2(2, 1)
    try:
        yield stream
    finally:
        with contextlib.suppress(OSError):
            stream.flush()
        os.dup2(own, 1)
        with contextlib.suppress(OSError):
            stream.close()
