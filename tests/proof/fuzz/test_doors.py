"""Odd things through every other door: exceptions, keys of items, ids, keys of runs, paths of stores, typed inputs."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from stepwell import App, Pipeline, StepwellError

from .. import counts
from .known import unknown
from .looks import Looker
from .odd import EVERY, NAN
from .stores import SCRIPT

PATIENCE = 20
TEXTS = [
    "", "a", "\n", "a\nb", "\0", "a\0b", "\ud800", "\N{PILE OF POO}", "a/b", "../x", "a]b", "[", "]", "#2", "a#2",
    "last", " ", "a b", "\x1b[31m", "x" * 300, "%s", "%41", "?mode=memory", "#frag", "\"'`$(x)", "-", "--json",
    "e\u0301", "\u00e9", ".", "..", "~", "\\", "a:b", ":memory:", "file:x.db", "file::memory:?cache=shared",
    "\u202e", "1e999", "null", "[1",
]  # fmt: skip


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Wrong(Exception):
    def __str__(self) -> Any:
        return 5


class Loud(Exception):
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class Held(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__()
        self.pair = lambda: (one, two)


def circle() -> Exception:
    error = ValueError("its own cause")
    error.__cause__ = error
    return error


def line() -> Exception:
    error = ValueError("first")
    for number in range(3000):
        after = ValueError(str(number))
        after.__cause__, error = error, after
    return error


def nest() -> Exception:
    error: Exception = ValueError("innermost")
    for _ in range(1500):
        error = ExceptionGroup("around", [error])
    return error


def noted() -> Exception:
    error = ValueError("noted")
    error.add_note("\ud800")
    error.__notes__.append(5)  # type: ignore[arg-type]
    return error


ERRORS = [
    Mute(), Wrong(), Loud(), Held(1, 2), circle(), line(), nest(), noted(), ValueError("\ud800\0\x1b[31m\r\n"),
    type("Name\n\x1b[31m", (Exception,), {})("x"), ValueError("x" * 10_000_000), StopIteration(3), StopAsyncIteration(),
    GeneratorExit(), MemoryError(), RecursionError(), OSError(), asyncio.CancelledError("own"), TimeoutError("own"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "reason"), StepwellError("own"), BaseException("base"), AssertionError(),
    BaseExceptionGroup("both", [GeneratorExit(), ValueError()]), SyntaxError("x", ("f", 1, 1, "\ud800", 1, 2)),
]  # fmt: skip


@pytest.mark.parametrize("in_loop", [True, False])
async def test_whatever_a_step_raises_is_recorded_as_its_failure(tmp_path: Path, in_loop: bool) -> None:
    """S21, S24: the run ends as failed, and its record can be read and shown."""
    for error in ERRORS:
        pipe = Pipeline("raises")

        async def boom() -> int:
            raise error  # noqa: B023

        def bang() -> int:
            raise error  # noqa: B023

        pipe.step(boom if in_loop else bang)
        async with App(tmp_path / "runs.db", sync="process", capture="off") as app, asyncio.timeout(PATIENCE):
            result = await app.run(pipe)
            assert result.status == "failed", error.__class__
            (failure,) = result.failures
            assert failure.step in {"boom", "bang"}
            assert len(failure.message) < 20_000
            assert len(failure.traceback) < 200_000
            again = app.store.read(result.run_id, 0, 100)
            assert again[-1].kind.value == "RUN_FINISHED"
    counts.tell("fuzz", {"odd exceptions": len(ERRORS)})


KEYS: list[list[Any]] = [
    *([text] for text in TEXTS), *([one] for one in EVERY[:80:3]), [None], [0], [NAN], [10**5000],
    ["a", "a"], ["1", 1], [1, 1.0, True], ["A", "a"], ["e\u0301", "\u00e9"], ["", ""], ["#2", "a#2"], ["x" * 100_000],
]  # fmt: skip


async def test_items_with_odd_keys_are_told_apart_or_the_map_fails_with_a_reason(tmp_path: Path) -> None:
    """S6, S7: also after the store was opened anew."""
    found: Counter[str] = Counter()
    for keys in KEYS:
        pipe = Pipeline("keys")

        async def items(count: int = len(keys)) -> list[int]:
            return list(range(count))

        def work(item: int) -> int:
            return item * 2

        pipe.step(items)
        pipe.map(over=items, key=lambda item: keys[item])(work)
        async with App(tmp_path / "runs.db", sync="process", capture="off") as app, asyncio.timeout(PATIENCE):
            result = await app.run(pipe)
        if result.status != "completed":
            (failure,) = result.failures
            assert failure.step == "work"
            assert failure.message
            found["odd keys of items refused"] += 1
            continue
        async with App(tmp_path / "runs.db", capture="off") as app, asyncio.timeout(PATIENCE):
            again = await app.resume(result.run_id, pipe)
            assert again.output == result.output == [item * 2 for item in range(len(keys))]
            assert len(again.steps["work"].items) == len(keys)
        found["odd keys of items taken"] += 1
    counts.tell("fuzz", found)
    assert found["odd keys of items taken"] > 20
    assert found["odd keys of items refused"] > 2


def _one() -> Pipeline:
    pipe = Pipeline("one")

    @pipe.step
    async def one(x: int = 1) -> int:
        return x

    return pipe


@pytest.mark.parametrize("option", ["run_id", "key"])
async def test_an_odd_id_or_key_finds_its_run_again_or_is_refused(tmp_path: Path, option: str) -> None:
    """S15: the same key is the same run, whatever is in it."""
    found: Counter[str] = Counter()
    wrong: list[str] = []
    for text in TEXTS:
        try:
            async with App(tmp_path / "runs.db", sync="process", capture="off") as app, asyncio.timeout(PATIENCE):
                result = await app.run(_one(), **{option: text})
                row = await app.get(result.run_id)
                if text:
                    assert (row.run_id if option == "run_id" else row.key) == text
                    assert option == "run_id" or (await app.run(_one(), key=text)).run_id == result.run_id
        except StepwellError as error:
            wrong += [] if option in str(error) else [f"{text!a}: {error}"]
            found[f"odd {option}s refused"] += 1
        except Exception as error:
            wrong.append(f"{text!a}: {error!r}")
        else:
            found[f"odd {option}s taken"] += 1
    counts.tell("fuzz", found)
    assert not unknown(wrong), "\n".join(wrong)
    assert found[f"odd {option}s taken"] > 1


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
async def test_looking_for_an_odd_id_says_that_there_is_no_such_run(tmp_path: Path, text: str) -> None:
    """S24."""
    async with App(tmp_path / "runs.db", sync="process", capture="off") as app:
        await app.run(_one(), key="k", run_id="known")
    async with App(tmp_path / "runs.db", capture="off") as app:
        for run_id in (text, f"{text}-and-more"):
            if run_id == "last":
                continue
            for ask in (app.get, app.cancel):
                with pytest.raises(StepwellError):
                    await ask(run_id)
            with pytest.raises(StepwellError):
                await app.resume(run_id, _one())
        assert len(await app.runs(pipeline=text)) == (not text)


async def test_a_store_at_an_odd_path_is_one_store_or_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S15: what was begun there is found there, and nowhere else."""
    found: Counter[str] = Counter()
    wrong: list[str] = []
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for number, text in enumerate(TEXTS):
        for place in (f"q{number}{text}", f"{folder}/{number}{text}/runs.db", Path(f"p{number}{text}")):
            try:
                async with App(place, sync="process", capture="off") as app, asyncio.timeout(PATIENCE):
                    result = await app.run(_one(), key="k")
                async with App(place, sync="process", capture="off") as app, asyncio.timeout(PATIENCE):
                    assert (await app.run(_one(), key="k")).run_id == result.run_id
                    assert len(await app.runs()) == 1
            except StepwellError as error:
                wrong += [] if str(error) else [f"{place!a} is refused without a word"]
                found["odd paths refused"] += 1
            except Exception as error:
                wrong.append(f"{place!a}: {error!r}")
            else:
                found["odd paths of stores"] += 1
    counts.tell("fuzz", found)
    assert not unknown(wrong), "\n".join(wrong)
    assert found["odd paths of stores"] > 60


def test_odd_texts_that_are_typed_are_values_or_usage(tmp_path: Path) -> None:
    """S21: an input, a key, an id or a store on the command line never ends in a traceback."""
    looker = Looker(tmp_path / "runs.db", tmp_path / "witness")
    target = f"{SCRIPT}:many"
    wrong: list[str] = []
    for text in TEXTS:
        for tokens in (
            ["run", target, "-q", "--upto", text], ["run", target, "-q", "--upto", "0", "--key", text],
            ["run", target, "-q", "-p", f"upto={text}"], ["show", text], ["resume", f"{text}-and-more"], ["run", text],
            ["events", "last", "--step", text], ["ls", "--pipeline", text],
        ):  # fmt: skip
            seen = looker.type_in(*tokens)
            if not isinstance(seen.answer, tuple):
                wrong.append(f"{tokens}: {seen.error!r}")
                continue
            code, _, said = seen.answer
            if "mistake in Stepwell" in said or code not in {0, 2, 3, 4, 9} or (code and not said.strip()):
                wrong.append(f"{tokens[:2]} {text!a}: {code} {said[-900:-400]}")
    counts.tell("fuzz", {"odd texts typed": 8 * len(TEXTS)})
    assert not unknown(wrong), "\n".join(wrong)
