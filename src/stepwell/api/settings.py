"""The settings of the command: an option, else the environment, else the project's files, else the user's own.

What is said nowhere has its default. Where there is neither a file nor a variable, and that is so for most, nothing is
loaded to find that out.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast

from msgspec import Struct

from stepwell.api.settings_files import FILE, PROJECT, settings_files
from stepwell.errors import SettingsError, StoreError

FOLDER = ".stepwell"
STORE = f"{FOLDER}/stepwell.db"
VARIABLE = "STEPWELL_STORE"
_MEMORY = ("memory", ":memory:")


class Settings(Struct, frozen=True):
    """What counts where no option says otherwise; None where the pipeline, or the project's place, decides."""

    store: str | None = None
    on_failure: Literal["stop", "cancel", "finish"] | None = None
    run_timeout: str | float | None = None
    strict: bool = False
    quiet: bool = False
    progress: Literal["auto", "live", "plain", "none"] = "auto"
    sync: Literal["full", "process"] = "full"


NAMES = Settings.__struct_fields__
_DEFAULTS = Settings()


class Origin(Struct, frozen=True):
    """Where a value is from: `flag`, `env`, `file`, `user file` or `default`, and the variable or `file:line`."""

    kind: Literal["flag", "env", "file", "user file", "default"]
    place: str = ""

    def __str__(self) -> str:
        """The place, or the kind where that says all."""
        return self.place or self.kind


class Setting(Struct, frozen=True):
    """One setting, with all that was said about it and does not count."""

    name: str
    value: object
    origin: Origin
    overridden: tuple[tuple[object, Origin], ...] = ()


def load_settings(here: Path | None = None) -> Settings:
    """The settings that count in a folder; raises SettingsError with all that is wrong in them."""
    variables = [name for name in NAMES if os.environ.get(f"STEPWELL_{name.upper()}")]
    if variables in ([], ["store"]) and not settings_files(_folder(here)):
        return Settings(store=os.environ.get(VARIABLE) or None)
    found, problems = explain(here)
    if problems:
        raise SettingsError(problems)
    return Settings(**{one.name: cast("Any", one.value) for one in found})


def explain(here: Path | None = None, flags: Mapping[str, object] | None = None) -> tuple[list[Setting], list[str]]:
    """Each setting with its origin, and all that is wrong; what is wrong counts for nothing."""
    from stepwell.api.settings_sources import read

    problems: list[str] = []
    said: dict[str, list[tuple[object, Origin]]] = {name: [] for name in NAMES}
    for name, value in (flags or {}).items():
        if value is not None:
            said[name].append((value, Origin("flag", f"--{name.replace('_', '-')}")))
    for one in read(settings_files(_folder(here)), problems):
        said[one.name].append((one.value, Origin(one.kind, one.place)))
    found: list[Setting] = []
    for name, values in said.items():
        (value, origin), *others = [*values, (getattr(_DEFAULTS, name), Origin("default"))]
        found.append(Setting(name, value, origin, tuple(others[:-1] if values else ())))
    return found, problems


def find_store(
    asked: str | None = None, *, here: Path | None = None, settings: Settings | None = None
) -> Path | str | None:
    """The place of the store: `asked`, else what the settings say, else `.stepwell/stepwell.db` of the project.

    The project is the present folder or the nearest one above that has such a store, a `pyproject.toml` or a
    `stepwell.toml`, else the present folder. `memory` gives None: nothing is kept. An address such as `postgresql://…`
    is given back as it is.
    """
    folder = _folder(here)
    text = asked if asked is not None else (settings or load_settings(folder)).store
    if text is None:
        return _project(folder) / STORE
    if not text.strip():
        raise StoreError("--store is empty; give the path of a file, or leave it out")
    if text in _MEMORY:
        return None
    if "://" in text:
        return text
    return folder / Path(text).expanduser()


def _folder(here: Path | None) -> Path:
    try:
        return here or Path.cwd()
    except OSError:
        raise StoreError("the folder that you are in is gone; go to another one") from None


def _project(folder: Path) -> Path:
    """The nearest folder, from this one up, that has a store or is that of a project."""
    for one in (folder, *folder.parents):
        if _has(one):
            return one
    return folder


def _has(folder: Path) -> bool:
    """Whether it has a store, be it one that we may not look at, or is that of a project."""
    try:
        if (folder / PROJECT).is_file() or (folder / FILE).is_file():
            return True
        if not (folder / FOLDER).is_dir():
            return False
    except OSError:  # a folder above that we may not look into
        return False
    try:
        return (folder / STORE).is_file()
    except OSError:  # it is there and shut: to say so is better than to begin another one
        return True
