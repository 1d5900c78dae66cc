"""Threads of this process, for plain functions; they never keep the process from ending.

`concurrent.futures` waits for its threads when the interpreter exits, so one step that hangs would hang the whole
program; these are daemon threads that end when they have been idle for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

_IDLE_SECONDS = 10.0
_MOST = 256
"""More calls than this at once wait for a thread."""


class _Call(Struct, frozen=True):
    function: Callable[..., object]
    args: Sequence[object]
    kwargs: Mapping[str, object]
    context: contextvars.Context
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[object]


class Threads:
    """A pool of daemon threads that grows by need and shrinks when idle."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin without any thread: a process that was forked has none of its parent's."""
        self._calls: queue.SimpleQueue[_Call] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0
        self._backlog = 0
        """Calls that no thread has been counted on for; whichever ends its own takes one."""

    def submit(
        self, function: Callable[..., object], args: Sequence[object], kwargs: Mapping[str, object]
    ) -> asyncio.Future[object]:
        """Run the call in a thread, in a copy of the present context variables."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[object] = loop.create_future()
        self._calls.put(_Call(function, args, kwargs, contextvars.copy_context(), loop, future))
        with self._lock:
            # Each call takes one idle thread into account at once, so that two calls never count on the same one.
            if self._idle > 0:
                self._idle -= 1
            elif self._threads < _MOST:
                self._threads += 1
                threading.Thread(target=self._run, name="stepwell-step", daemon=True).start()
            else:
                self._backlog += 1
        return future

    def _run(self) -> None:
        while True:
            try:
                call = self._calls.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                with self._lock:
                    if self._idle > 0:
                        self._idle -= 1
                        self._threads -= 1
                        return
                continue  # a call has been promised to this thread
            _perform(call)
            del call  # an idle thread must not keep a result alive
            with self._lock:
                if self._backlog:
                    self._backlog -= 1
                else:
                    self._idle += 1


def _perform(call: _Call) -> None:
    """Make the call and tell its loop; a loop that is closed by now has nobody left to tell."""
    try:
        result: object = call.context.run(call.function, *call.args, **call.kwargs)
    except BaseException as error:
        with contextlib.suppress(RuntimeError):
            call.loop.call_soon_threadsafe(_fail, call.future, error)
    else:
        with contextlib.suppress(RuntimeError):
            call.loop.call_soon_threadsafe(_succeed, call.future, result)


def _succeed(future: asyncio.Future[object], value: object) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: asyncio.Future[object], error: BaseException) -> None:
    if future.done():
        return
    if issubclass(type(error), (StopIteration, GeneratorExit)):  # no future may carry these through an `await`
        wrapped = RuntimeError(f"the function raised {type(error).__name__}")
        wrapped.__cause__ = error
        error = wrapped
    future.set_exception(error)


_threads = Threads()
if sys.platform != "win32":  # nothing is forked there
    os.register_at_fork(after_in_child=_threads.forget)


def threads() -> Threads:
    """The threads that all runs of this process share."""
    return _threads
