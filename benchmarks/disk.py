"""Folders on the project's own disk for durable workloads, their size, and death in the middle of a chain."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
DATA = ROOT / "benchmarks" / ".data"
"""Beside the project: a folder for temporary files may lie in memory, where a sync costs nothing."""


@contextmanager
def folder() -> Iterator[Path]:
    """A new folder on the project's disk, removed again."""
    DATA.mkdir(exist_ok=True)
    path = Path(tempfile.mkdtemp(dir=DATA))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def bytes_in(path: Path) -> int:
    """The bytes of all files below a folder."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def die(module: str, size: int, where: Path, *, what: str = "die") -> None:
    """Run `python -m module die SIZE FOLDER`, which is to end itself by `os._exit(7)` in the middle.

    A server that it has started lives on and may write what it was told, until the sample ends.
    """
    command = [sys.executable, "-m", module, what, str(size), str(where)]
    with tempfile.TemporaryFile("w+") as err:
        code = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=err, timeout=120, check=False
        ).returncode
        if code != 7:
            err.seek(0)
            said = err.read()[-300:]
            raise RuntimeError(f"{module} was to die by os._exit(7), and ended with {code}: {said}")


def end_group(child: subprocess.Popen[str]) -> None:
    """Kill a child that was started in a session of its own, with all that it started."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    elif child.poll() is None:
        child.kill()
