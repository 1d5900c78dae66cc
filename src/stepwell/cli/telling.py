"""What is told of a step on the way, by the live view and by the plain lines alike."""

from __future__ import annotations

from stepwell.events import LogLine
from stepwell.views.step_progress import Change, StepProgress
from stepwell.views.words import about, duration, per, plural

ENDS = {"completed": "ok", "tolerated": "failed, tolerated", "pruned": "not run"}
_WARNINGS_TOLD = 3
_NAMES_TOLD = 3


def label_of(step: StepProgress) -> str:
    """What it is called, and which visit it is where that is not the first."""
    return step.label if step.visit == 1 else f"{step.label} #{step.visit}"


def items_of(step: StepProgress) -> str:
    """How far a map has come, in words; "" for a step that is none."""
    if step.total is None:
        return ""
    ended = step.status not in ("pending", "running", "waiting")
    count = (
        plural(step.total, "item")
        if ended and step.done == step.total
        else f"{share_of(step)}{'' if step.grows else ' items'}"
    )
    return f"{count}, {len(step.failed):,} failed" if step.failed else count


def share_of(step: StepProgress) -> str:
    """`1,204/20,000`: how many of a map's items are done, failed ones included while it runs."""
    done = step.ended_items if step.status == "running" else step.done
    return f"{done:,}/{step.total or 0:,}{' so far' if step.grows else ''}"


def speed_of(step: StepProgress, now: float) -> list[str]:
    """How fast the items of a map end and when the last will have; nothing where that is not known."""
    rate, left = step.rate(now), step.left(now)
    told = [per(rate)] if rate is not None else []
    return [*told, f"{about(left)} left"] if left is not None else told


def state_of(step: StepProgress, now: float) -> list[str]:
    """What goes on in a step: how long, how many items, how fast, and when what waits is tried again."""
    parts = [duration(now - step.started_at)] if step.started_at is not None else []
    if items := items_of(step):
        parts.append(items)
    parts += speed_of(step, now)
    retry_at = step.next_retry(now)
    if retry_at is not None:
        parts.append(f"tried again in {duration(max(0.0, retry_at - now))}")
    return parts


def waits_of(step: StepProgress) -> str:
    """What a join waits for."""
    names = step.waits_for[:_NAMES_TOLD]
    more = len(step.waits_for) - len(names)
    return f"waits for {', '.join(names)}" + (f" and {more:,} more" if more else "")


def warning_line(change: Change) -> str:
    """A warning; of many for one reason the first few."""
    if change.alike > _WARNINGS_TOLD:
        return ""
    more = "; there are more like this, in `stepwell show`" if change.alike == _WARNINGS_TOLD else ""
    return f"warning: {change.text}{more}"


def first_line(text: str) -> str:
    """The first line of a message that may have many."""
    return text.strip().partition("\n")[0]


def spoken_line(line: LogLine) -> str:
    """What an attempt has said: a log record with its level, and with its logger where that is not the root."""
    if line.stream != "log":
        return line.text
    by = "" if line.logger in ("", "root") else f" {line.logger}"
    return f"{line.level}{by}: {line.text}"
