"""For tests: the harness that runs pipelines in them, virtual time, planned crashes, and suites for stores to pass."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stepwell.testing.clock import VirtualClock
    from stepwell.testing.crash import Crashed
    from stepwell.testing.harness import Harness
    from stepwell.testing.invariants import check_invariants
    from stepwell.testing.mocks import Call
    from stepwell.testing.store_contract import StoreContract

__all__ = ["Call", "Crashed", "Harness", "StoreContract", "VirtualClock", "check_invariants"]

_HOMES = {
    "Call": "mocks",
    "Crashed": "crash",
    "Harness": "harness",
    "StoreContract": "store_contract",
    "VirtualClock": "clock",
    "check_invariants": "invariants",
}


def __getattr__(name: str) -> object:
    """Load what is asked for: the contract needs pytest, and pytest's plugin is to load nothing before it is used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
