"""The source as the laws see it: files, their imports, and the floors that pyproject.toml gives to rooms.

pyproject.toml ──► Floors ┐
src/stepwell/** ──► SourceFile, Import ┴─► House ──► a law ──► [Fault]
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "stepwell"

STANDARD_LIBRARY = sys.stdlib_module_names | {"annotationlib", "compression"}
"""Also what came with Python 3.14, so that the law is the same on every Python."""

Floors = Sequence[frozenset[str]]
"""From the top floor to the ground, the rooms of each."""


@dataclass(frozen=True)
class Fault:
    """One breach of a law: where it is, what it is, and the way out."""

    where: str
    line: int
    what: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.where}:{self.line}: {self.what}\n    -> {self.way_out}"


def none(faults: Sequence[Fault]) -> None:
    """Fail the test with every fault in its own lines."""
    assert not faults, "\n".join(["the law is broken:", *map(str, faults)])


@dataclass(frozen=True)
class Import:
    """One module that a file imports, in whatever form, resolved to a file of ours where it is one."""

    module: str
    line: int

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]


@dataclass(frozen=True)
class SourceFile:
    """One file of the package, parsed."""

    path: Path
    where: str
    module: str
    text: str
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def is_face(self) -> bool:
        return self.module == PACKAGE

    @property
    def room(self) -> str:
        """First part of the name below the package; the face is in no room and has the empty name."""
        return room_of(self.module)

    @property
    def place(self) -> str:
        """Name below the package: `journal.sqlite`."""
        return self.module.removeprefix(PACKAGE).removeprefix(".")

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def fault(self, line: int, what: str, way_out: str) -> Fault:
        return Fault(self.where, line, what, way_out)


def room_of(module: str) -> str:
    return module.split(".")[1] if module.startswith(f"{PACKAGE}.") else ""


class House:
    """All files of the package and the floors they stand on."""

    def __init__(self, source: Path, floors: Floors) -> None:
        """Read every Python file below `source`, the folder of the package itself."""
        self.source = source
        self.floors = floors
        read = [self._read(path) for path in sorted(source.rglob("*.py"))]
        self.files = {file.module: file for file in read}

    def _read(self, path: Path) -> SourceFile:
        parts = [PACKAGE, *path.relative_to(self.source).with_suffix("").parts]
        if parts[-1] == "__init__":
            parts.pop()
        where = path.relative_to(self.source.parent.parent).as_posix()
        text = path.read_text(encoding="utf-8")
        return SourceFile(path, where, ".".join(parts), text, ast.parse(text, str(path)))

    def __iter__(self) -> Iterator[SourceFile]:
        return iter(self.files.values())

    def floor_of(self, room: str) -> int | None:
        """Height of a room: 0 is the ground. None where pyproject.toml gives it no floor."""
        for height, rooms in enumerate(reversed(self.floors)):
            if room in rooms:
                return height
        return None

    @cached_property
    def rooms(self) -> frozenset[str]:
        return frozenset(file.room for file in self if file.room)

    @cached_property
    def imports(self) -> dict[str, list[Import]]:
        """By module, all that it imports: also inside functions, under TYPE_CHECKING and by `import_module`."""
        return {file.module: list(self._imports_of(file)) for file in self}

    def _imports_of(self, file: SourceFile) -> Iterator[Import]:
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Import):
                yield from (Import(alias.name, node.lineno) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = _absolute(file, node)
                for alias in node.names:
                    deeper = f"{base}.{alias.name}"
                    yield Import(deeper if self._exists(deeper) else base, node.lineno)
            elif isinstance(node, ast.Call) and (name := _imported_by_call(node)):
                yield Import(name, node.lineno)

    def _exists(self, module: str) -> bool:
        return module in self.files or any(name.startswith(f"{module}.") for name in self.files)


def _absolute(file: SourceFile, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = file.module.split(".")
    up = node.level - 1 if file.is_package else node.level
    return ".".join([*parts[: len(parts) - up], *([node.module] if node.module else [])])


def _imported_by_call(node: ast.Call) -> str:
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if called not in ("import_module", "__import__") or not node.args:
        return ""
    name = node.args[0]
    return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else ""


def own_imports(house: House) -> Iterator[tuple[SourceFile, Import]]:
    """Each import of one of our modules, with the file it is in."""
    for file in house:
        yield from ((file, one) for one in house.imports[file.module] if one.top == PACKAGE)


def foreign_imports(house: House) -> Iterator[tuple[SourceFile, Import]]:
    """Each import of a third party."""
    for file in house:
        for one in house.imports[file.module]:
            if one.top != PACKAGE and one.top not in STANDARD_LIBRARY:
                yield file, one


def settings() -> dict[str, Any]:
    """What pyproject.toml says, as it stands."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def floors_in_pyproject() -> Floors:
    """The same list that import-linter reads, so that there is one."""
    (contract,) = settings()["tool"]["importlinter"]["contracts"]
    return [frozenset(re.findall(r"\w+", layer)) for layer in contract["layers"]]
