"""Values in files that are gone, cut or altered: told with their step and file, and nothing runs again (S3, S21)."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepwell import App, InputError, PayloadLost, Pipeline
from stepwell.codecs import oversize


class Words:
    """A pipeline whose values lie in files; the last step fails until it is mended. It notes what was executed."""

    def __init__(self) -> None:
        self.executed: list[str] = []
        self.mended = False
        self.pipe = pipe = Pipeline("words")

        @pipe.step(version="1")
        async def text(seed: str) -> str:
            self.executed.append("text")
            return seed * 2

        @pipe.step(version="1")
        async def names(text: str) -> list[str]:
            self.executed.append("names")
            return ["a/b", "c"]

        @pipe.map(over=names, key=str, version="1")
        async def pages(item: str) -> str:
            self.executed.append(item)
            return item * 20_000

        @pipe.step(version="1")
        async def report(text: str, pages: list[str]) -> int:
            self.executed.append("report")
            if not self.mended:
                raise OSError("not yet")
            return len(text) + sum(map(len, pages))


def file_of(store: Path, content: bytes) -> Path:
    """The file of the value that ends so."""
    files = store.with_name(f"{store.name}.blobs").rglob("*")
    return next(one for one in files if one.is_file() and one.read_bytes().endswith(content))


def harm(file: Path, how: str) -> bytes:
    data = file.read_bytes()
    file.unlink()
    if how != "gone":
        file.write_bytes(data[:500] if how == "cut" else data[:-1] + b"?")
    return data


def mend(file: Path, data: bytes) -> None:
    file.write_bytes(data)


@pytest.mark.parametrize("how", ["gone", "cut", "altered"])
@pytest.mark.parametrize(("end", "whose"), [(b"s" * 30_000, "text"), (b"a/b", "pages[a%2Fb]")])
async def test_a_lost_value_blocks_the_run_with_its_step_and_file_until_it_is_put_back(
    tmp_path: Path, how: str, end: bytes, whose: str
) -> None:
    """S3: nothing that is recorded as done runs again, however often one tries."""
    words, store = Words(), tmp_path / "runs.db"
    async with App(store) as app:
        run_id = (await app.run(words.pipe, seed="s" * 15_000)).run_id
    executed = sorted(words.executed)
    words.mended = True
    file = file_of(store, end)
    data = harm(file, how)
    for _ in range(2):
        async with App(store) as app:
            result = await app.resume(run_id, words.pipe)
            assert result.status == "blocked"
            assert result.blocked_by.startswith(f"what `{whose}` gave is lost: the file {file} is ")
            assert "stepwell db check" in result.blocked_by
            with pytest.raises(PayloadLost, match="gave is lost"):
                assert result.outputs
    assert sorted(words.executed) == executed
    mend(file, data)
    async with App(store) as app:
        assert (await app.resume(run_id, words.pipe)).output == 30_000 + 80_000
    assert sorted(words.executed) == sorted([*executed, "report"])


async def test_inputs_that_are_lost_are_said_to_be_and_nothing_runs(tmp_path: Path) -> None:
    """S3."""
    words, store = Words(), tmp_path / "runs.db"
    async with App(store) as app:
        run_id = (await app.run(words.pipe, seed="i" * 50_000)).run_id
    executed = list(words.executed)
    harm(file_of(store, b"i" * 50_000), "gone")
    async with App(store) as app:
        with pytest.raises(PayloadLost, match=rf"the inputs of run {run_id} are lost: the file .* is gone"):
            await app.resume(run_id, words.pipe)
    assert words.executed == executed


async def test_a_value_that_is_too_large_fails_its_step_and_is_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S21: a recorded failure that names step, field and size."""
    monkeypatch.setattr(oversize, "LARGEST", 20_000)
    words, store = Words(), tmp_path / "runs.db"
    async with App(store) as app:
        result = await app.run(words.pipe, seed="s" * 15_000)
        (failure,) = result.failures
        assert (failure.path, failure.kind, failure.reason) == ("text", "codec", "value_not_recordable")
        assert "what `text` returned" in failure.message
        assert "it has 30,003 bytes as it is recorded" in failure.message
        with pytest.raises(InputError, match=r"input `seed` cannot be recorded .* it has 30,003 bytes"):
            await app.run(words.pipe, seed="s" * 30_000)
    assert words.executed == ["text"]
    assert not store.with_name("runs.db.blobs").exists()
