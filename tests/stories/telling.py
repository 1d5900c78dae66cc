"""Facts as short lines, to be compared with the story that a test expects."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import cleandoc

from stepwell import events as ev
from stepwell.events import Event
from stepwell.testing import Harness


def told(h: Harness, after: int = 0) -> str:
    """The facts of the last run with `seq > after`, a line each: `STEP_COMPLETED measure[2] attempt=1 -> 4`.

    That the code of a step which uses values of its test cannot be seen is said on disk only; it is left out.
    """
    return "\n".join(line(event) for event in h.events if event.seq > after and not _unseen(event))


def tale(text: str) -> str:
    """The expected story without its indentation."""
    return cleandoc(text).strip()


def line(event: Event) -> str:
    """One fact as one line: kind, path, attempt, and what it has to say."""
    words = [event.kind.value, event.path]
    if event.attempt:
        words.append(f"attempt={event.attempt}")
    return " ".join(word for word in (*words, *_said(event)) if word)


def _unseen(event: Event) -> bool:
    return isinstance(event, ev.WarningIssued) and event.reason == "code_not_seen"


def _said(event: Event) -> Sequence[str]:
    match event:
        case ev.RunResumed():
            return ["recovered" * event.recovered]
        case ev.RunCancelled() | ev.RunBlocked() | ev.WarningIssued() | ev.StepCancelled() | ev.ItemCancelled():
            return [event.reason]
        case ev.RunFinished():
            return [event.status, event.reason, _names("not_run", event.not_run)]
        case ev.StepCompleted():
            output = f"-> {event.output!r}" if event.output is not None else ""
            marks = ["stops" * event.stops, "degraded" * event.degraded, "soft_failed" * event.soft_failed]
            return [output, f"goto={event.goto}" if event.goto else "", *marks, "" if event.kept else "not_kept"]
        case ev.ItemCompleted():
            output = f"-> {event.output!r}" if event.output is not None else ""
            return [output, "stops" * event.stops, "skipped" * event.skipped]
        case ev.StepRetrying() | ev.ItemRetrying():
            return [_failed(event.failure), event.reason, f"in={event.retry_at - event.at:g}s"]
        case ev.StepFailed():
            return [_failed(event.failure), "tolerated" * event.tolerated]
        case ev.ItemFailed():
            return [_failed(event.failure)]
        case ev.StepSkipped():
            return [event.reason.partition(":")[0]]
        case ev.StepPruned():
            return [event.reason, event.because]
        case ev.StepReset():
            return [",".join(event.paths), event.cause, _names("whole", event.whole)]
        case ev.MapExpanded():
            return [f"count={event.count}", _names("keys", event.keys or ()), "more" * event.more]
        case ev.JoinWaiting():
            limit = "" if event.deadline is None else f"limit={event.deadline - event.at:g}s"
            return [_names("for", event.waiting_for), limit]
        case ev.JoinTimedOut():
            return [_names("for", event.waiting_for)]
        case ev.Token():
            return [repr(event.value)]
        case ev.BranchChosen():
            return [event.value, "->", ",".join(event.chosen)]
        case _:
            return []


def _failed(failure: ev.Failure | None) -> str:
    return "" if failure is None else f"{failure.kind}:{failure.type}"


def _names(what: str, names: Sequence[str]) -> str:
    return f"{what}={','.join(names)}" if names else ""
