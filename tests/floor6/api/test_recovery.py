"""Whether a run may go on with the pipeline as it is now, asked of the record alone (S8, F18)."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepwell import App, Pipeline
from stepwell.api.record import fold
from stepwell.api.recovery import Changes, changes, refusal, warnings


def two_steps(first: str = "1", second: str = "1", *, name: str = "two") -> Pipeline:
    """Its second step fails, so that only the first keeps its record."""
    pipe = Pipeline(name)

    @pipe.step(version=first, name="first")
    async def begin() -> int:
        return 1

    @pipe.step(version=second)
    async def last(first: int) -> int:
        raise OSError("no")

    return pipe


async def seen(store: Path, pipe: Pipeline, on_change: str = "refuse") -> tuple[Changes, str | None]:
    async with App(store) as app:
        run = await app.run(two_steps())
        plan = pipe.compile()
        started, prints, state = fold(app.store, plan, run.run_id)
        found = changes(plan, state, prints)
        no = refusal(plan, state, started, found, on_change)
        return found, None if no is None else no.reason


@pytest.mark.parametrize(
    ("first", "second", "expected", "reason"),
    [
        ("1", "1", Changes(), None),
        ("1", "2", Changes(("last",), ()), None),
        ("2", "1", Changes(("first",), ("first",)), "code_changed"),
        ("2", "2", Changes(("first", "last"), ("first",)), "code_changed"),
    ],
)
async def test_only_a_step_that_keeps_its_record_is_refused_for_its_code(
    tmp_path: Path, first: str, second: str, expected: Changes, reason: str | None
) -> None:
    """S8: what runs again may have other code."""
    assert await seen(tmp_path / "s.db", two_steps(first, second)) == (expected, reason)


async def test_keeping_what_is_recorded_lifts_the_refusal(tmp_path: Path) -> None:
    found, reason = await seen(tmp_path / "s.db", two_steps("2"), "keep")
    assert reason is None
    assert found.message == "the run goes on with other code than it began with: `first` (its record is kept)"


async def test_another_pipeline_is_refused_unless_it_was_renamed(tmp_path: Path) -> None:
    assert (await seen(tmp_path / "s.db", two_steps(name="three")))[1] == "other_pipeline"
    assert (await seen(tmp_path / "t.db", two_steps(name="three"), "keep"))[1] is None


def test_code_that_cannot_be_seen_is_warned_of_only_where_a_run_can_go_on() -> None:
    pipe = Pipeline("hidden")
    factor = [3]

    @pipe.step
    def times(n: int) -> int:
        return n * factor[0]

    plan = pipe.compile()
    ((reason, message),) = warnings(plan, durable=True)
    assert reason == "code_not_seen"
    assert "`times`" in message
    assert warnings(plan, durable=False) == ()
