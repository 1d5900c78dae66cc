"""Tables of the manual that are made from the code; they stand between `<!-- made: NAME -->` and `<!-- end -->`."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

from msgspec.structs import fields

from stepwell import errors
from stepwell import events as ev
from stepwell.api.settings import Settings
from stepwell.cli import exits
from stepwell.definition import typed
from stepwell.errors import StepwellError

REGION = re.compile(r"(?<=<!-- made: )(?P<name>[\w-]+)( -->\n)(?P<text>.*?)(?=<!-- end -->)", re.DOTALL)


def row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def caption(thing: object) -> str:
    """The docstring as one line of Markdown."""
    return " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())


def all_errors(above: type[StepwellError] = StepwellError) -> Iterator[type[StepwellError]]:
    """The errors of `errors.py`, each after the one that it is a kind of."""
    for error in sorted(
        above.__subclasses__(),
        key=lambda one: inspect.getsourcelines(one)[1] if one.__module__ == errors.__name__ else 0,
    ):
        if error.__module__ == errors.__name__:
            yield error
            yield from all_errors(error)


def made_errors() -> str:
    """Each error, what it is a kind of, and the exit code of a command that it ends."""
    lines = row("error", "is a", "exit code", "what it means") + row("---", "---", "---", "---")
    for error in all_errors():
        kind = cast("type", error.__bases__[0]).__name__
        code = exits.of_error(error.__new__(error))
        lines += row(f"[`{error.__name__}`](#{error.__name__.lower()})", f"`{kind}`", str(code), caption(error))
    return lines


def made_facts() -> str:
    """The kinds of events that are journaled, with their own fields."""
    return _events(lambda kind: kind in ev.FACTS)


def made_sparks() -> str:
    """The kinds that are live only."""
    return _events(lambda kind: kind not in ev.FACTS)


def _events(wanted: Callable[[ev.EventKind], bool]) -> str:
    lines = row("kind", "class", "own fields", "what happened") + row("---", "---", "---", "---")
    common = set(ev.Event.__struct_fields__)
    public = [one for one in vars(ev).values() if isinstance(one, type) and issubclass(one, ev.Event)]
    classes = {cls.kind: cls for cls in public if cls is not ev.Event}
    for kind in filter(wanted, ev.EventKind):
        cls = classes[kind]
        own = ", ".join(f"`{name}`" for name in cls.__struct_fields__ if name not in common)
        lines += row(f"`{cls.kind.value}`", f"`{cls.__name__}`", own or "–", caption(cls))
    return lines


def made_exit_codes() -> str:
    """The table in the docstring of `exits`, a row a line."""
    lines = row("code", "meaning") + row("---", "---")
    for code, text in re.findall(r"^    (\d+) +(.*)$", inspect.getdoc(exits) or "", re.MULTILINE):
        lines += row(code, text)
    return lines


_OF = {"CommonOptions": "all", "MapOptions": "step, map", "SwitchOptions": "step, switch"}
"""Which kinds of steps take the options of these classes; StepOptions has those of all three."""


def made_step_options() -> str:
    """Each option with the kinds that take it, its type, and the words below it in `typed.py`."""
    lines = row("option", "of", "value", "meaning") + row("---", "---", "---", "---")
    tree = ast.parse(inspect.getsource(typed))
    for cls in (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name in _OF):
        for field, words in pairwise(cls.body):
            if isinstance(field, ast.AnnAssign) and isinstance(words, ast.Expr):
                name, said = ast.unparse(field.target), ast.literal_eval(words.value)
                lines += row(f"`{name}`", _OF[cls.name], f"`{ast.unparse(field.annotation)}`", " ".join(said.split()))
    return lines


def made_settings() -> str:
    """Each setting with its variable, what it may be, and its default."""
    lines = row("setting", "variable", "values", "default") + row("---", "---", "---", "---")
    for one in fields(Settings):
        kind = str(Settings.__annotations__[one.name]).removesuffix(" | None")
        values = kind.removeprefix("Literal[").removesuffix("]")
        default = "–" if one.default is None else f"`{json.dumps(one.default)}`"
        lines += row(f"`{one.name}`", f"`STEPWELL_{one.name.upper()}`", f"`{values}`", default)
    return lines


PROOFS = Path(__file__).parents[1] / "proof" / "results.json"


def made_proofs() -> str:
    """What each proof has tried, in a run of the suite and in the last long run; written by `make crash`."""
    found = json.loads(PROOFS.read_text(encoding="utf-8"))
    lines = row("proof", "what is tried", "in each run", "in the last long run") + row("---", "---", "---:", "---:")
    for name, proof in found["proofs"].items():
        sizes = [_tried(found[size].get(name), proof["unit"]) for size in ("each", "long")]
        lines += row(f"`{name}`", proof["what"], *sizes)
    machines = sorted({one["on"] for one in found["long"].values()})
    return f"{lines}\nThe long runs: {'; '.join(machines)}.\n" if machines else lines


def _tried(result: Mapping[str, Any] | None, unit: str) -> str:
    if result is None:
        return "–"
    share = "" if result["scale"] == 1 else f" ({result['scale']:.0%} of the whole)"
    verdict = "" if result["held"] else ", **broken**"
    return f"{result['counts'].get(unit, 0):,} {unit}, {_spell(result['cpu'])}{share}{verdict}"


def _spell(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3_600:.1f} h"


MADE: Mapping[str, Callable[[], str]] = {
    "errors": made_errors,
    "facts": made_facts,
    "sparks": made_sparks,
    "exit-codes": made_exit_codes,
    "settings": made_settings,
    "step-options": made_step_options,
    "proofs": made_proofs,
}
