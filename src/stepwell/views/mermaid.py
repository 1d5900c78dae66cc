"""A picture as Mermaid text, for Markdown pages and wikis that draw it; maps need Mermaid 11.3 or newer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from stepwell.views.diagram import Arrow, ArrowKind, Node, NodeKind, Picture

_SHAPES: Mapping[NodeKind, str] = {"step": "rounded", "map": "processes", "switch": "diamond"}
_LINES: Mapping[ArrowKind, str] = {"trigger": "-->", "route": "-->", "wait": "-.->", "goto": "==>"}
COLOURS: Mapping[str, tuple[str, str]] = {
    "completed": ("#d7f0db", "#2f7d3b"),
    "failed": ("#f8d7d7", "#b3261e"),
    "cancelled": ("#f8d7d7", "#b3261e"),
    "tolerated": ("#fdecc8", "#9a6700"),
    "running": ("#d5e6fb", "#1f5fa8"),
    "waiting": ("#fdecc8", "#9a6700"),
    "skipped": ("#eeeeee", "#8a8a8a"),
    "pruned": ("#eeeeee", "#8a8a8a"),
    "pending": ("#ffffff", "#8a8a8a"),
}
"""By status: what a step is filled with, and its border. The text stays black, so that it can be read on each."""

_SAFE = re.compile(r"[^A-Za-z0-9 _/,()\u0080-\U0010ffff-]")


def mermaid(picture: Picture) -> str:
    """The text of a flowchart; ids are numbers, so that no name can be read as a word of the language."""
    return "\n".join(_lines(picture))


def _lines(picture: Picture) -> Iterator[str]:
    yield "---"
    yield f'title: "{escaped(picture.title)}"'
    yield "---"
    yield "flowchart TD"
    for number, node in enumerate(picture.nodes):
        yield f'    s{number}@{{ shape: {_SHAPES[node.kind]}, label: "{_label(node)}" }}'
    for arrow in picture.arrows:
        yield f"    s{arrow.source} {_LINES[arrow.kind]}{_said(arrow)} s{arrow.target}"
    if untaken := [str(place) for place, arrow in enumerate(picture.arrows) if arrow.untaken]:
        yield f"    linkStyle {','.join(untaken)} opacity:0.35"
    by_status: dict[str, list[str]] = {}
    for number, node in enumerate(picture.nodes):
        if node.status in COLOURS:
            by_status.setdefault(node.status, []).append(f"s{number}")
    for status, ids in by_status.items():
        fill, border = COLOURS[status]
        yield f"    classDef {status} fill:{fill},stroke:{border},color:#111111"
        yield f"    class {','.join(ids)} {status}"


def _label(node: Node) -> str:
    notes = [*node.words, *([node.status] if node.status else [])]
    return "<br/>".join(escaped(text) for text in (node.label, ", ".join(notes)) if text)


def _said(arrow: Arrow) -> str:
    return f'|"{escaped(arrow.label)}"|' if arrow.label else ""


def escaped(text: str) -> str:
    """A text for a quoted label: what could end the quotes, or be read as Markdown or HTML, stands as its number.

    >>> escaped('say "no"')
    'say #34;no#34;'
    """
    line = " ".join(text.split())
    found = _SAFE.sub(lambda match: f"#{ord(match[0])};", line)
    # A label that begins like a list of Markdown would be drawn as "unsupported".
    return f"#45;{found[1:]}" if found.startswith("- ") else found
