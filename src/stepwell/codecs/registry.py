"""The extension point: how a type of a user's own is stored."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable
from types import FunctionType
from typing import TypeVar, cast, get_origin

from stepwell.codecs.fields import Stored
from stepwell.codecs.node import name_of
from stepwell.codecs.singles import leaf
from stepwell.errors import DefinitionError

T = TypeVar("T")
D = TypeVar("D")

# One table for the process, as a class is one object for the process: what a type is stored as cannot differ from
# pipeline to pipeline, since bytes written by one are read by another.
_TYPES: dict[type, Stored] = {}
_OUR_OWN = frozenset({"builtins", "collections.abc", "pathlib", "typing"})
"""Modules whose classes are stored already, or stand for others."""


def register_type(cls: type[T], *, encode: Callable[[T], D], decode: Callable[[D], T], to: object) -> None:
    """Say how values of a class of your own are stored: `encode` gives data of the type `to`, `decode` makes it again.

    `to` is any type that Stepwell knows: a builtin with its arguments such as `list[float]`, a dataclass, a model,
    another registered type. Afterwards the class can stand wherever a type can: as an output, an input, the item of a
    list, a field, a member of a union. What is decoded must equal what was encoded. Call it once, beside the class, so
    that a process that resumes a run has called it too. The order does not matter as long as the pipeline is not
    compiled yet.

    Raises DefinitionError, with all that is wrong, where `cls` is no class, is one that Stepwell stores already, such
    as `int`, `list` or an Enum, or has been registered in another way.

    >>> from stepwell import Pipeline, register_type
    >>> class Vector:
    ...     def __init__(self, x: float, y: float) -> None:
    ...         self.x, self.y = x, y
    >>> register_type(Vector, encode=lambda v: [v.x, v.y], decode=lambda data: Vector(*data), to=list[float])
    >>> pipe = Pipeline("vectors")
    >>> @pipe.step
    ... def up() -> Vector:
    ...     return Vector(0.0, 1.0)
    >>> pipe.run_sync().output.y
    1.0
    """
    said = f"register_type({_named(cls)})"
    if problems := _wrong(cls, encode, decode, to):
        raise DefinitionError(f"{said}: {'; '.join(problems)}")
    known = _TYPES.get(cls)
    if known is None:
        _TYPES[cls] = Stored(cls, to, encode, decode)
    elif not (known.to == to and _alike(known.encode, encode) and _alike(known.decode, decode)):
        raise DefinitionError(
            f"{said}: it is registered already, as `{name_of(known.to)}` by the `encode` at {_place(known.encode)}; "
            "what is stored could not be read in two ways: keep one of the two"
        )


def registered(annotation: object) -> Stored | None:
    """How a registered class is stored, also where it is given type arguments; None for any other type."""
    if not _TYPES:
        return None
    origin = get_origin(annotation) or annotation
    return _TYPES.get(origin) if isinstance(origin, type) else None


def _wrong(cls: object, encode: object, decode: object, to: object) -> list[str]:
    found: list[str] = []
    if not isinstance(cls, type) or get_origin(cls) is not None:
        found.append(f"expected a class, got {cls!r:.80}")
    elif cls.__module__ in _OUR_OWN:
        found.append("a builtin is stored already; make a class of your own of it, or a NewType")
    elif issubclass(cls, enum.Enum):
        found.append("an Enum is stored already, by the value or the name of its member")
    elif leaf(cast("object", cls), exact=False) is not None:
        found.append("it is stored already; make a class of your own of it, or a NewType")
    if to is cls:
        found.append("`to` is the class itself; say what `encode` makes of it, such as `list[float]` or `str`")
    elif to is None or isinstance(to, (str, bytes)):
        found.append(f"`to` is {to!r:.80}; name the type of what `encode` gives, such as `list[float]` or `str`")
    for name, function in (("encode", encode), ("decode", decode)):
        if not callable(function):
            found.append(f"`{name}` is `{name_of(type(function))}`; give a function of one argument")
        elif inspect.iscoroutinefunction(function):
            found.append(f"`{name}` is async; give a plain function")
    return found


def _named(cls: object) -> str:
    return name_of(cls) if isinstance(cls, type) else f"{cls!r:.40}"


def _alike(one: object, two: object) -> bool:
    """Whether they are the same function, or one that was made of the same code: a module may be loaded twice."""
    if isinstance(one, FunctionType) and isinstance(two, FunctionType):
        return one.__code__ == two.__code__ and one.__closure__ == two.__closure__
    return one is two or one == two


def _place(function: object) -> str:
    code = getattr(function, "__code__", None)
    return "another place" if code is None else f"{code.co_filename}:{code.co_firstlineno}"
