"""Who is alive: nobody who looks makes another one, or the owner, believe something wrong."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stepwell.errors import StoreError
from stepwell.journal.sqlite import SqliteStore
from stepwell.journal.sqlite.owners import Owners

LOOKS = 150


def test_many_who_look_at_the_dead_at_once_all_see_them_dead(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Owners, "_remove", lambda *_: None)  # else only the first would have to look
    dead = Owners(path)
    dead.enter()
    dead.leave()

    def look() -> set[bool]:
        return {Owners(path).alive(dead.me) for _ in range(LOOKS)}

    assert at_once(look) == {False}


def test_many_who_look_at_the_living_all_see_them_alive(path: Path) -> None:
    living = Owners(path)
    living.enter()

    def look() -> set[bool]:
        return {Owners(path).alive(living.me) for _ in range(LOOKS)}

    assert at_once(look) == {True}
    living.leave()
    assert not Owners(path).alive(living.me)


def test_who_sweeps_never_takes_the_lock_of_one_who_enters(path: Path) -> None:
    Owners(path).sweep()

    def sweep() -> set[bool]:
        for _ in range(LOOKS):
            Owners(path).sweep()
        return {True}

    def enter() -> set[bool]:
        seen: set[bool] = set()
        for _ in range(LOOKS):
            one = Owners(path)
            one.enter()
            seen.add(Owners(path).alive(one.me))
            one.leave()
        return seen

    assert at_once(sweep, enter) == {True}


def test_what_cannot_be_listed_is_cleared_away_another_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S24: tidying up after the dead is no reason to refuse the living."""
    dead = Owners(path)
    dead.enter()
    dead.leave()
    left = path.with_name("runs.db.owners") / "1-dead.lock"
    left.touch()
    unfinished = path.with_name("runs.db.blobs") / "unfinished" / "1-dead.0"
    unfinished.parent.mkdir(parents=True)
    unfinished.touch()
    with monkeypatch.context() as disk:
        disk.setattr(os, "scandir", refuse)
        disk.setattr(Path, "glob", refuse)
        disk.setattr(os, "listdir", refuse)
        store = SqliteStore(path)
        assert store.create("R", "p", "") is not None
        store.close()
    assert left.exists()
    assert unfinished.exists()
    again = SqliteStore(path)
    assert again.create("Q", "p", "") is not None
    again.close()
    assert not left.exists()
    assert not unfinished.exists()


def refuse(*_: object) -> list[Path]:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def at_once(*deeds: Callable[[], set[bool]]) -> set[bool]:
    """What all see of several threads that each do one of the deeds."""
    with ThreadPoolExecutor(4) as threads:
        return set[bool]().union(*(seen.result() for seen in [threads.submit(deeds[n % len(deeds)]) for n in range(4)]))


def test_a_file_that_has_the_name_of_the_folder_is_told(path: Path) -> None:
    path.with_name("runs.db.owners").touch()
    with pytest.raises(StoreError, match=r"runs\.db\.owners is a file, and the store needs a folder of that name"):
        Owners(path).enter()
