"""Where the store is: asked for, named by the environment, or the project's (O3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepwell.api.settings import find_store
from stepwell.errors import StoreError


def test_the_nearest_folder_with_a_store_or_a_project_has_it(tmp_path: Path) -> None:
    deep = tmp_path / "a/b/c"
    deep.mkdir(parents=True)
    assert find_store(environ={}, here=deep) == deep / ".stepwell/stepwell.db"
    (tmp_path / "pyproject.toml").touch()
    assert find_store(environ={}, here=deep) == tmp_path / ".stepwell/stepwell.db"
    (tmp_path / "a/.stepwell").mkdir()
    (tmp_path / "a/.stepwell/stepwell.db").touch()
    assert find_store(environ={}, here=deep) == tmp_path / "a/.stepwell/stepwell.db"


def test_what_is_asked_for_counts_more_than_the_environment(tmp_path: Path) -> None:
    environ = {"STEPWELL_STORE": "env.db"}
    assert find_store(environ=environ, here=tmp_path) == tmp_path / "env.db"
    assert find_store("own.db", environ=environ, here=tmp_path) == tmp_path / "own.db"
    assert find_store("/abs.db", environ=environ, here=tmp_path) == Path("/abs.db")
    assert find_store("postgresql://host/db", environ={}, here=tmp_path) == "postgresql://host/db"


@pytest.mark.parametrize("text", ["memory", ":memory:"])
def test_a_store_in_memory_is_no_file(text: str) -> None:
    assert find_store(text, environ={}) is None


def test_an_empty_store_is_refused_and_an_empty_variable_is_none(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="--store is empty"):
        find_store(" ", environ={})
    assert find_store(environ={"STEPWELL_STORE": ""}, here=tmp_path) == tmp_path / ".stepwell/stepwell.db"


def test_a_folder_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(StoreError, match="is gone"):
        find_store(environ={})
    monkeypatch.chdir(tmp_path)
