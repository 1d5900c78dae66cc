"""How a function asks to be called: parameters, resolved annotations, what it returns, sync or async."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Iterator, Mapping
from functools import partial
from types import FunctionType, MethodType, SimpleNamespace
from typing import Any, cast

from msgspec import Struct

from stepwell.definition.functions import called, innermost, is_async, is_async_generator, is_generator
from stepwell.definition.spec import Function, StepSpec
from stepwell.plan.plan import UNSET
from stepwell.plan.returns import awaited

EMPTY: object = inspect.Signature.empty


class Asked(Struct, frozen=True):
    """One parameter as its function declares it; `annotation` is resolved, `EMPTY` where there is none."""

    name: str
    annotation: object
    default: object
    keyword_only: bool


class Shape(Struct, frozen=True):
    """A whole function as it declares itself; `complaints` are about annotations that lead nowhere."""

    asked: tuple[Asked, ...]
    returns: object = EMPTY
    is_async: bool = False
    streams: bool = False
    """It is a generator, sync or async; `returns` is its annotation as it stands."""
    any_keyword: bool = False
    """It takes `**kwargs`."""
    complaints: tuple[str, ...] = ()


class Shapes:
    """The shape of each function, read once: thousands of steps may share one."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Shape] = {}
        self._hints = Hints()

    def of(self, function: Function, spec: StepSpec) -> Shape:
        """The shape of a function of this step. The specs keep the functions alive, so their ids stay theirs."""
        key = (id(function), id(spec) if spec.names else 0)
        shape = self._known.get(key)
        if shape is None:
            shape = self._known[key] = read(function, spec.names, self._hints)
        return shape


def read(function: Function, names: Mapping[str, object], hints: Hints) -> Shape:
    """The shape of a function; what `names` holds is found by its string annotations beside its module's globals."""
    streams = is_generator(function)
    asynchronous = is_async(function) or is_async_generator(function)
    complaints: list[str] = []
    found = hints.of(function, names, complaints)
    try:
        parameters = list(_parameters(function))
    except (ValueError, TypeError) as error:
        complaint = f"how to call it cannot be found out ({error}); wrap it in a function of your own"
        return Shape((), complaints=(complaint,))
    asked = tuple(Asked(name, found.get(name, EMPTY), default, only) for name, default, only in parameters if name)
    returns: object = function if isinstance(function, type) else found.get("return", EMPTY)
    value = returns if asynchronous else awaited(returns)
    any_keyword = len(asked) < len(parameters)
    return Shape(asked, value, asynchronous or value is not returns, streams, any_keyword, tuple(complaints))


def _parameters(function: Function) -> Iterator[tuple[str, object, bool]]:
    """Name, default and whether it is given by name only; an empty name stands for `**kwargs`."""
    if type(function) is FunctionType and not function.__dict__:
        yield from _from_code(function)
        return
    # What a partial has bound by name is decided: the signature still shows it, as a default.
    given: object = function
    decided: Mapping[str, object] = cast("partial[object]", given).keywords if isinstance(given, partial) else {}
    for one in _signature(function).parameters.values():
        if one.kind is one.VAR_KEYWORD:
            yield "", UNSET, True
        elif one.kind is not one.VAR_POSITIONAL and one.name not in decided:
            yield one.name, UNSET if one.default is EMPTY else one.default, one.kind is one.KEYWORD_ONLY


def _from_code(function: FunctionType) -> Iterator[tuple[str, object, bool]]:
    """The same for a plain function, at a tenth of what `inspect.signature` costs: pipelines may have thousands."""
    code = function.__code__
    count, names = code.co_argcount, code.co_varnames
    defaults = function.__defaults__ or ()
    for place in range(count):
        default = defaults[place - count] if place >= count - len(defaults) else UNSET
        yield names[place], default, False
    by_name = function.__kwdefaults__ or {}
    for name in names[count : count + code.co_kwonlyargcount]:
        yield name, by_name.get(name, UNSET), True
    if code.co_flags & inspect.CO_VARKEYWORDS:
        yield "", UNSET, True


def _signature(function: Function) -> inspect.Signature:
    if sys.version_info >= (3, 14):
        import annotationlib

        # Annotations are evaluated when they are read; those that cannot be are met, and told, in `Hints`.
        return inspect.signature(function, annotation_format=annotationlib.Format.FORWARDREF)
    return inspect.signature(function)


class Hints:
    """Annotations as the objects they stand for; the same text in one module is evaluated once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], object] = {}

    def of(self, function: Function, names: Mapping[str, object], complaints: list[str]) -> dict[str, object]:
        """By parameter and `return`, those that lead somewhere, and a complaint for each that does not."""
        holder = _holder(function)
        hints: dict[str, object] = {}
        written = innermost(cast("Function", holder))
        space: dict[str, Any] = {} if written is None else written.__globals__
        for name, annotation in _raw_annotations(holder).items():
            try:
                hints[name] = self._hint(annotation, space, names)
            except Exception as error:  # whatever an annotation raises: it is somebody's code
                where = "its return annotation" if name == "return" else f"the annotation of `{name}`"
                way_out = "import or define it where it exists at run time: before the step, not under TYPE_CHECKING"
                complaints.append(f"{where}, {annotation!r}, cannot be resolved ({error}); {way_out}")
        return hints

    def _hint(self, annotation: object, space: dict[str, Any], names: Mapping[str, object]) -> object:
        if type(annotation) is type:
            return annotation  # a plain class has nothing inside that would be a name
        if not isinstance(annotation, str) or names:
            return _evaluated(annotation, space, names)
        key = (id(space), annotation)
        if key not in self._known:
            self._known[key] = _evaluated(annotation, space, names)
        return self._known[key]


def _evaluated(annotation: object, space: dict[str, Any], names: Mapping[str, object]) -> object:
    one = SimpleNamespace(__annotations__={"it": annotation})
    return cast("object", typing.get_type_hints(one, space, dict(names) or None, include_extras=True)["it"])


def _holder(function: Function) -> object:
    """What carries the annotations: a class keeps those of its parameters at `__init__`."""
    holder = called(function)
    if isinstance(holder, type):
        return inspect.getattr_static(holder, "__init__", holder)
    return holder.__func__ if isinstance(holder, MethodType) else holder


def _raw_annotations(holder: object) -> Mapping[str, object]:
    if sys.version_info >= (3, 14):
        import annotationlib

        if not callable(holder):
            return {}
        return annotationlib.get_annotations(holder, format=annotationlib.Format.FORWARDREF)
    found = getattr(holder, "__annotations__", None)
    return cast("dict[str, object]", found) if isinstance(found, dict) else {}
