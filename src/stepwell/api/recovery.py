"""Whether a run may go on with the pipeline as it is now (S8), and what is said about it; nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from stepwell import events as ev
from stepwell.engine.decide_resets import resets
from stepwell.errors import CodeChanged, RunBlocked
from stepwell.plan.plan import Plan
from stepwell.state.state import GUARDING, PENDING, RUNNING, WAITING, State

_RECOVERIES = 10
"""After its process has died so often without any progress, a run waits for somebody to decide."""
_OPEN = (PENDING, GUARDING, RUNNING, WAITING)


class Changes(Struct, frozen=True):
    """Steps that have other code than when the run began or last went on; `recorded`: those that keep an end."""

    names: tuple[str, ...] = ()
    recorded: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """What is said of a run that goes on all the same."""
        said = [f"`{name}` (its record is kept)" if name in self.recorded else f"`{name}`" for name in self.names]
        return f"the run goes on with other code than it began with: {', '.join(said)}"


class Refusal(Struct, frozen=True):
    """Why a run may not go on before somebody decides; `reason` is the word in the record."""

    reason: str
    message: str
    error: type[RunBlocked]


def changes(plan: Plan, state: State, prints: Mapping[str, str]) -> Changes:
    """What has changed since these fingerprints were recorded."""
    number = plan.graph.number
    names = tuple(name for name, mark in plan.fingerprints.items() if prints.get(name, mark) != mark)
    if not names:
        return Changes()
    again = frozenset(resets(plan, state).paths)

    def stays(at: int) -> bool:
        return state.steps[at] not in _OPEN and state.paths[at] not in again

    return Changes(names, tuple(name for name in names if stays(number[name])))


def refusal(plan: Plan, state: State, started: ev.RunStarted, changed: Changes, on_change: str) -> Refusal | None:
    """What keeps the run from going on, if anything does; the state is that of its record."""
    run_id = started.run_id
    if state.status == "running" and state.recoveries + 1 >= _RECOVERIES:
        message = (
            f"its process has died {state.recoveries + 1} times in a row without any step or item coming to an end; "
            f"find out why (`stepwell show {run_id}`), then `stepwell resume {run_id}` tries again"
        )
        return Refusal("no_progress", message, RunBlocked)
    if started.pipeline != plan.name and on_change != "keep":
        message = (
            f"the run is of pipeline `{started.pipeline}`, and this is `{plan.name}`; resume it with its own or, "
            f"if that was renamed, with `stepwell resume {run_id} --on-change keep`"
        )
        return Refusal("other_pipeline", message, CodeChanged)
    if changed.recorded and on_change == "refuse":
        names = ", ".join(f"`{name}`" for name in changed.recorded)
        message = (
            f"the code of {names} has changed since it ran. Keep what is recorded and go on with "
            f"`stepwell resume {run_id} --on-change keep`, put the code back, or start a new run"
        )
        return Refusal("code_changed", message, CodeChanged)
    return None


def warnings(plan: Plan, *, durable: bool) -> tuple[tuple[str, str], ...]:
    """What the plan warns of, each with its reason; `durable`: also of code whose changes would not be noticed."""
    said = [("definition", text) for text in plan.warnings]
    if durable:
        said += [
            (
                "code_not_seen",
                f"step `{step.name}`: its source is not at hand, or it uses values of an enclosing function, so a "
                'change of its code is not noticed when the run goes on; give it version="1" and raise that by hand',
            )
            for step in plan.steps
            if step.opaque
        ]
    return tuple(said)
