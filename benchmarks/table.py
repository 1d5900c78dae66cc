"""The figures as tables: for the terminal, and for the manual."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.arithmetic import STEPWELL, Figures, Sides, ratio, shortfall
from benchmarks.rows import LESS, Bound, Row
from benchmarks.timing import NOTHING

NONE = "—"


def short(value: float | None) -> str:
    """Three figures, and thousands set apart.

    >>> short(0.123456), short(12.34), short(345678.9), short(None)
    ('0.123', '12.3', '346,000', '—')
    """
    if value is None:
        return NONE
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        places = len(str(int(abs(value)))) - 3
        return f"{round(value, -places):,.0f}"
    text = f"{value:.3g}"
    return f"{float(text):,.0f}" if "e" in text else text


def spread(figures: Figures) -> str:
    """Least to most."""
    if len(figures.values) < 2:
        return ""
    return f"{short(min(figures.values))}–{short(max(figures.values))}"


def times(value: float | None) -> str:
    """A ratio, as it is read."""
    return NONE if value is None else f"{short(value)} ×"


def goal(row: Row) -> str:
    """The goal in words: `≤ 6 and ≤ 1 × a task a step`."""
    sign = "≤" if row.better == LESS else "≥"
    return (" or " if row.either else " and ").join(f"{sign} {_bound(bound)}" for bound in row.goal) or NONE


def _bound(bound: Bound) -> str:
    number = short(bound.number)
    if not bound.of:
        return number
    return bound.of if bound.number == 1 else f"{number} × {bound.of}"


def verdict(row: Row, sides: Sides) -> str:
    """Whether the goal is met, and by how much it is missed."""
    if not row.goal:
        return NONE
    missed = shortfall(row, sides)
    if missed is None:
        return sides[STEPWELL].note if STEPWELL in sides else NONE
    return "met" if missed <= 1 else f"missed {short(missed)} ×"


def cells(row: Row, sides: Sides) -> list[str]:
    """One line: id, what, Stepwell, spread, limit, ratio, goal, met."""
    own, limit = sides.get(STEPWELL, Figures(0)), row.limits[0] if row.limits else ""
    return [
        row.id,
        f"{row.title}, {row.unit}",
        short(own.median),
        spread(own),
        f"{limit} {short(sides[limit].median)}" if limit in sides else NONE,
        times(ratio(row, sides, STEPWELL, limit)),
        goal(row),
        verdict(row, sides),
    ]


HEADS = ["", "workload", "Stepwell", "spread", "limit", "ratio", "goal", ""]


def text(rows: Sequence[Row], results: dict[str, dict[str, Figures]]) -> str:
    """For the terminal: a line a row, and below it the other limits and the peers."""
    lines = [HEADS, *(cells(row, results[row.id]) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    out = ["  ".join(cell.ljust(width) for cell, width in zip(lines[0], widths, strict=True)).rstrip()]
    for row, line in zip(rows, lines[1:], strict=True):
        out.append("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        out += [f"        {note}" for note in others(row, results[row.id])]
    return "\n".join(out)


def others(row: Row, sides: Sides) -> list[str]:
    """The further limits and the peers of a row, each with its figure beside Stepwell's, or with its reason."""
    said: list[str] = []
    nothing = [name for name, figures in sides.items() if figures.note == NOTHING]
    for name, figures in sides.items():
        if name in (STEPWELL, *row.limits[:1], *nothing):
            continue
        if figures.median is None:
            said.append(f"{name}: {NONE} ({figures.note or 'not measured'}{_at(row, figures)})")
            continue
        beside = ratio(row, sides, name, STEPWELL)
        compared = f", {_compared(beside)}" if beside is not None and row.unit != "% found" else ""
        said.append(f"{name}: {short(figures.median)}{compared}{_at(row, figures)}")
    return [*said, f"{NOTHING}: {', '.join(nothing)}"] if nothing else said


def _compared(beside: float) -> str:
    """How a side stands to Stepwell."""
    return f"{short(beside)} × Stepwell's cost" if beside >= 1 else f"{short(1 / beside)} × better than Stepwell"


def _at(row: Row, figures: Figures) -> str:
    """The size, where it is not that of the row."""
    cannot = figures.note and not figures.note.startswith(("cut off", "RecursionError", "ended"))
    return "" if figures.size == row.sizes[0] or cannot else f", at {figures.size:,}"


def markdown(rows: Sequence[Row], results: dict[str, dict[str, Figures]], peers: Sequence[str], machine: str) -> str:
    """For the manual: Stepwell beside the limits and goals, then beside its peers, then why some of these have none."""
    out = [
        "<!-- Written by `make bench`. -->",
        "",
        machine,
        "",
        "## Beside the physical limit",
        "",
        "| | workload | Stepwell | spread | limit | ratio | goal | |",
        "|---|---|---:|---:|---:|---:|---|---|",
    ]
    out += ["| " + " | ".join(cells(row, results[row.id])) + " |" for row in rows]
    shown = [peer for peer in peers if any(peer in results[row.id] for row in rows)]
    if not shown:
        return "\n".join(out) + "\n"
    out += ["", "## Beside other libraries", "", f"| | workload | Stepwell | {' | '.join(shown)} |"]
    out += ["|---|---|" + "---:|" * (len(shown) + 1)]
    reasons: list[str] = []
    for row in rows:
        sides = results[row.id]
        if not any(peer in sides and _told(sides[peer]) for peer in shown):
            continue
        line = [row.id, f"{row.title}, {row.unit}", short(sides[STEPWELL].median if STEPWELL in sides else None)]
        for peer in shown:
            figures = sides.get(peer, Figures(row.sizes[0]))
            line.append(_cell(row, figures))
            if figures.note and figures.note != NOTHING:
                reasons.append(f"- {row.id}, {peer}: {figures.note}{_at(row, figures)}")
        out.append("| " + " | ".join(line) + " |")
    out += [
        "",
        "A size in brackets is smaller than Stepwell's; the cost is that of a unit, in W7 and W10 that of all.",
        "A dash:",
        "",
        *reasons,
    ]
    return "\n".join(out) + "\n"


def _told(figures: Figures) -> bool:
    """Whether there is something to say of a side."""
    return bool(figures.values) or figures.note.startswith("cut off")


def _cell(row: Row, figures: Figures) -> str:
    if figures.median is None:
        return NONE
    return short(figures.median) + (f" ({figures.size:,})" if figures.size != row.sizes[0] else "")
