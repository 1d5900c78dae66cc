"""Everything that can be asked of a store, each look with what it gave: an answer, or the error that it raised."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path

from stepwell import App, StepwellError
from stepwell.api.preview import preview
from stepwell.cli.main import command
from stepwell.views.records import records, replay

from .pipes import WITNESS, broken, many
from .stores import SCRIPT

PATIENCE = 20
"""Seconds after which a look hangs."""
PIPES = {"many": many, "broken": broken}


class Hangs(BaseException):
    """Whatever catches exceptions does not catch this."""


@dataclass
class Seen:
    """What one look gave, and what step functions were called for it."""

    look: str
    answer: object = None
    error: BaseException | None = None
    began: frozenset[str] = frozenset()
    seconds: float = 0.0

    @property
    def foreign(self) -> bool:
        """It raised what no user should meet."""
        return self.error is not None and not isinstance(self.error, StepwellError)


@dataclass
class Looker:
    """Looks at one store."""

    store: Path
    witness: Path
    seen: list[Seen] = field(default_factory=list[Seen])

    def look(self, name: str, ask: Callable[[App], Awaitable[object]]) -> Seen:
        """Open the store and ask."""

        async def asked() -> object:
            async with App(self.store, capture="off") as app:
                return await ask(app)

        return self._seen(name, lambda: asyncio.run(asked()))

    def type_in(self, *tokens: str) -> Seen:
        """A command line, in this process; gives its exit code with all that it has printed."""

        def typed() -> object:
            out, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = command([*tokens, "--store", str(self.store)])
            return code, out.getvalue(), err.getvalue()

        return self._seen(" ".join(tokens), typed)

    def _seen(self, name: str, do: Callable[[], object]) -> Seen:
        self.witness.write_bytes(b"")
        os.environ[WITNESS] = str(self.witness)
        seen = Seen(name)
        begin = time.monotonic()
        try:
            with _limited():
                seen.answer = do()
        except (Exception, Hangs) as error:
            seen.error = error
        seen.seconds = time.monotonic() - begin
        seen.began = frozenset(self.witness.read_text(encoding="utf-8").splitlines())
        self.seen.append(seen)
        return seen


@contextlib.contextmanager
def _limited() -> Generator[None]:
    def ring(_number: int, _frame: object) -> None:
        raise Hangs

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def rows(app: App) -> Awaitable[object]:
    async def listed() -> object:
        return sorted((row.run_id, row.pipeline, row.status, row.key) for row in await app.runs())

    return listed()


def facts(run_id: str) -> Callable[[App], Awaitable[object]]:
    async def read(app: App) -> object:
        return tuple([repr(fact) async for fact in app.events(run_id)])

    return read


def shown(run_id: str) -> Callable[[App], Awaitable[object]]:
    """What is shown of a run without its code."""

    async def read(app: App) -> object:
        return repr(records(replay([fact async for fact in app.events(run_id)])))

    return read


def previewed(run_id: str, pipeline: str) -> Callable[[App], Awaitable[object]]:
    async def read(app: App) -> object:
        found = preview(app.store, PIPES[pipeline].compile(), app.find(run_id), 2e9)
        return found.verdict, found.reason, tuple(map(repr, found.steps))

    return read


def resumed(run_id: str, pipeline: str) -> Callable[[App], Awaitable[object]]:
    async def go_on(app: App) -> object:
        result = await app.resume(run_id, PIPES[pipeline])
        return result.run_id, result.status, result.output if result.succeeded else None

    return go_on


def once_more(pipeline: str, key: str) -> Callable[[App], Awaitable[object]]:
    async def run(app: App) -> object:
        result = await app.run(PIPES[pipeline], key=key)
        return result.run_id, result.status, result.output if result.succeeded else None

    return run


def cancelled(run_id: str) -> Callable[[App], Awaitable[object]]:
    async def cancel(app: App) -> object:
        return (await app.cancel(run_id)).status

    return cancel


def target(pipeline: str) -> str:
    return f"{SCRIPT}:{pipeline}"
