"""What must hold after every case: who was told what, what the store still has, and what was executed again."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import cast

import apsw

from stepwell.errors import StoreError
from stepwell.journal.sqlite.store import SqliteStore

from .. import judge
from .disk import Disk
from .scenes import Scene, Witness

_WAY_OUT = re.compile(
    r"make room|check the disk|give yourself the right|end it and try again|end that process|name another store|"
    r"restore the file|restore a backup|try again|look at the disk|resume the run|`stepwell ls` brings"
)


def told_of_the_failure(errors: Sequence[BaseException], store: Path, disk: Disk) -> None:
    """S24: what is raised is a StoreError that names the store and the way out; nothing is raised for no reason."""
    assert not errors or disk.struck, f"the disk refused nothing, and still: {errors!r}"
    for error in errors:
        text = f"{type(error).__name__}: {error}"
        if not isinstance(error, StoreError):
            raise AssertionError(f"not a StoreError, but {''.join(traceback.format_exception(error))}")
        assert str(store) in text, f"it does not name the store: {text}"
        assert _WAY_OUT.search(text), f"it names no way out: {text}"
        assert "locked" not in text, f"a lock is the user's business: {text}"


def nothing_was_synced_again(disk: Disk, scene: Scene) -> None:
    """S24: after a sync that failed nothing more is written or synced through what was open."""
    if scene.stores == 1:
        assert not disk.afterwards, f"after the sync of the {disk.unsynced} had failed: {disk.afterwards}"


def look(path: Path, witnesses: Sequence[Witness]) -> None:
    """All that must be true of the store whenever nobody is at it."""
    told = [witness.key for witness in witnesses if any(line[0] == "told" for line in witness.trace)]
    if not _was_made(path):
        assert not told, f"somebody was told of facts of {told}, and there is no store"
        return
    judge.the_file_is_whole(path)
    store = SqliteStore(path)
    try:
        found = store.runs()
        rows = {row.key: row for row in found}
        assert len(rows) == len(found), f"one key has several runs: {found} (S15)"
        for witness in witnesses:
            row = rows.get(witness.key)
            if row is None:
                judge.told_is_recorded(witness.trace, ())
                continue
            judge.look_at_run(store, row, witness.trace, witness.kills)
            assert not witness.result or witness.result[0] == row.status, f"told {witness.result}, recorded {row}"
    finally:
        store.close()


def _was_made(path: Path) -> bool:
    """Whether the store was made to its end: one that was not is made by whoever opens it next."""
    if not path.exists():
        return False
    db = apsw.Connection(str(path))
    try:
        ask = cast("Callable[[str], Iterable[object]]", db.execute)  # pyright: ignore[reportUnknownMemberType]
        return bool(list(ask("SELECT 1 FROM sqlite_schema WHERE name = 'journal'")))
    finally:
        db.close()
