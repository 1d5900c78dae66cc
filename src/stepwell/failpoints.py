"""Named instants at which a test may kill the process; a name costs nothing unless the process was started for it.

`@failpoint("sqlite.commit")` on a function names two instants, `sqlite.commit:before` and `sqlite.commit:after`.
With `STEPWELL_FAILPOINT=sqlite.commit:before@3` in the environment when the module is imported, the third time that
the instant is reached the process is killed with SIGKILL. Without that variable the function is returned as it is.
"""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

NAMES: list[str] = []
"""Every instant that was named so far, in the order of import."""

_armed = os.environ.get("STEPWELL_FAILPOINT", "")
_point, _, _count = _armed.partition("@")
_witness = os.environ.get("STEPWELL_FAILPOINT_COUNTS", "")
_hits: dict[str, int] = {}


def failpoint(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Name the instants before and after a function."""
    NAMES.extend((f"{name}:before", f"{name}:after"))

    def name_instants(function: Callable[P, R]) -> Callable[P, R]:
        if not _witness and _point.partition(":")[0] != name:
            return function

        @functools.wraps(function)
        def reach(*args: P.args, **kwargs: P.kwargs) -> R:
            _hit(f"{name}:before")
            result = function(*args, **kwargs)
            _hit(f"{name}:after")
            return result

        return reach

    return name_instants


def _hit(instant: str) -> None:
    """Count the instant, and die at the one that was asked for."""
    _hits[instant] = _hits.get(instant, 0) + 1
    if _witness:
        with open(_witness, "a", encoding="ascii") as counts:  # noqa: PTH123 - the fewest imports on this path
            counts.write(f"{instant}\n")
    if instant == _point and _hits[instant] == int(_count or 1):
        kill = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows has no SIGKILL; os.kill ends the process there
        os.kill(os.getpid(), kill)
