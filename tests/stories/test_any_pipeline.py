"""Whatever the pipeline and wherever its process dies, the run ends as it does undisturbed."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from stepwell import RunNotFound, RunResult
from stepwell.testing import Crashed, Harness

from .any_pipeline import any_pipeline
from .conftest import Play
from .doing import BOUND


@pytest.mark.parametrize("seed", range(25))
async def test_a_run_ends_the_same_however_often_its_process_dies(play: Play, seed: int) -> None:
    """F11, R3, R4, S3: a crash at each append, and now and then a second and a third one in what goes on."""
    chance = Random(seed)
    pipe = any_pipeline(seed)
    h = play(pipe)
    undisturbed = ended(await h.run())
    times = {name: len(h.calls(name)) for name in pipe.steps()}
    for append in range(1, 100):
        h.crash_at(append, durable=chance.random() < 0.5)
        try:
            await h.run()
        except Crashed:
            result, deaths = await to_its_end(h, chance)
        else:
            break
        if result is None:
            continue
        assert ended(result) == undisturbed, f"seed {seed}, crash at append {append}"
        for name, count in times.items():
            assert len(h.calls(name)) <= count * (1 + deaths)
        facts = len(h.events)
        if result.succeeded:
            await h.resume()
            assert len(h.events) == facts


async def to_its_end(h: Harness, chance: Random) -> tuple[RunResult | None, int]:
    """Resume until nothing dies any more; None where the first crash left no record at all."""
    for deaths in range(1, 9):
        if chance.random() < 0.4:
            h.crash_at(chance.randint(1, 5), durable=chance.random() < 0.5)
        try:
            return await asyncio.wait_for(h.resume(), BOUND), deaths
        except RunNotFound:
            return None, deaths
        except Crashed:
            continue
    return await asyncio.wait_for(h.resume(), BOUND), 9


def ended(result: RunResult) -> tuple[str, dict[str, object], dict[str, str]]:
    """What a run came to."""
    return result.status, result.outputs, {name: one.status for name, one in result.steps.items()}
