"""Stepwell runs multi-step Python pipelines that survive anything, in the process you already have."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stepwell.api.app import App
    from stepwell.api.pipeline import Pipeline
    from stepwell.api.result import RunResult
    from stepwell.api.run import Run
    from stepwell.codecs.registry import register_type
    from stepwell.control import Cancelled, CancelToken, Goto, Output, Raise, Retry, Skip, StepContext, Stop
    from stepwell.errors import (
        CodecError,
        CodeChanged,
        DefinitionError,
        InputError,
        KeyConflict,
        LeaseLost,
        LoopLimit,
        PayloadLost,
        RunBlocked,
        RunError,
        RunLive,
        RunNotFound,
        SettingsError,
        StepError,
        StepwellError,
        StoreBusy,
        StoreError,
        TargetError,
    )
    from stepwell.events import Event, EventKind, Failure
    from stepwell.policy import RetryPolicy
    from stepwell.views.records import StepRecord

__all__ = [
    "App",
    "CancelToken",
    "Cancelled",
    "CodeChanged",
    "CodecError",
    "DefinitionError",
    "Event",
    "EventKind",
    "Failure",
    "Goto",
    "InputError",
    "KeyConflict",
    "LeaseLost",
    "LoopLimit",
    "Output",
    "PayloadLost",
    "Pipeline",
    "Raise",
    "Retry",
    "RetryPolicy",
    "Run",
    "RunBlocked",
    "RunError",
    "RunLive",
    "RunNotFound",
    "RunResult",
    "SettingsError",
    "Skip",
    "StepContext",
    "StepError",
    "StepRecord",
    "StepwellError",
    "Stop",
    "StoreBusy",
    "StoreError",
    "TargetError",
    "register_type",
]

_ROOMS = {
    "stepwell.api.app": ("App",),
    "stepwell.api.pipeline": ("Pipeline",),
    "stepwell.api.result": ("RunResult",),
    "stepwell.api.run": ("Run",),
    "stepwell.codecs.registry": ("register_type",),
    "stepwell.control": (
        "CancelToken",
        "Cancelled",
        "Goto",
        "Output",
        "Raise",
        "Retry",
        "Skip",
        "StepContext",
        "Stop",
    ),
    "stepwell.errors": (
        "CodeChanged",
        "CodecError",
        "DefinitionError",
        "InputError",
        "KeyConflict",
        "LeaseLost",
        "LoopLimit",
        "PayloadLost",
        "RunBlocked",
        "RunError",
        "RunLive",
        "RunNotFound",
        "SettingsError",
        "StepError",
        "StepwellError",
        "StoreBusy",
        "StoreError",
        "TargetError",
    ),
    "stepwell.events": (
        "Event",
        "EventKind",
        "Failure",
    ),
    "stepwell.policy": ("RetryPolicy",),
    "stepwell.views.records": ("StepRecord",),
}
"""Where each name lives. It is loaded when it is first asked for, so that the command and its help start at once."""

_HOME = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
