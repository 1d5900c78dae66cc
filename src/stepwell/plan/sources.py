"""Source files as fingerprints see them: what each defines and imports, parsed once for each state of the file."""

from __future__ import annotations

import ast
import linecache
import threading
from bisect import bisect_right
from pathlib import Path
from types import CodeType, FunctionType

from stepwell.plan.syntax import FunctionNode, Imports, Piece, note_imports, piece

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Source:
    """One file: its definitions by name, its imports, and the pieces of those that were asked for."""

    def __init__(self, path: str, tree: ast.Module) -> None:
        self.path = path
        self.defined: dict[str, list[ast.AST]] = {}
        self.imports: Imports = {}
        self._statements: list[ast.stmt] = []
        self._pieces: dict[object, Piece] = {}
        self._functions: dict[int, list[FunctionNode]] = {}
        self._index(tree)
        self._statements.sort(key=_first_line)
        self._lines = [_first_line(statement) for statement in self._statements]

    def _index(self, tree: ast.Module) -> None:
        """Every statement that is executed when the file is, also those in `if`, `try`, `with` and loops."""
        left: list[ast.stmt] = list(tree.body)
        while left:
            node = left.pop()
            self._statements.append(node)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self._define([node.name], node)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                note_imports(node, self.imports)
            else:
                self._define(_assigned(node), node)
                left.extend(_inside(node))

    def _define(self, names: list[str], node: ast.AST) -> None:
        for name in names:
            self.defined.setdefault(name, []).append(node)

    def piece(self, name: str) -> Piece:
        """The definition of this name as a piece."""
        known = self._pieces.get(name)
        if known is None:
            nodes = sorted(self.defined[name], key=lambda node: getattr(node, "lineno", 0))
            known = self._pieces[name] = piece(nodes)
        return known

    def function(self, code: CodeType) -> Piece | None:
        """The function that this code was compiled from, without its decorators; None where it is not here any more."""
        nodes = _narrowed(self._candidates(code), code)
        if not nodes:
            return None
        mark = tuple((node.lineno, node.col_offset) for node in nodes)
        known = self._pieces.get(mark)
        if known is None:
            known = self._pieces[mark] = piece(nodes, undecorated=True)
        return known

    def text(self, code: CodeType) -> str:
        """How the value of a lambda reads; "" where it is not certain which it is."""
        nodes = _narrowed(self._candidates(code), code)
        return ast.unparse(nodes[0].body) if len(nodes) == 1 and isinstance(nodes[0], ast.Lambda) else ""

    def _candidates(self, code: CodeType) -> list[FunctionNode]:
        line, name = code.co_firstlineno, code.co_name
        place = bisect_right(self._lines, line) - 1
        if place < 0:
            return []
        statement = self._statements[place]
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and self._lines[place] == line:
            return [statement] if statement.name == name else []
        if place not in self._functions:
            inside = ast.walk(statement)
            self._functions[place] = [node for node in inside if isinstance(node, _FUNCTIONS)]
        return [
            node
            for node in self._functions[place]
            if _first_line(node) == line and ("<lambda>" if isinstance(node, ast.Lambda) else node.name) == name
        ]


def read(path: str) -> Source | None:
    """The source at this path, or of a cell of a notebook; None where there is none, or it is no Python.

    A file is read again only when it has changed on disk.
    """
    try:
        status = Path(path).stat()
        state: object = (status.st_mtime_ns, status.st_size)
    except (OSError, ValueError):
        state = "".join(linecache.getlines(path))  # where a notebook keeps its cells
    known = _parsed.pop(path, None)
    if known is None or known[0] != state:
        known = (state, _parse(path, state))
    with _keeping:
        _parsed[path] = known
        if len(_parsed) > MOST_FILES:
            del _parsed[next(iter(_parsed))]
    return known[1]


def lambda_text(function: object) -> str:
    """How the value of a lambda reads in the source; "" for anything else."""
    if not isinstance(function, FunctionType) or function.__name__ != "<lambda>":
        return ""
    source = read(function.__code__.co_filename)
    return "" if source is None else source.text(function.__code__)


_parsed: dict[str, tuple[object, Source | None]] = {}
"""The files that were read, with the state they were read in; the one that was asked for last is the last."""

_keeping = threading.Lock()
"""Pipelines may be compiled in several threads."""

MOST_FILES = 256
"""How many of them are kept: a syntax tree takes a hundred times the room of its text."""


def _parse(path: str, state: object) -> Source | None:
    try:
        if isinstance(state, str):
            return Source(path, ast.parse(state)) if state else None
        return Source(path, ast.parse(Path(path).read_bytes()))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _first_line(node: ast.stmt | ast.expr) -> int:
    """Where the code of a function begins: at its first decorator."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)]) if decorators else node.lineno


def _narrowed(nodes: list[FunctionNode], code: CodeType) -> list[FunctionNode]:
    """Of several lambdas in one line those that have the code's places; all of them where Python keeps no places."""
    if len(nodes) < 2:
        return nodes
    places = {(line, column) for line, _, column, _ in code.co_positions()}
    within: list[FunctionNode] = [
        node for node in nodes if isinstance(node, ast.Lambda) and _place(node.body) in places
    ]
    return within or nodes


def _place(node: ast.expr) -> tuple[int | None, int | None]:
    return node.lineno, node.col_offset


def _inside(node: ast.stmt) -> list[ast.stmt]:
    """The statements of a compound statement."""
    found: list[ast.stmt] = []
    for field in ("body", "orelse", "finalbody"):
        found.extend(getattr(node, field, []))
    for field in ("handlers", "cases"):
        for block in getattr(node, field, []):
            found.extend(block.body)
    return found


def _assigned(node: ast.stmt) -> list[str]:
    """Names that a statement gives a value, or changes by item or attribute; those of its header, if it has a body."""
    targets: list[ast.expr] = list(getattr(node, "targets", []))
    targets += [one for field in ("target", "name") if isinstance(one := getattr(node, field, None), ast.expr)]
    targets += [one.optional_vars for one in getattr(node, "items", []) if one.optional_vars is not None]
    names: list[str] = []
    while targets:
        target = targets.pop()
        if isinstance(target, ast.Name):
            names.append(target.id)
        elif isinstance(target, (ast.Tuple, ast.List)):
            targets.extend(target.elts)
        elif isinstance(target, (ast.Attribute, ast.Subscript, ast.Starred)):
            targets.append(target.value)
    return names
