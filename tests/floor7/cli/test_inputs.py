"""Inputs on the command line: as options, pairs and files; every mistake at once, with the way out (O3, I7)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ECHO = """from stepwell import Pipeline
from pathlib import Path
from typing import Literal
pipe = Pipeline("echo")

@pipe.step
def echo(
    name: str, out_dir: Path = Path("build"), fast: bool = True, no_cache: bool = False, count: int | None = None,
    tags: list[str] = [], pair: tuple[int, int] = (0, 0), mode: Literal["a", "b"] = "a", table: dict[str, int] = {},
    key: str = "", json: int = 0,
) -> dict[str, object]:
    given = {**locals(), "out_dir": str(out_dir), "pair": list(pair)}
    return given
"""


@pytest.fixture
def echo(desk: Any) -> Any:
    desk.write("echo.py", ECHO)

    def given(*tokens: str) -> dict[str, Any]:
        done = desk("run", "echo.py", "--name", "n", *tokens, "-q")
        assert done.code == 0, done.err
        found: dict[str, Any] = json.loads(done.out)
        return found

    return given


@pytest.mark.parametrize(
    ("tokens", "name", "value"),
    [
        (["--name", "docs"], "name", "docs"),
        (["--name=--weird"], "name", "--weird"),
        (["--name="], "name", ""),
        (["--out-dir", "x"], "out_dir", "x"),
        (["--out_dir", "x"], "out_dir", "x"),
        (["--no-fast"], "fast", False),
        (["--fast=no"], "fast", False),
        (["--fast", "no"], "fast", False),
        (["--no-cache"], "no_cache", True),
        (["--count", "-5"], "count", -5),
        (["--count", "none"], "count", None),
        (["--tags", "a", "b", "--count", "1"], "tags", ["a", "b"]),
        (["--tags", "a", "--tags", "b"], "tags", ["a", "b"]),
        (["--tags", '["a", "b c"]'], "tags", ["a", "b c"]),
        (["--pair", "1", "-2"], "pair", [1, -2]),
        (["--mode", "b"], "mode", "b"),
        (["--table", '{"x": 1}'], "table", {"x": 1}),
        (["-p", "count=3"], "count", 3),
        (["-p", "out-dir=y"], "out_dir", "y"),
        (["-p", "tags=a", "-p", "tags=b"], "tags", ["a", "b"]),
        (["-p", "key=mine"], "key", "mine"),
        (["-p", "json=4"], "json", 4),
        (["-p", "name=a=b"], "name", "a=b"),
    ],
)
def test_a_value_reaches_the_step_in_its_type(desk: Any, tokens: list[str], name: str, value: object) -> None:
    """O3."""
    desk.write("echo.py", ECHO)
    given = [] if any("name" in token for token in tokens) else ["--name", "n"]
    done = desk("run", "echo.py", *given, *tokens, "-q")
    assert done.code == 0, done.err
    assert json.loads(done.out)[name] == value


def test_options_of_run_may_stand_before_between_and_after(desk: Any) -> None:
    desk.write("echo.py", ECHO)
    done = desk("run", "-q", "echo.py", "--name", "n", "--json", "--count", "2", "--store", "memory")
    assert done.document["output"]["count"] == 2


def test_a_file_gives_inputs_and_options_count_more(desk: Any, echo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write("in.json", '{"count": 4, "tags": ["x"], "mode": "b"}')
    assert echo("--params", "in.json", "--mode", "a") | {"count": 4, "tags": ["x"], "mode": "a"} == echo(
        "--params", "in.json", "--mode", "a"
    )
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO('{"count": 9}'))
    assert echo("--params", "-")["count"] == 9


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1]", "expected a JSON object"),
        ("{", "this is no JSON"),
        ('{"cuont": 1}', "did you mean `count`?"),
        ('{"count": "x"}', "`count`: expected"),
    ],
)
def test_a_file_that_does_not_fit_says_why(desk: Any, text: str, words: str) -> None:
    desk.write("echo.py", ECHO)
    desk.write("in.json", text)
    done = desk("run", "echo.py", "--name", "n", "--params", "in.json")
    assert done.code == 2
    assert words in done.err


def test_yaml_and_missing_files_of_inputs_are_told(desk: Any) -> None:
    desk.write("echo.py", ECHO)
    assert "YAML comes later" in desk("run", "echo.py", "--params", "in.yml").err
    done = desk("run", "echo.py", "--params", "gone.json")
    assert (done.code, "gone.json: the file cannot be read" in done.err) == (2, True)


def test_all_mistakes_are_told_at_once_with_what_was_meant(desk: Any) -> None:
    """O3: exit code 2, nothing has run, nothing is written."""
    desk.write("echo.py", ECHO)
    done = desk("run", "echo.py", "--cuont", "1", "--count", "many", "-p", "tgas=1", "stray", "--mode", "c", "-p", "x")
    assert done.code == 2
    for words in (
        "7 inputs of pipeline `echo` are wrong",
        "there is no option `--cuont`; did you mean `--count`?",
        "--count: expected `int | None`",
        "has no input `tgas`; did you mean `tags`?",
        "--mode: expected `Literal['a', 'b']`, got 'c'",
        "`stray` belongs to no option",
        "-p x: expected key=value",
        "--name is missing: str (step `echo` needs it)",
    ):
        assert words in done.err, words
    assert not (desk.folder / ".stepwell").exists()


def test_a_misspelt_required_input_is_not_also_called_missing(desk: Any, digest: Path) -> None:
    done = desk("run", digest, "--foldr", "x")
    assert done.err == "stepwell: there is no option `--foldr`; did you mean `--folder`?\n"


def test_a_misspelt_step_is_not_mistaken_for_an_input(desk: Any) -> None:
    desk.write(
        "p.py",
        "from stepwell import Pipeline\npipe = Pipeline('p')\n@pipe.step\ndef collect() -> int:\n    return 1\n"
        "@pipe.step\ndef report(colect: int) -> int:\n    return colect\n",
    )
    done = desk("run", "p.py")
    assert done.code == 2
    assert "no input `colect`; did you mean the step `collect`" in done.err


def test_an_option_without_its_value_says_which_type_it_needs(desk: Any) -> None:
    desk.write("echo.py", ECHO)
    done = desk("run", "echo.py", "--name", "--count", "1")
    assert "--name needs a value: str" in done.err


def test_a_stray_word_is_taken_for_the_one_input_that_is_missing(desk: Any, digest: Path) -> None:
    assert "did you mean `--folder docs`?" in desk("run", digest, "docs").err


def test_the_help_of_a_target_shows_its_description_and_its_inputs(desk: Any) -> None:
    """O3: inputs become typed options with help."""
    desk.write("echo.py", ECHO.replace('Pipeline("echo")', 'Pipeline("echo", description="Says it back.")'))
    done = desk("run", "echo.py", "--help")
    assert done.code == 0
    for words in (
        "Usage: stepwell run echo.py [INPUTS] [OPTIONS]", "Says it back.", "--name str", "[required]",
        "--out-dir Path", "[default: build]", "--fast --no-fast", "[default: yes]", "--tags list[str]...",
        "--count int | None", "-p key=", "--run-timeout DURATION",
    ):  # fmt: skip
        assert words in done.out, f"{words}\n{done.out}"
    assert done.err == ""


def test_the_help_without_a_target_needs_none(desk: Any) -> None:
    done = desk("run", "--help")
    assert done.code == 0
    assert "stepwell run TARGET [INPUTS] [OPTIONS]" in done.out


def test_a_missing_input_is_asked_for_on_a_terminal_only(
    desk: Any, digest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I7: prompts only on a terminal and without --no-input."""
    import io

    monkeypatch.setattr("stepwell.cli.run._can_ask", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO("docs\n"))
    done = desk("run", digest)
    assert (done.code, done.out) == (0, "11\n")
    assert "folder (Path): " in done.err
    monkeypatch.setattr("sys.stdin", io.StringIO("docs\n"))
    assert desk("run", digest, "--no-input").code == 2
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert "--folder is missing" in desk("run", digest).err
