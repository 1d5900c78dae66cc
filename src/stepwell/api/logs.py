"""Where the words of a run's attempts go: into its log files, to whoever iterates the run, and to the progress."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stepwell.api.run import Run
from stepwell.api.session import Machine
from stepwell.engine.runner import Runner
from stepwell.errors import RunError
from stepwell.events import LogLine
from stepwell.journal.port import Store

if TYPE_CHECKING:
    from stepwell.workdir.writing import LogWriter

CaptureMode = Literal["tee", "only", "off"]
"""What steps print and log is kept and goes on (`tee`), is kept and goes nowhere else (`only`), or is left alone."""

_MODES: tuple[CaptureMode, ...] = ("tee", "only", "off")


def log_folder(store: Store, run_id: str) -> Path | None:
    """The folder of a run's log files, there or not; None where the store is in no file."""
    place = getattr(store, "path", None)
    if not isinstance(place, Path):
        return None
    from stepwell.api.settings import FOLDER
    from stepwell.workdir.folder import folder_of_run

    work = place.parent / "work" if place.parent.name == FOLDER else place.with_name(f"{place.name}.work")
    return folder_of_run(work, run_id)


def newest_log(store: Store, run_id: str) -> Path | None:
    """The newest log file of a run; None where nothing was printed or logged."""
    folder = log_folder(store, run_id)
    if folder is None:
        return None
    from stepwell.workdir.writing import file_name, numbers

    found = numbers(folder)
    return folder / file_name(found[-1]) if found else None


def checked(mode: str) -> CaptureMode:
    """The mode; raises RunError for what is none."""
    for known in _MODES:
        if mode == known:
            return known
    raise RunError(
        f'capture is {mode!r}; expected "tee" (what steps print is kept, and goes on to where it would have gone), '
        '"only" (it is kept, and goes nowhere else) or "off"'
    )


def keep_log(machine: Machine, mode: CaptureMode, run: Run, runner: Runner) -> None:
    """Let a run that is about to begin hear its attempts, if anybody wants what they say; to be called on its loop.

    That is so where there are files to keep it in, where somebody iterates the run, and where it must go nowhere else.
    """
    folder = log_folder(machine.store, run.id)
    if mode == "off" or (mode == "tee" and folder is None and not run.readers and not run.ears):
        return
    from stepwell.capture.capture import Capture
    from stepwell.workdir.writing import LogWriter

    log = RunLog(runner, None if folder is None else LogWriter(folder), run.ears)
    runner.listen(Capture(run.id, log, machine.clock.now, tee=mode == "tee"))


class RunLog:
    """Takes lines from any thread, one at a time. A disk that fails ends the files, never the run."""

    def __init__(self, runner: Runner, writer: LogWriter | None, ears: Sequence[Callable[[LogLine], None]]) -> None:
        self._runner = runner
        self._writer = writer
        self._ears = ears
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._waiting: list[LogLine] = []
        """For the loop."""

    def say(self, line: LogLine) -> None:
        """An attempt has said this."""
        if self._writer is not None:
            try:
                self._writer.write(line)
            except OSError as error:
                self._give_up(self._writer, error)
        for ear in self._ears:
            ear(line)
        if not self._runner.audience.listeners:
            return
        self._waiting.append(line)
        if len(self._waiting) == 1 or threading.get_ident() == self._thread:
            self._on_loop(self._tell)

    def close(self) -> None:
        """The run is over."""
        if self._writer is not None:
            self._writer.close()

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for line in waiting:
            self._runner.audience.tell(line)

    def _give_up(self, writer: LogWriter, error: OSError) -> None:
        self._writer = None
        writer.close()
        message = (
            f"the log of this run cannot be written any more ({error}); the run goes on, and what its steps print and "
            f"log from here on is not kept in {writer.folder}"
        )
        self._on_loop(lambda: self._runner.warn("log_not_written", message))

    def _on_loop(self, call: Callable[[], None]) -> None:
        """At once where this is its thread: what is said in an attempt is told before the attempt ends."""
        try:
            if threading.get_ident() == self._thread:
                call()
            else:
                self._loop.call_soon_threadsafe(call)
        except RuntimeError:  # it is closed, and nobody is left who could hear of it
            pass
