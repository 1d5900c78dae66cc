"""Tables, chart and results file, from figures that are made up."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import chart, report, table
from benchmarks.arithmetic import Figures
from benchmarks.peers import peers
from benchmarks.rows import ROWS
from benchmarks.runner import ROOT, Results

W1, W5 = (next(row for row in ROWS if row.id == name) for name in ("W1", "W5"))
RESULTS: Results = {
    "W1": {
        "await + events": Figures(1000, [2.0]),
        "a task a step": Figures(1000, [8.0]),
        "stepwell": Figures(1000, [4.0, 5.0, 6.0]),
        "slow": Figures(100, [50.0]),
        "none": Figures(1000, note="has no steps"),
    },
    "W5": {"inline commits": Figures(1000, [1000.0]), "stepwell": Figures(1000, [500.0])},
}


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "—"), (0.0, "0"), (0.12345, "0.123"), (5.0, "5"), (345678.9, "346,000"), (999.6, "1,000"), (-2.5, "-2.5")],
)
def test_a_figure_has_three_digits(value: float | None, text: str) -> None:
    assert table.short(value) == text


def test_a_line_has_median_spread_ratio_goal_and_verdict() -> None:
    cells = table.cells(W1, RESULTS["W1"])
    assert cells[2:] == ["5", "4–6", "await + events 2", "2.5 ×", "≤ 6 and ≤ a task a step", "met"]
    assert table.cells(W5, RESULTS["W5"])[-1] == "missed 1.5 ×"


def test_the_terminal_shows_peers_with_their_size_or_their_reason() -> None:
    text = table.text([W1, W5], RESULTS)
    assert "slow: 50, 10 × Stepwell's cost, at 100" in text
    assert "none: — (has no steps)" in text


def test_the_manual_shows_all_figures_and_why_some_are_missing() -> None:
    text = table.markdown([W1, W5], RESULTS, ["slow", "none"], "Measured somewhere.")
    assert "| 5 | 50 (100) | — |" in text
    assert "- W1, none: has no steps" in text


def test_the_chart_is_a_picture_with_a_dot_for_each_side() -> None:
    root = ElementTree.fromstring(chart.svg([W1, W5], RESULTS))
    dots = [dot.get("class") for dot in root.iter("{http://www.w3.org/2000/svg}circle")]
    assert dots == ["limit", "stepwell", "peer", "limit", "stepwell"]


def test_rows_that_were_not_measured_again_are_kept(tmp_path: Path) -> None:
    report.write(RESULTS, [], 3, tmp_path)
    report.write({"W5": {"stepwell": Figures(1000, [700.0])}}, [], 1, tmp_path)
    saved = report.unpacked(json.loads((tmp_path / report.RESULTS).read_text())["rows"])
    assert saved == {"W1": RESULTS["W1"], "W5": {"stepwell": Figures(1000, [700.0])}}
    assert "| W1 |" in (tmp_path / report.TABLE).read_text()
    assert (tmp_path / report.CHART).exists()


def test_what_is_written_names_no_folder_of_this_machine(tmp_path: Path) -> None:
    report.write(RESULTS, peers(), 1, tmp_path)
    written = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert str(ROOT) not in written
    assert str(Path.home()) not in written
