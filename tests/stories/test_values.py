"""Arrays, tables and types of a user's own, recorded, and received by the steps after a crash."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from stepwell import DefinitionError, Pipeline, register_type
from stepwell.testing import Crashed

from .conftest import Play


@attrs.define
class Sample:
    name: str
    values: NDArray[np.float64] = attrs.field(eq=attrs.cmp_using(eq=np.array_equal))


class Vector:
    def __init__(self, x: float, y: float) -> None:
        self.x, self.y = x, y


register_type(Vector, encode=lambda v: [v.x, v.y], decode=lambda data: Vector(*data), to=list[float])


def measuring(seen: dict[str, Any]) -> Pipeline:
    """Each type is the output of a step, and the last step sees all of them."""
    pipe = Pipeline("measuring")

    @pipe.step
    def array() -> NDArray[np.float64]:
        return np.array([[1.0, np.nan], [-0.0, 2.0]])[:, ::-1]

    @pipe.step
    def frame(array: NDArray[np.float64]) -> pd.DataFrame:
        return pd.DataFrame(
            {"x": array[:, 1], "c": pd.Categorical(["a", None])}, index=pd.date_range("2026", periods=2)
        )

    @pipe.step
    def sample(frame: pd.DataFrame) -> Sample:
        return Sample("one", frame["x"].to_numpy())

    @pipe.step
    def vectors(sample: Sample) -> dict[str, Vector]:
        return {sample.name: Vector(*sample.values.tolist())}

    @pipe.step
    def tables(vectors: dict[str, Vector]) -> tuple[pl.DataFrame, pa.Table]:
        xs = [one.x for one in vectors.values()]
        return pl.DataFrame({"x": xs}), pa.table({"x": xs})

    @pipe.step
    def last(
        array: NDArray[np.float64],
        frame: pd.DataFrame,
        sample: Sample,
        vectors: dict[str, Vector],
        tables: tuple[pl.DataFrame, pa.Table],
    ) -> float:
        array += 0  # it is the step's own, and can be written to
        seen.update(array=array, frame=frame, sample=sample, vectors=vectors, tables=tables)
        return vectors["one"].x

    return pipe


@pytest.mark.parametrize("step", ["array", "frame", "sample", "vectors", "tables"])
async def test_what_a_step_receives_after_a_crash_is_what_it_receives_without_one(play: Play, step: str) -> None:
    """M10, S21, R3: for each step in turn, a crash right after it."""
    undisturbed: dict[str, Any] = {}
    expected = (await play(measuring(undisturbed)).run()).output
    seen: dict[str, Any] = {}
    h = play(measuring(seen))
    h.crash_after(step)
    with pytest.raises(Crashed):
        await h.run()
    assert seen == {}
    result = await h.resume()
    assert (result.status, result.output) == ("completed", expected)
    assert {name: type(one) for name, one in seen.items()} == {name: type(one) for name, one in undisturbed.items()}
    np.testing.assert_array_equal(seen["array"], undisturbed["array"], strict=True)
    pd.testing.assert_frame_equal(seen["frame"], undisturbed["frame"], check_exact=True)
    assert seen["sample"].name == "one"
    assert isinstance(seen["vectors"]["one"], Vector)
    assert seen["tables"][0].equals(undisturbed["tables"][0])
    assert seen["tables"][1].equals(undisturbed["tables"][1])


async def test_an_item_that_is_an_array_is_recorded_by_itself(play: Play) -> None:
    """M10, S7: a map over arrays that dies between two items."""
    pipe = Pipeline("arrays")

    @pipe.step
    def parts(count: int) -> list[NDArray[np.int64]]:
        return [np.arange(size) for size in range(count)]

    @pipe.map(over=parts, concurrency=1)
    def doubled(item: NDArray[np.int64]) -> NDArray[np.int64]:
        return item * 2

    @pipe.step
    def total(doubled: list[NDArray[np.int64]]) -> int:
        return sum(int(one.sum()) for one in doubled)

    h = play(pipe)
    h.crash_after("doubled[1]")
    with pytest.raises(Crashed):
        await h.run(count=4)
    assert (await h.resume()).output == 8
    assert len(h.calls("doubled")) == 4


async def test_arrays_and_own_types_are_inputs_too(play: Play) -> None:
    """M10, S15: an input is recorded, and equal arrays are equal inputs."""
    pipe = Pipeline("inputs")

    @pipe.step
    def dot(weights: NDArray[np.float64], at: Vector) -> float:
        weights *= 2
        return float(weights @ np.array([at.x, at.y]))

    h = play(pipe)
    assert (await h.run(weights=np.array([1.0, 2.0]), at=[1.0, 1.0])).output == 6.0
    assert (await h.run(weights=[1, 2], at=Vector(1.0, 1.0))).output == 6.0


def test_a_type_that_nobody_knows_is_told_with_its_step_when_the_pipeline_is_compiled() -> None:
    """M10: before anything runs; the step, the type and the way out."""

    class Socket:
        pass

    pipe = Pipeline("unknown")

    @pipe.step
    def connect(port: Socket) -> list[Socket]:
        return [port]

    with pytest.raises(DefinitionError) as raised:
        pipe.compile()
    told = [str(problem) for problem in raised.value.problems]
    assert len(told) == 2
    for one in told:
        assert "step `connect`" in one
        assert "`Socket` cannot be stored" in one
        assert "stepwell.register_type" in one
