"""The proof can fail: what it is there to find is planted, and found."""

# pyright: reportPrivateUsage=false
from __future__ import annotations

import re
import sys
from collections.abc import Callable

import apsw
import pytest

from stepwell.errors import StoreError
from stepwell.journal.sqlite.transaction import Transactions
from stepwell.journal.sqlite.writer import Writer

from .cases import Case
from .play import calm, play
from .theatre import theatre

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the calls are replaced by the numbers Linux has")

Plant = Callable[[pytest.MonkeyPatch], None]


def a_commit_that_fails_is_told_as_done(patch: pytest.MonkeyPatch) -> None:
    def commit(self: Transactions) -> None:
        try:
            self._db.execute("COMMIT")
        except apsw.Error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")

    patch.setattr(Transactions, "_commit", commit)


def a_writer_that_failed_goes_on(patch: pytest.MonkeyPatch) -> None:
    note = Writer._note_failure

    def forget(self: Writer, error: Exception) -> StoreError:
        failure = note(self, error)
        self._failed = None
        return failure

    patch.setattr(Writer, "_note_failure", forget)


def an_error_of_writing_is_passed_on_as_it_is(patch: pytest.MonkeyPatch) -> None:
    def pass_on(_self: Writer, error: Exception) -> Exception:
        return error

    patch.setattr(Writer, "_note_failure", pass_on)


@pytest.mark.parametrize(
    ("plant", "cases", "found"),
    [
        (a_commit_that_fails_is_told_as_done, "chain: broken once at `sync wal` no. {}", "not recorded|is missing"),
        (a_commit_that_fails_is_told_as_done, "map: full once at `write wal` no. {}0", "not recorded|is missing"),
        (a_writer_that_failed_goes_on, "chain: broken once at `sync wal` no. {}", "after the sync of the wal"),
        (an_error_of_writing_is_passed_on_as_it_is, "map: full for good at `write wal` no. {}0", "not a StoreError"),
    ],
)
def test_what_is_planted_is_found(plant: Plant, cases: str, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """S1, S24: an acknowledgement of what is not there, a sync after one that failed, an error in foreign words."""
    chosen = [Case.of(cases.format(number)) for number in (4, 5, 6)]
    with theatre() as stage:
        known = calm(stage, chosen[0].scene)
        for case in chosen:
            play(stage, case, known)
        plant(monkeypatch)
        broken: list[str] = []
        for case in chosen:
            try:
                play(stage, case, known)
            except AssertionError as error:
                broken.append(str(error))
    assert any(re.search(found, one) for one in broken), broken
