"""Conditions as text: what they can say, and that they lead nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import BaseModel

from stepwell import DefinitionError, Pipeline
from stepwell.conditions.simple import compile_condition


@dataclass
class Built:
    rows: int
    files: list[str]


class Note(BaseModel):
    words: int


@pytest.mark.parametrize(
    ("text", "values", "answer"),
    [
        ("steps.build.output.rows > 0", {"build": Built(1, [])}, True),
        ("steps.build.output.rows > 0 and not dry", {"build": Built(1, []), "dry": True}, False),
        ("len(steps.build.output.files) == 2", {"build": Built(0, ["a", "b"])}, True),
        ("note.words >= 3", {"note": Note(words=2)}, False),
        ("mode in ['fast', 'slow']", {"mode": "slow"}, True),
        ("kind == 'x' or count % 2 == 0", {"kind": "y", "count": 3}, False),
        ("folder == 'docs'", {"folder": Path("docs")}, True),
        ("nothing is None", {"nothing": None}, True),
    ],
)
def test_a_condition_looks_at_outputs_and_inputs(text: str, values: dict[str, object], answer: bool) -> None:
    """B8: what a condition sees is JSON-like data."""
    holds, names, _ = compile_condition(text)
    assert set(names) == set(values)
    assert holds(**values) is answer


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "a >", "x" * 2000, "steps", "steps.build", "steps.build.status == 'done'", "a.__class__",
        "open('/etc/passwd')",
        "().__class__.__bases__", "[x for x in a]", "(lambda: 1)()", "a.upper()", "(b := 1)", "__import__('os')",
    ],
)  # fmt: skip
def test_a_condition_that_is_wrong_or_leads_out_is_refused_when_it_is_read(text: str) -> None:
    with pytest.raises(ValueError, match="condition"):
        compile_condition(text)


def test_a_step_with_a_condition_in_words_is_skipped_when_it_is_false() -> None:
    """B8: the condition's names wait for their steps like parameters do."""
    pipe = Pipeline("words", output="report")

    @pipe.step(runs_on="inline")
    def build(rows: int) -> Built:
        return Built(rows, [])

    @pipe.step(when="steps.build.output.rows > least", runs_on="inline")
    def plots(least: int) -> str:
        return f"plots over {least}"

    @pipe.step(runs_on="inline")
    def report(plots: str = "no plots") -> str:
        return plots

    assert pipe.run_sync(rows=2, least=1).output == "plots over 1"
    skipped = pipe.run_sync(rows=1, least=1)
    assert skipped.output == "no plots"
    assert skipped.steps["plots"].reason == "when_false: steps.build.output.rows > least"


def test_a_condition_that_names_nothing_known_is_an_input_like_any_other() -> None:
    pipe = Pipeline("words")

    @pipe.step(when="least > 1")
    def plots() -> str:
        return "plots"

    assert "least" in pipe.compile().inputs


def test_a_condition_that_cannot_be_read_is_a_problem_of_its_step() -> None:
    """A10, A12: told with the others, when the pipeline is compiled."""
    pipe = Pipeline("words")

    @pipe.step(when="steps.bild.output >")
    def plots() -> str:
        return "plots"

    with pytest.raises(DefinitionError, match=r"plots.*cannot be read"):
        pipe.compile()
