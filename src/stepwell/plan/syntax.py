"""A piece of syntax tree as a digest that every Python version agrees on, and the names it takes from outside itself.

Bytecode changes with the version, `ast.dump` too (fields come and go), text with each comment: so the tree is written
out here, without places, docstrings and empty fields.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import cast

from msgspec import Struct

Dotted = tuple[str, ...]
"""A name with the attributes that follow it: `("inventory", "normal")`."""

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SKIPPED = frozenset({"ctx", "kind", "type_comment", "lineno", "col_offset"})
_STEP_DECORATORS = frozenset({"step", "map", "switch", "sub", "resource"})


class Imported(Struct, frozen=True):
    """What an import binds: a module, or one name of it; `level` counts the dots before it."""

    module: str
    level: int
    name: str


Imports = dict[str, list[Imported]]
"""By name, all that may be imported by it: `try: import fast as it`, `except ImportError: import slow as it`."""


class Piece(Struct, frozen=True):
    """A definition by itself: the digest of its tree, what it names outside itself, what it imports inside itself."""

    digest: bytes
    names: tuple[Dotted, ...]
    imports: Imports


def piece(nodes: Sequence[ast.AST], *, undecorated: bool = False) -> Piece:
    """The piece that these nodes make; `undecorated` leaves the decorators of a function itself out."""
    digest = sha256()
    imports: Imports = {}
    names: set[Dotted] = set()
    for node in nodes:
        digest.update("".join(_written(node, undecorated)).encode())
        names |= _free_names(node, undecorated, imports)
    return Piece(digest.digest(), tuple(sorted(names)), imports)


def note_imports(node: ast.Import | ast.ImportFrom, imports: Imports) -> None:
    """Add what an import statement binds; a star is bound as `*module`."""
    for name, what in _imported(node):
        imports.setdefault(name, []).append(what)


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Imported]]:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            bound = f"*{'.' * node.level}{node.module or ''}" if alias.name == "*" else alias.asname or alias.name
            yield bound, Imported(node.module or "", node.level, alias.name)
        elif alias.asname:
            yield alias.asname, Imported(alias.name, 0, "")
        else:
            top = alias.name.partition(".")[0]
            yield top, Imported(top, 0, "")


class _Text(str):
    """Text to be written as it is: what the tree itself holds is no instance of this."""

    __slots__ = ()


_CLOSE, _END = _Text(")"), _Text("]")
_EMPTY: list[object] = []


def _written(root: ast.AST, undecorated: bool) -> list[str]:
    """The tree as text: `(Class field=… )`; nothing where a field is empty, so that new fields change nothing."""
    out: list[str] = []
    left: list[object] = [root]
    while left:
        one = left.pop()
        kind = type(one)
        if kind is _Text:
            out.append(cast("str", one))
        elif kind is list:
            out.append("[")
            left.append(_END)
            left += cast("list[object]", one)[::-1]
        elif isinstance(one, ast.AST):
            opening, fields = _FORMS.get(kind) or _form(type(one))
            out.append(opening)
            left.append(_CLOSE)
            for text, field in fields:
                value = getattr(one, field, None)
                if value is None and field != "value":
                    continue
                if type(value) is list:
                    value = _items(one, field, cast("list[object]", value), undecorated=undecorated and one is root)
                if value != _EMPTY and (value is not None or isinstance(one, (ast.Constant, ast.MatchSingleton))):
                    left.append(value)
                    left.append(text)
        else:
            out.append(_constant(one))
    return out


_FORMS: dict[type, tuple[str, tuple[tuple[_Text, str], ...]]] = {}


def _form(kind: type[ast.AST]) -> tuple[str, tuple[tuple[_Text, str], ...]]:
    """How nodes of a class begin, and their fields, the last one first, each with the text before it."""
    fields = [(_Text(f" {field}="), field) for field in reversed(kind._fields) if field not in _SKIPPED]
    form = _FORMS[kind] = (f"({kind.__name__}", tuple(fields))
    return form


def _items(node: ast.AST, field: str, items: list[object], *, undecorated: bool) -> list[object]:
    """The children in a field as far as they count."""
    if field == "body":
        return [one for one in items if not _is_text_alone(one)]
    if field == "decorator_list" and not isinstance(node, ast.ClassDef):
        return [] if undecorated else [one for one in items if not _makes_a_step(one)]
    if field == "values" and isinstance(node, ast.JoinedStr):
        return [one for one in items if not _is_empty_text(one)]  # 3.12 leaves some in, 3.11 and 3.13 do not
    return items


def _makes_a_step(decorator: object) -> bool:
    """`@pipe.step`, `@pipe.map(…)`: options of a step are not its code."""
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(target, ast.Attribute) and target.attr in _STEP_DECORATORS


def _is_text_alone(node: object) -> bool:
    """A docstring, or a string that documents what stands before it."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_empty_text(node: object) -> bool:
    return isinstance(node, ast.Constant) and node.value == ""


