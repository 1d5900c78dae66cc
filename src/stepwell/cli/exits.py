"""What each exit code means: one table for all commands.

    0   ok, also when a reader of our output has gone away (`stepwell ls | head -1`)
    1   the run failed; or a mistake of Stepwell's own
    2   usage: options or inputs are wrong
    3   the pipeline or the configuration is invalid
    4   target or run not found
    5   finished degraded, with --strict (else 0)
    7   cancelled, by `stepwell cancel` or by another process
    9   blocked: somebody has to decide
    75  the store is busy or cannot be reached, or the run is busy elsewhere: try again later
    124 the run's time was up
    130 interrupted: Ctrl-C, once (the run is cancelled and can be resumed) or twice (it is killed, and can be too)
    143 the same by SIGTERM, 129 by SIGHUP: 128 and the signal's number, as for every program that a signal ends

6 (waits for review) and 8 (budget exceeded) are kept for what this version does not have.
"""

from __future__ import annotations

from stepwell.errors import (
    DefinitionError,
    InputError,
    KeyConflict,
    PayloadLost,
    RunBlocked,
    RunLive,
    RunNotFound,
    SettingsError,
    StepwellError,
    StoreError,
    TargetError,
)

OK, FAILED, USAGE, INVALID, NOT_FOUND, DEGRADED = range(6)
CANCELLED, BLOCKED, BUSY, TIMED_OUT, INTERRUPTED = 7, 9, 75, 124, 130
SIGNAL = 128

_STATUS = {
    "completed": OK,
    "stopped": OK,
    "degraded": OK,
    "failed": FAILED,
    "cancelled": CANCELLED,
    "timed_out": TIMED_OUT,
    "blocked": BLOCKED,
}
_ERRORS: tuple[tuple[type[StepwellError], int], ...] = (
    (InputError, USAGE),
    (KeyConflict, USAGE),
    (DefinitionError, INVALID),
    (SettingsError, INVALID),
    (TargetError, NOT_FOUND),
    (RunNotFound, NOT_FOUND),
    (RunBlocked, BLOCKED),
    (PayloadLost, BLOCKED),
    (RunLive, BUSY),
    (StoreError, BUSY),
)


def of_status(status: str, *, strict: bool = False) -> int:
    """The exit code of a run that has come to this end."""
    if status == "degraded" and strict:
        return DEGRADED
    return _STATUS.get(status, FAILED)


def of_error(error: StepwellError) -> int:
    """The exit code of a command that could not do what it was asked for."""
    return next((code for kind, code in _ERRORS if isinstance(error, kind)), FAILED)
