"""The help of `stepwell run`, with the inputs of the pipeline among its options."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable
from typing import Annotated

from cyclopts import App, Group, Parameter
from rich.console import Console
from rich.markup import escape

from stepwell.api.blueprint import Blueprint
from stepwell.cli.inputs import is_flag, option, takes_several, type_name
from stepwell.cli.streams import Output
from stepwell.cli.terminal import look
from stepwell.codecs.show import shown
from stepwell.errors import CodecError
from stepwell.plan.plan import InputSpec

_INPUTS = Group("Inputs", sort_key=0)


def show_help(command: Callable[..., int], out: Output, target: str, pipeline: Blueprint | None) -> None:
    """Print it."""
    signature = inspect.signature(command, eval_str=True)
    own = [one for one in signature.parameters.values() if one.kind is one.KEYWORD_ONLY]
    described, usage = inspect.getdoc(command) or "", "stepwell run TARGET [INPUTS] [OPTIONS]"
    inputs: list[inspect.Parameter] = []
    first = [one for one in signature.parameters.values() if one.name == "target"]
    if pipeline is not None:
        taken = {name for one in own for name in _names(one)}
        inputs = [_input(spec, taken) for spec in pipeline.compile().inputs.values()]
        described = "\n\n".join(filter(None, [pipeline.name, pipeline.description]))
        usage = " ".join(["stepwell run", target, *(["[INPUTS]"] if inputs else []), "[OPTIONS]"])
        first = []

    def shape(*args: object, **kwargs: object) -> None:
        """Stands for the command, with another signature."""

    shape.__signature__ = signature.replace(parameters=[*first, *inputs, *own], return_annotation=None)  # type: ignore[attr-defined]  # pyright: ignore[reportFunctionMemberAccess]
    app = App(
        name="run", help=described, usage=f"Usage: {usage}", help_flags=(), version_flags=(), help_format="plaintext",
        group_parameters=Group("Options", sort_key=1),
    )  # fmt: skip
    app.default(shape)
    out.text(rendered(app, out))


def rendered(app: App, out: Output, tokens: tuple[str, ...] = ()) -> str:
    """The help as a text for whatever stdout is."""
    terminal = look(out.stream)
    text = io.StringIO()
    console = Console(
        file=text, width=terminal.width or 80, force_terminal=terminal.colour, no_color=not terminal.colour,
        color_system="standard" if terminal.colour else None, legacy_windows=False, safe_box=True,
    )  # fmt: skip
    app.help_print(list(tokens), console=console)
    found = text.getvalue()
    return found if terminal.unicode else found.translate(_ASCII_BOX)


_ASCII_BOX = str.maketrans("╭╮╰╯─│•—", "++++-|*-")


def _names(parameter: inspect.Parameter) -> list[str]:
    """The options by which a parameter of the command is given."""
    found = [option(parameter.name)]
    for one in getattr(parameter.annotation, "__metadata__", ()):
        if isinstance(one, Parameter) and one.name:
            found += [one.name] if isinstance(one.name, str) else list(one.name)
    return found


def _input(spec: InputSpec, taken: set[str]) -> inspect.Parameter:
    """An input as a parameter that the help can show."""
    name = option(spec.name)
    spelled: tuple[str, ...] = (name,)
    if is_flag(spec):
        spelled = (name, f"--no-{name.removeprefix('--')}")
    said = "" if spec.required else f"[default: {_default(spec)}]"
    if name in taken:
        said = f"{said} Give it as -p {spec.name}=…".strip()
        spelled = (f"-p {spec.name}=",)
    several = "..." if takes_several(spec) else ""
    metavar = None if is_flag(spec) else escape(f"{type_name(spec)}{several}")
    shown_as = Parameter(
        name=spelled, group=_INPUTS, help=said, negative=(), show_default=False, required=spec.required,
        metavar=metavar,
    )  # fmt: skip
    kind = bool if is_flag(spec) else str
    default = inspect.Parameter.empty if spec.required else None
    return inspect.Parameter(
        f"input_{spec.name}", inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, shown_as]
    )


def _default(spec: InputSpec) -> str:
    if isinstance(spec.default, str):
        return spec.default or '""'
    try:
        value = shown(spec.default)
    except CodecError:
        value = spec.default
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
