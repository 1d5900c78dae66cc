"""`stepwell validate`: everything that is wrong, at once, with file, line and what was meant (A9, A10, A11, A12)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

BAD = """from stepwell import Pipeline

pipe = Pipeline("bad")

@pipe.step
def collect() -> list[str]:
    return []

@pipe.step(after="colect")
def report() -> int:
    return 1

@pipe.step(after="two")
def one() -> int:
    return 1

@pipe.step(after="one")
def two() -> int:
    return 2
"""
TWO = """from stepwell import Pipeline
print("this is printed while the file is loaded")
good, other = Pipeline("good"), Pipeline("other")
@good.step
def a() -> int:
    return 1
@other.step(after="b")
def a() -> int:
    return 1
"""


def test_a_pipeline_that_is_right_is_one_line(desk: Any, digest: Path) -> None:
    done = desk("validate", digest)
    assert (done.code, done.out) == (0, "digest: ok, 3 steps, 5 inputs (1 required)\n")
    assert list(desk.folder.glob(".stepwell*")) == []


def test_all_that_is_wrong_is_told_with_file_and_line(desk: Any) -> None:
    """A9, A10, A12: a reference that leads nowhere and a circle, both at once; exit code 3."""
    desk.write("bad.py", BAD)
    done = desk("validate", "bad.py")
    assert done.code == 3
    lines = done.out.splitlines()
    assert any(line.startswith("bad.py:9: error:") and "did you mean `collect`?" in line for line in lines)
    assert any("one -> two -> one" in line or "two -> one -> two" in line for line in lines)
    assert lines[-1] == "bad: 2 errors"


def test_the_document_has_place_message_and_suggestion(desk: Any) -> None:
    desk.write("bad.py", BAD)
    done = desk("validate", "bad.py", "--json")
    assert done.code == 3
    assert (done.document["schema_version"], done.document["valid"]) == (1, False)
    (pipeline,) = done.document["pipelines"]
    problem = next(one for one in pipeline["problems"] if one["step"] == "report")
    assert problem["file"] == str(desk.folder / "bad.py")
    assert (problem["line"], problem["suggestion"]) == (9, "collect")


def test_each_pipeline_of_a_file_is_checked(desk: Any) -> None:
    """A file with several of them says so of each, and one that is wrong makes the exit code."""
    desk.write("two.py", TWO)
    done = desk("validate", "two.py")
    assert done.code == 3
    assert "good: ok, 1 step, 0 inputs (0 required)" in done.out.splitlines()
    assert done.out.splitlines()[-1] == "other: 1 error"
    assert "printed while" in done.err
    only = desk("validate", "two.py:good")
    assert (only.code, only.out.splitlines()) == (0, ["good: ok, 1 step, 0 inputs (0 required)"])
    found = desk("validate", "two.py", "--json").document["pipelines"]
    assert [(one["pipeline"], one["valid"]) for one in found] == [("good", True), ("other", False)]
    assert found[0]["target"] == f"{desk.folder / 'two.py'}:good"


def test_warnings_are_told_and_are_no_errors(desk: Any) -> None:
    desk.write("w.py", "from stepwell import Pipeline\npipe = Pipeline('w')\n"
               "@pipe.step\ndef collect() -> int:\n    return 1\n"
               "@pipe.step\ndef report(colect: int = 3) -> int:\n    return colect\n")  # fmt: skip
    done = desk("validate", "w.py")
    assert done.code == 0
    assert done.out.startswith("warning: ")
    assert "1 warning" in done.out.splitlines()[-1]
    assert len(desk("validate", "w.py", "--json").document["pipelines"][0]["warnings"]) == 1


def test_what_cannot_even_be_written_down_is_told_too(desk: Any) -> None:
    """A11: two steps of one name fail while the file is loaded."""
    desk.write("twice.py", "from stepwell import Pipeline\npipe = Pipeline('twice')\n"
               "@pipe.step\ndef a() -> int:\n    return 1\n"
               "@pipe.step\ndef A() -> int:\n    return 1\n")  # fmt: skip
    done = desk("validate", "twice.py")
    assert done.code == 3
    assert "twice.py:6: error:" in done.out
    assert desk("validate", "twice.py", "--json").document["valid"] is False


def test_no_such_target_is_another_exit_code(desk: Any) -> None:
    done = desk("validate", "nosuch.py")
    assert (done.code, done.out) == (4, "")
    assert "there is no file" in done.err
