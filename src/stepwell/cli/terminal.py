"""What the terminal can do: a live view, colours, width, which characters; and text cut to fit it."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Literal

from stepwell.cli.streams import is_unicode

Colour = Literal["green", "red", "yellow", "blue", "dim", "bold"]
_CODES: Mapping[Colour, str] = {"green": "32", "red": "31", "yellow": "33", "blue": "36", "dim": "2", "bold": "1"}
_CODE = re.compile(r"\x1b\[[0-9;]*m")
NARROWEST = 20
_COMFORTABLE = 24
"""A column of text narrower than this is hard to read."""
STATUS_COLOURS: Mapping[str, Colour] = {
    "completed": "green", "stopped": "green", "running": "blue", "waiting": "yellow", "degraded": "yellow",
    "tolerated": "yellow", "interrupted": "yellow", "blocked": "yellow", "failed": "red", "timed_out": "red",
    "cancelled": "red", "pending": "dim", "skipped": "dim", "pruned": "dim",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Terminal:
    """One stream, looked at."""

    is_terminal: bool
    live: bool
    """A view that is drawn anew may be shown."""
    colour: bool
    unicode: bool
    width: int | None
    """None where nothing is cut: into a file or a pipe."""

    def paint(self, text: str, colour: Colour | None) -> str:
        """The text in a colour, where there are any."""
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self.colour and colour and text else text

    def fit(self, text: str) -> str:
        """The text in one line of this terminal."""
        return text if self.width is None else cut(text, self.width, unicode=self.unicode)


def look(stream: IO[str], environ: Mapping[str, str] = os.environ) -> Terminal:
    """What a stream leads to. NO_COLOR, FORCE_COLOR, TERM, CI and COLUMNS say otherwise than it looks."""
    try:
        is_terminal = stream.isatty()
    except ValueError:
        is_terminal = False
    smart = is_terminal and environ.get("TERM", "") != "dumb" and _takes_codes(stream)
    forced = environ.get("FORCE_COLOR", "") not in ("", "0")
    width = max(NARROWEST, shutil.get_terminal_size().columns) if is_terminal or environ.get("COLUMNS") else None
    return Terminal(
        is_terminal=is_terminal,
        live=smart and not environ.get("CI"),
        colour=not environ.get("NO_COLOR") and (forced or smart),
        unicode=is_unicode(stream),
        width=width,
    )


def _takes_codes(stream: IO[str]) -> bool:
    """Whether a terminal takes escape codes; the console of Windows does once it is asked to, if it is no old one."""
    if sys.platform != "win32":
        return True
    import ctypes
    import msvcrt

    virtual_terminal = 4
    mode, system = ctypes.c_ulong(), ctypes.windll.kernel32
    try:
        console = msvcrt.get_osfhandle(stream.fileno())
    except OSError:
        return False
    if not system.GetConsoleMode(console, ctypes.byref(mode)):
        return True  # a terminal of another kind, as that of Git
    return bool(system.SetConsoleMode(console, mode.value | virtual_terminal))


def cells(text: str) -> int:
    """How many columns a text takes.

    >>> cells("abc"), cells("日本")
    (3, 4)
    """
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else not unicodedata.combining(one) for one in text)


def cut(text: str, width: int, *, unicode: bool = True) -> str:
    """The text in so many columns at most, without line ends.

    >>> cut("a long text", 7), cut("a long text", 7, unicode=False), cut("short", 7)
    ('a long…', 'a lo...', 'short')
    """
    text = " ".join(text.split("\n")) if "\n" in text else text
    if cells(text) <= width:
        return text
    end = "…" if unicode else "..."
    kept, used = "", cells(end)
    for one in text:
        used += cells(one)
        if used > width:
            break
        kept += one
    return kept.rstrip() + end if width > len(end) else text[:width]


def wrapped(head: str, text: str, terminal: Terminal, *, indent: int = 6) -> list[str]:
    """A text behind its head; where the line is too short for it, in lines of its own below, indented.

    Spaces at the end of the head are those of a column; escape codes in it take no room.
    """
    bare = _CODE.sub("", head)
    lead = f"{head}{' ' if bare.endswith(':') else '  '}" if head else ""
    column = cells(_CODE.sub("", lead))
    width = terminal.width
    if width is None or column + cells(text) <= width:
        return [f"{lead}{text}".rstrip()]
    if width - column >= max(_COMFORTABLE, width // 2):
        first, *rest = textwrap.wrap(text, width - column, break_on_hyphens=False)
        return [f"{lead}{first}", *(f"{' ' * column}{line}" for line in rest)]
    above = [head.rstrip() if cells(bare.rstrip()) <= width else terminal.fit(bare)] if head else []
    return [*above, *(f"{' ' * indent}{line}" for line in textwrap.wrap(text, width - indent, break_on_hyphens=False))]


def padded(text: str, width: int, *, right: bool = False) -> str:
    """The text filled up with spaces."""
    fill = " " * max(0, width - cells(text))
    return fill + text if right else text + fill


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table. Where the room is short, those with the highest `gives_way` leave first."""

    title: str
    right: bool = False
    gives_way: int = 0
    shrinks: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> tuple[list[str], list[int]]:
    """The lines of a table, titles first, and which columns are in it."""
    kept = list(range(len(columns)))
    widths = [max([cells(column.title), *(cells(row[at]) for row in rows)]) for at, column in enumerate(columns)]

    def total() -> int:
        return sum(widths[at] for at in kept) + 2 * (len(kept) - 1)

    if width is not None:
        leaving = sorted((at for at in kept if columns[at].gives_way), key=lambda at: -columns[at].gives_way)
        for at in leaving:
            if total() > width:
                kept.remove(at)
        for at in kept:
            if columns[at].shrinks and total() > width:
                widths[at] = max(cells(columns[at].title), widths[at] - (total() - width))
    lines = [
        "  ".join(padded(cut(row[at], widths[at]), widths[at], right=columns[at].right) for at in kept).rstrip()
        for row in ([column.title for column in columns], *rows)
    ]
    return lines, kept
