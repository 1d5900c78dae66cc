"""Why a store refuses, in the same words in every room."""

from __future__ import annotations

from stepwell.errors import LeaseLost, RunError, RunLive, RunNotFound, StoreError


def lease_lost(run_id: str) -> LeaseLost:
    """Somebody else owns the run now, or its lease was given up."""
    return LeaseLost(
        f"run {run_id}: another process has taken it over, so nothing more is written from here; "
        f"see `stepwell show {run_id}`"
    )


def missing(run_id: str, seq: int) -> StoreError:
    """A fact is not there, and later ones are."""
    return StoreError(f"run {run_id}: fact {seq} is missing; the store is damaged: restore a backup")


def second_end(run_id: str, path: str) -> LeaseLost:
    """A path that has an end would get another one."""
    return LeaseLost(
        f"run {run_id}: `{path}` has an end already and gets no second one; "
        "another process has gone on with this run, and its record stands"
    )


def gap(run_id: str, expected: int, came: int) -> StoreError:
    """The numbers of a run's facts would have a gap, or one of them would come twice."""
    return StoreError(
        f"run {run_id}: expected fact {expected}, got seq {came}; facts are appended in order, by one owner"
    )


def other_run(run_id: str, came: str) -> StoreError:
    """A fact of one run under the lease of another."""
    return StoreError(f"run {run_id}: got a fact of run {came}; append it under that run's own lease")


def not_found(run_id: str) -> RunNotFound:
    """No run has this id."""
    return RunNotFound(f"no run has the id {run_id}; `stepwell ls` shows those there are", run_id=run_id)


def live(run_id: str, owner: str) -> RunLive:
    """Somebody runs it at this moment."""
    return RunLive(
        f"run {run_id} is running at this moment ({owner}); wait for it, or end it with `stepwell cancel {run_id}`",
        run_id=run_id,
    )


def id_taken(run_id: str) -> RunError:
    """A new run would get the id of one that exists."""
    return RunError(
        f"there is a run with the id {run_id} already; choose another `run_id`, or `stepwell resume {run_id}`",
        run_id=run_id,
    )


def unknown_sync(sync: object) -> StoreError:
    """A level of durability that there is not."""
    return StoreError(
        f'sync is {sync!r}; expected "full" (what is recorded survives a power cut) or "process" (it survives a killed '
        "process only, and is quicker)"
    )


def closed(what: str) -> StoreError:
    """The store was closed before."""
    return StoreError(f"{what} is closed; open it again to use it")
