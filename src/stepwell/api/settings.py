"""Where the store is: what was asked for, else the environment, else the project's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from stepwell.errors import StoreError

FOLDER = ".stepwell"
STORE = f"{FOLDER}/stepwell.db"
VARIABLE = "STEPWELL_STORE"
_MEMORY = ("memory", ":memory:")


def find_store(
    asked: str | None = None, *, environ: Mapping[str, str] = os.environ, here: Path | None = None
) -> Path | str | None:
    """The place of the store: `asked`, else `STEPWELL_STORE`, else `.stepwell/stepwell.db` of the project.

    The project is the present folder or the nearest one above that has such a store or a `pyproject.toml`, else the
    present folder. `memory` gives None: nothing is kept. An address such as `postgresql://…` is given back as it is.
    """
    text = asked if asked is not None else environ.get(VARIABLE) or None
    try:
        folder = here or Path.cwd()
    except OSError:
        raise StoreError("the folder that you are in is gone; go to another one") from None
    if text is None:
        return _project(folder) / STORE
    if not text.strip():
        raise StoreError("--store is empty; give the path of a file, or leave it out")
    if text in _MEMORY:
        return None
    if "://" in text:
        return text
    return folder / Path(text).expanduser()


def _project(folder: Path) -> Path:
    """The nearest folder, from this one up, that has a store or is that of a project."""
    for one in (folder, *folder.parents):
        if _has(one):
            return one
    return folder


def _has(folder: Path) -> bool:
    """Whether it has a store, be it one that we may not look at, or is that of a project."""
    try:
        if (folder / "pyproject.toml").is_file():
            return True
        if not (folder / FOLDER).is_dir():
            return False
    except OSError:  # a folder above that we may not look into
        return False
    try:
        return (folder / STORE).is_file()
    except OSError:  # it is there and shut: to say so is better than to begin another one
        return True
