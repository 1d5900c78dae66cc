"""What a callable is underneath: its code, its place in the source, whether it is async; whatever it is wrapped in."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from functools import partial
from types import FunctionType, MethodType
from typing import cast

from msgspec import Struct

from stepwell.definition.spec import Function

_WORD = re.compile(r"[^\W\d]\w*")


def called(function: Function) -> object:
    """What is really called: below partials, and the `__call__` of an object; a wrapper stays what it is."""
    at: object = function
    while isinstance(at, partial):
        at = cast("partial[object]", at).func
    if isinstance(at, (FunctionType, MethodType, type)) or inspect.isbuiltin(at):
        return at
    return _call_of(at) or at


def _call_of(instance: object) -> FunctionType | None:
    """The `__call__` that somebody wrote in the class of a callable object."""
    call = inspect.getattr_static(type(instance), "__call__", None)
    return call if isinstance(call, FunctionType) else None


def innermost(function: Function) -> FunctionType | None:
    """The function that somebody wrote: below partials, methods, objects and `functools.wraps`; None if none is."""
    at: object = function
    for _ in range(1000):
        inside = getattr(at, "__wrapped__", None)
        if isinstance(at, partial):
            at = cast("partial[object]", at).func
        elif isinstance(at, MethodType):
            at = at.__func__
        elif inside is not None and not isinstance(at, type):
            at = inside
        elif isinstance(at, FunctionType):
            return at
        elif (call := _call_of(at)) is not None:
            at = call
        else:
            return None
    return None


def is_async(function: Function) -> bool:
    """Whether a call gives something to await."""
    return inspect.iscoroutinefunction(called(function))


def is_generator(function: Function) -> bool:
    """Whether a call gives a generator, sync or async."""
    target = called(function)
    return inspect.isgeneratorfunction(target) or inspect.isasyncgenfunction(target)


def is_async_generator(function: Function) -> bool:
    """Whether a call gives an async generator."""
    return inspect.isasyncgenfunction(called(function))


def own_name(function: Function) -> str:
    """The name that the function was given, or "" where it has none."""
    at: object = function
    while isinstance(at, partial):
        at = cast("partial[object]", at).func
    name = getattr(at, "__name__", "")
    return name if isinstance(name, str) and name != "<lambda>" else ""


def place(function: Function) -> tuple[str, int] | None:
    """File and line of the function's code, or None where it has none."""
    code = getattr(innermost(function), "__code__", None)
    return None if code is None else (code.co_filename, code.co_firstlineno)


def local_names(function: Function, around: Mapping[str, object]) -> dict[str, object]:
    """What the words in a local function's string annotations stand for in the frame around it.

    `typing.get_type_hints` sees module globals only. Of the frame no more is kept than the annotations name.
    """
    written = innermost(function)
    if written is None or "<locals>" not in written.__qualname__:
        return {}
    try:
        annotations = list(written.__annotations__.values())
    except Exception:  # from 3.14 on they are evaluated here; then they are no strings, and find their names themselves
        return {}
    words = {word for text in annotations if isinstance(text, str) for word in _WORD.findall(text)}
    return {word: around[word] for word in words if word in around}


class Caller(Struct, frozen=True):
    """The code that is being executed: its place, its local names, and whether somebody types it just now."""

    file: str
    line: int
    names: Mapping[str, object]
    interactive: bool


def caller(package: str) -> Caller:
    """The innermost code outside of this package. In a `__main__` without a file, as in Jupyter, somebody types."""
    frame = inspect.currentframe()
    while frame is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] == package:
        frame = frame.f_back
    if frame is None:
        return Caller("", 0, {}, interactive=False)
    typed = frame.f_globals.get("__name__") == "__main__" and "__file__" not in frame.f_globals
    return Caller(frame.f_code.co_filename, frame.f_lineno, frame.f_locals, typed)
