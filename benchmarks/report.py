"""What a run of the benchmarks leaves: results.json, the table for the manual, and the chart."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import chart, table
from benchmarks.arithmetic import Figures
from benchmarks.peers import Peer
from benchmarks.rows import ROWS
from benchmarks.runner import ROOT, Results

RESULTS = Path("benchmarks/results.json")
TABLE = Path("docs/benchmarks-table.md")
CHART = Path("docs/assets/benchmarks.svg")


def machine(rounds: int) -> str:
    """Where and how it was measured, without the machine's name."""
    month = time.strftime("%B %Y")
    version = ".".join(str(part) for part in sys.version_info[:3])
    return (
        f"Measured in {month} on {os.cpu_count()} cores, {platform.system()}, Python {version}: "
        f"medians of {rounds} interleaved round{'s' * (rounds > 1)}. "
        "Steps do nothing, so the figures are each engine's own cost."
    )


def packed(results: Results) -> dict[str, dict[str, dict[str, object]]]:
    """Figures as JSON, four digits each."""
    return {
        row: {
            side: {"size": figures.size, "values": [_rounded(value) for value in figures.values], "note": figures.note}
            for side, figures in sides.items()
        }
        for row, sides in results.items()
    }


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def unpacked(saved: dict[str, dict[str, dict[str, object]]]) -> Results:
    """The figures of an earlier run."""
    return {row: {side: Figures(**one) for side, one in sides.items()} for row, sides in saved.items()}  # type: ignore[arg-type]


def earlier(file: Path) -> Results:
    """What was measured before; rows that `--only` leaves out keep it."""
    return unpacked(json.loads(file.read_text())["rows"]) if file.exists() else {}


def write(results: Results, others: Sequence[Peer], rounds: int, to: Path = ROOT) -> None:
    """Write all three; `results` has the rows of this run, others are kept as they were."""
    merged = earlier(to / RESULTS) | results
    merged = {row.id: merged[row.id] for row in ROWS if row.id in merged}
    rows = [row for row in ROWS if row.id in merged]
    said = machine(rounds)
    names = [peer.name for peer in others]
    document = {
        "measured": said,
        "peers": {peer.name: list(peer.install) for peer in others},
        "rows": packed(merged),
    }
    _write(to / RESULTS, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    _write(to / TABLE, table.markdown(rows, merged, names, said))
    _write(to / CHART, chart.svg(rows, merged))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
