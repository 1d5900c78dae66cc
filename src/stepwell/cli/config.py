"""`stepwell config show` and `stepwell config path`: which settings count, and where they are from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from stepwell.api.settings import Origin, Setting, Settings, explain, find_store
from stepwell.api.settings_files import FILE, settings_files, user_file
from stepwell.cli.options import FLAG, Json, Store, nearby
from stepwell.cli.streams import output, tell
from stepwell.cli.terminal import Column, look, table
from stepwell.errors import SettingsError

config = App(name="config", help="Show the settings, and where they are from.", help_format="plaintext")

_COLUMNS = (Column("SETTING"), Column("VALUE", shrinks=True), Column("ORIGIN"), Column("OVERRIDES", gives_way=1))


@config.command
def show(
    *,
    origin: Annotated[bool, FLAG, Parameter(help="Also say where each value is from, and what it overrides.")] = False,
    json: Json = False,
    store: Store = None,
) -> int:
    """Show each setting with its value, as a command would find it in this folder."""
    found, problems = explain(flags={"store": store})
    out = output()
    if json:
        if problems:
            raise SettingsError(problems)
        out.versioned({"settings": [_document(one) for one in found]})
        return 0
    rows = [
        (
            one.name,
            _shown(one),
            str(one.origin),
            ", ".join(f"{_text(value)} ({place})" for value, place in one.overridden),
        )
        for one in found
    ]
    columns = _COLUMNS if origin else _COLUMNS[:2]
    lines, _ = table(columns, [row[: len(columns)] for row in rows], look(out.stream).width)
    out.text("\n".join(lines))
    if problems:
        raise SettingsError(problems)
    return 0


@config.command
def path(*, json: Json = False) -> int:
    """Show the files in which settings are looked for here; that which counts most first."""
    here = Path.cwd()
    found = [one.path for one in settings_files(here)]
    own = user_file()
    if json:
        output().versioned({"files": [str(one) for one in found], "user_file": str(own)})
        return 0
    for one in found:
        output().text(nearby(one))
    if own not in found:
        tell(f"there is none of your own; it would be {own}")
    if not any(one != own for one in found):
        tell(f"there is none of a project; it would be {FILE}, or a table [tool.stepwell] in pyproject.toml")
    return 0


def _shown(setting: Setting) -> str:
    """Its value; where there is none, what decides instead."""
    if setting.name == "store":
        place = _place(setting)
        return "memory" if place is None else nearby(place) if isinstance(place, Path) else place
    return "as the pipeline says" if setting.value is None else _text(setting.value)


def _place(setting: Setting) -> Path | str | None:
    return find_store(settings=Settings(store=None if setting.value is None else str(setting.value)))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _document(setting: Setting) -> dict[str, object]:
    value = setting.value
    if setting.name == "store":
        place = _place(setting)
        value = None if place is None else str(place)
    return {
        "name": setting.name,
        "value": value,
        "origin": _origin(setting.origin),
        "overridden": [{"value": value, "origin": _origin(origin)} for value, origin in setting.overridden],
    }


def _origin(origin: Origin) -> dict[str, str]:
    return {"kind": origin.kind, "place": origin.place}
