"""The laws of facts: those of a real run keep them, and each kind of damage is found."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from stepwell import Pipeline
from stepwell import events as ev
from stepwell.events import Event, EventKind
from stepwell.testing import Harness, check_invariants

Damage = Callable[[list[Event]], list[Event]]


async def facts() -> list[Event]:
    """Those of a run with a join, a map and a retry."""
    pipe = Pipeline("laws")

    @pipe.step
    async def numbers() -> list[int]:
        return [1, 2]

    @pipe.map(over=numbers, retry=2, concurrency=1)
    async def work(item: int) -> int:
        return item

    @pipe.step(retry=2)
    async def side() -> int:
        return 1

    @pipe.step
    async def both(work: list[int], side: int) -> int:
        return sum(work) + side

    with Harness(pipe) as h:
        h.mock("side", side_effect=[OSError(), 5])
        h.mock("work", side_effect=[OSError(), 1, 2])
        assert (await h.run()).output == 8
        return h.events


def number(found: list[Event]) -> list[Event]:
    """Count them anew, so that it is not the numbers that are wrong."""
    return [msgspec.structs.replace(event, seq=seq) for seq, event in enumerate(found, 1)]


def at(found: list[Event], kind: EventKind, path: str = "") -> int:
    """The index of the first fact of this kind."""
    return next(i for i, one in enumerate(found) if one.kind is kind and (not path or one.path == path))


def without(kind: EventKind, path: str = "") -> Damage:
    def damage(found: list[Event]) -> list[Event]:
        index = at(found, kind, path)
        return number(found[:index] + found[index + 1 :])

    return damage


def twice(kind: EventKind, path: str = "") -> Damage:
    def damage(found: list[Event]) -> list[Event]:
        index = at(found, kind, path)
        return number([*found[: index + 1], *found[index:]])

    return damage


def moved(kind: EventKind, path: str, to: int) -> Damage:
    def damage(found: list[Event]) -> list[Event]:
        one = found.pop(at(found, kind, path))
        found.insert(to, one)
        return number(found)

    return damage


def changed(kind: EventKind, path: str, **fields: object) -> Damage:
    def damage(found: list[Event]) -> list[Event]:
        index = at(found, kind, path)
        found[index] = msgspec.structs.replace(found[index], **fields)
        return found

    return damage


DAMAGES = {
    "a gap in seq": lambda found: found[:3] + found[4:],
    "another run": changed(EventKind.STEP_STARTED, "side", run_id="other"),
    "no facts": lambda found: [],
    "no end": without(EventKind.RUN_FINISHED),
    "two ends": twice(EventKind.RUN_FINISHED),
    "a second start": twice(EventKind.RUN_STARTED),
    "a second end of a step": twice(EventKind.STEP_COMPLETED, "side"),
    "a second end of an item": twice(EventKind.ITEM_COMPLETED, "work[0]"),
    "a second release": twice(EventKind.JOIN_RELEASED),
    "a second expansion": twice(EventKind.MAP_EXPANDED),
    "an attempt that never ends": without(EventKind.STEP_COMPLETED, "both"),
    "an end without a start": without(EventKind.STEP_STARTED, "both"),
    "a wrong attempt": changed(EventKind.STEP_COMPLETED, "side", attempt=1),
    "a wrong attempt of an item": changed(EventKind.ITEM_COMPLETED, "work[0]", attempt=3),
    "a step before what it waits for": moved(EventKind.STEP_STARTED, "both", 4),
    "a map that completes too early": moved(EventKind.STEP_COMPLETED, "work", 6),
    "a wrong index": changed(EventKind.ITEM_COMPLETED, "work[0]", index=1),
    "a wrong status": changed(EventKind.RUN_FINISHED, "", status="degraded", not_run=("both",)),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
async def test_damage_of_any_kind_is_found(damage: Damage) -> None:
    """K3: machine-checked on every run."""
    found = await facts()
    check_invariants(found)
    with pytest.raises(AssertionError, match="break"):
        check_invariants(damage(found))


async def test_a_run_that_goes_on_need_not_have_an_end() -> None:
    found = await facts()
    for count in range(1, len(found)):
        check_invariants(found[:count], over=False)


async def test_a_failed_step_that_says_it_completed_is_found() -> None:
    found = [
        ev.RunStarted("r", 1, 0.0, fingerprints={"a": ""}),
        ev.StepStarted("r", 2, 0.0, "a", 1),
        ev.StepFailed("r", 3, 0.0, "a", 1),
        ev.RunFinished("r", 4, 0.0, status="completed"),
    ]
    with pytest.raises(AssertionError, match="failed or have no end"):
        check_invariants(found)


async def test_a_run_that_another_process_has_closed_may_leave_an_attempt_without_an_end() -> None:
    """Its process had died over it; nobody else may end a run so."""
    begun = (await facts())[:2]
    step = begun[1].path
    closed = ev.RunFinished(begun[0].run_id, 3, 9.0, "", 0, "cancelled", "its_process_was_gone", (), NAMES)
    check_invariants([*begun, closed])
    with pytest.raises(AssertionError, match=f"attempt 1 of {step} never ended"):
        check_invariants([*begun, msgspec.structs.replace(closed, reason="cancelled")])


NAMES = ("numbers", "work", "side", "both")
