"""The fingerprint of a step's code: it changes when the code does that the step runs, and with nothing else.

    function ──► its syntax tree ──► the project's functions, classes and constants it names ──► … ──► one digest

Each definition's digest is that of its tree and of the digests of what it names; those that name each other in a
circle share one. Comments, formatting, moved lines, the version of Python and upgraded libraries change nothing.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from functools import partial
from hashlib import sha256
from types import CellType, FunctionType, MethodType
from typing import cast

from msgspec import Struct, field

from stepwell.definition.spec import StepSpec
from stepwell.errors import CodecError
from stepwell.plan.modules import Modules
from stepwell.plan.ports import Codecs
from stepwell.plan.references import References

DIGITS = 32
"""Hexadecimal digits of a fingerprint: 128 bits, as each run records one a step."""


_MOST_THINGS = 10_000
"""Objects looked at for one function: some make another wrapper each time they are asked what they wrap."""


class Fingerprint(Struct, frozen=True):
    """The digest of a step's code; `opaque` says that some of what the code does is not in it."""

    digest: str
    opaque: bool = False


class _Taken(Struct):
    """What one thing contributes: parts of the digest, and more things that it is made of."""

    parts: list[bytes] = field(default_factory=list[bytes])
    more: list[object] = field(default_factory=list[object])
    opaque: bool = False


class Fingerprints:
    """The fingerprints of one compilation: files, and what is shared between steps, are looked at once."""

    def __init__(self) -> None:
        self._modules = Modules()
        self._references = References(self._modules)
        self._known: dict[int, Fingerprint] = {}

    def of(self, spec: StepSpec) -> Fingerprint:
        """The fingerprint of a step: of its declared version, else of its code."""
        if spec.version:
            return Fingerprint(_digest([b"version", spec.version.encode()]))
        key = id(spec.function)
        if key not in self._known:
            self._known[key] = self._of_function(spec.function)
        return self._known[key]

    def with_bound(self, spec: StepSpec, codecs: Codecs) -> Fingerprint:
        """The same with the values that `add_step` binds to parameters, unless a declared version stands for them too.

        A value that cannot be encoded cannot be compared later: then some of what the step does is not in it.
        """
        code = self.of(spec)
        if spec.version or not spec.bound:
            return code
        parts, opaque = [code.digest.encode()], code.opaque
        for name, value in sorted(spec.bound.items()):
            data = _encoded(value, codecs)
            opaque |= data is None
            parts += [name.encode(), data or b""]
        return Fingerprint(_digest(parts), opaque)

    def _of_function(self, function: object) -> Fingerprint:
        parts: list[bytes] = []
        opaque = False
        left, met = [function], {id(function): function}
        while left:
            taken = self._take(left.pop())
            parts += taken.parts
            opaque |= taken.opaque or len(met) > _MOST_THINGS
            fresh = [one for one in taken.more if id(one) not in met and len(met) <= _MOST_THINGS]
            met.update((id(one), one) for one in fresh)
            left += reversed(fresh)
        return Fingerprint(_digest(parts), opaque)

    def _take(self, thing: object) -> _Taken:
        if isinstance(thing, partial):
            return _partial(cast("partial[object]", thing))
        if isinstance(thing, type):
            return self._class(thing)
        if isinstance(thing, MethodType):
            owner: object = thing.__self__
            kind = owner if isinstance(owner, type) else type(owner)
            return _Taken(more=[thing.__func__, kind], opaque=kind is not owner and _has_state(owner))
        if (wrapped := getattr(thing, "__wrapped__", None)) is not None:
            return _Taken(more=[wrapped])
        if isinstance(thing, FunctionType):
            return self._function(thing)
        call = inspect.getattr_static(type(thing), "__call__", None)
        if isinstance(call, FunctionType):
            return _Taken(more=[call, type(thing)], opaque=_has_state(thing))
        return _Taken([_name(thing)], opaque=not _comes_with_python(thing))

    def _function(self, function: FunctionType) -> _Taken:
        path = function.__code__.co_filename
        if self._modules.is_library(path):
            return _Taken([_name(function)])
        source = self._modules.source(path)
        found = None if source is None else source.function(function.__code__)
        if found is None:
            return _Taken([_name(function)], opaque=True)
        digests, unknown = self._references.digests(path, found)
        taken = _Taken([found.digest, *digests])
        # A notebook's cells are files of their own: what one names and another defines is found as an object only.
        for name in unknown:
            value = function.__globals__.get(name)
            if isinstance(value, (FunctionType, type)) and not _comes_with_python(value):
                taken.more.append(value)
            elif (text := _constant(value)) and name in function.__globals__:
                taken.parts.append(f"{name}={text}".encode())
        for cell in function.__closure__ or ():
            value = _content(cell)
            if isinstance(value, (FunctionType, type)):
                taken.more.append(value)
            else:
                taken.opaque = True
        return taken

    def _class(self, kind: type) -> _Taken:
        """A class by its definition; a local one has none that could be found."""
        path = getattr(sys.modules.get(kind.__module__), "__file__", None)
        if _comes_with_python(kind) or (path and self._modules.is_library(path)):
            return _Taken([_name(kind)])
        source = self._modules.source(path) if path else None
        if path is None or source is None or kind.__qualname__ not in source.defined:
            return _Taken([_name(kind)], opaque=True)
        return _Taken(self._references.of([(path, kind.__qualname__)]))


def _partial(bound: partial[object]) -> _Taken:
    """A partial by what it calls and, as far as they have a text that does not change, by the values it binds."""
    taken = _Taken(more=[bound.func])
    values = [("", value) for value in bound.args] + sorted(bound.keywords.items())
    for name, value in values:
        text = _constant(value)
        if text:
            taken.parts.append(f"{name}={text}".encode())
        elif isinstance(value, (FunctionType, type)):
            taken.parts.append(f"{name}=".encode())
            taken.more.append(value)
        else:
            taken.opaque = True
    return taken


def _constant(value: object) -> str:
    """A text for a value that reads the same in each process; "" where that is not certain."""
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        exact = type(value) in (type(None), bool, int, float, complex, str, bytes)
        return ascii(value) if exact else ""
    return ""


def _has_state(instance: object) -> bool:
    """Whether an object carries values that its class does not tell."""
    slots = [name for kind in type(instance).__mro__ for name in _names(getattr(kind, "__slots__", ()))]
    return bool(getattr(instance, "__dict__", None)) or any(hasattr(instance, name) for name in slots)


def _names(slots: object) -> Iterable[str]:
    return (slots,) if isinstance(slots, str) else cast("Iterable[str]", slots)


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _name(thing: object) -> bytes:
    module = getattr(thing, "__module__", None) or type(thing).__module__
    return f"{module}:{getattr(thing, '__qualname__', type(thing).__qualname__)}".encode()


def _comes_with_python(thing: object) -> bool:
    module = str(getattr(thing, "__module__", None) or type(thing).__module__)
    return module.partition(".")[0] in sys.stdlib_module_names


def _digest(parts: Iterable[bytes]) -> str:
    whole = sha256()
    for part in parts:
        whole.update(len(part).to_bytes(4, "big") + part)
    return whole.hexdigest()[:DIGITS]


def _encoded(value: object, codecs: Codecs) -> bytes | None:
    """A value in bytes, as JSON-like data or by its own class; None where it is neither."""
    for annotation in (inspect.Signature.empty, type(value)):
        try:
            return codecs.codec(annotation).encode(value)
        except CodecError:
            continue
    return None
