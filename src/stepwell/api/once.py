"""Starting a run, once a key (S15): the same key and inputs give the run that is there, other inputs are an error."""

from __future__ import annotations

from time import sleep

from stepwell import events as ev
from stepwell.api.inputs import record_inputs, same_inputs
from stepwell.api.run import Run
from stepwell.api.session import Machine, Session, begin, resume, watch
from stepwell.api.wish import Wish
from stepwell.errors import KeyConflict, RunLive, StoreBusy, StoreError
from stepwell.journal.port import RunRow
from stepwell.state.state import SUCCESS

_LOOKS, _PAUSE = 500, 0.01
"""How often, and how many seconds apart, one looks for a run that another process is just starting."""


class Keyed:
    """The runs that were asked for with a key in this process: two calls at once are to have one run."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str], tuple[Run, Wish]] = {}

    def run(self, wish: Wish) -> Run | None:
        """The run that was asked for with the same key, if it has not come to an end; KeyConflict for other inputs."""
        run, before = self._runs.get((wish.plan.name, wish.key), (None, None))
        if run is None or before is None or run.has_ended:
            return None
        if before.inputs != wish.inputs:
            raise KeyConflict(
                f"key {wish.key!r} of pipeline `{wish.plan.name}` stands for run {run.id}, which has other inputs; "
                "use another key, or the same inputs",
                run_id=run.id,
            )
        return run

    def add(self, run: Run, wish: Wish) -> None:
        """Another one, if it has a key."""
        if wish.key:
            self._runs[wish.plan.name, wish.key] = (run, wish)

    def remove(self, run: Run) -> None:
        """It has come to an end: from here on the store tells."""
        for key in [key for key, (one, _) in self._runs.items() if one is run]:
            del self._runs[key]


def start(machine: Machine, wish: Wish, run_id: str) -> Session:
    """A new run; or, where its key was used before: what succeeded or is live is looked at, all else is resumed."""
    for _ in range(_LOOKS):
        session = begin(machine, wish, run_id)
        if session is not None:
            return session
        row = machine.store.with_key(wish.plan.name, wish.key)
        if row is not None:
            break
        sleep(_PAUSE)  # another process has the key and is about to write its first fact, or has just died
    else:
        raise StoreBusy(f"the run with key {wish.key!r} is being started by another process, and goes on doing so")
    _same_inputs(machine, wish, row)
    if row.status in (*SUCCESS, "running"):
        return watch(machine, wish.plan, row.run_id)
    try:
        return resume(machine, wish.plan, row.run_id, on_change="refuse", run_timeout=wish.run_timeout)
    except RunLive:  # another process was quicker
        return watch(machine, wish.plan, row.run_id)


def _same_inputs(machine: Machine, wish: Wish, row: RunRow) -> None:
    """A key stands for one set of inputs."""
    started = next(iter(machine.store.read(row.run_id, 0, 1)), None)
    if not isinstance(started, ev.RunStarted):
        raise StoreError(
            f"run {row.run_id}: {row.seq} facts were recorded, and the first is gone; "
            "the store is damaged: restore a backup"
        )
    recorded = started.inputs
    if isinstance(recorded, ev.Payload):
        data = machine.store.load(recorded)
        same = same_inputs(data, record_inputs(wish.plan, wish.inputs).data or b"")
    else:
        same = recorded == wish.inputs
    if not same:
        raise KeyConflict(
            f"key {wish.key!r} of pipeline `{wish.plan.name}` stands for run {row.run_id}, which has other inputs; "
            "use another key, or the same inputs",
            run_id=row.run_id,
        )
