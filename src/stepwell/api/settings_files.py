"""The files in which settings may stand: the project's, and the user's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

FILE = "stepwell.toml"
PROJECT = "pyproject.toml"
TABLE = ("tool", "stepwell")
_TABLE = re.compile(r"^[ \t]*\[[ \t]*tool[ \t]*\.[ \t]*stepwell[ \t]*\]", re.MULTILINE)
_MENTION = re.compile(r"^[ \t]*\[?[ \t]*tool[ \t]*\.[ \t]*stepwell\b|^[ \t]*stepwell[ \t]*=", re.MULTILINE)
"""What says that a project's file means us, be it that it cannot be read."""
_NEXT_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)


class SettingsFile(Struct, frozen=True):
    """One file that is there; `problem` says why it could not be read."""

    path: Path
    text: str
    table: tuple[str, ...] = ()
    """The table of the file in which the settings stand; () where that is all of it."""
    users: bool = False
    problem: str = ""

    def line_of(self, key: str) -> int:
        """The line on which a setting stands, from 1; 0 where that cannot be told."""
        start = 0
        end = len(self.text)
        if self.table and (head := _TABLE.search(self.text)):
            start = head.end()
        if after := _NEXT_TABLE.search(self.text, start):
            end = after.start()
        line = re.compile(
            rf"""^[ \t]*(?:["']?{re.escape(key)}["']?[ \t]*[=.]|\[+[ \t]*{re.escape(key)}\b)""", re.MULTILINE
        )
        found = line.search(self.text, start, end) or (None if self.table else line.search(self.text))
        return self.text.count("\n", 0, found.end()) + 1 if found else 0


def settings_files(here: Path) -> list[SettingsFile]:
    """The files that say something here, that which counts most first.

    They are `stepwell.toml` and a `pyproject.toml` with a table `[tool.stepwell]` of the nearest folder, from this one
    up, that has one of them; and the user's own.
    """
    found: list[SettingsFile] = []
    for folder in (here, *here.parents):
        found = [*_read(folder / FILE), *_read(folder / PROJECT, TABLE)]
        if found:
            break
    return [*found, *_read(user_file(), users=True)]


def user_file() -> Path:
    """Where the user's own settings stand, for all projects."""
    from platformdirs import user_config_path

    return user_config_path("stepwell", appauthor=False) / FILE


def _read(path: Path, table: tuple[str, ...] = (), *, users: bool = False) -> Iterator[SettingsFile]:
    """The file, if it is there and has such a table."""
    try:
        if not path.is_file():
            return
    except OSError:  # in a folder that we may not look into; nobody has put it there for us
        return
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        if not table:
            problem = f"it is not UTF-8 (byte {error.start})"
            yield SettingsFile(path, "", table, users, problem)
        return
    except OSError as error:
        if not table:  # a project's file that nobody may read says nothing about us
            yield SettingsFile(path, "", table, users, f"it cannot be read: {error.strerror}")
        return
    if not table or _MENTION.search(text):
        yield SettingsFile(path, text, table, users)
