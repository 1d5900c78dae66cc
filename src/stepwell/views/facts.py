"""One fact of a run, told: in a few words for a line of text, or whole for JSON; neither needs the pipeline's code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import cast

import msgspec

from stepwell import events as ev
from stepwell.codecs.show import plain, shown
from stepwell.errors import CodecError, StepwellError
from stepwell.events import Event, Failure, Payload
from stepwell.views.words import plural, reason

_ENVELOPE = ("run_id", "seq", "at", "path", "attempt")
_WIDTH = 60
_MOST_NAMED = 5
Load = Callable[[Payload], bytes]
"""Gives the bytes of a recorded value, wherever they lie; raises a StepwellError where they are gone."""


def inputs_of(started: ev.RunStarted, load: Load) -> dict[str, object]:
    """What a run was given, as far as it can be shown without its types."""
    recorded = started.inputs
    if isinstance(recorded, Mapping):
        return cast("dict[str, object]", _shown(cast("object", recorded)))
    if not isinstance(recorded, Payload):
        return {}
    try:
        encoded = msgspec.msgpack.decode(load(recorded), type=dict[str, bytes])
        return {name: plain(data) for name, data in encoded.items()}
    except (StepwellError, msgspec.MsgspecError):
        return {}


# --- for programs -----------------------------------------------------------------------------------------------------


def document(fact: Event) -> dict[str, object]:
    """A fact as JSON has it: kind and envelope, then its own fields.

    A recorded value stands as it is where its bytes lie in the journal and can be read without its type; else None.
    `output_bytes` is its size, and `output_digest` names a value that is too large for the journal.
    """
    found: dict[str, object] = {"kind": fact.kind.value, **{name: getattr(fact, name) for name in _ENVELOPE}}
    for name in fact.__struct_fields__:
        if name in _ENVELOPE:
            continue
        value = cast("object", getattr(fact, name))
        if isinstance(value, Payload):
            found[name] = _readable(fact, value)
            found[f"{name}_bytes"] = _size(value)
            if value.data is None:
                found[f"{name}_digest"] = value.digest
        else:
            found[name] = _shown(value)
    return found


def _readable(fact: Event, value: Payload) -> object:
    if isinstance(fact, ev.RunStarted):
        return inputs_of(fact, _inline)
    try:
        return None if value.data is None else plain(value.data)
    except CodecError:
        return None


def _inline(value: Payload) -> bytes:
    if value.data is None:
        raise StepwellError("this value lies outside the journal")
    return value.data


def _size(value: Payload) -> int:
    return value.size if value.data is None else len(value.data)


def _shown(value: object) -> object:
    if value is None or isinstance(value, str | int | float):
        return value
    try:
        return shown(value)
    except CodecError:
        return None


# --- for people -------------------------------------------------------------------------------------------------------


def told(fact: Event) -> str:
    """What a fact says beside its kind and its path, in one line; "" where these say it all."""
    return " ".join(_words(fact).split("\n"))


def _words(fact: Event) -> str:
    match fact:
        case ev.RunStarted():
            return _started(fact)
        case ev.RunResumed():
            return "its process had died" if fact.recovered else ""
        case ev.RunFinished():
            return _finished(fact)
        case ev.StepStarted():
            return f"attempt {fact.attempt}" if fact.attempt > 1 else ""
        case ev.StepCompleted() | ev.ItemCompleted():
            return _completed(fact)
        case ev.StepRetrying() | ev.ItemRetrying():
            return _retrying(fact)
        case ev.StepFailed() | ev.ItemFailed():
            return _failed(fact)
        case ev.StepPruned():
            return reason(f"{fact.reason}: {fact.because}" if fact.because else fact.reason)
        case ev.RunCancelled() | ev.StepCancelled() | ev.ItemCancelled() | ev.StepSkipped():
            return reason(fact.reason)
        case ev.StepReset():
            return f"{fact.cause}: {_named(fact.paths)}"
        case ev.MapExpanded():
            return f"{plural(fact.count, 'item')}{', more to come' if fact.more else ''}"
        case ev.JoinWaiting() | ev.JoinTimedOut():
            return f"for {_named(fact.waiting_for)}"
        case ev.BranchChosen():
            return f"{fact.value} -> {_named(fact.chosen) or 'nothing'}"
        case ev.WarningIssued() | ev.RunBlocked():
            return fact.message
        case _:
            return _fields(fact)


def _started(fact: ev.RunStarted) -> str:
    version = f" {fact.version}" if fact.version else ""
    given = " ".join(f"{name}={brief(value)}" for name, value in inputs_of(fact, _inline).items())
    return "  ".join(filter(None, [f"{fact.pipeline}{version}", plural(len(fact.fingerprints), "step"), given]))


def _finished(fact: ev.RunFinished) -> str:
    left = f"; without an end: {_named(fact.not_run)}" if fact.not_run else ""
    return f"{fact.status}{f' ({fact.reason})' if fact.reason else ''}{left}"


def _completed(fact: ev.StepCompleted | ev.ItemCompleted) -> str:
    if isinstance(fact, ev.ItemCompleted) and fact.skipped:
        return "it returned Skip"
    marks = ["it returned Stop"] if fact.stops else []
    if isinstance(fact, ev.StepCompleted):
        marks += [f"goes back to {fact.goto}"] if fact.goto else []
        marks += ["without the items that failed"] if fact.degraded else []
        marks += ["soft-failed"] if fact.soft_failed else []
    return ", ".join([_value(fact.output), *marks]).strip(", ")


def _value(output: object) -> str:
    if output is None:
        return ""
    if not isinstance(output, Payload):
        return brief(_shown(output))
    try:
        return f"{output.size:,} bytes" if output.data is None else brief(plain(output.data))
    except CodecError:
        return f"{_size(output):,} bytes"


def brief(value: object) -> str:
    """A value in one short text.

    >>> brief({"words": 3}), brief("docs"), brief("a b")
    ('{"words":3}', 'docs', '"a b"')
    """
    if isinstance(value, str) and value and " " not in value:
        text = value
    else:
        try:
            text = msgspec.json.encode(value).decode()
        except UnicodeEncodeError:  # half a character
            text = ascii(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."


def _failed(fact: ev.StepFailed | ev.ItemFailed) -> str:
    tolerated = isinstance(fact, ev.StepFailed) and fact.tolerated
    return f"{_failure(fact.failure)}{' (tolerated)' if tolerated else ''}"


def _retrying(fact: ev.StepRetrying | ev.ItemRetrying) -> str:
    why = _failure(fact.failure) if fact.failure else reason(fact.reason) or "it returned Retry"
    return f"{why}; again at {datetime.fromtimestamp(fact.retry_at).astimezone():%H:%M:%S}"


def _failure(failure: Failure | None) -> str:
    return "" if failure is None else f"{failure.type}: {failure.message}".partition("\n")[0]


def _named(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"


def _fields(fact: Event) -> str:
    """Of a kind that has no words of its own here: the fields that say something."""
    found = {name: value for name, value in document(fact).items() if name not in ("kind", *_ENVELOPE)}
    return " ".join(f"{name}={brief(value)}" for name, value in found.items() if value not in (None, "", [], {}, False))
