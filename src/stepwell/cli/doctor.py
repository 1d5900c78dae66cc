"""`stepwell doctor`: checks of this machine, the settings and the store, each with its way out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from stepwell.api.settings import Settings, explain, find_store
from stepwell.cli import exits
from stepwell.cli.checkup import Check, of_environment, of_program, of_store, of_terminal
from stepwell.cli.options import Json, Store
from stepwell.cli.streams import output
from stepwell.cli.terminal import Colour, Terminal, look
from stepwell.errors import StoreError
from stepwell.views.words import plural

_TAGS: dict[str, tuple[str, Colour]] = {
    "ok": ("[OK]", "green"),
    "warn": ("[WARN]", "yellow"),
    "fail": ("[FAIL]", "red"),
}


def doctor(*, json: Json = False, store: Store = None) -> int:
    """Check that Stepwell can do its work here; nothing is changed.

    It writes one small file beside the store (or in the nearest folder above that exists), to see how long a synced
    commit takes, and removes it.
    """
    checks = list(_checks(store))
    counts: Counter[str] = Counter(check.status for check in checks)
    out = output()
    if json:
        out.versioned({"ok": not counts["fail"], "checks": [check.document() for check in checks]})
    else:
        terminal = look(out.stream)
        out.text("\n".join(line for check in checks for line in _lines(check, terminal)))
        out.text(_sum(counts))
    if any(check.status == "fail" and check.name == "settings" for check in checks):
        return exits.INVALID
    return exits.FAILED if counts["fail"] else exits.OK


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
        yield from of_store(place, store)
    yield from of_terminal()


def _lines(check: Check, terminal: Terminal) -> Iterator[str]:
    tag, colour = _TAGS[check.status]
    first, *more = check.text.split("\n")
    yield f"{terminal.paint(f'{tag:>6}', colour)} {first}"
    yield from (f"       {line}" for line in more)
    if check.way_out:
        yield f"       {terminal.paint(f'-> {check.way_out}', 'bold')}"


def _sum(counts: Counter[str]) -> str:
    said = [f"{plural(counts['fail'], 'thing')} to mend"] if counts["fail"] else []
    said += [f"{plural(counts['warn'], 'thing')} to know"] if counts["warn"] else []
    return ", ".join(said) or "all is well"
