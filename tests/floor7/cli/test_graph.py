"""`stepwell graph`: a pipeline, or a run, as a drawing, as text for other programs and as data (N1, N2, N3, O2)."""

from __future__ import annotations

import json
from typing import Any

import pytest

SWITCH = """from stepwell import Pipeline
pipe = Pipeline("choose")
@pipe.step
def items() -> list[int]:
    return [1, 2]
@pipe.map(over=items)
def each(item: int) -> int:
    return item
@pipe.switch(to={"small": "brief", "large": "survey"})
def size(each: list[int]) -> str:
    return "small"
@pipe.step
def brief() -> int:
    return 1
@pipe.step
def survey() -> int:
    return 2
@pipe.step(when=lambda brief: False)
def report(brief: int = 0, survey: int = 0) -> int:
    return 1
"""


@pytest.fixture
def choose(desk: Any) -> str:
    desk.write("choose.py", SWITCH)
    return "choose.py"


def test_a_drawing_for_the_terminal_is_the_default(desk: Any, choose: str) -> None:
    """N1."""
    assert desk("graph", choose).out.splitlines() == [
        "choose",
        "○ items",
        "○ each  (map)",
        "○ size  (switch)",
        "├─○ brief  [size: small]",
        "└─○ survey  [size: large]",
        "○ report  after brief, survey",
    ]


def test_of_a_run_the_drawing_shows_what_became_of_each_step(desk: Any, choose: str) -> None:
    """N1, O2: out of the record alone, without the code."""
    done = desk("run", choose, "-q")
    assert done.code == 0
    run_id = desk("ls", "--json").document["runs"][0]["run_id"]
    (desk.folder / choose).unlink()
    assert desk("graph", "last").out.splitlines() == [
        f"choose  run {run_id}  completed",
        "✓ items",
        "✓ each  (map, 2/2 items)",
        "✓ size  (switch)",
        "├─✓ brief  [size: small]",
        "└─– survey  pruned",
        "– report  skipped  after brief, survey",
    ]


def test_a_run_can_be_laid_over_its_target(desk: Any, choose: str) -> None:
    desk("run", choose, "-q")
    found = desk("graph", choose, "--run", "last", "--json").document
    nodes = {one["name"]: one for one in found["nodes"]}
    assert (nodes["each"]["status"], nodes["each"]["label"]) == ("completed", "Each")
    routes = {one["target"]: (one["label"], one["untaken"]) for one in found["edges"] if one["kind"] == "route"}
    assert routes == {"brief": ("small", False), "survey": ("large", True)}
    desk.write("other.py", SWITCH.replace("choose", "other"))
    other = desk("graph", "other.py", "--run", "last")
    assert other.code == 2
    assert "is of pipeline `choose`" in other.err


def test_mermaid_and_dot_are_text_for_other_programs(desk: Any, choose: str) -> None:
    """N1, N2."""
    drawn = desk("graph", choose, "--format", "mermaid").out
    assert "flowchart TD" in drawn
    assert '    s2 -->|"small"| s3' in drawn
    assert desk("graph", choose, "--format", "dot").out.startswith('digraph "choose" {')
    assert "s0 -> s1" in desk("graph", choose, "--format", "dot").out


def test_json_is_one_document_however_it_is_asked_for(desk: Any, choose: str) -> None:
    """N3."""
    found = desk("graph", choose, "--json").document
    assert found == json.loads(desk("graph", choose, "--format", "json").out)
    assert (found["schema_version"], found["run_id"], found["pipeline"]) == (1, None, "choose")


def test_where_there_is_no_unicode_the_drawing_is_ascii(desk: Any, choose: str) -> None:
    done = desk.apart("graph", choose, env={**__import__("os").environ, "PYTHONIOENCODING": "ascii", "CI": "1"})
    assert done.out.isascii()
    assert "|-o brief" in done.out


def test_a_narrow_terminal_gets_lines_that_fit(desk: Any, choose: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    assert max(map(len, desk("graph", choose).out.splitlines())) <= 20


def test_a_run_over_a_run_makes_no_sense(desk: Any, choose: str) -> None:
    desk("run", choose, "-q")
    assert desk("graph", "last", "--run", "last").code == 2
