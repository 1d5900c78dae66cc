"""What the README says beside its code blocks, which `test_pages.py` runs: options, targets of make, links."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from . import terminal
from .page import ROOT
from .story import Story

README = (ROOT / "README.md").read_text(encoding="utf-8")
TARGETS = sorted(set(re.findall(r"`make ([a-z-]+)`", README)))


def test_the_options_that_the_tutorial_names_are_there(tmp_path: Path) -> None:
    """`stepwell run TARGET --help` lists the inputs of the pipeline as options."""
    audit = ROOT / "examples" / "audit" / "audit.py"
    code, lines = Story(tmp_path).typed(f"stepwell run {audit} --help")
    assert code == 0
    shown = terminal.plain("\n".join(lines))
    assert "--limit" in shown
    assert "--out" in shown


@pytest.mark.parametrize("target", TARGETS)
def test_the_make_targets_that_the_readme_names_exist(target: str) -> None:
    """`make demo`, `make test` and the others are in the Makefile."""
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_files_that_the_readme_links_to_are_there() -> None:
    """The manual is built with its links checked; the README is not part of it."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_audit_of_the_readme_writes_its_report(tmp_path: Path) -> None:
    """One line on stdout says what it found."""
    audit = ROOT / "examples" / "audit" / "audit.py"
    code, lines = Story(tmp_path).typed(f"stepwell run {audit} --limit 5 --out report --quiet")
    assert code == 0
    assert len(lines) == 1
    assert "distributions" in lines[0]
    assert (tmp_path / "report" / "report.md").is_file()
