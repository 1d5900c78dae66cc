"""`stepwell config` shows what counts and where it is from; commands heed it (O3, O5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stepwell.api import settings_files


@pytest.fixture(autouse=True)
def no_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_files, "user_file", lambda: tmp_path / "own.toml")
    monkeypatch.setattr("stepwell.cli.config.user_file", lambda: tmp_path / "own.toml")


def test_each_setting_is_shown_with_its_value_and_origin(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write("stepwell.toml", 'store = "runs.db"\nquiet = true\n')
    monkeypatch.setenv("STEPWELL_QUIET", "0")
    done = desk("config", "show", "--origin")
    assert done.code == 0
    lines = {line.split()[0]: line.split()[1:] for line in done.out.splitlines()}
    assert lines["store"] == ["runs.db", "stepwell.toml:1"]
    assert lines["quiet"] == ["false", "STEPWELL_QUIET", "true", "(stepwell.toml:2)"]
    assert lines["on_failure"] == ["as", "the", "pipeline", "says", "default"]
    assert "ORIGIN" not in desk("config", "show").out


def test_the_document_has_origins_and_what_they_override(desk: Any) -> None:
    desk.write("stepwell.toml", 'store = "runs.db"\n')
    found = {one["name"]: one for one in desk("config", "show", "--json", "--store", "x.db").document["settings"]}
    assert found["store"] == {
        "name": "store",
        "value": str(desk.folder / "x.db"),
        "origin": {"kind": "flag", "place": "--store"},
        "overridden": [
            {"value": str(desk.folder / "runs.db"), "origin": {"kind": "file", "place": "stepwell.toml:1"}},
        ],
    }  # fmt: skip


def test_wrong_settings_are_one_clear_error_for_each_command(desk: Any, digest: Path) -> None:
    """O5: 3, and no step has run."""
    desk.write("stepwell.toml", "strictt = true\n")
    for words in (["run", digest, "--folder", "x"], ["ls"], ["config", "show"]):
        done = desk(*words)
        assert (done.code, "`strictt` is no setting; did you mean `strict`?" in done.err) == (3, True), words
    assert desk("config", "show", "--json").document["error"]["type"] == "SettingsError"
    assert not (desk.folder / ".stepwell").exists()


def test_the_files_are_shown_and_where_one_could_be(desk: Any) -> None:
    done = desk("config", "path")
    assert (done.code, done.out) == (0, "")
    assert "own.toml" in done.err
    desk.write("pyproject.toml", "[tool.stepwell]\nquiet = true\n")
    assert desk("config", "path").out == "pyproject.toml\n"


def test_a_run_heeds_its_settings_and_an_option_counts_more(desk: Any, digest: Path) -> None:
    """O3: store, quiet and progress out of a file."""
    desk.write("stepwell.toml", 'store = "kept.db"\nprogress = "none"\n')
    done = desk("run", digest, "--folder", "x")
    assert done.code == 0
    assert (desk.folder / "kept.db").exists()
    assert "[1/3]" not in done.err
    assert "[OK] collect" in done.err
    assert "[1/3]" in desk("run", digest, "--folder", "x", "--progress", "plain").err
    desk.write("stepwell.toml", "quiet = true\n")
    assert "[OK]" not in desk("run", digest, "--folder", "x").err
    assert "[OK]" in desk("run", digest, "--folder", "x", "--no-quiet").err


def test_a_run_heeds_what_the_settings_say_of_failures_and_time(desk: Any) -> None:
    desk.write("stepwell.toml", 'run_timeout = "200ms"\n')
    slow = desk.write("slow.py", "import asyncio\nfrom stepwell import Pipeline\npipe = Pipeline('slow')\n\n"
                      "@pipe.step\nasync def wait() -> None:\n    await asyncio.sleep(60)\n")  # fmt: skip
    assert desk("run", slow).code == 124
    desk.write("stepwell.toml", 'strict = true\non_failure = "finish"\n')
    odd = desk.write("odd.py", "from stepwell import Pipeline\npipe = Pipeline('odd')\n\n"
                     "@pipe.step(critical=False)\ndef bad() -> None:\n    raise ValueError('no')\n")  # fmt: skip
    assert desk("run", odd).code == 5
    assert desk("run", odd, "--no-strict").code == 0
