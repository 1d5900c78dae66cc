"""What a command is about where it takes either: a target, or a run of the store."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stepwell.api.app import App
from stepwell.api.settings import find_store
from stepwell.api.targets import Target, find_target
from stepwell.cli.completions import subjects
from stepwell.cli.options import find, opened
from stepwell.errors import RunNotFound, TargetError
from stepwell.journal.port import RunRow

Subject = Annotated[
    str,
    Parameter(
        name="TARGET|RUN", metavar="TARGET|RUN", completer=subjects,
        help="A target (file.py, file.py:name, package.module:name), or a run: its id, the first four characters of it "
        "or more, or `last`.",
    ),
]  # fmt: skip
_ID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{3,25}\Z", re.IGNORECASE)
"""What a run's id, or the beginning of one, looks like; a module is hardly called so."""
_PATH = re.compile(r"[/\\:]|\.(pyw?|ya?ml|ipynb)\b")


def run_meant(text: str, store: str | None, what: str) -> RunRow | None:
    """The run that is meant; None where this is a target. Raises RunNotFound for what can only be a run."""
    if not _may_be_run(text) or (text != "last" and find_store(store) is None):
        return None
    with opened(store, what) as app:
        return _found(app, text)


def _may_be_run(text: str) -> bool:
    return text == "last" or not (_PATH.search(text) or Path(text).exists())


def _found(app: App, text: str) -> RunRow | None:
    try:
        return find(app, text)
    except RunNotFound:
        if text == "last" or _ID.match(text) or (len(text) > 3 and app.store.find(text)):
            raise
        return None


def target_meant(text: str) -> Target:
    """The target that is meant, where no run is; raises TargetError."""
    try:
        return find_target(text)
    except TargetError as error:
        also = "" if not text or not _may_be_run(text) else "; nor is there a run whose id begins so"
        raise TargetError(f"{error}{also}") from error
