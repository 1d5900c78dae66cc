"""`stepwell run TARGET`: run a pipeline in this terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Annotated, Literal

from cyclopts import Parameter

from stepwell.api.app import App
from stepwell.api.settings import Settings, find_store, load_settings
from stepwell.api.targets import Target, find_target
from stepwell.cli import completions
from stepwell.cli.drive import Begun, drive, manner_of
from stepwell.cli.inputs import Given, misspelt_step, option, type_name
from stepwell.cli.options import FLAG, Json, ProgressKind, Quiet, Store, Strict, SyncLevel, seconds_of
from stepwell.cli.signals import Interrupts
from stepwell.cli.streams import guarded
from stepwell.errors import CodecError, InputError
from stepwell.plan.plan import Plan

OWN_OPTIONS = (
    "--param", "--params", "--key", "--on-failure", "--run-timeout", "--strict", "--no-strict", "--quiet",
    "--no-quiet", "--progress", "--sync", "--no-input", "--json", "--store", "--help",
)  # fmt: skip
Target_ = Annotated[
    str,
    Parameter(metavar="TARGET", completer=completions.targets, help="file.py, file.py:name or package.module:name."),
]
Rest = Annotated[str, Parameter(show=False, allow_leading_hyphen=True)]
Pairs = Annotated[
    tuple[str, ...],
    Parameter(
        name=("-p", "--param"), negative=(), metavar="KEY=VALUE", show_default=False, consume_multiple=False,
        allow_leading_hyphen=True, help="An input, also one that is called like an option below. Can be repeated.",
    ),
]  # fmt: skip
Params = Annotated[
    str | None,
    Parameter(metavar="FILE", allow_leading_hyphen=True, help="Inputs as a JSON object in a file, or `-`: stdin."),
]
Key = Annotated[str | None, Parameter(help="Start once: the same key with the same inputs means the same run.")]
OnFailure = Annotated[
    Literal["stop", "cancel", "finish"] | None,
    Parameter(help="When a step fails: start nothing new, cancel what runs, or finish what does not need it."),
]
RunTimeout = Annotated[
    str | None, Parameter(metavar="DURATION", help="Time for the whole run, such as 90s, 10m or 2h.")
]
NoInput = Annotated[bool, FLAG, Parameter(name="--no-input", help="Never ask for an input that is missing.")]
Help = Annotated[bool, FLAG, Parameter(name=("-h", "--help"), help="Show this, after a target also its inputs.")]


def run(
    target: Target_ = "",
    /,
    *inputs: Rest,
    param: Pairs = (),
    params: Params = None,
    key: Key = None,
    on_failure: OnFailure = None,
    run_timeout: RunTimeout = None,
    strict: Strict = None,
    quiet: Quiet = None,
    progress: ProgressKind = None,
    sync: SyncLevel = None,
    no_input: NoInput = False,
    json: Json = False,
    store: Store = None,
    help_: Help = False,
) -> int:
    """Run a pipeline: its output on stdout, its progress on stderr.

    The inputs of the pipeline are options too: `stepwell run digest.py --folder docs`.
    `stepwell run digest.py --help` lists them.
    """
    if help_ or not target:
        return _help(target, asked=help_)
    options = {"key": key, "on_failure": on_failure, "run_timeout": run_timeout}
    settings = load_settings()
    place = find_store(store, settings=settings)
    manner = manner_of(settings, strict, quiet, progress, sync, json=json, store=store, kept=place is not None)
    with guarded() as out, Interrupts() as interrupts:
        found = find_target(target)
        plan = found.pipeline.compile()
        values = _inputs(plan, inputs, param, params, ask=not no_input)
        wish = {"inputs": values, **_settled(plan, settings), **_options(plan, options)}
        return drive(place, lambda app: _begin(app, plan, wish, found), manner, out, interrupts)


def _begin(app: App, plan: Plan, wish: Mapping[str, object], target: Target) -> Begun:
    return Begun(app, app.start(plan, wish, target=target.kept), plan)


def _options(plan: Plan, given: Mapping[str, str | None]) -> dict[str, object]:
    """The run's own options that were given, checked."""
    options: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    for name in options:
        if name in plan.inputs:
            raise InputError(
                f"{option(name)} is an option of `run`, which this version cannot set for a pipeline that has an input "
                f"of that name; give the input as -p {name}=…"
            )
    if (timeout := given["run_timeout"]) is not None:
        options["run_timeout"] = seconds_of(timeout, "--run-timeout")
    return options


def _settled(plan: Plan, settings: Settings) -> dict[str, object]:
    """The run's own options as the settings have them; an input of that name stands in front of one."""
    options: dict[str, object] = {}
    if settings.on_failure is not None and "on_failure" not in plan.inputs:
        options["on_failure"] = settings.on_failure
    if settings.run_timeout is not None and "run_timeout" not in plan.inputs:
        options["run_timeout"] = seconds_of(str(settings.run_timeout), "run_timeout")
    return options


def _inputs(
    plan: Plan, tokens: tuple[str, ...], pairs: tuple[str, ...], params: str | None, *, ask: bool
) -> dict[str, object]:
    """The inputs from everywhere; an option counts more than a file."""
    given = Given(plan, OWN_OPTIONS)
    if params is not None:
        given.read_params(params)
    given.read_pairs(pairs)
    given.read_options(tokens)
    given.finish()
    if ask and not given.wrong and params != "-" and _can_ask():
        _ask(given)
    return given.check()


def _can_ask() -> bool:
    """Whether a person sits at both ends."""
    try:
        return sys.stdin.isatty() and sys.stderr.isatty() and not os.environ.get("CI")
    except (AttributeError, ValueError):
        return False


def _ask(given: Given) -> None:
    """Ask for what is missing, unless it is a typing mistake in the pipeline; an empty answer leaves it missing."""
    missing = given.missing()
    if any(misspelt_step(given.plan, spec) for spec in missing):
        return
    for spec in missing:
        while True:
            sys.stderr.write(f"{spec.name} ({type_name(spec)}): ")
            sys.stderr.flush()
            answer = sys.stdin.readline().rstrip("\n")
            if not answer:
                return
            try:
                given.values[spec.name] = spec.codec.from_text(answer)
                break
            except CodecError as error:
                sys.stderr.write(f"{str(error).removeprefix('`$`: ')}\n")


def _help(target: str, *, asked: bool) -> int:
    """The help, with the inputs of the pipeline where one was named."""
    from stepwell.cli.guide import show_help

    if not asked:
        raise InputError("run needs a TARGET: file.py, file.py:name or package.module:name; see `stepwell run --help`")
    with guarded() as out:
        found = find_target(target) if target else None
        show_help(run, out, target, None if found is None else found.pipeline)
    return 0
