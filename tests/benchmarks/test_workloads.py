"""Each workload at a tiny size, so that the benchmarks cannot rot; the peers' scripts, as far as they can be read."""

import re
import sys
from pathlib import Path

import pytest

from benchmarks import disk, runner
from benchmarks.arithmetic import Figures
from benchmarks.peers import TABLE, peers
from benchmarks.rows import ROWS, Row
from benchmarks.sample import sides_of

pytestmark = pytest.mark.xdist_group("benchmarks")


@pytest.mark.parametrize(("row", "side"), [(row, side) for row in ROWS for side in ("stepwell", *row.limits)],
                         ids=lambda part: part.id if isinstance(part, Row) else part)  # fmt: skip
def test_each_side_of_each_workload_gives_a_figure(row: Row, side: str) -> None:
    """S11."""
    assert sides_of(row.id)[side](row.sizes[2]) >= 0


def test_a_workload_has_the_sides_that_its_row_names_and_no_others() -> None:
    for row in ROWS:
        assert set(sides_of(row.id)) == {"stepwell", *row.limits}, row.id


def test_a_sample_is_a_process_of_its_own_that_answers_with_a_value() -> None:
    figures = Figures(20)
    runner.take(figures, runner.own(ROWS[0], "plain await", 20), runner.Care(budget=0.0))
    assert len(figures.values) == 1
    assert not figures.note


def test_a_sample_that_takes_too_long_is_cut_off_and_not_asked_again() -> None:
    figures = Figures(20)
    forever = [sys.executable, "-c", "while True: pass"]
    runner.take(figures, forever, runner.Care(limit=0.2))
    runner.take(figures, ["no such command"])
    assert figures.note == "cut off after 0 s"
    assert not figures.values


def test_a_sample_that_breaks_says_how_it_ended() -> None:
    assert runner.sample([sys.executable, "-c", "raise SystemExit('out of luck')"]) == {
        "failed": "ended with 1: out of luck"
    }


def test_one_that_was_to_die_in_the_middle_and_did_not_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"was to die by os._exit\(7\), and ended with 1"):
        disk.die("benchmarks.no_such_module", 1, tmp_path)


def test_each_peer_has_a_script_and_speaks_of_rows_that_there_are() -> None:
    known = {row.id for row in ROWS}
    scripts = {path.stem for path in (TABLE.parent / "peers").glob("[a-z]*.py")}
    assert scripts == {peer.name.replace("-", "_") for peer in peers()}
    for peer in peers():
        text = (TABLE.parent / "peers" / f"{peer.name.replace('-', '_')}.py").read_text()
        assert set(re.findall(r'"(W\d+[\w.]*)"', text)) <= known, peer.name
        assert set(peer.sizes) <= known, peer.name
        assert all("==" in requirement for requirement in peer.install), peer.name
