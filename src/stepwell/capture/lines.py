"""From what is written in pieces to lines that can be kept and shown: whole, cut, without control characters."""

from __future__ import annotations

import re

from stepwell.text import clean

LONGEST = 16_384
"""Characters of a line, or of a log record, that are kept."""

_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
"""Colours, movements of the cursor, titles: meant for a terminal at that moment."""


def split(held: str, text: str) -> tuple[list[str], str]:
    r"""The lines that are whole now, and what is left; `held` is what was left before.

    What a carriage return takes back is left out, so that a progress bar comes to one line.

    >>> split("wor", "ld\nand"), split("", "1 %\r2 %\rall\n")
    ((['world'], 'and'), (['all'], ''))
    """
    if "\n" not in text and "\r" not in text:
        return [], (held + text)[: LONGEST + 1]
    *whole, rest = (held + text).split("\n")
    lines = [tidy(overwritten(line)) for line in whole]
    if "\r" in rest:
        rest = overwritten(rest) + ("\r" if rest.endswith("\r") else "")
    return lines, rest[: LONGEST + 1]


def overwritten(line: str) -> str:
    """What a terminal shows in the end of a line with carriage returns in it."""
    return line.rstrip("\r").rpartition("\r")[2] if "\r" in line else line


def tidy(text: str) -> str:
    r"""The text as it is kept: no colours, no control characters, no halves of characters, not too long.

    >>> tidy("\x1b[31mred\x1b[0m\x07")
    'red\\x07'
    """
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]} … cut: longer than {LONGEST:,} characters"
    return clean(text if text.isprintable() else _TERMINAL.sub("", text))
