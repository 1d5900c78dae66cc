"""Conditions on simpleeval: parsed once, evaluated on JSON-like values; no attributes of objects, imports or builtins.

`steps.NAME.output` is a step's output, any other name an input of the run or a step.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import cast

import msgspec
from simpleeval import EvalWithCompoundTypes  # pyright: ignore[reportMissingTypeStubs]

_FUNCTIONS: dict[str, Callable[..., object]] = {
    "abs": abs, "all": all, "any": any, "len": len, "max": max, "min": min, "round": round, "sum": sum,
}  # fmt: skip
_LONGEST = 1_000
"""Characters in a condition; what is longer belongs in a function."""


def compile_condition(text: str) -> tuple[Callable[..., bool], tuple[str, ...], frozenset[str]]:
    """A function for the condition, the names that it takes as keyword parameters, and which of them must be steps.

    Raises ValueError that says what is wrong with the text.

    >>> holds, names, steps = compile_condition("steps.build.output.rows > least")
    >>> names
    ('build', 'least')
    >>> steps
    frozenset({'build'})
    >>> holds(build={"rows": 3}, least=2)
    True
    """
    tree = _parsed(text)
    steps = _steps(tree, text)
    others = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - {"steps"} - _FUNCTIONS.keys()
    evaluator = EvalWithCompoundTypes(functions=_FUNCTIONS)

    def holds(**values: object) -> bool:
        plain = {name: _plain(value) for name, value in values.items()}
        evaluator.names = {
            **{name: plain[name] for name in others},
            "steps": {name: {"output": plain[name]} for name in steps},
        }
        try:
            return bool(cast("object", evaluator.eval(text, previously_parsed=tree.body)))  # pyright: ignore[reportUnknownMemberType]
        except Exception as error:  # in its own words it tells of expressions and names that nobody wrote
            seen = ", ".join(f"{name} = {value!r:.100}" for name, value in plain.items())
            raise ValueError(f"the condition {text!r} has no answer with {seen}: {error}") from None

    holds.__name__ = holds.__qualname__ = text
    return holds, tuple(sorted({*steps, *others})), frozenset(steps)


def _parsed(text: str) -> ast.Expression:
    if not text.strip() or len(text) > _LONGEST:
        raise ValueError(f"a condition is an expression of at most {_LONGEST} characters, not {text[:40]!r}")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"a condition is one expression: {error}") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            raise ValueError(f"the condition {text!r} may not use `{node.attr}`: names with an underscore are closed")
        if isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.NamedExpr)):
            raise ValueError(f"the condition {text!r} is more than a comparison; make it a function: when=my_function")
        if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS):
            known = ", ".join(sorted(_FUNCTIONS))
            raise ValueError(f"the condition {text!r} calls something else than {known}; make it a function")
    return tree


def _steps(tree: ast.Expression, text: str) -> set[str]:
    """The steps named as `steps.NAME.output`; `steps` alone, or something else of a step, means nothing."""
    chains = {
        id(node.value.value): node.value.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr == "output"
        and isinstance(node.value, ast.Attribute)
        and isinstance(node.value.value, ast.Name)
        and node.value.value.id == "steps"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "steps" and id(node) not in chains:
            raise ValueError(f"the condition {text!r} uses `steps` otherwise than as steps.NAME.output")
    return set(chains.values())


def _plain(value: object) -> object:
    """The value as JSON would have it, so that a condition sees data and no objects."""
    return msgspec.to_builtins(value, enc_hook=_dumped)


def _dumped(value: object) -> object:
    """What msgspec does not know: a model tells its fields, all else is text."""
    dump = getattr(value, "model_dump", None)
    return cast("Mapping[str, object]", dump(mode="json")) if callable(dump) else str(value)
