"""What runs there are, as the readers see them; a run whose process is gone reads as interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stepwell.errors import StoreError
from stepwell.journal.port import Request, RunRow
from stepwell.journal.sqlite.owners import Owners
from stepwell.journal.sqlite.readers import Readers
from stepwell.journal.sqlite.rows import LATEST

_ROW = (
    "SELECT run_id, pipeline, status, started_at, updated_at, ended_at, key, target, reason, steps, done, seq, "
    "run, coalesce(owner, '') FROM run LEFT JOIN lease USING (run) WHERE seq <> 0 AND "
)
_LATEST = " ORDER BY started_at DESC, run DESC LIMIT ?"
"""Of two that began within one tick of the clock, the one that was created later."""
_NAMES = RunRow.__struct_fields__
_TIMES = frozenset({"started_at", "updated_at", "ended_at"})
_NUMBERS = frozenset({"steps", "done", "seq"})
_PAGE = 200
_LAST = "\U0010ffff"


class Index:
    """Looks runs up."""

    def __init__(self, readers: Readers, owners: Owners) -> None:
        self._readers = readers
        self._owners = owners

    def get(self, run_id: str) -> RunRow | None:
        """The run of exactly this id."""
        return next(self._runs("run_id = ?", run_id, limit=1), None)

    def find(self, prefix: str, limit: int) -> list[RunRow]:
        """Runs whose id begins so, the latest first."""
        where = "run_id COLLATE NOCASE >= ? AND run_id COLLATE NOCASE < ?"
        return list(self._runs(where, prefix, prefix + _LAST, limit=limit))

    def with_key(self, pipeline: str, key: str) -> RunRow | None:
        """The run of this pipeline that was started with this key."""
        return next(self._runs("pipeline = ? AND key = ? AND key <> ''", pipeline, key, limit=1), None)

    def runs(self, status: str, pipeline: str, limit: int) -> list[RunRow]:
        """Runs, the latest first; whether a running one is interrupted is known only after looking for its owner."""
        recorded = "running" if status == "interrupted" else status
        where, values = "1", list[object]()
        for column, value in (("status", recorded), ("pipeline", pipeline)):
            if value:
                where += f" AND {column} = ?"
                values.append(value)
        found: list[RunRow] = []
        after: tuple[object, ...] = ()
        while len(found) < limit:
            place = " AND (started_at, run) < (?, ?)" if after else ""
            page = self._page(where + place, *values, *after, limit=max(limit, _PAGE))
            found += [row for _, row in page if status in ("", row.status)]
            if len(page) < max(limit, _PAGE):
                break
            number, last = page[-1]
            after = (last.started_at, number)
        return found[:limit]

    def requests(self, run_id: str) -> list[Request]:
        """What is asked and not taken, oldest first."""
        sql = (
            "SELECT id, run_id, kind, at, inbox.reason FROM inbox JOIN run USING (run) "
            "WHERE run_id = ? AND taken = 0 ORDER BY inbox.rowid"
        )
        return [Request(*row) for row in self._readers.rows(sql, (run_id,))]

    def _runs(self, where: str, *values: object, limit: int) -> Iterator[RunRow]:
        return (row for _, row in self._page(where, *values, limit=limit))

    def _page(self, where: str, *values: object, limit: int) -> list[tuple[int, RunRow]]:
        """The runs, each with its number in the tables."""
        alive: dict[str, bool] = {}
        rows = self._readers.rows(_ROW + where + _LATEST, (*values, limit))
        return [(row[-2], self._row(row, alive)) for row in rows]

    def _row(self, row: tuple[Any, ...], alive: dict[str, bool]) -> RunRow:
        *columns, _, owner = row
        if (name := _damaged(columns)) is not None:
            raise StoreError(
                f"run {columns[0]}: its row is damaged ({name} cannot be {columns[_NAMES.index(name)]!r}); restore a "
                "backup, or keep what `stepwell db check` finds whole"
            )
        if columns[2] == "running":
            if owner not in alive:
                alive[owner] = bool(owner) and self._owners.alive(owner)
            if not alive[owner]:
                columns[2] = "interrupted"
        return RunRow(*columns)


def _damaged(columns: list[Any]) -> str | None:
    """The first column that holds what none is ever given; SQLite itself does not look at what it reads."""
    for name, value in zip(_NAMES, columns, strict=True):
        if name in _TIMES:
            right = (type(value) is float and 0 <= value < LATEST) or (value is None and name == "ended_at")
        elif name in _NUMBERS:
            right = type(value) is int and value >= 0
        else:
            right = type(value) is str
        if not right:
            return name
    return None
