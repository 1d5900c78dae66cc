"""The chart of the manual: a panel a workload, a dot a library on a logarithmic scale; readable on light and dark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

from benchmarks.arithmetic import STEPWELL, Figures
from benchmarks.rows import LESS, Row
from benchmarks.table import short

PANELS = ("W1", "W2", "W3", "W4", "W5", "W6.100", "W9", "W10", "W8.import", "W12")
COLUMNS, PANEL, GAP, NAME, LINE, HEAD, TAIL = 2, 420, 40, 130, 20, 44, 90

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 } .soft { fill: #57606a } .stem { stroke: #d0d7de } .limit { fill: #8c959f }
.stepwell { fill: #1a7f37 } text.stepwell { font-weight: 600 } .peer { fill: #0969da }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .soft { fill: #9198a1 } .stem { stroke: #3d444d } .limit { fill: #9198a1 }
.stepwell { fill: #3fb950 } .peer { fill: #4493f8 } }
"""


def svg(rows: Sequence[Row], results: Mapping[str, Mapping[str, Figures]]) -> str:
    """The whole picture."""
    drawn = [(row, _ranked(row, results[row.id])) for row in rows if row.id in PANELS]
    heights = [HEAD + LINE * len(sides) for _, sides in drawn]
    parts: list[str] = []
    top = 0
    for first in range(0, len(drawn), COLUMNS):
        group = drawn[first : first + COLUMNS]
        for column, (row, sides) in enumerate(group):
            parts.append(f'<g transform="translate({column * (PANEL + GAP)} {top})">{_panel(row, sides)}</g>')
        top += max(heights[first : first + COLUMNS]) + GAP // 2
    width = COLUMNS * PANEL + (COLUMNS - 1) * GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {max(top, 1)}" role="img" '
        f'aria-label="Stepwell beside its physical limits and other libraries">'
        f"<style>{STYLE}</style>{''.join(parts)}</svg>\n"
    )


def _ranked(row: Row, sides: Mapping[str, Figures]) -> list[tuple[str, str, float]]:
    """Name, class and value of what is drawn, the best first: Stepwell, the limit of the ratio, the peers."""
    drawn: list[tuple[str, str, float]] = []
    for name, figures in sides.items():
        if figures.median is None or (name in row.limits and name != row.limits[0]):
            continue
        drawn.append((name, name if name == STEPWELL else "limit" if name in row.limits else "peer", figures.median))
    return sorted(drawn, key=lambda one: one[2], reverse=row.better != LESS)


def _panel(row: Row, sides: list[tuple[str, str, float]]) -> str:
    direction = "less is better" if row.better == LESS else "more is better"
    out = [
        f'<text class="title" y="14">{escape(row.title)}</text>',
        f'<text class="soft" y="31">{escape(row.unit)}, {direction}, logarithmic</text>',
    ]
    powers = [math.log10(max(value, 1e-3)) for _, _, value in sides]
    low, high = math.floor(min(powers, default=0)), math.ceil(max(powers, default=1))
    room = PANEL - NAME - TAIL
    for index, ((name, kind, value), power) in enumerate(zip(sides, powers, strict=True)):
        y = HEAD + LINE * index + 6
        x = NAME + room * (power - low) / max(1, high - low)
        label = name if len(name) < 18 else name[:16] + "…"
        out.append(
            f'<line class="stem" x1="{NAME}" x2="{NAME + room}" y1="{y}" y2="{y}"/>'
            f'<circle class="{kind}" cx="{x:.1f}" cy="{y}" r="5"/>'
            f'<text class="{kind if kind == STEPWELL else "soft"}" x="{NAME - 10}" y="{y + 4}" text-anchor="end">'
            f"{escape(label)}</text>"
            f'<text class="{kind if kind == STEPWELL else "soft"}" x="{NAME + room + 12}" y="{y + 4}">'
            f"{short(value)}</text>"
        )
    return "".join(out)
