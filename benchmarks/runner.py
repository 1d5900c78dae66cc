"""Takes samples: each in a process of its own, cut off when it takes too long; round after round, the sides in turn."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.arithmetic import STEPWELL, Figures
from benchmarks.disk import end_group
from benchmarks.peers import Peer
from benchmarks.rows import Row

ROOT = Path(__file__).parent.parent
TOO_LONG = 60.0
"""Seconds after which a sample is cut off."""

GRACE = 5.0
"""Seconds in which a sample that is cut off may stop what it has started."""

QUIET = {
    "DO_NOT_TRACK": "1",
    "HAMILTON_TELEMETRY_ENABLED": "false",
    "DAGSTER_DISABLE_TELEMETRY": "yes",
    "LANGSMITH_TRACING": "false",
    "PYTHONWARNINGS": "ignore",
    "PYTHONHASHSEED": "0",
}
"""Nobody phones home, and all hash alike."""

Told = Callable[[Row, str, Figures], None]


@dataclass(frozen=True, slots=True)
class Care:
    """How a sample is taken: seconds to repeat itself, seconds until it is cut off, its best repeat, by which clock."""

    budget: float = 1.0
    limit: float = TOO_LONG
    best: bool = False
    cpu: bool = False

    @property
    def env(self) -> dict[str, str]:
        """The environment that says so to the sample."""
        best = {"BENCHMARK_BEST": "1"} if self.best else {}
        cpu = {"BENCHMARK_CPU": "1"} if self.cpu else {}
        return {**os.environ, **QUIET, **best, **cpu, "BENCHMARK_SECONDS": str(self.budget)}


USUAL = Care()


def sample(command: Sequence[str], care: Care = USUAL) -> dict[str, object]:
    """One sample's answer: a value, or why there is none.

    It writes to files, not pipes: a server that it leaves behind would hold a pipe open.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = subprocess.Popen(
            command, cwd=ROOT, env=care.env, stdout=out, stderr=err, text=True, start_new_session=True
        )
        try:
            code = child.wait(care.limit)
        except subprocess.TimeoutExpired:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(GRACE)
            return {"failed": f"cut off after {care.limit:.0f} s"}
        finally:
            end_group(child)
            child.wait()
        return answer_in(_lines(out)) or {"failed": f"ended with {code}: {(_lines(err) or ['nothing said'])[-1]}"[:200]}


def answer_in(lines: Sequence[str]) -> dict[str, object] | None:
    """The document that a sample ends with; a library may print what it likes before it."""
    try:
        said: dict[str, object] = json.loads(lines[-1])
    except (ValueError, IndexError):
        return None
    return said


def _lines(file: IO[str]) -> list[str]:
    file.seek(0)
    return file.read().strip().splitlines()


def take(figures: Figures, command: Sequence[str], care: Care = USUAL) -> None:
    """Add a sample to the figures of a side. One that failed or cannot is noted, and not asked again."""
    if figures.note:
        return
    said = sample(command, care)
    value = said.get("value")
    if isinstance(value, int | float):
        figures.values.append(float(value))
    else:
        figures.note = str(said.get("cannot") or said.get("failed"))


def own(row: Row, side: str, size: int) -> list[str]:
    """The command for a sample of Stepwell or of a limit."""
    return [sys.executable, "-m", "benchmarks.sample", row.id, side, str(size)]


def of_peer(peer: Peer, row: Row, size: int) -> list[str]:
    """The command for a sample of a peer, in its own environment."""
    return [str(peer.python), "-m", peer.module, row.id, str(size)]


Results = dict[str, dict[str, Figures]]


def measure(rows: Sequence[Row], others: Sequence[Peer], rounds: int, told: Told) -> Results:
    """All rows: in each round the limits, then Stepwell, then the peers, and all again."""
    results: Results = {row.id: {} for row in rows}
    for number in range(rounds):
        for row in rows:
            size, sides = row.sizes[0], results[row.id]
            for side in (*row.limits, STEPWELL):
                figures = sides.setdefault(side, Figures(size))
                take(figures, own(row, side, size))
                told(row, side, figures)
            for peer in others:
                figures = sides.setdefault(peer.name, Figures(peer.sizes.get(row.id, size)))
                if number and figures.note:
                    continue
                take(figures, of_peer(peer, row, figures.size))
                told(row, peer.name, figures)
    return results
