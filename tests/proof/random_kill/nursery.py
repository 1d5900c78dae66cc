"""Forks groups of processes, kills each as a whole when its time has come, and tells what became of it.

One JSON object a line: {"folder", "stage", "delay"} in, where no delay means that it is not killed; {"killed",
"codes", "seconds"} out. Forking spares each process the time in which Python starts and imports.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
import group

LIMIT = 30.0
"""Seconds within which a group that is not killed must have ended."""
LOOK = 0.01
"""Seconds between two looks at whether one has failed, so that nobody waits for the other one of its group."""

Deed = Callable[[Path, int], Coroutine[Any, Any, None]]


def fork(deed: Deed, folder: Path, stage: int, leader: int) -> int:
    """A process of the group; it says on the folder's `stderr` what went wrong."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setpgid(0, leader)
        for handle, name in ((0, os.devnull), (1, folder / "stderr"), (2, folder / "stderr")):
            os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), handle)
        group.FOLDER = folder
        asyncio.run(deed(folder, stage))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def stage(folder: Path, number: int, delay: float | None) -> dict[str, object]:
    """One group, from its beginning to its end."""
    alive, held = os.pipe()  # the group holds it open as long as one of it lives
    os.set_inheritable(held, True)
    began = time.monotonic()
    leader = fork(group.lead, folder, number, 0)
    place_in(leader, leader)
    second = fork(group.accompany, folder, number, leader)
    place_in(second, leader)
    os.close(held)
    codes: dict[int, int] = {}
    end = began + (LIMIT if delay is None else delay)
    while not any(codes.values()) and (left := end - time.monotonic()) > 0:
        if select.select([alive], [], [], min(left, LOOK))[0]:
            break
        codes.update(ended(one) for one in (leader, second) if one not in codes)
        codes.pop(0, None)
    killed = not select.select([alive], [], [], 0)[0]
    if killed:
        os.killpg(leader, signal.SIGKILL)
    seconds = time.monotonic() - began
    for one in (leader, second):
        if one not in codes:
            codes[one] = os.waitstatus_to_exitcode(os.waitpid(one, 0)[1])
    os.close(alive)
    return {"killed": killed, "codes": [codes[leader], codes[second]], "seconds": seconds}


def ended(child: int) -> tuple[int, int]:
    """The child and its exit code; 0 for a child that lives."""
    done, status = os.waitpid(child, os.WNOHANG)
    return (child, os.waitstatus_to_exitcode(status)) if done else (0, 0)


def place_in(child: int, leader: int) -> None:
    """The child does it too; whoever comes first."""
    try:
        os.setpgid(child, leader)
    except (PermissionError, ProcessLookupError):  # it has ended already
        pass


def main() -> None:
    """Until nobody asks any more."""
    for line in sys.stdin:
        order = json.loads(line)
        sys.stdout.write(json.dumps(stage(Path(order["folder"]), order["stage"], order["delay"])) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
