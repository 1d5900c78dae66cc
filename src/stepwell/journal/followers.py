"""Who wants to hear of which run: each is called on its own loop, once for any number of news."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable


class _Follower:
    """One call to make on one loop; `due` while it is scheduled, so that news which come in a burst cost one call."""

    __slots__ = ("_call", "_due", "_loop", "_thread", "ended")

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._due = False
        self.ended = False

    def tell(self) -> None:
        """Have the call made soon, from whichever thread this is."""
        if self._due or self.ended:
            return
        self._due = True
        here = threading.get_ident() == self._thread
        try:
            (self._loop.call_soon if here else self._loop.call_soon_threadsafe)(self._make)
        except RuntimeError:  # its loop is closed: nobody is left to hear it
            self.ended = True

    def _make(self) -> None:
        # Cleared first: what is written from here on is told again.
        self._due = False
        if not self.ended:
            self._call()


class Followers:
    """The followers of all runs of one store; may be told from any thread."""

    def __init__(self) -> None:
        self.by_run: dict[str, tuple[_Follower, ...]] = {}
        """Empty while nobody follows anything; to be looked at only."""
        self._lock = threading.Lock()

    def runs(self) -> list[str]:
        """The runs that are followed."""
        with self._lock:
            return list(self.by_run)

    def add(self, run_id: str, call: Callable[[], None]) -> Callable[[], None]:
        """Call on the running loop at each news of the run, until what this gives back is called."""
        follower = _Follower(call)
        with self._lock:
            self.by_run[run_id] = (*self.by_run.get(run_id, ()), follower)

        def end() -> None:
            follower.ended = True
            with self._lock:
                left = tuple(one for one in self.by_run.get(run_id, ()) if one is not follower)
                if left:
                    self.by_run[run_id] = left
                else:
                    self.by_run.pop(run_id, None)

        return end

    def tell(self, run_id: str) -> None:
        """There may be news of this run."""
        for follower in self.by_run.get(run_id, ()):
            follower.tell()
