"""The checks of `stepwell doctor`, in the order in which they are told."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

from stepwell.api.settings import NAMES
from stepwell.cli.findings import Check, Status, of_owners
from stepwell.cli.options import nearby
from stepwell.cli.terminal import look
from stepwell.definition.suggest import closest
from stepwell.errors import StoreError
from stepwell.journal.port import Sync
from stepwell.journal.sqlite.examine import MENDED, Examined, examine, sqlite_version, time_commit
from stepwell.journal.sqlite.kind import refuse_kind
from stepwell.journal.sqlite.place import MEMORY, file_system
from stepwell.journal.sqlite.trouble import told
from stepwell.views.words import plural

_OPTIONAL = ("attrs", "numpy", "pandas", "polars", "pyarrow")
"""Libraries whose values a step may return, where they are installed."""
_NOT_SETTINGS = ("FAILPOINT", "FAILPOINT_COUNTS")
_OLDEST = (3, 11)
_LITTLE, _NEXT_TO_NOTHING = 1 << 30, 32 << 20
_SLOW = 0.1
_ELSEWHERE = "name a store on a local disk with --store, STEPWELL_STORE or `store` in stepwell.toml"


# --- the program ------------------------------------------------------------------------------------------------------


def of_program() -> Iterator[Check]:
    """Python, Stepwell, SQLite and what else is there."""
    python = f"Python {platform.python_version()} ({platform.python_implementation()}, {sys.executable})"
    if sys.version_info[:2] < _OLDEST:
        yield Check("python", "fail", python, "use Python 3.11 or newer")
    else:
        yield Check("python", "ok", python)
    yield _installed()
    version = sqlite_version()
    text = f"SQLite {'.'.join(map(str, version[:3]))}"
    if version[:3] < MENDED:
        text += ": processes that share a store can damage it (the WAL-reset bug)"
        yield Check("sqlite", "fail", text, "`pip install --upgrade apsw`")
    else:
        yield Check("sqlite", "ok", f"{text}, in which the WAL-reset bug is mended")
    found = [f"{name} {there}" for name in _OPTIONAL if (there := _version(name))]
    yield Check("libraries", "ok", f"libraries whose values steps may return: {', '.join(found) or 'none'}")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _installed() -> Check:
    place = Path(__file__).parents[1]
    try:
        own = metadata.distribution("stepwell")
    except metadata.PackageNotFoundError:
        return Check("stepwell", "warn", f"Stepwell is not installed; it runs from {place}", "`pip install stepwell`")
    how = (own.read_text("INSTALLER") or "").strip()
    editable = " (editable)" if '"editable": true' in (own.read_text("direct_url.json") or "") else ""
    by = f", installed by {how}{editable}" if how else editable
    return Check("stepwell", "ok", f"Stepwell {own.version}{by}, in {place}")


# --- the settings and the terminal ------------------------------------------------------------------------------------


def of_environment(problems: Sequence[str]) -> Iterator[Check]:
    """What is wrong in the settings, and variables that look like one and are none."""
    if problems:
        text = f"{plural(len(problems), 'problem')} in the settings:\n" + "\n".join(f"- {one}" for one in problems)
        yield Check("settings", "fail", text, "`stepwell config show --origin` shows what counts instead")
    else:
        yield Check("settings", "ok", "the settings are right (`stepwell config show --origin` shows them)")
    known = {f"STEPWELL_{name.upper()}" for name in NAMES}
    for name in sorted(os.environ):
        if name.startswith("STEPWELL_") and name not in known and name.removeprefix("STEPWELL_") not in _NOT_SETTINGS:
            near = closest(name, known)
            text = f"the variable {name} is set and means nothing"
            yield Check("variable", "warn", text, f"did you mean {near}?" if near else "unset it")


def of_terminal() -> Iterator[Check]:
    """How progress will be shown."""
    terminal = look(sys.stderr)
    encoding = getattr(sys.stderr, "encoding", None) or "unknown"
    told = [f"{terminal.width} columns"] if terminal.is_terminal and terminal.width else []
    told += ["colours" if terminal.colour else "no colours", encoding]
    set_ = [name for name in ("NO_COLOR", "FORCE_COLOR", "CI", "COLUMNS") if os.environ.get(name)]
    told += [f"{', '.join(set_)} set"] if set_ else []
    kind = "a live view" if terminal.live else "plain lines"
    where = "a terminal" if terminal.is_terminal else "no terminal"
    text = f"stderr is {where} ({', '.join(told)}): progress in {kind}"
    if terminal.unicode:
        yield Check("terminal", "ok", text)
    else:
        yield Check("terminal", "warn", f"{text}, in ASCII", "set PYTHONUTF8=1, or LC_ALL to a UTF-8 locale")


# --- the store --------------------------------------------------------------------------------------------------------


def of_store(place: Path | str | None, named: str | None = None, sync: Sync = "full") -> Iterator[Check]:
    """Where the store is, whether it can be written there, how fast, and what is in it; `named` by an option."""
    if place is None:
        yield Check("store", "warn", "the store is in memory: no run can be resumed", _ELSEWHERE)
        return
    if isinstance(place, str):
        yield Check("store", "fail", f"this version has no stores like {place.partition('://')[0]}://…", _ELSEWHERE)
        return
    try:
        refuse_kind(place)
        is_there = place.exists()
    except (StoreError, OSError) as error:
        yield Check("store", "fail", str(told(place, error, "read")))
        return
    folder = next((one for one in place.parents if one.is_dir()), place.parent)
    yield _place(place)
    yield from _folder(folder, sync)
    if is_there:
        yield from _content(place, named)


def _place(place: Path) -> Check:
    if not place.exists():
        return Check("store", "ok", f"the store {nearby(place)} does not exist yet; the first run makes it")
    size = place.stat().st_size / (1 << 20)
    if not os.access(place, os.W_OK):
        way_out = "give yourself the right to, or name another store with --store"
        return Check(
            "store", "fail", f"the store {nearby(place)} cannot be written by you; it can be looked at", way_out
        )
    return Check("store", "ok", f"the store is {nearby(place)} ({size:,.1f} MB)")


def _folder(folder: Path, sync: Sync) -> Iterator[Check]:
    """The disk that it is on."""
    kind, network = file_system(folder)
    if network:
        text = f"{folder} is on a network ({kind}), where a store could be damaged: no run can be recorded there"
        yield Check("file_system", "fail", text, _ELSEWHERE)
        return
    if kind in MEMORY:
        yield Check("file_system", "warn", f"{folder} is in memory ({kind}): a power cut loses all of it", _ELSEWHERE)
    else:
        yield Check("file_system", "ok", f"{folder} is on a local disk{f' ({kind})' if kind else ''}")
    free = shutil.disk_usage(folder).free
    status: Status = "fail" if free < _NEXT_TO_NOTHING else "warn" if free < _LITTLE else "ok"
    yield Check("disk", status, f"{free / (1 << 30):,.1f} GB are free", "" if status == "ok" else "make room")
    if not os.access(folder, os.W_OK | os.X_OK):
        way_out = "give yourself the right to, or name another store with --store"
        yield Check(
            "sync", "fail", f"the folder {folder} is read-only for you, so no run can be recorded there", way_out
        )
        return
    yield _commits(folder, sync)


def _commits(folder: Path, sync: Sync) -> Check:
    """What a record survives here, and what that costs."""
    try:
        took, other = (time_commit(folder, level) for level in ("full", "process"))
    except (StoreError, OSError) as error:
        return Check("sync", "fail", f"a commit in {folder} fails: {error}", _ELSEWHERE)
    times = f"a synced commit takes {1000 * took:,.2f} ms"
    if sync == "process":
        text = (
            f"sync=process: a record survives a killed process, not a power cut (a commit takes {1000 * other:,.2f} ms"
        )
        return Check("sync", "ok", f"{text}; {times})")
    text = f"sync=full: a record survives a power cut ({times}; with sync=process it is {1000 * other:,.2f} ms)"
    if took > _SLOW:
        return Check("sync", "warn", f"{text}: each step of a chain waits for one", _ELSEWHERE)
    return Check("sync", "ok", text)


def _content(place: Path, named: str | None) -> Iterator[Check]:
    try:
        found = examine(place)
    except StoreError as error:
        yield Check("content", "fail", str(error))
        return
    if found.damage:
        text = "the store is damaged:\n" + "\n".join(f"- {line}" for line in found.damage)
        yield Check("content", "fail", text, "keep a copy of it with all files beside it, and restore a backup")
    elif found.schema > found.known:
        text = f"the store is of a newer Stepwell (schema {found.schema}; this one knows {found.known})"
        yield Check("content", "fail", text, "`pip install --upgrade stepwell`")
    else:
        older = f", of {found.known} that this Stepwell writes: the next run brings it up" if _is_old(found) else ""
        yield Check("content", "ok", f"the store is whole (schema {found.schema}{older})")
        yield from of_owners(found.live, found.interrupted, named)


def _is_old(found: Examined) -> bool:
    return found.schema < found.known
