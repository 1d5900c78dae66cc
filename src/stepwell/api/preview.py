"""What going on with a run would do, found out of its record and the code as it is now; nothing is written or begun."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from stepwell import events as ev
from stepwell.api.inputs import read_inputs
from stepwell.api.record import fold
from stepwell.api.recovery import Changes, changes, refusal
from stepwell.engine.decide_resets import resets
from stepwell.errors import CodeChanged, InputError, PayloadLost
from stepwell.events import Payload
from stepwell.journal.port import RunRow, Store
from stepwell.plan.plan import Plan
from stepwell.state.fold import apply
from stepwell.state.state import SUCCESS, State
from stepwell.views.remainder import Remains, remainder, standing

Verdict = Literal["goes_on", "nothing", "live", "refused", "ends"]


class Preview(Struct, frozen=True):
    """What `resume` would do with a run.

    `verdict` is `goes_on`; `nothing`: it has succeeded, so its output is given once more; `live`: another process has
    it; `refused`: somebody must decide; `ends`: it would come to an end without running any step. `reason` and
    `message` say why; `steps` is empty where the record cannot be laid over the pipeline as it is now.
    """

    verdict: Verdict
    reason: str
    message: str
    changed: Changes
    steps: tuple[Remains, ...] = ()


def preview(store: Store, plan: Plan, row: RunRow, now: float, *, on_change: str = "refuse") -> Preview:
    """What a resume of this run would do with this plan; raises StoreError where the record cannot be read."""
    try:
        started, prints, state = fold(store, plan, row.run_id)
    except CodeChanged as error:
        return Preview("refused", "step_gone", str(error), Changes())
    before = standing(state)
    if row.status in SUCCESS:
        steps = remainder(before, state, runs=False)
        return Preview("nothing", row.status, "it has ended with success", Changes(), steps)
    changed = changes(plan, state, prints)
    no = _refusal(store, plan, state, started, changed, on_change)
    _go_on(plan, state)
    ends = _ends(store, row, state, now)
    steps = remainder(before, state, runs=ends is None)
    if row.status == "running":
        return Preview("live", "running", "a process has it at this moment", changed, remainder(before, state))
    if no is not None:
        return Preview("refused", *no, changed, steps)
    if ends is not None:
        return Preview("ends", *ends, changed, steps)
    return Preview("goes_on", row.status, "", changed, steps)


def _refusal(
    store: Store, plan: Plan, state: State, started: ev.RunStarted, changed: Changes, on_change: str
) -> tuple[str, str] | None:
    """Why the run could not go on, as a word and a message."""
    if (no := refusal(plan, state, started, changed, on_change)) is not None:
        return no.reason, no.message
    recorded = started.inputs
    try:
        read_inputs(plan, recorded, store.load(recorded) if isinstance(recorded, Payload) else None)
    except InputError as error:
        return "inputs", str(error)
    except PayloadLost as error:
        return "lost", str(error)
    return None


def _go_on(plan: Plan, state: State) -> None:
    """Fold what a resume begins with; nobody but this state hears of it."""
    again, recovered = resets(plan, state), state.status == "running" and state.halt != "cancelled"
    deadline = state.deadline if recovered else None
    apply(state, ev.RunResumed("", 0, 0.0, "", 0, recovered, deadline, plan.fingerprints))
    if again.paths:
        apply(state, ev.StepReset("", 0, 0.0, "", 0, again.paths, "resume", again.whole))


def _ends(store: Store, row: RunRow, after: State, now: float) -> tuple[str, str] | None:
    """Why no step would run although the run goes on."""
    if row.status == "interrupted" and store.requests(row.run_id):
        return (
            "cancelled",
            "somebody has asked for its end, which it would come to at once; the resume after that goes on",
        )
    if after.deadline is not None and now >= after.deadline:
        return "timed_out", "its time was up while no process had it; it would end at once; the resume after goes on"
    if after.halt == "stopped":
        return "stopped", "a step has returned Stop, which stands: the run would end `stopped`"
    return None
