"""One attempt, as named steps: bind, call, watch the time, interpret, check, encode; any error is an outcome."""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import cast

from stepwell.clock import Clock, seconds
from stepwell.control import CONTROLS, CancelToken, Raise, Retry, Skip, StepContext, Stop
from stepwell.engine.inject import Scope, bind
from stepwell.engine.outcome import Again, Cancelled, Completed, Expanded, Failed, Guarded, Outcome, Skipped, clean
from stepwell.engine.values import items_of
from stepwell.engine.worker import Signal, Worker
from stepwell.errors import CodecError
from stepwell.events import Payload
from stepwell.executors.port import Executor
from stepwell.plan.plan import UNSET, PlanStep

GRACE = 30.0
"""Seconds that a timed-out thread gets to end; if it does not, its step is not tried again."""
CANCEL_GRACE = 5.0
"""Seconds that a cancelled thread gets to end with a result that stands."""


class Attempts:
    """Makes the attempts of one run: everything between a command and its outcome."""

    __slots__ = ("check", "clock", "encodes", "end", "executor", "run_id", "scope")

    def __init__(
        self,
        run_id: str,
        scope: Scope,
        clock: Clock,
        executor: Executor,
        *,
        encodes: bool,
        check: bool,
    ) -> None:
        self.run_id = run_id
        self.end: Callable[[Worker, Signal, str], None] = Worker.end
        """Tells a worker's attempt to end."""
        self.scope = scope
        self.clock = clock
        self.executor = executor
        self.encodes = encodes
        self.check = check

    async def make(
        self, worker: Worker, step: PlanStep, path: str, attempt: int, item: object = UNSET, last: bool = True
    ) -> Outcome:
        """One attempt at a step or item; `last` says that a failure would not be tried again."""
        worker.begin()
        try:
            context = self._context(worker, step, path, attempt)
            args, kwargs = bind(step.parameters, self.scope, item, context)
            if step.timeout is not None or step.mode == "thread":
                value = await self._watched(worker, step, args, kwargs, last)
            elif step.mode == "async":
                value = await cast("Awaitable[object]", step.function(*args, **kwargs))
            else:
                value = step.function(*args, **kwargs)
            if worker.signal == "timeout":
                raise TimeoutError(worker.reason)  # it heard that its time was up and went on: too late
            if step.mode != "async" and inspect.isawaitable(value):
                raise TypeError(f"`{step.name}` is no async function and returned {value!r}; make it `async def`")
            return self._interpret(step, value)
        except asyncio.CancelledError as error:
            return _ended(worker, error)
        except CodecError as error:
            return Failed("codec", "value_not_recordable", error)
        except TimeoutError as error:
            if worker.signal == "timeout":
                return Failed("timeout", "attempt_timed_out", error)
            return Failed("error", "exception", error)
        except Abandoned as error:
            return Failed("timeout", "thread_abandoned", TimeoutError(str(error)), retryable=False)
        except (KeyboardInterrupt, GeneratorExit) as error:
            if not _raised_by_step(step, worker, error):
                raise  # somebody ends the process, or the loop
            return Failed("error", "exception", error)
        except BaseException as error:  # SystemExit too, and what a library makes of its own
            return Failed("error", "exception", error)
        finally:
            worker.leave()

    def _context(self, worker: Worker, step: PlanStep, path: str, attempt: int) -> StepContext | None:
        """What the attempt may know of itself, where it asks for it."""
        worker.token = None
        if not step.asks:
            return None
        worker.token = CancelToken()
        return StepContext(self.run_id, path, step.name, attempt, f"{self.run_id}:{path}", worker.token)

    async def _watched(
        self, worker: Worker, step: PlanStep, args: Sequence[object], kwargs: Mapping[str, object], last: bool
    ) -> object:
        """The call with its timeout, or in a thread, or both."""
        clock, timer, deadline = self.clock, None, float("inf")
        reason = f"it took longer than {step.timeout:g} s" if step.timeout is not None else ""
        if step.timeout is not None:
            deadline = clock.now() + step.timeout
            timer = clock.call_at(deadline, lambda: self.end(worker, "timeout", reason))
        try:
            if step.mode == "thread":
                value = await self._in_thread(worker, step.function, args, kwargs, last)
            elif step.mode == "async":
                value = await cast("Awaitable[object]", step.function(*args, **kwargs))
            else:
                value = step.function(*args, **kwargs)
        finally:
            if timer is not None:
                timer.cancel()
        if worker.signal == "" and deadline <= clock.now():
            worker.signal, worker.reason = "timeout", reason  # it held the loop, so that no timer could tell it
        return value

    async def _in_thread(
        self,
        worker: Worker,
        function: Callable[..., object],
        args: Sequence[object],
        kwargs: Mapping[str, object],
        last: bool,
    ) -> object:
        """The call in a thread. Nobody can stop one: after a signal it gets its grace, then it is abandoned."""
        call = self.executor.submit(function, args, kwargs)
        try:
            return await asyncio.shield(call)
        except asyncio.CancelledError:
            if worker.signal == "":
                raise
            if not call.done():
                call.add_done_callback(_read)
                worker.abandoned = call
                if worker.signal == "timeout" and last:
                    raise
                await self._grace(call, GRACE if worker.signal == "timeout" else CANCEL_GRACE)
            if not call.done():
                if worker.signal == "timeout":
                    raise Abandoned(f"{worker.reason}, and its thread did not end in {GRACE:g} s") from None
                raise
            worker.abandoned = None
            if worker.signal == "cancel" and not call.cancelled() and call.exception() is None:
                return call.result()  # it ended before, or within its grace, so it stands
            raise

    async def _grace(self, call: asyncio.Future[object], grace: float) -> None:
        """Wait for a thread's end, but not longer than its grace; a cancel meanwhile ends the wait."""
        over: asyncio.Future[object] = asyncio.get_running_loop().create_future()

        def end(_: object = None) -> None:
            if not over.done():
                over.set_result(None)

        timer = self.clock.call_at(self.clock.now() + grace, end)
        call.add_done_callback(end)
        try:
            await over
        finally:
            timer.cancel()
            call.remove_done_callback(end)

    def _interpret(self, step: PlanStep, value: object) -> Outcome:
        """A value becomes the output; a control value says something else."""
        stops = False
        if isinstance(value, CONTROLS):
            if isinstance(value, Skip):
                return Skipped(clean(str(value.reason)))
            if isinstance(value, Retry):
                after = None if value.after is None else seconds(value.after, "Retry(after=)")
                return Again(after, clean(str(value.reason)))
            if isinstance(value, Raise):
                raise value.exception
            value, stops = cast("Stop[object]", value).value, True
        route = None if step.routes is None or stops else _route(step, value)
        if stops and value is None:
            return Completed(None, None, stops=True)
        try:
            return self._recorded(step, value, route, stops=stops)
        except CodecError as error:
            raise CodecError(f"what `{step.name}` returned cannot be recorded (`$` is the value): {error}") from error

    def _recorded(self, step: PlanStep, value: object, route: tuple[int, ...] | None, *, stops: bool) -> Outcome:
        """The value as it is handed on, and as it is recorded."""
        codec = step.codec
        codec.check(value)
        if self.encodes:
            data = codec.verify(value) if self.check else codec.encode(value)
            return Completed(codec.decode(data), Payload(data), stops, route)
        if self.check:
            codec.verify(value)
        return Completed(value, value, stops, route)

    async def guard(self, worker: Worker, step: PlanStep) -> Outcome:
        """A step's `when`."""
        guard = step.guard
        if guard is None:
            raise AssertionError(f"step `{step.name}` has no `when`")
        worker.begin()
        try:
            args, kwargs = bind(guard.parameters, self.scope)
            answer = guard.function(*args, **kwargs)
            if inspect.isawaitable(answer):
                answer = await answer
            return Guarded(bool(answer), guard.text)
        except asyncio.CancelledError as error:
            return _ended(worker, error)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            return Failed("error", "when_raised", error, retryable=False)
        finally:
            worker.leave()

    def expand(self, step: PlanStep, source: object) -> tuple[Outcome, Sequence[object]]:
        """The items of a map and their keys; what is no list, or has two items of one key, fails the map."""
        fan = step.fan
        if fan is None:
            raise AssertionError(f"step `{step.name}` is no map")
        try:
            items = items_of(source)
            if fan.key is None:
                return Expanded(len(items), None), items
            keys = tuple(_key(fan.key(item), index) for index, item in enumerate(items))
            _no_duplicates(keys)
            return Expanded(len(items), keys), items
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            return Failed("input", "items_not_usable", error, retryable=False), ()


