"""The disk that fails: it counts what is asked of it, and refuses what a case says, from there on or for a while."""

from __future__ import annotations

import errno
import functools
import os
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Literal

HALF = -1
"""Not an errno: half of what was asked for is done, and told as such."""

Lasts = Literal["once", "a while", "for good"]

_LASTS: tuple[Lasts, ...] = ("once", "a while", "for good")
WHILE = 25
"""So many operations of one kind are refused in a while."""

_FULL = frozenset({"write", "create", "mkdir", "truncate"})
_CHANGES = _FULL | {"rename", "delete", "sync"}
_REACH: dict[str, frozenset[str]] = {
    "full": _FULL,
    "broken": _CHANGES | {"read", "open", "map", "stat", "list"},
    "read-only": _CHANGES - {"sync"},
    "denied": frozenset({"open", "create", "mkdir", "delete", "rename"}),
    "handles": frozenset({"open", "create"}),
    "memory": frozenset({"map"}),
    "busy": frozenset({"lock"}),
    "half": frozenset(),
    "half then full": _FULL,
}
"""What each fault refuses while it lasts."""

ERRNO = {
    "full": errno.ENOSPC, "broken": errno.EIO, "read-only": errno.EROFS, "denied": errno.EACCES,
    "handles": errno.EMFILE, "memory": errno.ENOMEM, "busy": errno.EAGAIN, "half": HALF,
    "half then full": errno.ENOSPC,
}  # fmt: skip
_WAYS: dict[str, tuple[str, ...]] = {
    "open": ("broken", "denied", "handles"),
    "create": ("full", "broken", "read-only", "denied", "handles"),
    "read": ("broken", "half"),
    "read blobs": ("broken", "denied", "handles"),
    "read owners": ("broken",),
    "read log": ("broken",),
    "write": ("full", "broken", "read-only", "half", "half then full"),
    "sync": ("broken",),
    "truncate": ("full", "broken"),
    "lock": ("busy",),
    "unlock": ("broken",),
    "map": ("memory", "broken"),
    "stat": ("broken",),
    "delete": ("broken", "read-only", "denied"),
    "rename": ("full", "broken", "read-only"),
    "mkdir": ("full", "broken", "read-only", "denied"),
    "list": ("broken",),
}
"""In which ways each operation may fail."""


@dataclass(frozen=True)
class Fault:
    """The n-th time that an operation is asked for, how it fails, and for how long."""

    operation: str
    nth: int
    way: str
    lasts: Lasts

    @staticmethod
    def of(text: str) -> Fault:
        """The fault that was told so."""
        how, _, operation = text.partition(" at `")
        operation, _, nth = operation.partition("` no. ")
        lasts: Lasts = next(one for one in _LASTS if how.endswith(one))
        way = how.removesuffix(lasts).strip()
        return Fault(operation, int(nth), way, lasts)

    def __str__(self) -> str:
        return f"{self.way} {self.lasts} at `{self.operation}` no. {self.nth}"


def ways(operation: str) -> tuple[str, ...]:
    """The ways in which an operation, such as `write wal`, may fail."""
    return _WAYS.get(operation) or _WAYS[operation.partition(" ")[0]]


class Disk:
    """Counts operations on what lies in one folder, and refuses some of them; asked from any thread."""

    def __init__(self) -> None:
        self.handles: dict[int, str] = {}
        """Paths by what is open, for files that are in the folder."""
        self._lock = threading.Lock()
        self.begin("")

    def begin(self, folder: str, fault: Fault | None = None) -> None:
        """Watch this folder; count anew; fail so."""
        self.folder = folder
        self.fault = fault
        self.counts: Counter[str] = Counter()
        self.struck: list[str] = []
        """What was refused."""
        self.unsynced: str = ""
        """The first file of SQLite's whose sync was refused."""
        self.afterwards: list[str] = []
        """What was still asked for through the handles that were open when a sync was refused."""
        self._doubted: set[int] = set()

    def mend(self) -> None:
        """Nothing is refused any more."""
        self.fault = None

    def opened(self, handle: int, path: str) -> None:
        """This handle is of that file."""
        if path.startswith(self.folder):
            self.handles[handle] = path
            self._doubted.discard(handle)

    def meets(self, what: str, path: str, handle: int = -1) -> int:
        """Count one operation; gives 0 if it may be done, else the errno with which it fails, or HALF."""
        if not path.startswith(self.folder):
            return 0
        file = _nature(path)
        operation = f"{what} {file}"
        with self._lock:
            self.counts[operation] += 1
            if self.unsynced and what in ("write", "truncate", "sync") and handle in self._doubted:
                self.afterwards.append(operation)
            if self.fault is None or not self._strikes(self.fault, what, operation):
                return 0
            way = self.fault.way
            if way == "half then full" and (what != "write" or self.struck):
                way = "full"
            self.struck.append(operation)
            if what == "sync" and file in ("db", "wal") and not self.unsynced:
                self.unsynced = file
                held = {one: _nature(name) for one, name in self.handles.items()}
                # While a store is made there is no WAL yet, and nothing in it yet that anybody was told of.
                self._doubted = {one for one in held if held[one] in ("db", "wal")} if "wal" in held.values() else set()
            return HALF if way == "half then full" else ERRNO[way]

    def _strikes(self, fault: Fault, what: str, operation: str) -> bool:
        if not self.struck:
            return operation == fault.operation and self.counts[operation] == fault.nth
        if fault.way == "half then full" and len(self.struck) == 1 and what == "write":
            return operation == self.struck[0]  # what is left of that write meets the full disk
        if fault.lasts == "for good":
            return what in _REACH[fault.way] or operation == fault.operation
        return fault.lasts == "a while" and operation == fault.operation and len(self.struck) < WHILE


@functools.lru_cache(4096)
def _nature(path: str) -> str:
    """What a file of a store is."""
    head, _, name = path.rpartition("/")
    for ending in ("-wal", "-shm", "-journal"):
        if name.endswith(ending):
            return ending[1:]
    for ending in (".blobs", ".owners", ".work"):
        if name.endswith(ending) or f"{ending}/" in head + "/":
            return ending[1:]
    return "db" if name.endswith(".db") else "folder"


def refusal(number: int, path: str) -> OSError:
    """What Python makes of an errno."""
    return OSError(number, os.strerror(number), path)
