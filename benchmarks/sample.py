"""One sample of Stepwell or of a limit, in a process of its own: `python -m benchmarks.sample ROW SIDE SIZE`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from benchmarks.timing import Side, answer


def module_of(row: str) -> str:
    """The module with the workload of a row: W6.chains is in `w06_….py`."""
    number = int(row.partition(".")[0].removeprefix("W"))
    (file,) = (Path(__file__).parent / "workloads").glob(f"w{number:02}_*.py")
    return f"benchmarks.workloads.{file.stem}"


def sides_of(row: str) -> Mapping[str, Side]:
    """Stepwell and the limits of a row, by name."""
    sides: Mapping[str, Mapping[str, Side]] = import_module(module_of(row)).SIDES
    return sides[row]


if __name__ == "__main__":
    name = sys.argv.pop(2)
    answer({sys.argv[1]: sides_of(sys.argv[1])[name]})
