"""What somebody wants to run: ids that can be typed, inputs that are given once."""

from __future__ import annotations

import pytest

from stepwell import App, DefinitionError, InputError, Pipeline


def sums() -> Pipeline:
    pipe = Pipeline("sums")

    @pipe.step
    def add(n: int, more: int = 0) -> int:
        return n + more

    return pipe


@pytest.mark.parametrize("run_id", ["last", "a\nb", "\n", "a\n", "--json", "a b", " a", "a/b", "é"])
async def test_an_id_that_cannot_be_typed_or_means_another_run_is_refused(run_id: str) -> None:
    """S15: `last` could never be named again, and a line break tears every table."""
    async with App() as app:
        with pytest.raises(DefinitionError, match=r"run_id has letters, digits, .* and is not `last`; not ") as caught:
            app.run(sums(), n=1, run_id=run_id)
        assert str(caught.value).endswith(repr(run_id))
        assert await app.runs() == []


@pytest.mark.parametrize("run_id", ["a", "2026-01-02T03:04", "LAST", "nightly.7_b"])
async def test_an_id_that_can_be_typed_is_the_id_of_the_run(run_id: str) -> None:
    """S15."""
    async with App() as app:
        assert (await app.run(sums(), n=1, run_id=run_id)).run_id == run_id
        assert (await app.get(run_id)).status == "completed"


@pytest.mark.parametrize("option", ["key", "run_id"])
@pytest.mark.parametrize("text", ["\ud800", "nightly\udcff", "\ude00\ud83d"])
async def test_text_with_half_of_a_character_is_refused_before_anything_is_written(option: str, text: str) -> None:
    """S15: no store can hold it; on the command line any bytes that are no UTF-8 come as such text."""
    async with App() as app:
        with pytest.raises(DefinitionError, match=f"{option} is text, and .* holds half of a character") as caught:
            app.run(sums(), n=1, **{option: text})
        assert str(caught.value).isascii()
        assert await app.runs() == []


@pytest.mark.parametrize("option", ["key", "run_id"])
async def test_a_key_or_id_that_is_no_text_is_refused_by_its_value(option: str) -> None:
    """S15: `5` and `"5"` would else be two keys for one thing."""
    async with App() as app:
        with pytest.raises(DefinitionError, match=f"{option} is text, not 5"):
            app.run(sums(), n=1, **{option: 5})


async def test_a_key_of_whole_characters_is_taken_as_it_is() -> None:
    """S15: pairs of halves that make a character are one."""
    async with App() as app:
        first = await app.run(sums(), n=1, key="nächtlich \N{GRINNING FACE}")
        assert (await app.run(sums(), n=1, key="nächtlich \U0001f600")).run_id == first.run_id


def test_an_input_that_is_given_twice_is_refused() -> None:
    """By its name and in `inputs=`; neither of the two is taken in silence."""
    with pytest.raises(InputError, match="given both by name and in inputs=: `more`, `n`; give each once"):
        sums().run_sync(n=1, more=1, inputs={"n": 2, "more": 2})
    assert sums().run_sync(n=1, inputs={"more": 2}).output == 3


@pytest.mark.parametrize("inputs", [5, "n=1", [("n", 1)]])
def test_inputs_that_are_no_dict_are_refused(inputs: object) -> None:
    """They are named by what they are given for."""
    with pytest.raises(DefinitionError, match="inputs= is a dict of the run's inputs, not "):
        sums().run_sync(inputs=inputs)


def test_an_input_that_is_called_inputs_is_given_by_its_name() -> None:
    """A keyword that the pipeline has an input for is that input."""
    pipe = Pipeline("named")

    @pipe.step
    def of_inputs(inputs: int) -> int:
        return inputs

    assert pipe.run_sync(inputs=3).output == 3
