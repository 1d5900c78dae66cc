"""`stepwell doctor`: checks of this machine, the settings and the store, each with its way out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stepwell.api.settings import Settings, explain, find_store
from stepwell.cli import exits
from stepwell.cli.checkup import of_environment, of_program, of_store, of_terminal
from stepwell.cli.findings import Check, tell_all
from stepwell.cli.options import Json, Store
from stepwell.errors import StoreError


def doctor(*, json: Json = False, store: Store = None) -> int:
    """Check that Stepwell can do its work here; nothing is changed.

    It writes one small file beside the store (or in the nearest folder above that exists), to see how long a synced
    commit takes, and removes it.
    """
    checks = list(_checks(store))
    code = tell_all(checks, json=json)
    wrong_settings = any(check.status == "fail" and check.name == "settings" for check in checks)
    return exits.INVALID if wrong_settings else code


def _checks(store: str | None) -> Iterator[Check]:
    yield from of_program()
    found, problems = explain(flags={"store": store})
    yield from of_environment(problems)
    named = next(one.value for one in found if one.name == "store")
    try:
        place: Path | str | None = find_store(settings=Settings(store=None if named is None else str(named)))
    except StoreError as error:
        yield Check("store", "fail", str(error))
    else:
        sync = next(one.value for one in found if one.name == "sync")
        yield from of_store(place, store, "process" if sync == "process" else "full")
    yield from of_terminal()
