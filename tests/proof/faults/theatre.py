"""Where scenes are played: on a disk that fails, with ears for what is told to nobody and a bell for what hangs."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import shutil
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Generator
from pathlib import Path
from types import FrameType

import pytest

from stepwell.journal.sqlite import connect, owners, trouble

from . import laws
from .disk import Disk, Fault
from .files import Files, open_handles
from .native import Native
from .scenes import SCENES, Stage, Witness, staged
from .turns import in_turn

BOUND = 20
"""Seconds within which a stage must have come to its end, whatever the disk does."""
GRACE = 1.0
"""Seconds that a task which is already ending gets to end."""
PATIENCE = 0.15
"""Seconds that a busy store is waited for here."""


class Hangs(BaseException):
    """A stage did not come to its end; says where each thread was."""


class Theatre:
    """Plays scenes on one disk, in folders of its own."""

    def __init__(self, disk: Disk, folder: Path) -> None:
        self.disk = disk
        self._folder = folder
        self._folders = 0
        self._noise: list[str] = []

    @contextlib.contextmanager
    def folder(self) -> Generator[Path]:
        """A new folder for one case."""
        self._folders += 1
        folder = self._folder / str(self._folders)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def stage(self, scene: str, folder: Path, witnesses: list[Witness], mode: str, fault: Fault | None) -> Stage:
        """One process' worth: to its end, with nothing left behind. The disk is mended then, and keeps its notes."""
        self.disk.begin(str(folder), fault)
        for witness in witnesses:
            witness.result = None
        stage = Stage(SCENES[scene], folder / "store.db", witnesses, mode)
        threads = set(threading.enumerate())
        try:
            with self._heard(), bounded():
                asyncio.run(self._alone(stage))
        finally:
            self.disk.mend()
        laws.told_of_the_failure(stage.errors, folder / "store.db", self.disk)
        left = [one.name for one in set(threading.enumerate()) - threads if one.name != "stepwell-step"]
        assert not left, f"threads are left: {left}"
        if stage.errors:
            for error in stage.errors:
                _let_go(error)
            gc.collect()
        handles = open_handles(str(folder))
        assert not handles, f"files are left open: {handles}"
        assert not self._noise, "told to nobody: " + "\n".join(self._noise)
        return stage

    async def _alone(self, stage: Stage) -> None:
        asyncio.get_running_loop().set_exception_handler(
            lambda _, about: self._noise.append(f"{about.get('message')}: {about.get('exception')!r}")
        )
        await stage.play()
        left = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
        if left:
            _, left = await asyncio.wait(left, timeout=GRACE)
        assert not left, f"tasks are left: {left}"

    @contextlib.contextmanager
    def _heard(self) -> Generator[None]:
        """Take down what Python would write on somebody's terminal: errors that nobody took."""
        before = sys.unraisablehook, threading.excepthook
        self._noise.clear()
        sys.unraisablehook = lambda about: self._noise.append(f"{about.err_msg}: {about.exc_value!r} {about.object!r}")
        threading.excepthook = lambda about: self._noise.append(f"{about.thread}: {about.exc_value!r}")
        try:
            yield
        finally:
            sys.unraisablehook, threading.excepthook = before


@contextlib.contextmanager
def bounded(seconds: float | None = None) -> Generator[None]:
    """Interrupt what hangs, and say where."""
    limit = BOUND if seconds is None else seconds

    def ring(_number: int, _frame: FrameType | None) -> None:
        frames = sys._current_frames()  # pyright: ignore[reportPrivateUsage]
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        stacks = (f"{names.get(one)}:\n{''.join(traceback.format_stack(frame)[-6:])}" for one, frame in frames.items())
        raise Hangs("\n".join(stacks))

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, limit, 0.5)  # again and again: one that rings in a callback is lost
    try:
        yield
    except Hangs as hangs:
        raise AssertionError(f"no end within {limit} s; where each thread was:\n{hangs}") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _let_go(error: BaseException) -> None:
    """Of what the frames of an error hold open."""
    for one in (error, error.__cause__, error.__context__):
        if one is not None:
            one.__traceback__ = None


@contextlib.contextmanager
def theatre() -> Generator[Theatre]:
    """A disk that can be told to fail, between this process and its system; busy stores are waited for only briefly."""
    quick = Path("/dev/shm")  # memory is as good a disk as any: no power is cut here
    folder = Path(tempfile.mkdtemp(prefix="stepwell-faults-", dir=quick if quick.is_dir() else None))
    patch = pytest.MonkeyPatch()
    for module in (connect, trouble):
        patch.setattr(module, "PATIENCE", PATIENCE)
    patch.setattr(owners, "_PATIENCE", PATIENCE)
    disk = Disk()
    gc.collect()
    gc.freeze()  # what is there already need not be looked at again after each case
    try:
        with Native(disk), Files(disk), in_turn(), staged():
            yield Theatre(disk, folder)
    finally:
        gc.unfreeze()
        patch.undo()
        shutil.rmtree(folder)
