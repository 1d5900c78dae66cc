"""What a run came to: its status, its output, and what became of each step."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import cast

from stepwell.engine.values import Values
from stepwell.errors import StepError
from stepwell.events import Failure
from stepwell.plan.plan import UNSET, Plan
from stepwell.state.state import SUCCESS, State
from stepwell.views.records import StepRecord, records


class RunResult:
    """What a run came to. Nothing in it is computed before it is read.

    >>> from stepwell import Pipeline
    >>> pipe = Pipeline("greeting")
    >>> @pipe.step
    ... def greet(name: str) -> str:
    ...     return f"hello {name}"
    >>> result = pipe.run_sync(name="you")
    >>> result.status, result.output
    ('completed', 'hello you')
    """

    def __init__(
        self,
        run_id: str,
        plan: Plan,
        state: State,
        values: Values,
        errors: Mapping[str, BaseException],
        times: tuple[float, float],
    ) -> None:
        self.run_id = run_id
        self.started_at, self.ended_at = times
        self._plan = plan
        self._state = state
        self._values = values
        self._errors = errors

    def __repr__(self) -> str:
        """Id, pipeline and status."""
        return f"<RunResult {self.run_id} of {self._plan.name!r}: {self.status}>"

    @property
    def status(self) -> str:
        """`completed`, `stopped` or `degraded` (success); `failed`, `cancelled`, `timed_out` or `blocked`."""
        return self._state.status

    @property
    def succeeded(self) -> bool:
        """Whether the status is a success."""
        return self.status in SUCCESS

    @property
    def blocked_by(self) -> str:
        """Of a run that is blocked: what it waits for, and how it goes on; else empty."""
        return self._state.block[1] if self.status == "blocked" else ""

    @property
    def duration(self) -> float:
        """Seconds from the start of the run to its end, the time between two processes included."""
        return self.ended_at - self.started_at

    @property
    def failures(self) -> tuple[Failure, ...]:
        """What failed for good, tolerated failures and items too, in the order in which it happened."""
        return tuple(self._state.failures)

    @cached_property
    def steps(self) -> dict[str, StepRecord]:
        """What became of each step, by name."""
        return records(self._state)

    @cached_property
    def outputs(self) -> dict[str, object]:
        """The output of each step that has one, by name; of an ephemeral step only in the process that ran it."""
        return {
            step.name: self._values.step(step.number) for step in self._plan.steps if self._values.at_hand(step.number)
        }

    @property
    def output(self) -> object:
        """The run's output: that of `Pipeline(output=)`, else of the single last step, else a dict of the last steps.

        A run that was stopped gives the value of its `Stop`. Raises StepError if the run had no success; gives None
        where the step that it would come from was skipped, pruned or tolerated.
        """
        self.raise_for_status()
        state, plan = self._state, self._plan
        if state.status == "stopped" and state.stopped_by >= 0:
            return self._stop_value(state.stopped_by)
        if plan.output is not None:
            return self._or_none(plan.output)
        return {plan.steps[number].name: self._or_none(number) for number in plan.last}

    def _or_none(self, number: int) -> object:
        value = self._values.step(number)
        return None if value is UNSET else value

    def _stop_value(self, number: int) -> object:
        items = self._state.maps.get(number)
        if items is None:
            return self._or_none(number)
        return self._values.stopped_item(number)

    def raise_for_status(self) -> None:
        """Raise StepError unless the run was a success; its `__cause__` is the user's own exception, if at hand."""
        if self.succeeded:
            return
        fatal = [failure for failure in self.failures if self._fatal(failure)]
        if not fatal:
            why = f": {self.blocked_by}" if self.blocked_by else ""
            raise StepError(f"run {self.run_id} is {self.status}, so it has no output{why}", path="", attempt=0)
        failure = fatal[0]
        message = f"step `{failure.path}` failed in attempt {failure.attempt}: {failure.type}: {failure.message}"
        more = f" (and {len(fatal) - 1} more)" if len(fatal) > 1 else ""
        error = StepError(message + more, path=failure.path, attempt=failure.attempt)
        raise error from self._errors.get(failure.path)

    def _fatal(self, failure: Failure) -> bool:
        """A failure of a whole step that was not tolerated."""
        return failure.item is None and self._plan.steps[self._state.graph.number[failure.step]].critical

    def to_dict(self) -> dict[str, object]:
        """The result as JSON-like data: `run_id`, `status`, `duration`, `output` and `failures`."""
        output: object = None
        if self.succeeded:
            output = self.show(self.output)
        return {
            "run_id": self.run_id,
            "pipeline": self._plan.name,
            "status": self.status,
            "duration": self.duration,
            "output": output,
            "failures": [
                {"path": one.path, "kind": one.kind, "type": one.type, "message": one.message, "attempt": one.attempt}
                for one in self.failures
            ],
        }

    def show(self, output: object) -> object:
        """The run's output as JSON-like data, by the declared types of the steps that gave it."""
        plan, state = self._plan, self._state
        if state.status == "stopped" and state.stopped_by >= 0:
            return self._shown(state.stopped_by, output, single=True)
        if plan.output is not None:
            return self._shown(plan.output, output)
        numbers = state.graph.number
        return {name: self._shown(numbers[name], value) for name, value in cast("dict[str, object]", output).items()}

    def _shown(self, number: int, value: object, *, single: bool = False) -> object:
        step = self._plan.steps[number]
        if value is None:
            return None
        if step.fan is not None and not single:
            return [step.codec.to_builtins(one) for one in cast("list[object]", value)]
        return step.codec.to_builtins(value)
