"""The face shows exactly what it lists, all of it explained, and importing it costs next to nothing."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from types import ModuleType
from typing import get_origin

import pytest

from .blueprint import PACKAGE, ROOT, Fault, House, none

FACE = "src/stepwell/__init__.py"

HEAVY = frozenset({
    "concurrent.futures.process", "ctypes", "email", "http", "importlib.metadata", "multiprocessing", "pdb",
    "sqlite3", "tempfile", "tomllib", "unittest", "urllib.request", "xml", "zipfile",
})  # fmt: skip
"""Parts of the standard library that neither msgspec nor asyncio needs, and no user who only imports us."""

WELCOME = frozenset({PACKAGE, "msgspec", "typing_extensions"})
"""Top-level packages that may come with the face; msgspec brings typing_extensions."""

ROOMS_LOADED_ON_DEMAND = ("cli", "dashboard", "testing", "journal.sqlite", "journal.postgres", "libraries")


@pytest.fixture(scope="module")
def face(house: House) -> ModuleType:
    if PACKAGE not in house.files:
        pytest.skip(reason=f"{FACE} is not there yet")
    return importlib.import_module(PACKAGE)


def _listed(face: ModuleType) -> list[str]:
    return [name for name in face.__all__ if not name.startswith("__") and hasattr(face, name)]


def test_the_list_of_the_face_is_what_it_exports(face: ModuleType, house: House) -> None:
    listed, shown = set(_listed(face)), _imported_names(house) | _bound_names(face)
    assert sorted(shown - listed) == [], f"{FACE} shows these and does not list them: add to __all__, or underscore"
    assert [name for name in face.__all__ if not hasattr(face, name)] == [], f"{FACE} lists what it does not have"
    assert len(face.__all__) == len(set(face.__all__)), f"{FACE} lists a name twice"


def _imported_names(house: House) -> set[str]:
    """Names that the face takes from its rooms, also under TYPE_CHECKING where the real import is lazy."""
    return {
        alias.asname or alias.name
        for node in ast.walk(house.files[PACKAGE].tree)
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith(PACKAGE))
        for alias in node.names
        if not (alias.asname or alias.name).startswith("_")
    }


def _bound_names(face: ModuleType) -> set[str]:
    return {
        name
        for name, value in vars(face).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isroutine(value))
        and str(value.__module__).partition(".")[0] == PACKAGE
    }


def test_every_name_of_the_face_has_a_docstring(face: ModuleType) -> None:
    way_out = "say what it is for, shapes and units, what it raises, with one runnable example"
    none(
        [
            Fault(FACE, 1, f"`{name}` has no docstring of its own", way_out)
            for name in _listed(face)
            if _can_have_docstring(getattr(face, name)) and not _own_docstring(getattr(face, name))
        ]
    )


def _can_have_docstring(value: object) -> bool:
    return get_origin(value) is None and (inspect.isclass(value) or inspect.isroutine(value))


def _own_docstring(value: object) -> str:
    """What was written for it: not what it inherits, nor the signature that `dataclass` puts there."""
    text = vars(value).get("__doc__") if inspect.isclass(value) else inspect.getdoc(value)
    written = str(text or "").strip()
    return "" if inspect.isclass(value) and written.startswith(f"{value.__name__}(") else written


def test_every_name_of_the_face_is_in_the_manual(face: ModuleType) -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    manual = "\n".join(page.read_text(encoding="utf-8") for page in pages if page.exists())
    words = set(re.findall(r"\w+", manual))
    way_out = "tell the user about it in README.md or docs/, or do not export it"
    none([Fault(FACE, 1, f"`{name}` is nowhere in the manual", way_out) for name in _listed(face) if name not in words])


def test_importing_the_face_loads_nothing_heavy(face: ModuleType) -> None:
    del face  # only asks that it is there; what counts is a fresh interpreter
    program = "import sys; before = set(sys.modules); import stepwell; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    guests = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names - WELCOME
    heavy = HEAVY.intersection(loaded)
    rooms = {name for name in loaded if name.removeprefix(f"{PACKAGE}.").startswith(ROOMS_LOADED_ON_DEMAND)}
    way_out = "import it inside the function that needs it, or by a lazy __getattr__ of the face"
    none([Fault(FACE, 1, f"`import stepwell` loads `{name}`", way_out) for name in sorted(guests | heavy | rooms)])


def test_the_face_defines_nothing_itself(house: House) -> None:
    if PACKAGE not in house.files:
        return
    face = house.files[PACKAGE]
    way_out = "the face re-exports only: write it in a room"
    none(
        [
            face.fault(node.lineno, f"`{node.name}` is defined in the face", way_out)
            for node in face.tree.body
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name not in ("__getattr__", "__dir__")
        ]
    )
