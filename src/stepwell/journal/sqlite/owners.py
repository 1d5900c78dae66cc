"""Who is alive: each open store holds an OS lock on a file of its own, which the system drops with the process.

An owner's id is never used again, so that who is dead stays dead. Looking whether an owner lives means taking its lock
for an instant, and whoever looked at the same time would take that for life. So a look, like the making and removing
of a lock, happens behind one gate: while it is held nobody else looks, and a lock that is held is held by its owner.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from stepwell.errors import StoreBusy, StoreError
from stepwell.failpoints import failpoint
from stepwell.journal.sqlite.trouble import of_system

GATE = "gate.lock"
_PATIENCE = 10.0
_POLL = 0.002


class Owners:
    """The owners of one store's leases, and this process as one of them."""

    def __init__(self, store: Path, *, tidies: bool = True) -> None:
        self._tidies = tidies
        """Lock files of the dead are removed as they are found."""
        self._folder = store.with_name(f"{store.name}.owners")
        self._mine: FileLock | None = None
        self._dead: set[str] = set()
        self.me = ""
        """This store's owner id, once it has written; it begins with the process id, for people to read."""

    @failpoint("sqlite.enter")
    def enter(self) -> None:
        """Become an owner: from here on others see this process alive, for as long as it lives."""
        me = f"{os.getpid()}-{secrets.token_hex(8)}"
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            with self._gate():
                lock = _lock(self._folder / f"{me}.lock")
                lock.acquire(timeout=0)
        except OSError as error:
            raise StoreError(f"the folder {self._folder} cannot be written: {of_system(error)}") from error
        except NotImplementedError as error:
            raise StoreError(f"{self._folder} is where no file can be locked; use a local disk") from error
        self._mine = lock
        self.me = me

    def leave(self) -> None:
        """Be gone, as if the process had ended."""
        lock, self._mine = self._mine, None
        if lock is None:
            return
        try:
            with self._gate():
                lock.release()
                self._remove(self.me)
        except (OSError, StoreBusy):  # then the next process that looks clears it away
            lock.release()

    def alive(self, owner: str) -> bool:
        """Whether the process with this id still has its store open. What cannot be found out counts as alive."""
        if owner == self.me:
            return self._mine is not None
        if owner in self._dead:
            return False
        path = self._folder / f"{owner}.lock"
        try:
            if path.exists():
                with self._gate():
                    if path.exists() and not self._bury(owner):
                        return True
        except (OSError, StoreBusy):
            return True
        self._dead.add(owner)
        return False

    def sweep(self) -> None:
        """Remove the lock files of owners that are dead; what cannot be listed now is left to who comes next."""
        with suppress(OSError):
            for owner in self.known():
                self.alive(owner)

    def known(self) -> list[str]:
        """Owners that have a lock file, dead or alive."""
        return [path.stem for path in self._folder.glob("*-*.lock")]

    @contextmanager
    def _gate(self) -> Generator[None]:
        gate = _lock(self._folder / GATE)
        try:
            gate.acquire(timeout=_PATIENCE, poll_interval=_POLL)
        except Timeout as error:
            raise StoreBusy(
                f"{self._folder / GATE} is held by another process for more than {_PATIENCE:.0f} s; end that process"
            ) from error
        try:
            yield
        finally:
            gate.release()

    def _bury(self, owner: str) -> bool:
        """Remove the owner's lock file if its lock can be had; only behind the gate."""
        lock = _lock(self._folder / f"{owner}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        lock.release()  # first: Windows removes no file that is open
        self._remove(owner)
        return True

    def _remove(self, owner: str) -> None:
        if not self._tidies:
            return
        try:
            (self._folder / f"{owner}.lock").unlink(missing_ok=True)
        except OSError:  # a folder that is read-only now: it stays, and is found dead again
            pass


def process_of(owner: str) -> str:
    """The owner for people: its process."""
    return f"in process {owner.partition('-')[0]}"


def _lock(path: Path) -> FileLock:
    # Not bound to the thread: it is taken on one and given up on another.
    return FileLock(str(path), timeout=0, mode=0o600, thread_local=False)
