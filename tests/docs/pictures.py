"""Pictures of the terminal: made by rich from what a command of the manual leaves on the screen, colours and all."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console
from rich.text import Text

from . import terminal

_TIMES = (
    (r"\b01[0-9A-HJKMNP-TV-Z]{24}\b", "01M80RA4W338Z8N41G80HFHTP7"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}", "2026-11-22 09:30:00 +0000"),
    (r"\b\d+\.\ds\b", "0.1s"),
    (r"\d+ (s|min) ago", "just now"),
)
"""What differs from run to run, and what the pictures show instead, which has the same width wherever it can."""


def svg(command: str, lines: list[str], name: str) -> str:
    """The picture of a command and what came of it."""
    console = Console(
        record=True, width=terminal.WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(Text.assemble(("$ ", "green"), (command.partition("#")[0].rstrip(), "bold")), soft_wrap=True)
    for line in lines:
        for pattern, instead in _TIMES:
            line = re.sub(pattern, instead, line)
        text = Text.from_ansi(line)
        for part in text.divide(range(terminal.WIDTH, len(text), terminal.WIDTH)):  # as a terminal breaks it
            console.print(part, soft_wrap=True)
    made = console.export_svg(title="stepwell", unique_id=name)
    made = re.sub(r"\n\s*@font-face \{.*?\}", "", made, flags=re.DOTALL)  # the fonts would come from the network
    return "\n".join(line.rstrip() for line in made.splitlines()) + "\n"


def check(page: Path, place: str, command: str, lines: list[str], *, write: bool) -> list[str]:
    """Whether the picture that a page shows is that of what came; with `write` it is made."""
    path = (page.parent / place).resolve()
    text = svg(command, lines, path.stem)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return []
    if write:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return []
    return [f"{path.name} is not what `{command}` shows now; look at it after `make manual`"]
