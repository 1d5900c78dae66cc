"""The facts of runs, as the readers see them: page by page, chosen, and those about items counted.

Each is one pass over a run's rows in their order, at some five million a second: no index helps that would not make
each step dearer (`docs/design/0005-projections.md`). `journal_end` is kept out of it: it is slower than the pass.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from stepwell.events import Event, EventKind
from stepwell.journal import refusals
from stepwell.journal.items import plainly
from stepwell.journal.port import Wanted
from stepwell.journal.sqlite.readers import Readers
from stepwell.journal.sqlite.rows import COLUMNS, ENDS_IN_SQL, KINDS, SKIPPED, from_rows

_FACTS = f"SELECT {COLUMNS} FROM journal NOT INDEXED "
_TIP = "SELECT seq FROM run WHERE run_id = ?; "
"""Before the facts: whoever writes meanwhile, there are at least as many of them as the row has said."""
_RUN = "WHERE run = (SELECT run FROM run WHERE run_id = ?) AND seq > ?"
_STEP = " AND (path = ? OR substr(path, 1, ?) IN (?, ?, ?))"
_PLACE = " ORDER BY seq LIMIT ?"
_FROM_THE_END = " ORDER BY seq DESC LIMIT ?"

_COMPLETED, _RETRYING = KINDS[EventKind.ITEM_COMPLETED], KINDS[EventKind.ITEM_RETRYING]
_FAILED, _CANCELLED = KINDS[EventKind.ITEM_FAILED], KINDS[EventKind.ITEM_CANCELLED]
_COUNTS = (
    f"count(*) FILTER (WHERE kind = {_COMPLETED}), count(*) FILTER (WHERE kind = {_COMPLETED} AND value IS NULL "
    f"AND digest IS NULL AND instr(body, {SKIPPED})), count(*) FILTER (WHERE kind = {_FAILED}), "
    f"count(*) FILTER (WHERE kind = {_CANCELLED}), count(*) FILTER (WHERE kind = {_RETRYING})"
)
"""Items that completed, the skipped ones among them, that failed, that were cancelled, and attempts that failed."""
_MAP = "substr(path, 1, instr(path, '[') - 1)"
_OF_ONE = " AND substr(path, 1, ?) = ?"
_BUT = " AND path NOT IN (SELECT value FROM json_each(?))"
_FEW = 3
"""So many maps are counted one by one: a pass without groups is four times as quick as one with them."""
_COUNT_ONE = f"SELECT ?, {_COUNTS} FROM journal NOT INDEXED {_RUN}{_OF_ONE}"
_COUNT_ALL = f"SELECT {_MAP}, {_COUNTS} FROM journal NOT INDEXED {_RUN} AND kind BETWEEN {_COMPLETED} AND {_CANCELLED}"
_WAITING = (
    f"SELECT {_MAP}, count(DISTINCT path) FROM journal AS tried NOT INDEXED {_RUN} AND kind = {_RETRYING} "
    "AND NOT EXISTS (SELECT 1 FROM journal AS ended INDEXED BY journal_end WHERE ended.run = tried.run "
    f"AND ended.path = tried.path AND ended.kind IN ({ENDS_IN_SQL}))"
)


class Facts:
    """Reads them, and counts them."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    def read(self, run_id: str, after: int, limit: int, wanted: Wanted | None, latest: bool) -> list[Event]:
        """Facts with `seq > after`, in order; of those that are wanted the first, or the last."""
        if wanted is None and not latest:
            return from_rows(run_id, self._all(run_id, after, limit))
        where = _FACTS + _RUN
        values: list[object] = [run_id, after]
        if wanted is not None and wanted.kinds:
            where += f" AND kind IN ({', '.join(str(KINDS[kind]) for kind in sorted(wanted.kinds) if kind in KINDS)})"
        if wanted is not None and wanted.step:
            where += _STEP
            step = wanted.step
            values += [step, len(step) + 1, f"{step}[", f"{step}#", f"{step}/"]
        rows = self._readers.rows(where + (_FROM_THE_END if latest else _PLACE), (*values, limit))
        if latest:
            rows.reverse()
        return from_rows(run_id, rows)

    def _all(self, run_id: str, after: int, limit: int) -> list[tuple[Any, ...]]:
        """The rows that come next, each in its place and none lost."""
        rows = self._readers.rows(f"{_TIP}{_FACTS}{_RUN}{_PLACE}", (run_id, run_id, after, limit))
        if not rows:
            return []
        ((tip,), *rows) = rows
        seqs = [row[0] for row in rows]
        expected = range(after + 1, after + 1 + len(rows))
        if seqs != [*expected]:
            raise refusals.missing(run_id, next(seq for seq, came in zip(expected, seqs, strict=True) if seq != came))
        if len(rows) < limit and (type(tip) is not int or after + len(rows) < tip):
            raise refusals.missing(run_id, after + len(rows) + 1)
        return rows

    def count_items(
        self, run_id: str, maps: Collection[str], after: int, but: Collection[str]
    ) -> dict[str, dict[str, int]]:
        """How many items of each of these maps have come to what, by facts with `seq > after`."""
        where, values = (_BUT, (json.dumps(list(but)),)) if but else ("", ())
        rows: list[tuple[Any, ...]] = []
        if len(maps) <= _FEW:
            for name in maps:
                of_this = (name, run_id, after, len(name) + 1, f"{name}[")
                rows += self._readers.rows(_COUNT_ONE + where, (*of_this, *values))
        else:
            rows = self._readers.rows(f"{_COUNT_ALL}{where} GROUP BY 1", (run_id, after, *values))
        found: dict[str, dict[str, int]] = {}
        for name, ended, skipped, failed, cancelled, retried in rows:
            if name in maps:
                statuses = {"completed": ended - skipped, "skipped": skipped, "failed": failed, "cancelled": cancelled}
                found[name] = {**statuses, "waiting": retried}
        if any(counts["waiting"] for counts in found.values()):  # these were attempts; items without an end are wanted
            waiting = dict(self._readers.rows(f"{_WAITING}{where} GROUP BY 1", (run_id, after, *values)))
            for name, counts in found.items():
                counts["waiting"] = waiting.get(name, 0)
        return plainly(found)
