"""What the manual lists is all that there is: errors, events, exit codes, names of the face, commands."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import stepwell
import stepwell.testing
from stepwell.cli import main

from .page import DOCS, ROOT, name, pages
from .story import WRITE
from .tables import MADE, REGION, all_errors

REFERENCE = DOCS / "reference"


@pytest.mark.parametrize(
    "page", [page for page in pages() if REGION.search(page.read_text(encoding="utf-8"))], ids=name
)
def test_the_tables_that_are_made_from_the_code_are_those_of_the_code(page: Path) -> None:
    """`make manual` writes them."""
    source = page.read_text(encoding="utf-8")
    made = REGION.sub(lambda region: f"{region['name']}{region[2]}{MADE[region['name']]()}", source)
    if WRITE:
        page.write_text(made, encoding="utf-8")
    else:
        assert source == made


def test_every_error_has_its_words_in_the_troubleshooting() -> None:
    """An error that a user can meet is in the manual: why it comes, and what to do. features.md S7."""
    text = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^### `(\w+)`$", text, re.MULTILINE))
    assert headings == {error.__name__ for error in all_errors()}


def test_every_reason_of_a_failure_has_its_words_in_the_troubleshooting() -> None:
    """The pairs of kind and reason that the engine can give a failure. features.md S7."""
    text = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", text, re.MULTILINE))
    made = {
        (str(kind.value), str(reason.value))
        for file in (ROOT / "src" / "stepwell" / "engine").glob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Failed"
        for kind, reason in [call.args[:2]]
        if isinstance(kind, ast.Constant) and isinstance(reason, ast.Constant)
    }
    assert len(made) >= 10
    assert told - made == {("error", "items_failed"), ("error", "source_failed")}  # of a map; said in `ledger.py`
    assert made - told == set()


def test_every_public_name_has_its_place_in_the_reference() -> None:
    """Each is shown once, by mkdocstrings, from its docstring."""
    text = "".join(page.read_text(encoding="utf-8") for page in sorted(REFERENCE.glob("*.md")))
    shown = re.findall(r"^::: (stepwell\.\S+)$", text, re.MULTILINE)
    assert len(shown) == len(set(shown))
    names = {f"stepwell.{one}" for one in stepwell.__all__}
    assert {one for one in shown if one.count(".") == 1} == names
    assert {one for one in shown if one.startswith("stepwell.testing.")} >= {
        f"stepwell.testing.{one}" for one in stepwell.testing.__all__
    }


def test_every_command_has_its_help_in_the_reference() -> None:
    """The page shows the real help of each, which `test_pages.py` compares."""
    text = (REFERENCE / "command-line.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\$ stepwell (\w+) --help$", text, re.MULTILINE)
    assert shown == [one[0] for one in main._COMMANDS]
