"""`stepwell db check`: go through a whole store and say what is not right in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from cyclopts import App

from stepwell.api.settings import find_store
from stepwell.cli import exits
from stepwell.cli.findings import Check, of_owners, tell_all
from stepwell.cli.options import Json, Store, nearby
from stepwell.cli.streams import output, tell
from stepwell.cli.terminal import look
from stepwell.cli.typed import typed
from stepwell.errors import InputError
from stepwell.journal.sqlite import schema
from stepwell.journal.sqlite.audit import Audit, audit
from stepwell.journal.sqlite.audit_runs import RunsAudit
from stepwell.journal.sqlite.audit_values import ValuesAudit
from stepwell.journal.sqlite.kind import refuse_kind
from stepwell.journal.sqlite.trouble import told
from stepwell.views.words import plural

db = App(name="db", help="Check a store.", help_format="plaintext")

_LONG_WAL = 64 << 20
_TOLD = 5
_BACKUP = "keep a copy of it with all files beside it, and restore a backup"


@db.command
def check(*, json: Json = False, store: Store = None) -> int:
    """Go through a whole store: the file, the laws of every run, every value in a file, and who owns what.

    Nothing is changed, and runs may go on meanwhile. It exits with 1 where something is to be mended.
    """
    place = find_store(store)
    if not isinstance(place, Path):
        raise InputError("db check: a store is a file here; name it with --store")
    try:
        refuse_kind(place)
        is_there = place.exists()
    except OSError as error:
        raise told(place, error, "read") from error
    if not is_there:
        return _nothing(place, json=json)
    with _Progress() as progress:
        found = audit(place.resolve(), progress.say)
    return tell_all(list(_checks(place, found, store)), json=json, more=_document(place, found))


def _nothing(place: Path, *, json: bool) -> int:
    """There is no store to look at."""
    message = f"there is no store at {nearby(place)}; the first run makes it, or name another one with --store"
    tell(f"stepwell: {message}")
    if json:
        output().versioned({"error": {"type": "StoreError", "message": message}, "exit_code": exits.NOT_FOUND})
    return exits.NOT_FOUND


class _Progress:
    """One line on a terminal, written over again and again, and gone at the end."""

    def __init__(self) -> None:
        self._on = look(sys.stderr).live

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._write("")

    def say(self, what: str) -> None:
        """Where it is."""
        self._write(f"checking {what}")

    def _write(self, text: str) -> None:
        if self._on:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()


def _document(place: Path, found: Audit) -> dict[str, object]:
    return {
        "store": str(place),
        "schema": found.version,
        "bytes": found.bytes,
        "wal_bytes": found.wal,
        "free_bytes": found.free,
        "backup_bytes": found.backups,
        "damage": found.damage,
        "runs": None if found.runs is None else asdict(found.runs),
        "values": None if found.values is None else asdict(found.values),
        "live": [{"run_id": run_id, "owner": owner} for run_id, owner in found.live],
        "interrupted": found.interrupted,
        "locks": found.locks,
        "unborn": found.unborn,
    }


# --- what is said of it -----------------------------------------------------------------------------------------------


def _checks(place: Path, found: Audit, named: str | None) -> Iterator[Check]:
    yield from _file(place, found)
    if found.runs is not None:
        yield from _runs(found.runs)
    if found.values is not None:
        yield from _values(place, found.values)
        yield from _owners(found, named)


def _file(place: Path, found: Audit) -> Iterator[Check]:
    """The database itself."""
    said = f"{nearby(place)} ({_size(found.bytes)}"
    if found.application is None:
        yield Check("file", "fail", f"{said}): {'; '.join(found.damage)}", _BACKUP)
        return
    if not found.is_ours:
        if not found.bytes:
            yield Check("file", "ok", f"{said}) is empty; the first run makes a store of it")
        else:
            text = f"{said}) is an SQLite database, but not one of Stepwell's"
            yield Check("file", "fail", text, "name another file with --store")
        return
    said += f", schema {found.version}"
    said += f", {_size(found.free)} of it free" if found.free else ""
    said += f"; {_size(found.backups)} of backups beside it" if found.backups else ""
    if found.version > schema.VERSION:
        text = f"{said}) is of a newer Stepwell; this one knows up to schema {schema.VERSION}"
        yield Check("file", "fail", text, "`pip install --upgrade stepwell`")
        return
    if found.damage:
        yield Check("file", "fail", f"{said}) is damaged:\n{_listed(found.damage, len(found.damage))}", _BACKUP)
    else:
        yield Check("file", "ok", f"{said}): the database is whole")
    if found.version < schema.VERSION:
        text = f"its tables are of schema {found.version}, and this Stepwell writes {schema.VERSION}"
        way_out = f"`stepwell ls --store {typed(str(place))}` brings it up, with a backup; then check again"
        yield Check("schema", "warn", text, way_out)
    if found.wal > _LONG_WAL:
        text = f"its write-ahead log has {_size(found.wal)}: a program that reads for long keeps it from being copied"
        yield Check("wal", "warn", text, f"end what keeps {nearby(place)} open; the next run cuts the log")


def _runs(found: RunsAudit) -> Iterator[Check]:
    """The laws of the journal."""
    said = f"{plural(found.runs, 'run')} with {plural(found.facts, 'fact')}"
    if found.broken:
        listed = _listed([f"run {run_id}: {fault}" for run_id, fault in found.faults], found.broken)
        text = f"{said}, of which {plural(found.broken, 'run')} broken:\n{listed}"
        yield Check("runs", "fail", text, f"do not go on with these runs: {_BACKUP}, or start them anew")
    else:
        yield Check("runs", "ok", f"{said}: no number is missing, no path has two ends, each row is what they say")
    if found.strays:
        text = f"there are facts of {plural(found.strays, 'run')} that the store does not list"
        yield Check("strays", "fail", text, _BACKUP)


def _values(place: Path, found: ValuesAudit) -> Iterator[Check]:
    """The files of large values."""
    said = f"{plural(found.files, 'value')} in files"
    if found.lost:
        here = f"{Path.cwd()}{os.sep}"
        listed = _listed([f"run {run_id}: {fault.replace(here, '')}" for run_id, fault in found.faults], found.lost)
        way_out = (
            f"restore what is lost of {nearby(place)}.blobs from a backup; a run that needs it is blocked until then"
        )
        yield Check("values", "fail", f"{said}, of which {found.lost:,} lost:\n{listed}", way_out)
    elif found.files:
        yield Check("values", "ok", f"{said} ({_size(found.bytes)}), each with the content that was recorded")
    else:
        yield Check("values", "ok", "no value lies in a file of its own")
    if found.orphans:
        text = f"{plural(found.orphans, 'file')} ({_size(found.orphan_bytes)}) with a value that no fact names"
        yield Check("orphans", "ok", f"{text}: left by processes that died; no harm is done")
    if found.unfinished:
        text = (
            f"{plural(found.unfinished, 'file')} ({_size(found.unfinished_bytes)}) that a dead process did not finish"
        )
        yield Check("unfinished", "ok", f"{text}; the next run clears that away")


def _owners(found: Audit, named: str | None) -> Iterator[Check]:
    """Who is at it."""
    yield from of_owners(found.live, found.interrupted, named)
    if found.locks or found.unborn:
        said = [plural(found.locks, "lock file")] if found.locks else []
        said += [f"{plural(found.unborn, 'run')} without a fact"] if found.unborn else []
        yield Check("leases", "ok", f"{' and '.join(said)} of processes that are gone; the next run clears that away")


def _listed(lines: Sequence[str], total: int) -> str:
    """The first lines, and how many there are."""
    more = [f"- and more, {total:,} in all; `--json` tells of them"] if len(lines) > _TOLD else []
    return "\n".join([*(f"- {line}" for line in lines[:_TOLD]), *more])


def _size(size: int) -> str:
    for unit, scale in (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if size >= scale:
            return f"{size / scale:,.1f} {unit}"
    return plural(size, "byte")
