"""One attempt, as named steps: bind, call, watch the time, interpret, check, encode; any error is an outcome."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from stepwell.clock import Clock
from stepwell.control import CancelToken, StepContext
from stepwell.engine.inject import bind
from stepwell.engine.interpret import Form, interpret
from stepwell.engine.outcome import Cancelled, Failed, Guarded, Outcome, retries
from stepwell.engine.patience import Patience
from stepwell.engine.stream import Bridge, Ended, Sink, output_of, run_async, run_inline
from stepwell.engine.values import Values
from stepwell.engine.worker import Signal, Worker
from stepwell.errors import CodecError, StoreError
from stepwell.plan.plan import UNSET, Plan, PlanStep

if TYPE_CHECKING:
    from stepwell.capture.capture import Capture
    from stepwell.executors.port import Executor

GRACE = 30.0
"""Seconds that a timed-out thread gets to end; if it does not, its step is not tried again."""
CANCEL_GRACE = 5.0
"""Seconds that a cancelled thread gets to end with a result that stands."""

_TIMED_OUT = Failed("timeout", "attempt_timed_out", TimeoutError())
_NO_ARGUMENTS: tuple[Sequence[object], Mapping[str, object]] = ((), {})


class Call(Struct, frozen=True):
    """One call of a step's function; `spent` is how many attempts were made before it and used up."""

    step: PlanStep
    path: str
    attempt: int
    args: Sequence[object]
    kwargs: Mapping[str, object]
    spent: int

    @property
    def last(self) -> bool:
        """Whether it is not made again if its time runs out."""
        return not retries(self.step, self.spent, _TIMED_OUT)