def _constant(value: object) -> str:
    """Ints in hexadecimal, for which there is no limit of digits; `ascii` as what is printable changes with Unicode."""
    if isinstance(value, int) and not isinstance(value, bool):
        return hex(value)
    return ascii(value)


class _Scope(Struct, frozen=True):
    """Names that are bound here, and those that functions inside see: a class shows them nothing of its own."""

    here: frozenset[str]
    inside: frozenset[str]


def _free_names(root: ast.AST, undecorated: bool, imports: Imports) -> set[Dotted]:
    """Every name that is read and not bound in the piece itself, with its attributes; its imports go to `imports`."""
    found: set[Dotted] = set()
    nothing: frozenset[str] = frozenset()
    left: list[tuple[ast.AST, _Scope]] = [(root, _Scope(nothing, nothing))]
    while left:
        node, scope = left.pop()
        if isinstance(node, ast.Name):
            if node.id not in scope.here:
                found.add((node.id,))
        elif isinstance(node, ast.Attribute):
            dotted, base = _chain(node)
            if not isinstance(base, ast.Name):
                left.append((base, scope))
            elif base.id not in scope.here:
                found.add((base.id, *dotted))
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            note_imports(node, imports)
        elif isinstance(node, _SCOPES):
            left.extend(_into(node, scope, undecorated=undecorated and node is root))
        elif isinstance(node, _COMPREHENSIONS):
            targets = _stored(generator.target for generator in node.generators)
            inner = _Scope(scope.here | targets, scope.inside | targets)
            left.extend((child, inner) for child in _children(node))
        else:
            left.extend((child, scope) for child in _children(node))
    return found


_LEAVES = (ast.Constant, ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop)


def _children(node: ast.AST) -> list[ast.AST]:
    """The nodes right below this one that may hold a name."""
    found: list[ast.AST] = []
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, ast.AST):
            if not isinstance(value, _LEAVES):
                found.append(value)
        elif type(value) is list:
            found += [one for one in cast("list[object]", value) if isinstance(one, ast.AST)]
    return found


def _into(node: FunctionNode | ast.ClassDef, scope: _Scope, *, undecorated: bool) -> Iterator[tuple[ast.AST, _Scope]]:
    """The children of a function or class, each with the scope that it is read in."""
    generic = frozenset(str(getattr(one, "name", "")) for one in cast("list[object]", getattr(node, "type_params", [])))
    around = _Scope(scope.here | generic, scope.inside | generic)
    if isinstance(node, ast.ClassDef):
        inner = _Scope(around.inside | _bound(node.body), around.inside)
        body: list[ast.AST] = list(node.body)
        outside: list[ast.AST] = [*node.bases, *node.keywords, *node.decorator_list]
    else:
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        own = frozenset(one.arg for one in every if one is not None)
        body = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
        seen = around.inside | own | _bound(body)
        inner = _Scope(seen, seen)
        outside = [arguments]
        if not isinstance(node, ast.Lambda):
            decorators = [one for one in node.decorator_list if not undecorated and not _makes_a_step(one)]
            outside += [*decorators, *([node.returns] if node.returns else [])]
    yield from ((one, around) for one in outside)
    yield from ((one, inner) for one in body)


def _chain(node: ast.Attribute) -> tuple[Dotted, ast.expr]:
    """The attributes of `a.b.c` in the order written, and what they are attributes of."""
    names = [node.attr]
    base = node.value
    while isinstance(base, ast.Attribute):
        names.append(base.attr)
        base = base.value
    return tuple(reversed(names)), base


def _stored(nodes: Iterable[ast.AST]) -> frozenset[str]:
    names = (one for node in nodes for one in ast.walk(node) if isinstance(one, ast.Name))
    return frozenset(name.id for name in names if isinstance(name.ctx, ast.Store))


def _bound(body: Iterable[ast.AST]) -> frozenset[str]:
    """Names that these statements bind in their own scope. Imports do not count: they are looked up like names."""
    names: set[str] = set()
    elsewhere: set[str] = set()
    left: list[ast.AST] = list(body)
    while left:
        node = left.pop()
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                names.add(node.id)
        elif isinstance(node, _SCOPES):
            names.add(getattr(node, "name", ""))
        elif isinstance(node, ast.comprehension):
            left += [node.iter, *node.ifs]  # its target is its own
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            elsewhere.update(node.names)
        else:
            if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
                names.add(node.name)
            elif isinstance(node, ast.MatchMapping) and node.rest:
                names.add(node.rest)
            left += _children(node)
    return frozenset(names - elsewhere)
