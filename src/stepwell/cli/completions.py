"""What the shell proposes when somebody presses Tab: the latest runs, files of Python; silent where it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from stepwell.errors import StepwellError

_MOST = 20


class Value(Protocol):
    """What was typed for another option."""

    @property
    def value(self) -> object:
        """It, as far as it can be read."""
        ...


class Context(Protocol):
    """What is typed so far; raises KeyError for an option that the command does not have."""

    @property
    def incomplete(self) -> str:
        """The word that is being typed."""
        ...

    def __getitem__(self, name: str) -> Value:
        """What was typed for an option."""
        ...


def runs(context: Context) -> list[tuple[str, str]]:
    """`last` and the latest runs of the store, each with its pipeline and what became of it."""
    from stepwell.api.app import App
    from stepwell.api.settings import find_store

    found = [("last", "the latest run")]
    with suppress(StepwellError, OSError):
        place = find_store(_store(context))
        if place is not None:
            app = App(place)
            try:
                found += [(row.run_id, f"{row.pipeline}, {row.status}") for row in app.store.runs(limit=_MOST)]
            finally:
                app.store.close()
    return found


def targets(context: Context) -> list[tuple[str, str]]:
    """Files of Python, and folders, that begin with what is typed."""
    return list(_files(context.incomplete))


def subjects(context: Context) -> list[tuple[str, str]]:
    """Both, for commands that take either."""
    return [*targets(context), *runs(context)]


def _store(context: Context) -> str | None:
    with suppress(KeyError):
        value = context["store"].value
        return value if isinstance(value, str) else None
    return None


def _files(typed: str) -> Iterator[tuple[str, str]]:
    head, slash, _ = typed.rpartition("/")
    folder = Path(f"{head}{slash}" or ".").expanduser()
    with suppress(OSError):
        for one in sorted(folder.iterdir()):
            if one.name.startswith((".", "__")):
                continue
            if one.is_dir():
                yield f"{head}{slash}{one.name}/", "folder"
            elif one.suffix == ".py":
                yield f"{head}{slash}{one.name}", ""
