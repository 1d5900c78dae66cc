"""Importing a user's file: under the name of a module, once, with a mistake in it told by the user's own frames."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from stepwell.errors import StepwellError, TargetError

PYTHON = sys.executable or "this Python"
_OWN = str(Path(__file__).parent.parent)
_loaded: dict[Path, ModuleType] = {}


def load_file(path: Path) -> ModuleType:
    """The module of a file, executed once in a process; raises TargetError where that fails."""
    known = _loaded.get(path) or _imported(path)
    if known is not None:
        return known
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)  # as `python file.py` does, so that files beside it can be imported
    name = _module_name(path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TargetError(f"{path} is no Python file; give file.py, file.py:name or package.module:name")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        sys.modules.pop(name, None)
        if isinstance(error, StepwellError) or not isinstance(error, (Exception, SystemExit)):
            raise
        raise import_failed(path.name, error) from error
    _loaded[path] = module
    return module


def _imported(path: Path) -> ModuleType | None:
    """The module where some other file has imported this one already; it must not be executed a second time."""
    module = sys.modules.get(path.stem)
    origin = getattr(module, "__file__", None)
    return module if module is not None and origin is not None and Path(origin).resolve() == path else None


def _module_name(path: Path) -> str:
    """The file's own name, by which files beside it import it too; another where that is taken."""
    stem = path.stem
    if stem.isidentifier() and stem not in sys.modules and stem not in sys.stdlib_module_names:
        return stem
    plain = "".join(char if char.isalnum() else "_" for char in stem)
    return f"stepwell_target_{plain}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"


def import_failed(what: str, error: BaseException, doing: str = "importing") -> TargetError:
    """What went wrong inside the user's code, by the frames of that code."""
    if isinstance(error, SystemExit):
        lines = "".join(_frames(error)).rstrip("\n")
        return TargetError(
            f"{doing} {what} ends the program (SystemExit):\n{lines}\n"
            'put what is to run only as a script under `if __name__ == "__main__":`'
        )
    shown = "".join([*_frames(error), *traceback.format_exception_only(error)]).rstrip("\n")
    hint = ""
    if isinstance(error, ModuleNotFoundError):
        hint = f"\nis it installed for {PYTHON}?"
    elif isinstance(error, ImportError) and "relative import" in str(error):
        hint = "\na file that belongs to a package is given as package.module:name"
    return TargetError(f"{doing} {what} failed:\n{shown}{hint}")


def _frames(error: BaseException) -> list[str]:
    """The frames of the user's code; those of the import machinery and ours say nothing."""
    stack = traceback.extract_tb(error.__traceback__)
    own = [one for one in stack if not one.filename.startswith((_OWN, "<frozen importlib")) and not _importlib(one)]
    return traceback.format_list(own)


def _importlib(frame: traceback.FrameSummary) -> bool:
    return frame.filename == importlib.__file__ or frame.filename == importlib.util.__file__
