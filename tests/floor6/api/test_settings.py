"""Where the store is, and which settings count: an option, the environment, the project's files, the user's (O3)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from stepwell.api import settings_files
from stepwell.api.settings import NAMES, Settings, explain, find_store, load_settings
from stepwell.errors import SettingsError, StoreError


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a project to stand in; no variable is set, and the user's own file is `own/stepwell.toml`."""
    for name in NAMES:
        monkeypatch.delenv(f"STEPWELL_{name.upper()}", raising=False)
    monkeypatch.setattr(settings_files, "user_file", lambda: tmp_path / "own" / "stepwell.toml")
    (tmp_path / "own").mkdir()
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def origins() -> dict[str, str]:
    return {one.name: str(one.origin) for one in explain()[0]}


# --- the store --------------------------------------------------------------------------------------------------------


def test_the_nearest_folder_with_a_store_or_a_project_has_it(tmp_path: Path) -> None:
    deep = tmp_path / "a/b/c"
    deep.mkdir(parents=True)
    assert find_store(here=deep) == deep / ".stepwell/stepwell.db"
    (tmp_path / "pyproject.toml").touch()
    assert find_store(here=deep) == tmp_path / ".stepwell/stepwell.db"
    (tmp_path / "a/b/stepwell.toml").touch()
    assert find_store(here=deep) == tmp_path / "a/b/.stepwell/stepwell.db"
    (tmp_path / "a/b/c/.stepwell").mkdir()
    (tmp_path / "a/b/c/.stepwell/stepwell.db").touch()
    assert find_store(here=deep) == deep / ".stepwell/stepwell.db"


