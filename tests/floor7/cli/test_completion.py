"""Completion of the shells: the scripts that are printed and installed, and what is proposed on Tab (O1)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_each_shell_has_a_script_that_knows_the_commands(desk: Any, shell: str) -> None:
    done = desk("completion", shell)
    assert (done.code, done.err) == (0, "")
    for word in ("events", "validate", "--on-change", "timed_out"):
        assert word.removeprefix("--" if shell == "fish" else "") in done.out


def test_an_unknown_shell_is_told(desk: Any) -> None:
    done = desk("completion", "tcsh")
    assert done.code == 2
    assert "bash" in done.err


def proposed(desk: Any, *words: str) -> list[str]:
    """What the shell is told on Tab, the last word being the one that is typed."""
    done = desk.apart("__complete", *words)
    assert done.code == 0
    _, _, records = done.out.partition("\x1fbegin\n")
    return [line.split("\t")[0] for line in records.splitlines()]


def test_runs_are_proposed_where_a_run_is_asked_for(desk: Any, digest: Path) -> None:
    """O1: `last` and the latest runs."""
    ran = desk("run", digest, "--folder", "x")
    for command in ("show", "resume", "cancel", "events"):
        assert proposed(desk, command, "") == ["last", ran.run_id]
    assert proposed(desk, "plan", "") == ["digest.py", "last", ran.run_id]
    assert proposed(desk, "show", "--store", "other.db", "") == ["last"]


def test_files_and_folders_are_proposed_for_a_target(desk: Any, digest: Path) -> None:
    desk.write("more/inner.py", "")
    desk.write("notes.txt", "")
    assert proposed(desk, "validate", "") == ["digest.py", "more/"]
    assert proposed(desk, "validate", "more/") == ["more/inner.py"]
    assert proposed(desk, "run", "") == ["digest.py", "more/"]
    assert proposed(desk, "validate", "nosuch/") == []


@pytest.mark.skipif(sys.platform == "win32" or shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes_a_command_and_a_run(desk: Any, digest: Path) -> None:
    ran = desk("run", digest, "--folder", "x")
    script = desk("completion", "bash").out
    program = f"""{script}
COMP_WORDS=(stepwell val); COMP_CWORD=1; _stepwell; echo "${{COMPREPLY[@]}}"
COMP_WORDS=(stepwell show {ran.run_id[:6]}); COMP_CWORD=2; _stepwell; echo "${{COMPREPLY[@]}}"
COMP_WORDS=(stepwell ls --status fa); COMP_CWORD=3; _stepwell; echo "${{COMPREPLY[@]}}"
"""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", program], capture_output=True, text=True, check=True, env={**os.environ, "PATH": path}
    )
    assert done.stdout.splitlines() == ["validate", ran.run_id, "failed"]


@pytest.mark.skipif(sys.platform == "win32", reason="the paths are those of other systems")
def test_the_script_is_installed_for_the_shell_that_is_named(desk: Any, tmp_path_factory: Any) -> None:
    home = tmp_path_factory.mktemp("home")
    for _ in range(2):
        done = desk.apart("--install-completion", "bash", env={**os.environ, "HOME": str(home), "CI": "1"})
        assert done.code == 0
        assert "completion for bash is in" in done.err
    assert (home / ".local/share/bash-completion/completions/stepwell").read_text() == desk("completion", "bash").out
    assert (home / ".bashrc").read_text().count("# Load stepwell completion") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="the paths are those of other systems")
def test_a_home_that_cannot_be_written_is_told_with_the_way_out(desk: Any) -> None:
    desk.write("home", "this is a file")
    done = desk.apart("--install-completion", "fish", env={**os.environ, "HOME": str(desk.folder / "home"), "CI": "1"})
    assert done.code == 2
    assert "stepwell completion fish >" in done.err
