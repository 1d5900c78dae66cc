"""The runs that live in this process: what others ask of them, and what is given up when they end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from stepwell.api.run import Run
from stepwell.api.session import Session
from stepwell.errors import StoreError
from stepwell.journal.port import Request, Store

_LOOK_AGAIN = 0.5
"""Seconds after which requests are looked for again where they could not be read."""


class LiveRuns:
    """The runs of one App that go on at this moment."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._runs: dict[str, tuple[Run, Session]] = {}
        self._unfollow: dict[str, Callable[[], None]] = {}

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._runs

    def __len__(self) -> int:
        return len(self._runs)

    def run(self, run_id: str) -> Run | None:
        """The run of this id, if it lives here."""
        return self._runs[run_id][0] if run_id in self._runs else None

    def runs(self) -> list[Run]:
        """All of them."""
        return [run for run, _ in self._runs.values()]

    def add(self, run: Run, session: Session) -> None:
        """This process runs it now; others may ask for its end, where they can reach the store."""
        self._runs[run.id] = (run, session)
        if self._store.encodes:
            try:
                self._listen(run, session)
            except BaseException:
                self.remove(run)
                raise

    def _listen(self, run: Run, session: Session) -> None:
        """Look for requests whenever there may be one."""
        store, lease = self._store, session.lease
        if lease is None:
            return
        if not session.recovered:
            for request in store.requests(run.id):
                store.taken(lease, request.id)  # it wished for the end of what has ended since

        loop = asyncio.get_running_loop()

        def look() -> None:
            if run.id in self._runs:
                try:
                    asked = store.requests(run.id)
                except StoreError:  # who runs it hears of that where he writes; here it may pass
                    loop.call_later(_LOOK_AGAIN, look)
                    return
                for request in asked:
                    take(request)

        def take(request: Request) -> None:
            """The wish is dropped once it stands in the journal, and not before."""

            def done(ack: asyncio.Future[None] | None) -> None:
                if ack is None or (not ack.cancelled() and ack.exception() is None):
                    with contextlib.suppress(StoreError):  # then it is asked again, which changes nothing
                        store.taken(lease, request.id)

            ack = run.request_cancel(request.reason)
            if ack is None:
                done(None)
            else:
                ack.add_done_callback(done)

        self._unfollow[run.id] = store.follow(run.id, look, facts=False)
        if session.recovered:
            loop.call_soon(look)  # what was asked of the process that died is asked of this one

    def remove(self, run: Run) -> None:
        """It has ended: give up its lease. Another one of its id, which goes on with it, is left alone."""
        if self.run(run.id) is not run:
            return
        _, session = self._runs.pop(run.id)
        if unfollow := self._unfollow.pop(run.id, None):
            unfollow()
        if session.lease is not None:
            with contextlib.suppress(StoreError):  # a store that has failed has told so where it was written to
                self._store.release(session.lease)
