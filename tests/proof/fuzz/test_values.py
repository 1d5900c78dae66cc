"""Odd values: each comes back as it was, or is refused with a reason; no other exception ends the run (S21)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stepwell import App, CodecError, InputError, Pipeline
from stepwell.api.inputs import read_inputs
from stepwell.codecs.values import Codecs, digest, plain
from stepwell.events import RunStarted
from stepwell.libraries.every import every_adapter

from .. import counts
from .odd import EVERY, PLAIN_TYPES, VALUES
from .same import same
from .tables import ARRAY_TYPES, ARRAYS

CODECS = Codecs(every_adapter())
EXAMPLES = counts.size(600, 50_000)
RUNS = counts.size(150, 5_000)
PAIRS = st.one_of(
    st.tuples(st.sampled_from(PLAIN_TYPES), VALUES),
    st.tuples(st.sampled_from(ARRAY_TYPES), st.integers(0, len(ARRAYS) - 1).map(lambda number: ARRAYS[number])),
)


def law(annotation: Any, value: Any, found: Counter[str]) -> None:
    """Recorded and the same again, or refused in words."""
    codec = CODECS.codec(annotation)
    try:
        data = codec.encode(value)
    except CodecError as error:
        found["values refused" if str(error) else "values refused without a word"] += 1
        return
    back = codec.decode(data)
    assert not (told := same(value, back)), f"{annotation}: {told}"
    assert codec.encode(back) == data, annotation
    codec.check(value)
    assert len(digest(data)) == 64
    for show in (lambda: plain(data), lambda: codec.to_builtins(value)):
        try:
            show()
        except CodecError:  # nested too deeply to be shown
            pass
    found["values recorded"] += 1


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(pair=PAIRS)
def test_an_odd_value_comes_back_as_it_was_or_is_refused(pair: tuple[Any, Any]) -> None:
    """S21."""
    found: Counter[str] = Counter()
    law(*pair, found)
    assert not found["values refused without a word"]


@pytest.mark.parametrize("annotation", [*PLAIN_TYPES, *ARRAY_TYPES], ids=str)
def test_every_odd_value_meets_every_type(annotation: Any) -> None:
    """S21."""
    found: Counter[str] = Counter()
    for value in (*EVERY, *ARRAYS):
        law(annotation, value, found)
    counts.tell("fuzz", found)
    assert not found["values refused without a word"]


async def test_a_step_that_returns_an_odd_value_gives_it_back_or_fails_by_name(tmp_path: Path) -> None:
    """S21: in the run, and once more to who opens the store anew."""
    given_now: list[Any] = [None]
    found: Counter[str] = Counter()
    kept: list[tuple[str, Pipeline, Any]] = []
    pipes = [(annotation, _giving(annotation, given_now)) for annotation in (*PLAIN_TYPES, *ARRAY_TYPES)]
    async with App(tmp_path / "runs.db", sync="process", capture="off") as app:
        for number in range(RUNS):
            annotation, pipe = pipes[number % len(pipes)]
            codec = CODECS.codec(annotation)
            pool = [*EVERY, *ARRAYS]
            start = number * 37 % len(pool)
            # Mostly one that fits, if there is any from here on.
            fits = [one for one in (*pool[start:], *pool[:start]) if _fits(codec, one)] if number % 3 else []
            given_now[0] = value = (fits or pool[start:])[0]
            result = await app.run(pipe)
            if result.status == "completed":
                assert not (told := same(value, result.output)), f"{annotation}: {told}"
                kept.append((result.run_id, pipe, value))
                found["runs with an odd output"] += 1
            else:
                (failure,) = result.failures
                assert failure.step == "give"
                assert failure.kind == "codec"
                assert failure.message
                found["runs whose odd output was refused"] += 1
    async with App(tmp_path / "runs.db", capture="off") as app:
        for run_id, pipe, value in kept:
            again = await app.resume(run_id, pipe)
            assert not (told := same(value, again.output)), told
    counts.tell("fuzz", found)
    assert found["runs with an odd output"] > RUNS // 4
    assert found["runs whose odd output was refused"] > RUNS // 10


def _fits(codec: Any, value: Any) -> bool:
    try:
        codec.encode(value)
    except CodecError:
        return False
    return True


def _giving(annotation: Any, now: list[Any]) -> Pipeline:
    pipe = Pipeline("odd")

    async def give() -> Any:
        return now[0]

    give.__annotations__ = {"return": annotation}
    pipe.step(give)
    return pipe


async def test_an_odd_input_reaches_the_step_as_the_record_has_it_or_is_refused(tmp_path: Path) -> None:
    """S21, S15: what a resume would read is what the step received."""
    found: Counter[str] = Counter()
    taken: list[Any] = []
    async with App(tmp_path / "runs.db", sync="process", capture="off") as app:
        for number, annotation in enumerate((*PLAIN_TYPES, *ARRAY_TYPES)):
            pipe = Pipeline("odd")

            async def take(value: Any) -> None:
                taken.append(value)

            take.__annotations__ = {"value": annotation, "return": None}
            pipe.step(take)
            codec, pool = CODECS.codec(annotation), [*EVERY, *ARRAYS]
            fitting = [one for one in pool if _fits(codec, one)]
            for value in (*fitting[: 3 + 40 * counts.LONG], pool[number % len(pool)]):
                try:
                    result = await app.run(pipe, value=value)
                except InputError as error:
                    found["inputs refused" if "`value`" in str(error) else "inputs refused without their name"] += 1
                    continue
                assert result.status == "completed", result.failures
                started = app.store.read(result.run_id, 0, 1)[0]
                assert isinstance(started, RunStarted)
                recorded: Any = started.inputs
                back = read_inputs(pipe.compile(), recorded, app.store.load(recorded))["value"]
                assert not (told := same(taken[-1], back)), f"{annotation}: {told}"
                found["odd inputs recorded"] += 1
    counts.tell("fuzz", found)
    assert found["odd inputs recorded"] > 50
    assert not found["inputs refused without their name"]