class Abandoned(Exception):
    """A thread outlived its grace."""


def _raised_by_step(step: PlanStep, worker: Worker, error: BaseException) -> bool:
    """Whether the function itself raised what otherwise comes from outside: its thread, or this task, still runs."""
    if isinstance(error, KeyboardInterrupt):
        return step.mode == "thread"
    try:
        return asyncio.current_task() is worker.task
    except RuntimeError:  # no loop runs: the coroutine is being closed
        return False


def _read(call: asyncio.Future[object]) -> None:
    """Look at the end of an abandoned call, so that asyncio does not complain that nobody did."""
    if not call.cancelled():
        call.exception()


def _ended(worker: Worker, error: BaseException) -> Outcome:
    """A CancelledError reached the attempt: by whom?"""
    if worker.task.cancelling() > worker.told:
        raise error  # somebody cancels this task, not this attempt
    if worker.signal == "":
        return Failed("cancelled", "awaited_what_was_cancelled", error)
    if worker.signal == "timeout":
        return Failed("timeout", "attempt_timed_out", TimeoutError(worker.reason))
    return Cancelled(worker.reason)


def _route(step: PlanStep, value: object) -> tuple[int, ...]:
    """Where a switch leads with this value; True is not 1 here."""
    routes = step.routes
    if routes is None:
        return ()
    for known, targets in routes.by_value:
        if known == value and isinstance(known, bool) == isinstance(value, bool):
            return targets
    if routes.default is not None:
        return routes.default
    known_values = ", ".join(repr(known) for known, _ in routes.by_value)
    raise ValueError(f"the switch returned {value!r}, and its routes are {known_values}; add this one or default=")


def _key(key: object, index: int) -> str:
    """An item's key as text."""
    if key is None or key == "":
        raise ValueError(f"key= gave {key!r} for item {index}; every item needs a key of its own")
    return clean(str(key)).replace("\n", "\\n").replace("\t", "\\t")


def _no_duplicates(keys: tuple[str, ...]) -> None:
    """Two items of one key could not be told apart when the run goes on."""
    if len(set(keys)) == len(keys):
        return
    double = [key for key, times in Counter(keys).items() if times > 1]
    raise ValueError(
        f"key= gave the same key for several items: {', '.join(map(repr, double[:5]))}; "
        "it must tell each item from all others"
    )
