"""A picture as DOT text, for Graphviz: `stepwell graph … --format dot | dot -Tsvg`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stepwell.views.diagram import Arrow, ArrowKind, Node, NodeKind, Picture
from stepwell.views.mermaid import COLOURS

_SHAPES: Mapping[NodeKind, str] = {"step": "box", "map": "box3d", "switch": "diamond"}
_LINES: Mapping[ArrowKind, str] = {
    "trigger": "style=solid",
    "route": "style=solid",
    "wait": "style=dashed",
    "goto": "style=bold, constraint=false",
}


def dot(picture: Picture) -> str:
    """The text of a directed graph; every name is quoted."""
    return "\n".join(_lines(picture))


def _lines(picture: Picture) -> Iterator[str]:
    yield f"digraph {quoted(picture.title)} {{"
    yield '  rankdir=TB; node [fontname="sans-serif"]; edge [fontname="sans-serif"];'
    for number, node in enumerate(picture.nodes):
        yield f"  s{number} [label={_label(node)}, shape={_SHAPES[node.kind]}{_colours(node)}];"
    for arrow in picture.arrows:
        yield f"  s{arrow.source} -> s{arrow.target} [{_LINES[arrow.kind]}{_said(arrow)}];"
    yield "}"


def _label(node: Node) -> str:
    notes = ", ".join([*node.words, *([node.status] if node.status else [])])
    return quoted(f"{node.label}\n{notes}" if notes else node.label)


def _colours(node: Node) -> str:
    if node.status not in COLOURS:
        return ""
    fill, border = COLOURS[node.status]
    return f', style=filled, fillcolor="{fill}", color="{border}"'


def _said(arrow: Arrow) -> str:
    label = f", label={quoted(arrow.label)}" if arrow.label else ""
    return f'{label}, color="#bbbbbb", fontcolor="#bbbbbb"' if arrow.untaken else label


def quoted(text: str) -> str:
    r"""A text as a quoted string of DOT; a line's end becomes `\n`.

    >>> print(quoted('say "no"'))
    "say \"no\""
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "\\n".join(escaped.splitlines() or [""]) + '"'
