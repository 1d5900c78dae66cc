"""What some code costs in an interpreter that has only just started; the standard library alone."""

from __future__ import annotations

import statistics
import subprocess
import sys

_TIMED = """
import os, sys, time
clock = time.process_time if "BENCHMARK_CPU" in os.environ else time.perf_counter
start = clock()
{code}
sys.stdout.flush()
sys.stderr.write("\\n%r" % (1e3 * (clock() - start)))
sys.stderr.flush()
os._exit(0)
"""


def import_ms(code: str, times: int) -> float:
    """Milliseconds over those of the bare interpreter; the median of so many, after one that fills the disk's cache."""
    return statistics.median([_once(code) for _ in range(times + 1)][1:])


def _once(code: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _TIMED.format(code=code)], capture_output=True, text=True, timeout=60, check=True
    )
    return float(done.stderr.splitlines()[-1])
