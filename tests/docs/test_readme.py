"""The README does what it says: each of its code blocks is run, word for word."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"(?:<!-- (?P<note>[^>]*) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)```", re.DOTALL)
COMMAND = Path(sys.executable).with_name("stepwell")


class Block(NamedTuple):
    """A code block: what the comment above it says, its language, its text."""

    note: str
    language: str
    text: str


def blocks() -> list[Block]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return [Block(m["note"] or "", m["language"], m["text"]) for m in BLOCK.finditer(text)]


def commands(block: Block) -> list[list[str]]:
    lines = [line.partition("#")[0].strip() for line in block.text.splitlines()]
    return [shlex.split(line) for line in lines if line]


def run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    assert words[0] == "stepwell"
    return subprocess.run(
        [str(COMMAND), *words[1:]], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def test_every_python_block_runs(tmp_path: Path) -> None:
    """The blocks are whole programs; one that is named as a file has what it needs beside it."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "one.md").write_text("three little words", encoding="utf-8")
    programs = [block for block in blocks() if block.language == "python"]
    assert len(programs) >= 3
    for number, block in enumerate(programs):
        file = tmp_path / (block.note.removeprefix("file: ") or f"block{number}.py")
        file.write_text(block.text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-W", "error", file.name], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"block {number} of README.md:\n{done.stderr}"


def test_the_commands_under_the_first_example_do_what_they_say(tmp_path: Path) -> None:
    """Run, resume, list and show, in a folder that has just the file of the README in it."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "one.md").write_text("three little words", encoding="utf-8")
    program = next(block for block in blocks() if block.note == "file: digest.py")
    (tmp_path / "digest.py").write_text(program.text, encoding="utf-8")
    outputs: list[str] = []
    for words in commands(next(block for block in blocks() if block.note == "shell")):
        done = run(words, tmp_path)
        assert done.returncode == 0, f"{words}:\n{done.stderr}"
        outputs.append(done.stdout)
    ran, resumed, listed, shown = outputs
    assert ran.strip() == resumed.strip() == "3"
    assert "digest" in listed
    assert "completed" in listed
    assert all(step in shown for step in ("collect", "measure", "report"))


def test_the_tutorial_runs_the_audit(tmp_path: Path) -> None:
    """The audit of the environment writes its report, and says in one line what it found."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    block = next(block for block in blocks() if block.note.startswith("shell: in the project"))
    outputs = [run(words, tmp_path) for words in commands(block)]
    assert [done.returncode for done in outputs] == [0, 0, 0], outputs[0].stderr
    assert "distributions" in outputs[0].stdout
    assert outputs[0].stdout.count("\n") == 1
    assert (tmp_path / "build" / "audit" / "report.md").is_file()


def test_the_options_that_the_tutorial_names_are_there(tmp_path: Path) -> None:
    """`stepwell run TARGET --help` lists the inputs of the pipeline as options."""
    done = run(["stepwell", "run", str(ROOT / "examples" / "audit" / "audit.py"), "--help"], tmp_path)
    assert done.returncode == 0
    assert "--limit" in done.stdout
    assert "--out" in done.stdout


@pytest.mark.parametrize("target", ["demo", "test", "check"])
def test_the_make_targets_that_the_readme_names_exist(target: str) -> None:
    """`make demo` and `make test` are in the README; they and `make check` are in the Makefile."""
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
