"""The decision and the fold are pure, and no walk over the graph uses the stack."""

from __future__ import annotations

from . import purity_laws as law
from .blueprint import House, none


def test_decide_and_state_import_no_clock_chance_or_world(house: House) -> None:
    none(law.the_core_imports_nothing_impure(house))


def test_decide_and_state_never_wait(house: House) -> None:
    none(law.the_core_never_waits(house))


def test_graph_plan_engine_and_state_never_recurse(house: House) -> None:
    none(law.nothing_recurses(house))
