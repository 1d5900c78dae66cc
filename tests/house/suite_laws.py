"""How the tests themselves are written: names that are sentences, skips that say why."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from .blueprint import Fault

WORDS = 3


def names_are_sentences(tests: Path) -> list[Fault]:
    faults: list[Fault] = []
    for where, tree in _suite(tests):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                words = [word for word in node.name.split("_")[1:] if word]
                if len(words) < WORDS:
                    way_out = "say what holds: `test_a_step_that_failed_runs_again`"
                    faults.append(Fault(where, node.lineno, f"`{node.name}` is no sentence", way_out))
    return faults


def skips_give_a_reason(tests: Path) -> list[Fault]:
    faults: list[Fault] = []
    for where, tree in _suite(tests):
        called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                silent = _dotted(node) in _BARE and id(node) not in called
            else:
                silent = isinstance(node, ast.Call) and _lacks_reason(node)
            if silent:
                line = getattr(node, "lineno", 1)
                way_out = "say why, in words: reason="
                faults.append(Fault(where, line, "a skip or an expected failure without a reason", way_out))
    return faults


_BARE = ("pytest.mark.skip", "pytest.mark.xfail")
_POSITION_OF_REASON = {"pytest.skip": 0, "pytest.xfail": 0, "pytest.mark.skip": 0}
"""Calls that take a reason; the others of the family take it by name only."""


def _lacks_reason(call: ast.Call) -> bool:
    name = _dotted(call.func)
    if name not in (*_POSITION_OF_REASON, "pytest.mark.skipif", "pytest.mark.xfail"):
        return False
    given: list[ast.expr] = [keyword.value for keyword in call.keywords if keyword.arg in ("reason", "msg")]
    given += call.args[: _POSITION_OF_REASON.get(name, -1) + 1]
    return not any(not isinstance(reason, ast.Constant) or str(reason.value or "").strip() for reason in given)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _suite(tests: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(tests.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        yield path.relative_to(tests.parent).as_posix(), ast.parse(text, str(path))
