"""What the deciding core may not do: look at a clock, wait, touch the world, or grow the stack with the graph."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from .blueprint import Fault, House, SourceFile

ROOMS_WITHOUT_RECURSION = frozenset({"graph", "plan", "engine", "state"})

PURE = ("engine.decide", "state")
"""The decision and the fold. A name also stands for the files that begin with it."""

IMPURE = frozenset({
    "asyncio", "datetime", "io", "logging", "os", "pathlib", "random", "secrets", "socket", "sqlite3", "subprocess",
    "tempfile", "threading", "time", "uuid",
})  # fmt: skip


def _is_pure(file: SourceFile) -> bool:
    return file.place.startswith(PURE[0]) or file.room == PURE[1]


def the_core_imports_nothing_impure(house: House) -> list[Fault]:
    way_out = "take `now`, chance and the outside world as arguments; act in the runner"
    return [
        file.fault(one.line, f"the pure core imports `{one.module}`", way_out)
        for file in house
        if _is_pure(file)
        for one in house.imports[file.module]
        if one.top in IMPURE
    ]


def the_core_never_waits(house: House) -> list[Fault]:
    return [
        file.fault(node.lineno, "the pure core waits", "return a command; the runner awaits")
        for file in filter(_is_pure, house)
        for node in ast.walk(file.tree)
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith)
    ]


def nothing_recurses(house: House) -> list[Fault]:
    """A graph of 10,000 steps in a row must not be walked on the stack: a call of oneself, also round a corner."""
    faults: list[Fault] = []
    for file in house:
        if file.room not in ROOMS_WITHOUT_RECURSION:
            continue
        calls = dict(_calls(file.tree, ""))
        lines = {name: line for name, (line, _) in calls.items()}
        try:
            TopologicalSorter({name: called & calls.keys() for name, (_, called) in calls.items()}).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1][::-1]
            what = f"recursion: {' -> '.join(circle)}"
            faults.append(
                file.fault(lines[circle[0]], what, "walk with a list of what is left to do, or in plan order")
            )
    return faults


def _calls(scope: ast.AST, owner: str) -> Iterator[tuple[str, tuple[int, set[str]]]]:
    """Each function as `name`, each method as `Class.name`, with its line and what it calls by such a name."""
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.ClassDef):
            yield from _calls(node, f"{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{owner}{node.name}", (node.lineno, _called(node, owner))
            yield from _calls(node, "")
        else:
            yield from _calls(node, owner)


def _called(function: ast.AST, owner: str) -> set[str]:
    """What is called by name, but for what is handed to a new task: that has a stack of its own."""
    spawned = {
        id(given)
        for one in ast.walk(function)
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == "create_task"
        for given in one.args
    }
    calls = [one for one in ast.walk(function) if isinstance(one, ast.Call) and id(one) not in spawned]
    return {name for one in calls for name in _name(one.func, owner)}


def _name(called: ast.expr, owner: str) -> Iterator[str]:
    if isinstance(called, ast.Name):
        yield called.id
    elif isinstance(called, ast.Attribute) and getattr(called.value, "id", "") in ("self", "cls"):
        yield f"{owner}{called.attr}"