def test_what_is_asked_for_counts_more_than_the_environment(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEPWELL_STORE", "env.db")
    assert find_store() == desk / "env.db"
    assert find_store("own.db") == desk / "own.db"
    assert find_store("/abs.db") == Path("/abs.db")
    assert find_store("postgresql://host/db") == "postgresql://host/db"


@pytest.mark.parametrize("text", ["memory", ":memory:"])
def test_a_store_in_memory_is_no_file(text: str) -> None:
    assert find_store(text) is None


def test_an_empty_store_is_refused_and_an_empty_variable_is_none(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match="--store is empty"):
        find_store(" ")
    monkeypatch.setenv("STEPWELL_STORE", "")
    assert find_store() == desk / ".stepwell/stepwell.db"


def test_a_folder_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(StoreError, match="is gone"):
        find_store()
    monkeypatch.chdir(tmp_path)


def test_a_store_that_a_file_names_lies_beside_that_file(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk / "stepwell.toml").write_text('store = "data/runs.db"\n', encoding="utf-8")
    (desk / "deep").mkdir()
    monkeypatch.chdir(desk / "deep")
    assert find_store() == desk / "data/runs.db"
    (desk / "stepwell.toml").write_text('store = "memory"\n', encoding="utf-8")
    assert find_store() is None


# --- which of several counts ------------------------------------------------------------------------------------------


def test_each_place_counts_more_than_those_after_it(
    desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """O3: an option, the environment, stepwell.toml, pyproject.toml, the user's file, the default."""
    (tmp_path / "own" / "stepwell.toml").write_text('progress = "none"\n', encoding="utf-8")
    assert load_settings().progress == "none"
    (desk / "pyproject.toml").write_text(
        '[project]\nname = "x"\n\n[tool.stepwell]\nprogress = "live"\n', encoding="utf-8"
    )
    assert load_settings().progress == "live"
    (desk / "stepwell.toml").write_text('# ours\nprogress = "plain"\nquiet = true\n', encoding="utf-8")
    assert load_settings().progress == "plain"
    monkeypatch.setenv("STEPWELL_PROGRESS", "auto")
    assert load_settings() == Settings(progress="auto", quiet=True)
    found, problems = explain(flags={"progress": "live", "store": None})
    progress = next(one for one in found if one.name == "progress")
    assert problems == []
    assert (progress.value, str(progress.origin)) == ("live", "--progress")
    assert [(value, str(origin)) for value, origin in progress.overridden] == [
        ("auto", "STEPWELL_PROGRESS"), ("plain", "stepwell.toml:2"), ("live", "pyproject.toml:5"),
        ("none", str(tmp_path / "own/stepwell.toml:1")),
    ]  # fmt: skip
    assert origins()["quiet"] == "stepwell.toml:3"
    assert origins()["strict"] == "default"


def test_the_files_of_the_nearest_folder_count_and_a_project_without_settings_is_passed_by(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk / "stepwell.toml").write_text("strict = true\n", encoding="utf-8")
    part = desk / "part"
    part.mkdir()
    (part / "pyproject.toml").write_text('[project]\ndependencies = ["stepwell"]\n', encoding="utf-8")
    monkeypatch.chdir(part)
    assert load_settings().strict is True
    (part / "stepwell.toml").write_text("quiet = true\n", encoding="utf-8")
    assert load_settings() == Settings(quiet=True)


def test_a_variable_in_small_letters_or_one_that_is_empty_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("stepwell_quiet", "1")
    monkeypatch.setenv("STEPWELL_STRICT", "yes")
    monkeypatch.setenv("STEPWELL_PROGRESS", "")
    if sys.platform != "win32":  # where a variable's letters have no size
        assert load_settings() == Settings(strict=True)


# --- what is wrong ----------------------------------------------------------------------------------------------------


def test_all_that_is_wrong_is_told_at_once_with_its_place(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk / "stepwell.toml").write_text(
        'progres = "plain"\nstrict = "perhaps"\non_failure = "cancle"\nrun_timeout = "ten"\nstore = ""\n'
        "[deep]\nx = 1\n",
        encoding="utf-8",
    )
    (desk / "pyproject.toml").write_text("[tool.other]\nstore = 1\n[tool.stepwell]\nstore = 3\n", encoding="utf-8")
    monkeypatch.setenv("STEPWELL_QUIET", "maybe")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert set(caught.value.problems) == {
        "STEPWELL_QUIET: `quiet` must be true or false, not 'maybe'",
        "stepwell.toml:1: `progres` is no setting; did you mean `progress`?",
        "stepwell.toml:2: `strict` must be true or false, not 'perhaps'",
        "stepwell.toml:3: `on_failure` must be 'stop', 'cancel' or 'finish', not 'cancle'",
        'stepwell.toml:4: `run_timeout` must be a duration such as "30s", "10m" or "2h", or a number of seconds, '
        "not 'ten'",
        "stepwell.toml:5: `store` must be a path, not ''",
        "stepwell.toml:6: `deep` is no setting; the settings are `store`, `on_failure`, `run_timeout`, `strict`, "
        "`quiet`, `progress`, `sync`",
        "pyproject.toml:4: `store` must be text in quotes, not 3",
    }
    assert str(caught.value).startswith("8 problems in the settings:\n  - STEPWELL_QUIET")


def test_a_file_that_is_no_toml_is_told_with_its_line(desk: Path) -> None:
    (desk / "stepwell.toml").write_text('store = "a.db"\nquiet = = 1\n', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"^stepwell\.toml: it is not TOML: .*line 2"):
        load_settings()
    (desk / "stepwell.toml").write_bytes(b"store = '\xff'\n")
    with pytest.raises(SettingsError, match=r"^stepwell\.toml: it is not UTF-8 \(byte 9\)"):
        load_settings()


@pytest.mark.parametrize("text", ["tool.stepwell = 3\n", "[tool]\nstepwell = 3\n", '[tool]\nstepwell = ["quiet"]\n'])
def test_a_project_that_says_something_else_than_a_table_is_told(desk: Path, text: str) -> None:
    """O3: it is a mistake of the file and none of ours."""
    (desk / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"^pyproject\.toml: `tool\.stepwell` is no table of settings$"):
        load_settings()


def test_a_project_that_is_no_toml_is_told_if_it_speaks_of_us(desk: Path) -> None:
    """O3: it would else be run with other settings than those that it asks for."""
    (desk / "pyproject.toml").write_text("[tool.stepwell\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"^pyproject\.toml: it is not TOML: "):
        load_settings()
    (desk / "pyproject.toml").write_text("[tool.other\n", encoding="utf-8")
    assert load_settings() == Settings()


def test_durations_are_numbers_or_text(desk: Path) -> None:
    for text, value in (("90", 90), ('"10m"', "10m"), ("1.5", 1.5)):
        (desk / "stepwell.toml").write_text(f"run_timeout = {text}\n", encoding="utf-8")
        assert load_settings().run_timeout == value


# --- what it costs ----------------------------------------------------------------------------------------------------


def test_nothing_is_loaded_where_there_is_neither_a_file_nor_a_variable(desk: Path) -> None:
    """A command without settings does not pay for them; a store that is named by the environment neither."""
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from stepwell.api import settings, settings_files\n"
        "settings_files.user_file = lambda: Path('none')\n"
        "os.environ['STEPWELL_STORE'] = 'a.db'\n"
        "assert settings.load_settings().store == 'a.db'\n"
        "assert not {'pydantic_settings', 'pydantic', 'tomllib'} & set(sys.modules), sorted(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=desk, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_project_that_only_names_us_says_nothing(tmp_path: Path) -> None:
    """J1: as a script, or in a table of another tool."""
    (tmp_path / "pyproject.toml").write_text('[project.scripts]\nstepwell = "a:b"\n[tool.other]\nstepwell = 3\n')
    assert load_settings(here=tmp_path) == Settings()
