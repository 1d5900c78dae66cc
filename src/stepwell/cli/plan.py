"""`stepwell plan TARGET|RUN`: what would run, in which order and why; nothing is written and nothing begins."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Literal

from cyclopts import Parameter

from stepwell.api.preview import Preview, preview
from stepwell.api.recovery import warnings
from stepwell.api.targets import Target, find_target
from stepwell.cli import exits
from stepwell.cli.closing import command
from stepwell.cli.inputs import Given, option, type_name
from stepwell.cli.options import Json, Store, opened
from stepwell.cli.resume import kept_target
from stepwell.cli.run import Pairs, Params, Rest
from stepwell.cli.streams import guarded
from stepwell.cli.subject import Subject, run_meant, target_meant
from stepwell.cli.terminal import Colour, Terminal, look, padded, wrapped
from stepwell.codecs.show import shown
from stepwell.errors import CodecError, InputError
from stepwell.journal.port import RunRow
from stepwell.plan.plan import InputSpec, Plan
from stepwell.views.facts import brief
from stepwell.views.outline import NOT_KEPT, Outlined, details, outline
from stepwell.views.remainder import Remains
from stepwell.views.words import ago, duration, plural

_OWN_OPTIONS = ("--param", "--params", "--on-change", "--target", "--json", "--store", "--help")
_FATES: dict[str, tuple[str, Colour]] = {
    "kept": ("keep", "green"),
    "again": ("again", "yellow"),
    "new": ("new", "blue"),
    "off": ("-", "dim"),
}
_VERDICTS = {"refused": exits.BLOCKED, "live": exits.BUSY}
OnChange = Annotated[Literal["refuse", "keep"], Parameter(help="Of a run: what `resume --on-change` would be given.")]
TargetOfRun = Annotated[
    str | None, Parameter(metavar="TARGET", help="Of a run: its pipeline, where it does not know it or it has moved.")
]


def plan(
    subject: Subject,
    /,
    *inputs: Rest,
    param: Pairs = (),
    params: Params = None,
    on_change: OnChange = "refuse",
    target: TargetOfRun = None,
    json: Json = False,
    store: Store = None,
) -> int:
    """Say what would run, and why: of a target a new run, of a run what `resume` would do.

    Nothing is written and no step begins. It exits with what `run` or `resume` would: 2 where an input is missing,
    9 where the run is refused, 75 where another process has it.
    """
    row = run_meant(subject, store, "plan")
    with guarded() as out:
        terminal = look(out.stream)
        if row is None:
            found = target_meant(subject)
            compiled = found.pipeline.compile()
            given = _given(compiled, inputs, param, params)
            if json:
                out.versioned(_new_document(compiled, found, given))
            else:
                out.text("\n".join(_new_lines(compiled, subject, given, terminal)))
            return exits.USAGE if given.missing() else exits.OK
        if inputs or param or params:
            raise InputError(f"plan: run {row.run_id} has its inputs already; of a target they can be given")
        compiled = find_target(target or kept_target(row, store)).pipeline.compile()
        now = time.time()
        with opened(store, "plan") as app:
            seen = preview(app.store, compiled, row, now, on_change=on_change)
        if json:
            out.versioned(_run_document(compiled, row, seen))
        else:
            out.text("\n".join(_run_lines(compiled, row, seen, terminal, now, store)))
        return exits.USAGE if seen.reason == "inputs" else _VERDICTS.get(seen.verdict, exits.OK)


def _given(compiled: Plan, tokens: tuple[str, ...], pairs: tuple[str, ...], params: str | None) -> Given:
    """What was given of the inputs; raises InputError for what is wrong, not for what is missing."""
    given = Given(compiled, _OWN_OPTIONS)
    if params is not None:
        given.read_params(params)
    given.read_pairs(pairs)
    given.read_options(tokens)
    given.finish()
    if given.wrong:
        given.check()
    return given


# --- a new run --------------------------------------------------------------------------------------------------------


def _new_lines(compiled: Plan, target: str, given: Given, terminal: Terminal) -> Iterator[str]:
    steps = outline(compiled)
    yield terminal.fit(
        f"{terminal.paint(compiled.name, 'bold')}  {compiled.description.partition(chr(10))[0]}".rstrip()
    )
    if compiled.inputs:
        yield ""
        yield from _input_lines(compiled, given, terminal)
    yield ""
    width = max(len(step.name) for step in steps)
    last = 0
    for step in steps:
        level = str(step.level) if step.level != last else ""
        last = step.level
        head = f"{level:>4}  {padded(step.name, width)}"
        yield from wrapped(head, "; ".join(details(step)), terminal)
    yield ""
    missing = given.missing()
    if missing:
        asked = ", ".join(option(spec.name) for spec in missing)
        said = f"{asked} {'is' if len(missing) == 1 else 'are'} missing"
        yield from wrapped(terminal.paint("it cannot begin:", "yellow"), said, terminal)
    else:
        yield from wrapped("", f"{plural(len(steps), 'step')}; those of one number may run side by side", terminal)
    for _, message in warnings(compiled, durable=True):
        yield from wrapped(terminal.paint("warning:", "yellow"), message, terminal)


def _input_lines(compiled: Plan, given: Given, terminal: Terminal) -> Iterator[str]:
    missing = {spec.name for spec in given.missing()}
    rows = [(option(name), type_name(spec), spec) for name, spec in compiled.inputs.items()]
    names, types = max(len(row[0]) for row in rows), max(len(row[1]) for row in rows)
    for name, kind, spec in rows:
        head = f"  {padded(name, names)}  {padded(kind, types)}"
        if spec.name in missing:
            yield from wrapped(head, f"missing; {_users(spec)} needs it", terminal)
        else:
            how = "" if spec.name in given.values else "  (default)"
            yield from wrapped(head, f"{_value(given.values.get(spec.name, spec.default))}{how}", terminal)


def _users(spec: InputSpec) -> str:
    return f"`{spec.used_by[0]}`" if spec.used_by else "the pipeline"


def _value(value: object) -> str:
    return brief(_plain(value))


def _plain(value: object) -> object:
    """A value as JSON would have it; a text of it where that cannot be."""
    try:
        return shown(value)
    except CodecError:
        return str(value)


def _new_document(compiled: Plan, found: Target, given: Given) -> dict[str, object]:
    missing = {spec.name for spec in given.missing()}
    return {
        "of": "target",
        "target": found.kept,
        "pipeline": compiled.name,
        "description": compiled.description,
        "ready": not missing,
        "inputs": [
            {
                "name": name, "type": type_name(spec), "required": spec.required, "given": name in given.values,
                "missing": name in missing,
                "value": None if name in missing else _plain(given.values.get(name, spec.default)),
                "used_by": list(spec.used_by),
            }
            for name, spec in compiled.inputs.items()
        ],
        "steps": [asdict(step) for step in outline(compiled)],
        "on_failure": compiled.on_failure,
        "concurrency": compiled.concurrency,
        "run_timeout": compiled.run_timeout,
        "warnings": [message for _, message in warnings(compiled, durable=True)],
    }  # fmt: skip


# --- a run ------------------------------------------------------------------------------------------------------------


def _run_lines(
    compiled: Plan, row: RunRow, seen: Preview, terminal: Terminal, now: float, store: str | None
) -> Iterator[str]:
    yield terminal.fit(f"run {row.run_id}  {row.pipeline}  {row.status} {ago(row.updated_at, now)}")
    yield from wrapped("", _verdict(row, seen, store), terminal)
    if seen.changed.names:
        yield ""
        yield from _change_lines(seen, terminal)
    if not seen.steps:
        return
    yield ""
    remains = {one.name: one for one in seen.steps}
    width = max(len(name) for name in remains)
    for step in outline(compiled):
        one = remains[step.name]
        tag, colour = _FATES[one.fate]
        head = f"  {terminal.paint(padded(tag, 5), colour)}  {padded(step.name, width)}"
        yield from wrapped(head, _fate_told(one, step), terminal)
    took = sum(one.seconds or 0.0 for one in seen.steps if one.fate == "kept")
    kept = sum(one.fate == "kept" for one in seen.steps)
    runs = sum(one.fate in ("again", "new") for one in seen.steps)
    items = sum((one.items or 0) - (one.left or 0) for one in seen.steps if one.fate == "again")
    also = f" and {plural(items, 'item')}" if items else ""
    yield ""
    total = f"{plural(kept, 'step')} ({duration(took)} of work){also} kept, {runs:,} to run"
    yield from wrapped("", total, terminal)


def _verdict(row: RunRow, seen: Preview, store: str | None) -> str:
    resume = f"`{command('resume', row.run_id, store)}`"
    if seen.verdict == "goes_on":
        return f"{resume} would go on with it"
    if seen.verdict == "nothing":
        return f"nothing would run: {seen.message}; {resume} prints its output once more"
    if seen.verdict == "live":
        return f"{resume} would be refused: {seen.message}. Below is what is left to it as recorded"
    said = "would be refused" if seen.verdict == "refused" else "would run nothing"
    message = seen.message
    for word in ("resume", "show"):
        message = message.replace(f"stepwell {word} {row.run_id}", command(word, row.run_id, store))
    return f"{resume} {said}: {message}"


def _change_lines(seen: Preview, terminal: Terminal) -> Iterator[str]:
    """Which steps have other code now, and what comes of it."""
    open_ones = [name for name in seen.changed.names if name not in seen.changed.recorded]
    if open_ones:
        yield from wrapped("changed code:", f"{', '.join(open_ones)} (without a record: the new code runs)", terminal)
    if seen.changed.recorded:
        what = "refused, or kept with --on-change keep" if seen.verdict == "refused" else "the record is kept"
        yield from wrapped("changed code:", f"{', '.join(seen.changed.recorded)} (recorded: {what})", terminal)


def _fate_told(one: Remains, step: Outlined) -> str:
    """What is said behind a step: of what is kept its end, of what runs why, and what the plan says of it."""
    if one.fate in ("again", "new"):
        return "; ".join(filter(None, [one.why, *(word for word in details(step) if word != NOT_KEPT)]))
    items = f", {plural(one.items, 'item')}" if one.items is not None else ""
    return f"{one.status}{f': {one.why}' if one.why else ''}{items}"


def _run_document(compiled: Plan, row: RunRow, seen: Preview) -> dict[str, object]:
    remains = {one.name: asdict(one) for one in seen.steps}
    return {
        "of": "run",
        "run_id": row.run_id,
        "pipeline": row.pipeline,
        "target": row.target,
        "status": row.status,
        "verdict": seen.verdict,
        "reason": seen.reason,
        "message": seen.message,
        "changed": list(seen.changed.names),
        "changed_recorded": list(seen.changed.recorded),
        "steps": [{**asdict(step), **remains[step.name]} for step in outline(compiled) if step.name in remains],
    }
