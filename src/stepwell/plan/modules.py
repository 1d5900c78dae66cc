"""Where the modules of a project are: found among files, never imported, so that what was imported changes nothing."""

from __future__ import annotations

import ast
import sys
from importlib.machinery import PathFinder
from pathlib import Path

from stepwell.plan.sources import Source, read

_LIBRARY_FOLDERS = frozenset({"site-packages", "dist-packages"})
_STDLIB = frozenset({Path(ast.__file__).parent, Path(ast.__file__).resolve().parent})
_OURS = Path(__file__).parent.parent


class Modules:
    """The files of one compilation: each is looked at once."""

    def __init__(self) -> None:
        self._sources: dict[str, Source | None] = {}
        self._found: dict[tuple[str, Path], Path | None] = {}
        self._listed: dict[Path, frozenset[str]] = {}
        self._tops: dict[Path, Path] = {}
        self._bases: dict[str, Path | None] = {}
        self._libraries: dict[str, bool] = {}
        self._leads: dict[tuple[str, int, str], Source | None] = {}

    def source(self, path: str) -> Source | None:
        """The source at this path; None where there is none."""
        if path not in self._sources:
            self._sources[path] = read(path)
        return self._sources[path]

    def is_library(self, path: str) -> bool:
        """Whether a file is not the user's own: of Python, of an installed library, or of Stepwell."""
        if path not in self._libraries:
            self._libraries[path] = is_library(Path(path))
        return self._libraries[path]

    def find(self, module: str, level: int, importer: str) -> Source | None:
        """The project's file of a module as seen from another file; None for a library.

        What stands beside the importer, or where its outermost package stands, comes first, as it does for Python.
        """
        key = (module, level, importer)
        if key not in self._leads:
            self._leads[key] = self._find(module, level, importer)
        return self._leads[key]

    def _find(self, module: str, level: int, importer: str) -> Source | None:
        here = Path(importer)
        top = self._top(here.parent)
        if level:
            base = here.parents[level - 1] if level <= len(here.parents) else here.parent
            path = self._below(base, module.split(".") if module else [])
        else:
            path = self._absolute(module, top)
        if path is None or not self._belongs(path, here, top):
            return None
        return self.source(str(path))

    def _top(self, folder: Path) -> Path:
        """The folder in which the outermost package around this one stands: where its imports begin."""
        if folder not in self._tops:
            at = folder
            while "__init__.py" in self._names(at) and at != at.parent:
                at = at.parent
            self._tops[folder] = at
        return self._tops[folder]

    def _absolute(self, module: str, top: Path) -> Path | None:
        key = (module, top)
        if key not in self._found:
            parts = module.split(".")
            path = self._below(top, parts) if {parts[0], f"{parts[0]}.py"} & self._names(top) else None
            base = self._base(parts[0]) if path is None else None
            self._found[key] = path if base is None else self._below(base, parts)
        return self._found[key]

    def _base(self, first: str) -> Path | None:
        """The folder on `sys.path` that a top-level module of the user's own stands in."""
        if first not in self._bases:
            base = None if first in sys.stdlib_module_names else _on_the_path(first)
            self._bases[first] = None if base is None or is_library(base / first) else base
        return self._bases[first]

    def _below(self, base: Path, parts: list[str]) -> Path | None:
        path = base.joinpath(*parts)
        if parts and f"{path.name}.py" in self._names(path.parent):
            return path.with_name(f"{path.name}.py")
        return path / "__init__.py" if "__init__.py" in self._names(path) else None

    def _belongs(self, path: Path, importer: Path, top: Path) -> bool:
        """Whether a file is the user's own; to a file that is itself installed, its own package is."""
        if not is_library(importer):
            return not is_library(path)
        package = importer.relative_to(top).parts[0] if importer.parent != top else ""
        return bool(package) and path.is_relative_to(top / package)

    def _names(self, folder: Path) -> frozenset[str]:
        if folder not in self._listed:
            try:
                self._listed[folder] = frozenset(one.name for one in folder.iterdir())
            except OSError:
                self._listed[folder] = frozenset()
        return self._listed[folder]


def _on_the_path(top: str) -> Path | None:
    """The folder that this top-level module or package stands in, by `sys.path`."""
    spec = getattr(sys.modules.get(top), "__spec__", None)
    try:
        spec = spec or PathFinder.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return None
    if spec is None:
        return None
    places = list(spec.submodule_search_locations or ())
    if places:
        return Path(places[0]).parent
    return Path(spec.origin).parent if spec.origin and spec.has_location else None


def is_library(path: Path) -> bool:
    """Whether a file is not the user's own: of Python, of an installed library, or of Stepwell."""
    if _OURS in path.parents or not _LIBRARY_FOLDERS.isdisjoint(path.parts):
        return True
    return not _STDLIB.isdisjoint(path.parents)
