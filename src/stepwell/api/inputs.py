"""The inputs of a run: checked when it is asked for, recorded with it, read back when it goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec

from stepwell.codecs import oversize as limit
from stepwell.codecs.values import digest
from stepwell.definition.suggest import closest
from stepwell.errors import CodecError, InputError
from stepwell.events import Payload
from stepwell.plan.plan import Plan


def check_inputs(plan: Plan, given: Mapping[str, object]) -> dict[str, object]:
    """The inputs with defaults filled in, each of its declared type; raises InputError with all that is wrong."""
    wrong = [_unknown(plan, name) for name in given if name not in plan.inputs]
    inputs: dict[str, object] = {}
    for name, spec in plan.inputs.items():
        if name not in given:
            if spec.required:
                wrong.append(_missing(plan, name))
            inputs[name] = spec.default
            continue
        try:
            inputs[name] = spec.codec.from_builtins(given[name])
        except CodecError as error:
            wrong.append(f"input `{name}`: {error}")
    if wrong:
        head = "" if len(wrong) == 1 else f"{len(wrong)} inputs of pipeline `{plan.name}` are wrong:\n  - "
        raise InputError(head + "\n  - ".join(wrong))
    return inputs


def _unknown(plan: Plan, name: str) -> str:
    near = closest(name, plan.inputs)
    meant = f"; did you mean `{near}`?" if near else ""
    known = ", ".join(f"`{one}`" for one in plan.inputs) or "none"
    return f"pipeline `{plan.name}` has no input `{name}`{meant or f'; its inputs are {known}'}"


def _missing(plan: Plan, name: str) -> str:
    """A missing input may be a step's name with a typing mistake in it."""
    spec = plan.inputs[name]
    asked = f"step `{spec.used_by[0]}` asks for it" if spec.used_by else "it has no default"
    near = closest(name, plan.graph.names)
    meant = f"; did you mean the step `{near}`?" if near else ""
    return f"no input `{name}` ({asked}){meant or f'; give it as run({name}=…) or --{name}'}"


def record_inputs(plan: Plan, inputs: Mapping[str, object]) -> Payload:
    """The inputs as they are recorded; raises InputError."""
    encoded: dict[str, bytes] = {}
    for name in sorted(plan.inputs):
        try:
            encoded[name] = plan.inputs[name].codec.encode(inputs[name])
        except CodecError as error:
            raise InputError(f"input `{name}` cannot be recorded: {error}") from error
        if len(encoded[name]) > limit.LARGEST:
            raise InputError(f"input `{name}` cannot be recorded (`$` is its value): {limit.oversize(encoded[name])}")
    return Payload(msgspec.msgpack.encode(encoded))


def same_inputs(one: bytes, other: bytes) -> bool:
    """Whether two records of inputs say the same; the order of a dict does not count."""
    encoded, others = (msgspec.msgpack.decode(data, type=dict[str, bytes]) for data in (one, other))
    return encoded.keys() == others.keys() and all(digest(encoded[name]) == digest(others[name]) for name in encoded)


def read_inputs(plan: Plan, recorded: object, load: bytes | None) -> dict[str, object]:
    """The inputs of a recorded run, for the pipeline as it is now; raises InputError where they do not fit it."""
    if load is None:
        return check_inputs(plan, cast("Mapping[str, object]", recorded))
    encoded = msgspec.msgpack.decode(load, type=dict[str, bytes])
    inputs: dict[str, object] = {}
    for name, spec in plan.inputs.items():
        if name in encoded:
            try:
                inputs[name] = spec.codec.decode(encoded[name])
            except CodecError as error:
                raise InputError(
                    f"the recorded input `{name}` does not fit the pipeline as it is now: {error}; "
                    "start a new run, or give the parameter back its former type"
                ) from error
        elif spec.required:
            raise InputError(
                f"the pipeline has a new input `{name}` that the run was not given; "
                "give it a default to go on with the run, or start a new run"
            )
        else:
            inputs[name] = spec.default
    return inputs
