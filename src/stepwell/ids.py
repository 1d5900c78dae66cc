"""Names of things: run ids, and the paths that tell which step, item and visit a record is about."""

from __future__ import annotations

import re
from typing import NewType

from msgspec import Struct

RunId = NewType("RunId", str)

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
"""What a step, a pipeline and an input may be called."""

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_SHIFTS = range(120, -1, -10)
_ESCAPES = {ord(char): f"%{ord(char):02X}" for char in '%[]#/"' + "".join(map(chr, range(32))) + "\x7f"}
_ESCAPED = re.compile(r"%([0-9A-F]{2})")
_SEGMENT = re.compile(r"(?P<name>[^\[\]#/]+)(?:\[(?P<key>[^\[\]#/]*)\])?(?:#(?P<visit>[1-9][0-9]*))?\Z")


def ulid(milliseconds: int, chance: bytes) -> RunId:
    """A ULID from a time in milliseconds since the epoch and ten random bytes: 26 characters that sort by time.

    Source: https://github.com/ulid/spec

    >>> ulid(1_000_000, bytes(10))
    '000000YGJ00000000000000000'
    """
    number = (milliseconds << 80) | int.from_bytes(chance[:10], "big")
    return RunId("".join([_PAIRS[(number >> shift) & 1023] for shift in _SHIFTS]))


def canonical(name: str) -> str:
    """The form in which two names are compared: hyphens are underscores, case is folded.

    >>> canonical("Load-Data") == canonical("load_data")
    True
    """
    return name.replace("-", "_").casefold()


def escape(key: str) -> str:
    """The key as it stands in a path: what would be read as part of the path is percent-escaped.

    >>> escape("a/b[1]")
    'a%2Fb%5B1%5D'
    """
    return key.translate(_ESCAPES)


def unescape(text: str) -> str:
    """The key that `escape` made this text from."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


class Segment(Struct, frozen=True):
    """One level of a path: a step's name, the key of a map item, and which visit it is."""

    name: str
    key: str | None = None
    visit: int = 1

    def __str__(self) -> str:
        """The segment's text, `name[key]#visit`."""
        return path_text(self.name, self.key, self.visit)


def path_text(name: str, key: str | None = None, visit: int = 1) -> str:
    """The text of a one-segment path.

    >>> path_text("measure", "a b", 2)
    'measure[a b]#2'
    """
    text = name if key is None else f"{name}[{escape(key)}]"
    return text if visit == 1 else f"{text}#{visit}"


def step_of(path: str) -> str:
    """The name of the step that a path is about, whichever item and visit.

    >>> step_of("measure[a]#2")
    'measure'
    """
    return path.partition("[")[0].partition("#")[0]


def parse_path(text: str) -> tuple[Segment, ...]:
    """The segments of a path's text; raises ValueError for what is no path.

    >>> parse_path("parent/measure[a%2Fb]#2")
    (Segment(name='parent', key=None, visit=1), Segment(name='measure', key='a/b', visit=2))
    """
    segments: list[Segment] = []
    for part in text.split("/"):
        match = _SEGMENT.match(part)
        if match is None:
            raise ValueError(f"{text!r} is no path; expected name, name[key] or name#visit, levels joined by '/'")
        key = match["key"]
        segments.append(Segment(match["name"], None if key is None else unescape(key), int(match["visit"] or 1)))
    return tuple(segments)
