"""A page of the manual as the tests read it: its code blocks, in order, each with the place where it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_BLOCK = re.compile(
    r"(?:^<!-- (?P<note>[^\n]*?) -->\n)?"
    r"(?:^\*Not run by the tests: (?P<reason>[^*]+)\*\n\n)?"
    r"^(?P<indent>[ \t]*)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```[ \t]*$",
    re.DOTALL | re.MULTILINE,
)
_TITLE = re.compile(r'title="([^"]*)"')


@dataclass(frozen=True)
class Block:
    """A code block: its language, the file that it is, why it is not run (if so), and where its text lies."""

    page: Path
    line: int
    language: str
    file: str
    note: str
    reason: str
    text: str
    span: tuple[int, int]

    @property
    def place(self) -> str:
        """File and line, as an editor wants them."""
        return f"{name(self.page)}:{self.line}"


def name(page: Path) -> str:
    """A page as it is called in messages and test ids."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """The code blocks of a page."""
    source = page.read_text(encoding="utf-8")
    found: list[Block] = []
    for match in _BLOCK.finditer(source):
        note, info = match["note"] or "", match["info"].strip()
        title = _TITLE.search(info)
        file = title[1] if title else note.removeprefix("file: ") if note.startswith("file: ") else ""
        found.append(
            Block(
                page=page,
                line=source.count("\n", 0, match.start("info")) + 1,
                language=info.partition(" ")[0],
                file=file,
                note=note,
                reason=" ".join((match["reason"] or "").split()),
                text=match["text"],
                span=match.span("text"),
            )
        )
    return found


def pages() -> list[Path]:
    """Every page of the manual, and the README."""
    return [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def stories() -> dict[str, list[Path]]:
    """Pages that are read, and so run, one after the other in one folder: the tutorial. Every other page is its own."""
    told: dict[str, list[Path]] = {}
    for page in pages():
        part = page.parent if page.parent.name == "tutorial" else page
        told.setdefault(name(part), []).append(page)
    return told


def replaced(page: Path, changes: list[tuple[tuple[int, int], str]]) -> None:
    """Write other texts where these spans are."""
    source = page.read_text(encoding="utf-8")
    for (start, end), text in sorted(changes, reverse=True):
        source = source[:start] + text + source[end:]
    page.write_text(source, encoding="utf-8")
