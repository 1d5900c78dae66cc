"""Targets: `file.py`, `file.py:name`, `package.module:name`; from what somebody typed to a pipeline.

A file is loaded with its folder on `sys.path`, as `python file.py` would, but under the name of a module: what its
functions and classes are called is then the same in every process, and `if __name__ == "__main__":` does not run.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import cast

from msgspec import Struct

from stepwell.api.blueprint import Blueprint
from stepwell.api.imports import PYTHON, import_failed, load_file
from stepwell.definition.suggest import closest, did_you_mean
from stepwell.errors import StepwellError, TargetError

_FILE = re.compile(r"(?P<file>.+\.pyw?)(?::(?P<name>[^:\\/]*))?\Z", re.DOTALL)
_MODULE = re.compile(r"(?:(?P<folder>.+)::)?(?P<module>[^\W\d]\w*(?:\.[^\W\d]\w*)*)(?::(?P<name>[^:]*))?\Z", re.DOTALL)
_USUAL = ("pipe", "pipeline")
"""Of several pipelines in a module, the one of this name is meant."""


class Target(Struct, frozen=True):
    """A pipeline, and the text by which another process finds it again, whatever folder it works in."""

    pipeline: Blueprint
    kept: str


def load_target(text: str) -> Blueprint:
    """The pipeline that a target means; raises TargetError, and what the pipeline itself is told wrong."""
    return find_target(text).pipeline


def find_target(text: str) -> Target:
    """The same with the form in which the target is kept with a run.

    Of a file that is its absolute path and the pipeline's name. Of a module it is `module:name`, or, where only the
    present folder leads to it, `folder::module:name`.
    """
    module, said, kept, name = _loaded(text)
    name, pipeline = _pipeline(module, name, said)
    return Target(pipeline, f"{kept}:{name}")


def find_targets(text: str) -> list[Target]:
    """Every pipeline of the file or module that is named, where the target names none of them; else that one."""
    module, said, kept, name = _loaded(text)
    found = {} if name is not None else _pipelines(module)
    if len(found) < 2:
        name, pipeline = _pipeline(module, name, said)
        return [Target(pipeline, f"{kept}:{name}")]
    return [Target(pipeline, f"{kept}:{name}") for name, pipeline in found.items()]


def _loaded(text: str) -> tuple[ModuleType, str, str, str | None]:
    """The module of a target, as it was said and as it is kept with a run, and the pipeline's name if one is there."""
    if match := _FILE.match(text):
        path = _file(match["file"])
        return load_file(path), match["file"], str(path), match["name"]
    if text.strip():
        _refuse_other_kinds(text)
    match = _MODULE.match(text)
    if match is None:
        raise TargetError(f"{text!r} is no target; give file.py, file.py:name or package.module:name")
    folder = match["folder"] or _here(match["module"])
    kept = f"{folder}::{match['module']}" if folder else match["module"]
    return _module(match["module"], folder), match["module"], kept, match["name"]


# --- files ------------------------------------------------------------------------------------------------------------


def _file(text: str) -> Path:
    """The file, absolute; raises TargetError that names what is like it."""
    path = Path(text).expanduser()
    try:
        if path.is_file():
            return path.resolve()
    except (OSError, ValueError) as error:
        raise TargetError(f"the file {text!r} cannot be looked at: {error}") from None
    if path.is_dir():
        raise TargetError(f"{text} is a folder; give the file in it that has the pipeline")
    if not path.parent.is_dir():
        raise TargetError(f"there is no folder {path.parent}, so no file {text}; this is {Path.cwd()}")
    others = sorted(one.name for one in path.parent.glob("*.py"))
    near = closest(path.name, others)
    if near:
        raise TargetError(f"there is no file {text}; did you mean `{path.with_name(near)}`?")
    there = did_you_mean(path.name, others, what="Python files there")
    raise TargetError(f"there is no file {text} (this is {Path.cwd()}){there}")


def _refuse_other_kinds(text: str) -> None:
    """What is no module either, each with its own way out."""
    path = Path(text)
    if path.suffix in (".yml", ".yaml"):
        raise TargetError(
            f"{text}: this version runs no pipelines in YAML yet; write it in Python (`Pipeline.add_step` is as short)"
        )
    if path.suffix == ".ipynb":
        raise TargetError(f"{text} is a notebook; put the pipeline into a .py file, and import it into the notebook")
    try:
        if path.is_dir() and not (path / "__init__.py").exists():
            inside = sorted(one.name for one in path.glob("*.py"))
            which = did_you_mean("pipeline.py", inside, what="Python files in it")
            raise TargetError(f"{text} is a folder; give the file in it that has the pipeline{which}")
        if path.is_file():
            raise TargetError(f"{text} is no Python file; give file.py, file.py:name or package.module:name")
        stem, _, name = text.partition(":")
        if not path.suffix and Path(f"{stem}.py").is_file():
            meant = f"{stem}.py:{name}" if name else f"{stem}.py"
            raise TargetError(f"{text!r} is no target; did you mean `{meant}`?")
    except (OSError, ValueError):
        return


# --- modules ----------------------------------------------------------------------------------------------------------


def _here(module: str) -> str:
    """The present folder where the module stands in it and is not installed besides, else ""."""
    top = module.partition(".")[0]
    here = Path.cwd()
    try:
        if not (here / f"{top}.py").is_file() and not (here / top).is_dir():
            return ""
    except OSError:  # longer than the name of any file
        return ""
    places = [place for place in sys.path if place and Path(place) != here]
    try:
        found = importlib.machinery.PathFinder.find_spec(top, places)
    except (ImportError, ValueError):
        found = None
    return str(here) if found is None or found.origin is None else ""


