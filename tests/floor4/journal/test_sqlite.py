"""The SQLite store keeps the contract, at both levels of durability."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stepwell.journal.port import Store
from stepwell.journal.sqlite import SqliteStore
from stepwell.testing.store_contract import StoreContract


class TestSqliteStore(StoreContract):
    @pytest.fixture(params=["full", "process"])
    def store(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
        store = SqliteStore(tmp_path / "store" / "runs.db", sync=request.param)
        yield store
        store.close()
