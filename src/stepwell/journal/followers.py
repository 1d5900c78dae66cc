"""Who wants to hear of which run: each is called on its own loop, once for any number of news."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable


class _Follower:
    """One call to make on one loop; `due` while it is scheduled, so that news which come in a burst cost one call."""

    __slots__ = ("call", "due", "ended", "loop", "thread")

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call
        self.loop = asyncio.get_running_loop()
        self.thread = threading.get_ident()
        self.due = False
        self.ended = False


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

    def tell(self, *run_ids: str) -> None:
        """There may be news of these runs: have the calls made soon, with one wake-up a loop, from whichever thread."""
        due: dict[asyncio.AbstractEventLoop, list[_Follower]] = {}
        for run_id in run_ids:
            for follower in self.by_run.get(run_id, ()):
                if not follower.due and not follower.ended:
                    follower.due = True
                    due.setdefault(follower.loop, []).append(follower)
        for loop, followers in due.items():
            here = threading.get_ident() == followers[0].thread
            try:
                (loop.call_soon if here else loop.call_soon_threadsafe)(_make, followers)
            except RuntimeError:  # the loop is closed: nobody is left to hear it
                for follower in followers:
                    follower.ended = True


def _make(followers: list[_Follower]) -> None:
    for follower in followers:
        # Cleared first: what is written from here on is told again.
        follower.due = False
        try:
            if not follower.ended:
                follower.call()
        except Exception as error:  # the others are told all the same
            follower.loop.call_exception_handler({"message": f"{follower.call!r} failed", "exception": error})
