"""What runs on the disk that fails: workloads of the kill sweep, alone, several in one store, and several stores."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

from stepwell import App, RetryPolicy, Run, RunNotFound, StoreError
from stepwell.plan.plan import Plan

from ..kill_sweep import workloads


@dataclass
class Witness:
    """What one run was seen to do, and what somebody was told of it, in their order."""

    key: str
    trace: list[list[str]] = field(default_factory=list[list[str]])
    result: tuple[str, str] | None = None
    """Status and output, once somebody was told."""
    kills: int = 0
    """How often its disk has failed."""


_WITNESS: ContextVar[Witness] = ContextVar("witness")


def trace(*words: object) -> None:
    """Instead of a line in a file."""
    _WITNESS.get().trace.append([str(word) for word in " ".join(map(str, words)).split(" ")])


@contextmanager
def staged() -> Generator[None]:
    """The workloads tell a witness in memory, and wait for less."""
    patch = pytest.MonkeyPatch()
    patch.setattr(workloads, "trace", trace)
    patch.setattr(workloads, "SOON", RetryPolicy(attempts=3, delay="2ms", jitter=0))
    try:
        yield
    finally:
        patch.undo()


@dataclass(frozen=True)
class Scene:
    """Runs that go on at once, each `workload` or `workload of another store on the same file`."""

    runs: tuple[str, ...]
    stores: int = 1
    cancelled: bool = False
    """Somebody else cancels the run in the midst."""


SCENES = {
    **{name: Scene((name,)) for name in workloads.WORKLOADS if not name.startswith("cancel")},
    "cancel": Scene(("cancel",), stores=2, cancelled=True),
    "cancel-own": Scene(("cancel-own",), cancelled=True),
    "several": Scene(("chain", "map", "loop", "live")),
    "two stores": Scene(("map", "chain"), stores=2),
}


class Stage:
    """One process' worth of a scene: opens the stores, begins the runs or goes on with them, tells the witnesses."""

    def __init__(self, scene: Scene, store: Path, witnesses: list[Witness], mode: str) -> None:
        self._scene = scene
        self._store = store
        self._witnesses = witnesses
        self._mode = mode
        self.errors: list[BaseException] = []

    async def play(self) -> None:
        """To the end; what was raised is in `errors`."""
        workloads.STAGE = self._mode
        apps: list[App] = []
        try:
            while len(apps) < self._scene.stores:
                apps.append(App(self._store))
            lanes = [
                self._lane(apps[number % len(apps)], apps[-1], name, witness)
                for number, (name, witness) in enumerate(zip(self._scene.runs, self._witnesses, strict=True))
            ]
            found = await asyncio.gather(*lanes, return_exceptions=True)
            self.errors += [one for one in found if one is not None]
        except Exception as error:
            self.errors.append(error)
        for app in apps:
            try:
                await app.aclose()
            except Exception as error:
                self.errors.append(error)

    async def _lane(self, app: App, other: App, name: str, witness: Witness) -> None:
        _WITNESS.set(witness)
        pipe = compiled(name)
        run = app.resume(self._id(app, witness), pipe) if self._mode == "resume" else app.run(pipe, key=witness.key)
        waits = self._scene.cancelled and self._mode == "run"
        helper: asyncio.Task[object] | None = None
        try:
            async for event in run:
                if event.seq:
                    trace("told", event.seq, event.kind.value, event.path)
                if waits and event.kind.value == "ITEM_COMPLETED":
                    waits = False
                    helper = asyncio.create_task(_cancel(run, other if other is not app else None))
            result = await run
            witness.result = (result.status, json.dumps(result.output if result.succeeded else None))
        finally:
            if helper is not None:
                await helper

    def _id(self, app: App, witness: Witness) -> str:
        rows = [row for row in app.store.runs() if row.key == witness.key]
        if not rows:
            raise RunNotFound(f"no run has the key {witness.key}")
        return rows[0].run_id


class Compiled(NamedTuple):
    """A pipeline that is the same each time."""

    plan: Plan

    def compile(self) -> Plan:
        return self.plan


@functools.cache
def compiled(name: str) -> Compiled:
    """The pipeline of a workload; compiled once."""
    return Compiled(workloads.WORKLOADS[name]().compile())


async def play_quietly(run: Run) -> None:
    """To its end, before a witness that nobody asks."""
    _WITNESS.set(Witness("quiet"))
    await run


async def _cancel(run: Run, other: App | None) -> None:
    """From another store if there is one and it can; else from here."""
    if other is not None:
        with contextlib.suppress(StoreError):
            await other.cancel(run.id, "from another")
            return
    await run.cancel("own")