class Attempts:
    """Makes the attempts of one run: everything between a command and its outcome."""

    __slots__ = ("capture", "clock", "end", "executor", "form", "plan", "run_id", "sink", "values")

    def __init__(self, plan: Plan, run_id: str, values: Values, clock: Clock, executor: Executor, form: Form) -> None:
        self.plan = plan
        self.run_id = run_id
        self.capture: Capture | None = None
        """Hears what attempts print and log, where anybody wants that."""
        self.end: Callable[[Worker, Signal, str], None] = Worker.end
        """Tells a worker's attempt to end."""
        self.sink: Callable[[Worker, PlanStep, str, int], Sink] = _no_sink
        """Where the values of a generator go that an attempt runs."""
        self.values = values
        self.clock = clock
        self.executor = executor
        self.form = form

    def dismiss(self) -> None:
        """No attempt is made any more."""
        self.end, self.sink = Worker.end, _no_sink

    async def make(
        self, worker: Worker, step: PlanStep, path: str, attempt: int, item: object = UNSET, spent: int = 0
    ) -> Outcome:
        """One attempt at a step or item, after so many that were used up."""
        worker.begin()
        source = None if self.capture is None else self.capture.begin(path, attempt)
        try:
            context = self._context(worker, step, path, attempt) if step.asks else None
            args, kwargs = self._bind(step, item, context) if step.parameters else _NO_ARGUMENTS
            if step.watched:
                call = Call(step, path, attempt, args, kwargs, spent)
                value = await self._watched(worker, call, self._stream if step.streams else self._call)
            elif step.mode == "async":
                value = await cast("Awaitable[object]", step.function(*args, **kwargs))
            else:
                value = step.function(*args, **kwargs)
            if worker.signal == "timeout":
                raise TimeoutError(worker.reason)  # it heard that its time was up and went on: too late
            if step.mode != "async" and inspect.isawaitable(value):
                raise TypeError(f"`{step.name}` is no async function and returned {value!r}; make it `async def`")
            return interpret(self.plan, step, value, self.form)
        except asyncio.CancelledError as error:
            return _ended(worker, error)
        except CodecError as error:
            return Failed("codec", "value_not_recordable", error)
        except Unread:
            raise
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
            if source is not None:
                source.capture.end(source)
            worker.leave()

    def _bind(
        self, step: PlanStep, item: object, context: StepContext | None
    ) -> tuple[list[object], dict[str, object]]:
        """What the function is called with; raises Unread where the store cannot give it."""
        try:
            return bind(step.parameters, self.values, item, context)
        except StoreError as error:
            raise Unread from error

    def _context(self, worker: Worker, step: PlanStep, path: str, attempt: int) -> StepContext:
        """What the attempt may know of itself."""
        worker.token = CancelToken()
        return StepContext(self.run_id, path, step.name, attempt, f"{self.run_id}:{path}", worker.token)

    async def _watched(
        self, worker: Worker, call: Call, made: Callable[[Worker, Call, Patience | None], Awaitable[object]]
    ) -> object:
        """The call with its timeout, if it has one."""
        step, patience = call.step, None
        reason = "" if step.timeout is None else f"it took longer than {step.timeout:g} s"
        if step.timeout is not None:
            patience = Patience(self.clock, step.timeout, lambda: self.end(worker, "timeout", reason))
        try:
            value = await made(worker, call, patience)
        finally:
            if patience is not None:
                patience.end()
        if patience is not None and patience.over and worker.signal == "":
            worker.signal, worker.reason = "timeout", reason  # it held the loop, so that no timer could tell it
        return value

    async def _call(self, worker: Worker, call: Call, _: Patience | None) -> object:
        """The call of a function, in a thread if it is a sync one."""
        step = call.step
        if step.mode == "thread":
            return await self._in_thread(worker, step.function, call.args, call.kwargs, last=call.last)
        value = step.function(*call.args, **call.kwargs)
        return await cast("Awaitable[object]", value) if step.mode == "async" else value

    async def _stream(self, worker: Worker, call: Call, patience: Patience | None) -> object:
        """The call of a generator, run to its end."""
        step = call.step
        sink = self.sink(worker, step, call.path, call.attempt)
        if step.mode == "thread":
            bridge = Bridge(sink, patience)
            given = (step.function, call.args, call.kwargs)
            try:
                ended = await self._in_thread(worker, bridge.drive, given, {}, last=call.last, stop=bridge.close)
                await bridge.finish()
            finally:
                bridge.close()
        else:
            generator = step.function(*call.args, **call.kwargs)
            if step.mode == "async":
                ended = await run_async(cast("AsyncGenerator[object]", generator), sink, patience)
            else:
                ended = await run_inline(cast("Generator[object, None, object]", generator), sink, patience)
        sink.finish()
        return output_of(step, sink.values, cast("Ended", ended))

    async def _in_thread(
        self,
        worker: Worker,
        function: Callable[..., object],
        args: Sequence[object],
        kwargs: Mapping[str, object],
        *,
        last: bool,
        stop: Callable[[], None] | None = None,
    ) -> object:
        """The call in a thread. Nobody can stop one: after a signal it gets its grace, then it is abandoned.

        `stop` asks it to end; a generator does at its next value.
        """
        call = self.executor.submit(function, args, kwargs)
        try:
            return await asyncio.shield(call)
        except asyncio.CancelledError:
            if stop is not None:
                stop()
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

    async def guard(self, worker: Worker, step: PlanStep, path: str) -> Outcome:
        """A step's `when`; what it prints is of attempt 0."""
        guard = step.guard
        if guard is None:
            raise AssertionError(f"step `{step.name}` has no `when`")
        worker.begin()
        source = None if self.capture is None else self.capture.begin(path, 0)
        try:
            try:
                args, kwargs = bind(guard.parameters, self.values)
            except StoreError as error:
                raise Unread from error
            answer = guard.function(*args, **kwargs)
            if inspect.isawaitable(answer):
                answer = await answer
            return Guarded(bool(answer), guard.text)
        except asyncio.CancelledError as error:
            return _ended(worker, error)
        except (KeyboardInterrupt, GeneratorExit, Unread):
            raise
        except BaseException as error:
            return Failed("error", "when_raised", error, retryable=False)
        finally:
            if source is not None:
                source.capture.end(source)
            worker.leave()


def _no_sink(worker: Worker, step: PlanStep, path: str, attempt: int) -> Sink:
    raise AssertionError(f"nobody takes what `{path}` yields")


class Unread(Exception):
    """What a step is to be called with is recorded, and the store cannot give it: its error is the cause."""


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
