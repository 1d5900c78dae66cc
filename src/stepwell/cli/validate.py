"""`stepwell validate TARGET`: all that is wrong with a pipeline, at once, with file and line; nothing runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from cyclopts import Parameter

from stepwell.api.recovery import warnings
from stepwell.api.targets import find_targets
from stepwell.cli import completions, exits
from stepwell.cli.options import Json, nearby
from stepwell.cli.streams import guarded
from stepwell.cli.terminal import Terminal, look, wrapped
from stepwell.errors import DefinitionError, Problem
from stepwell.plan.plan import Plan
from stepwell.views.words import plural

_MEANT = re.compile(r"did you mean (?:the step )?`([^`]+)`")
Target_ = Annotated[
    str,
    Parameter(name="TARGET", metavar="TARGET", completer=completions.targets,
              help="file.py, file.py:name, package.module or package.module:name."),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one pipeline came to; `plan` is None where something is wrong with it."""

    target: str
    name: str
    plan: Plan | None = None
    problems: Sequence[Problem] = ()
    warned: Sequence[str] = field(default=())


def validate(target: Target_, /, *, json: Json = False) -> int:
    """Check a pipeline, or each of those in a file: references, types, routes, conditions, cycles.

    Everything that is wrong is told at once, and the exit code is then 3. The file is loaded, and no step runs.
    """
    with guarded() as out:
        verdicts = _verdicts(target)
        wrong = sum(len(one.problems) for one in verdicts)
        if json:
            out.versioned({"valid": not wrong, "pipelines": [_document(one) for one in verdicts]})
        else:
            terminal = look(out.stream)
            out.text("\n".join(line for one in verdicts for line in _lines(one, terminal)))
    return exits.INVALID if wrong else exits.OK


def _verdicts(text: str) -> list[Verdict]:
    """A definition that cannot even be written down fails while its file is loaded: then that is all there is."""
    try:
        targets = find_targets(text)
    except DefinitionError as error:
        return [Verdict(text, "", problems=error.problems)]
    found: list[Verdict] = []
    for one in targets:
        try:
            plan = one.pipeline.compile()
        except DefinitionError as error:
            found.append(Verdict(one.kept, one.pipeline.name, problems=error.problems))
        else:
            warned = [message for _, message in warnings(plan, durable=True)]
            found.append(Verdict(one.kept, plan.name, plan, warned=warned))
    return found


def _lines(verdict: Verdict, terminal: Terminal) -> Iterator[str]:
    for problem in verdict.problems:
        place = f"{_near(problem.file)}:{problem.line}:" if problem.file else ""
        step = f"step `{problem.step}`: " if problem.step else ""
        head = " ".join(filter(None, [place, terminal.paint("error:", "red")]))
        yield from wrapped(head, f"{step}{problem.message}", terminal)
    for message in verdict.warned:
        yield from wrapped(terminal.paint("warning:", "yellow"), message, terminal)
    name = verdict.name or verdict.target
    if verdict.plan is None:
        yield from wrapped(f"{terminal.paint(name, 'red')}:", plural(len(verdict.problems), "error"), terminal)
        return
    inputs = sum(spec.required for spec in verdict.plan.inputs.values())
    counts = [
        plural(len(verdict.plan.steps), "step"),
        f"{plural(len(verdict.plan.inputs), 'input')} ({inputs} required)",
    ]
    counts += [plural(len(verdict.warned), "warning")] if verdict.warned else []
    yield from wrapped(f"{terminal.paint(name, 'green')}:", ", ".join(["ok", *counts]), terminal)


def _near(file: str) -> str:
    from pathlib import Path

    return nearby(Path(file))


def _document(verdict: Verdict) -> dict[str, object]:
    plan = verdict.plan
    return {
        "target": verdict.target,
        "pipeline": verdict.name,
        "valid": plan is not None,
        "steps": None if plan is None else len(plan.steps),
        "inputs": None if plan is None else list(plan.inputs),
        "problems": [_problem(one) for one in verdict.problems],
        "warnings": list(verdict.warned),
    }


def _problem(problem: Problem) -> dict[str, object]:
    meant = _MEANT.search(problem.message)
    return {
        "file": problem.file or None,
        "line": problem.line or None,
        "step": problem.step or None,
        "message": problem.message,
        "suggestion": meant[1] if meant else None,
    }
