"""The manual and the README do what they say: code, commands and shown output, word for word."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .page import ROOT, Block, blocks, name, pages, stories
from .story import Story

STORIES = stories()


def seed(told: list[Path], folder: Path) -> None:
    """What is beside the README when its commands are typed."""
    if told == [ROOT / "README.md"]:
        shutil.copytree(ROOT / "examples", folder / "examples")
        (folder / "docs").mkdir()
        (folder / "docs" / "one.md").write_text("three little words", encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES)
def test_every_block_of_a_page_does_what_the_page_says(story: str, tmp_path: Path) -> None:
    """S7 of features.md; the tutorial is run page after page in one folder, every other page in one of its own."""
    told = Story(tmp_path)
    seed(STORIES[story], tmp_path)
    for page in STORIES[story]:
        told.tell(page)
    told.write()
    assert not told.problems, "\n\n".join([*told.problems, "`make manual` writes what came into the pages"])


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_block_has_a_language_and_every_exception_a_reason(page: Path) -> None:
    """A block without a language is neither coloured nor run."""
    found: list[Block] = blocks(page)
    assert page.read_text(encoding="utf-8").count("\n```") == 2 * len(found), "a block is not closed, or indented"
    assert [block.place for block in found if not block.language] == []
    assert [block.place for block in found if block.reason and len(block.reason.split()) < 3] == []
