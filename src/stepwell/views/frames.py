"""The one place in the user's own code to look at, out of the text of a recorded traceback."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_FRAME = re.compile(
    r'^  File "(?P<file>[^"\n]+)", line (?P<line>\d+)(?:, in (?P<function>[^\n]+))?\n(?:    (?P<source>[^\n]*\S))?',
    re.MULTILINE,
)
_START = re.compile(r"^Traceback \(most recent call last\):$", re.MULTILINE)
_LIBRARIES = ("site-packages", "dist-packages")
_STDLIB = str(Path(re.__file__).parent.parent)
_OWN = str(Path(__file__).parent.parent)


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of a program."""

    file: str
    line: int
    function: str
    source: str


def own_frame(traceback: str) -> Frame | None:
    """The innermost frame in code that is not of a library, else the innermost; None where there is none but ours.

    Of exceptions that were raised from one another, that of the last counts.
    """
    start = max((found.end() for found in _START.finditer(traceback)), default=0)
    frames = [
        Frame(one["file"], int(one["line"]), one["function"] or "", one["source"] or "")
        for one in _FRAME.finditer(traceback, start)
        if not one["file"].startswith(_OWN)
    ]
    own = [frame for frame in frames if not _is_library(frame.file)]
    return (own or frames)[-1] if frames else None


def _is_library(file: str) -> bool:
    if file.startswith("<frozen") or any(folder in Path(file).parts for folder in _LIBRARIES):
        return True
    return file.startswith(_STDLIB)