def _module(name: str, folder: str) -> ModuleType:
    """Import a module; a folder is put on the path first."""
    if folder:
        if not Path(folder).is_dir():
            raise TargetError(f"there is no folder {folder} any more, in which the module {name} stood; name its file")
        if folder not in sys.path:
            sys.path.insert(0, folder)
    try:
        return importlib.import_module(name)
    except StepwellError:
        raise
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise TargetError(
                f"there is no module {error.name} (looked for by {PYTHON}, in {Path.cwd()} too); "
                "give file.py, file.py:name, or install the package"
            ) from None
        raise import_failed(name, error) from error
    except (Exception, SystemExit) as error:
        raise import_failed(name, error) from error


# --- the pipeline in a module -----------------------------------------------------------------------------------------


def _pipeline(module: ModuleType, name: str | None, said: str) -> tuple[str, Blueprint]:
    """The pipeline of this name, or the one that is meant where none is given; with its name."""
    if name:
        return name, _named(module, name, said)
    if name == "":
        raise TargetError(f"{said}: has no name after the colon{_names(said, _pipelines(module))}")
    found = _pipelines(module)
    for usual in _USUAL:
        if usual in found:
            return usual, found[usual]
    if len(found) == 1:
        return next(iter(found.items()))
    if found:
        raise TargetError(f"{said} has {len(found)} pipelines{_names(said, found)}")
    factories = [key for key, value in vars(module).items() if _is_factory(value, module)]
    if factories:
        raise TargetError(f"{said} has no pipeline, but functions that make one{_names(said, factories)}")
    raise TargetError(f'{said} has no pipeline; define one in it: pipe = Pipeline("{_plain(said)}")')


def _plain(said: str) -> str:
    """A name for a pipeline, out of that of its file."""
    stem = Path(said).stem.rpartition(".")[2] or Path(said).stem
    return re.sub(r"\W", "-", stem).strip("-") or "example"


def _names(said: str, names: Mapping[str, object] | list[str]) -> str:
    """The end of a message: the targets that there are."""
    spelled = [f"`{said}:{name}`" for name in names]
    return f"; give one of them: {', '.join(spelled)}" if spelled else ""


def _pipelines(module: ModuleType) -> dict[str, Blueprint]:
    """The pipelines of a module by name; one that has several names counts once, by its first or its usual one."""
    found: dict[int, tuple[str, Blueprint]] = {}
    for name, value in vars(module).items():
        if isinstance(value, Blueprint) and (id(value) not in found or name in _USUAL):
            found[id(value)] = (name, value)
    return dict(found.values())


def _is_factory(value: object, module: ModuleType) -> bool:
    """A function of this module that says it returns a pipeline."""
    if not inspect.isfunction(value) or value.__module__ != module.__name__:
        return False
    returns = _returns(value)
    if isinstance(returns, str):
        return returns.rpartition(".")[2].strip("'\"") in ("Pipeline", Blueprint.__name__)
    return isinstance(returns, type) and issubclass(returns, Blueprint)


def _returns(function: FunctionType) -> object:
    """What a function says it returns: a class, or the name of one; None where it says nothing."""
    if sys.version_info >= (3, 14):  # there annotations are evaluated as they are read, and may fail
        import annotationlib

        found = annotationlib.get_annotations(function, format=annotationlib.Format.FORWARDREF).get("return")
        return getattr(found, "__forward_arg__", found)
    return cast("object", function.__annotations__.get("return"))


def _named(module: ModuleType, name: str, said: str) -> Blueprint:
    value: object = module
    for part in name.split("."):
        if not hasattr(value, part):
            known = list(_pipelines(module)) or [key for key in vars(module) if not key.startswith("_")]
            raise TargetError(f"{said} has no `{name}`{did_you_mean(name, known, what='pipelines in it')}")
        value = cast("object", getattr(value, part))
    if isinstance(value, Blueprint):
        return value
    if not callable(value):
        there = _names(said, _pipelines(module))
        raise TargetError(f"`{name}` in {said} is no pipeline but of type {type(value).__qualname__}{there}")
    for where, pipeline in _pipelines(module).items():
        if pipeline.has_step(value):
            raise TargetError(f"`{name}` in {said} is a step of `{where}`; give {said}:{where}")
    return _made(value, name, said)


def _made(factory: Callable[..., object], name: str, said: str) -> Blueprint:
    """What a factory gives; it is called without arguments."""
    needs = _needed(factory)
    if needs:
        raise TargetError(
            f"`{name}` in {said} needs {', '.join(f'`{one}`' for one in needs)}, and a factory of a pipeline is called "
            "without arguments; give them defaults, or make them inputs of the run"
        )
    try:
        made = factory()
    except StepwellError:
        raise
    except (Exception, SystemExit) as error:
        raise import_failed(f"{said}:{name}", error, "calling") from error
    if isinstance(made, Blueprint):
        return made
    if inspect.iscoroutine(made):
        made.close()
    raise TargetError(f"`{name}` in {said} gave a {type(made).__qualname__}, not a pipeline")


def _needed(factory: Callable[..., object]) -> list[str]:
    """The parameters without which it cannot be called."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (ValueError, TypeError):
        return []
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [one.name for one in parameters if one.default is one.empty and one.kind not in several]
