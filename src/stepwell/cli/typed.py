"""Words as one types them in a shell, for the commands that messages propose."""

from __future__ import annotations

import re
import shlex
import sys

_SPECIAL = re.compile(r"""[\s"'&|<>()@^%!`,;={}$]|\A\Z""")


def typed(word: str, system: str = sys.platform) -> str:
    r"""The word, in quotes where the shells of a system would take it for something else.

    On Windows these are cmd and PowerShell: both take double quotes, and neither minds a backslash.

    >>> typed("a b", "linux"), typed("C:\\my runs\\a.db", "win32"), typed("C:\\runs\\a.db", "win32")
    ("'a b'", '"C:\\my runs\\a.db"', 'C:\\runs\\a.db')
    """
    if system != "win32":
        return shlex.quote(word)
    if not _SPECIAL.search(word):
        return word
    end = len(word) - len(word.rstrip("\\"))  # these would take the quote behind them for a character
    return f'"{word}{word[len(word) - end :]}"'
