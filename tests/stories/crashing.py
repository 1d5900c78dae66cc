"""A crash at every append of a run in turn, each followed by a resume; and how often everything was executed."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

import pytest

from stepwell import RunNotFound, RunResult
from stepwell.testing import Crashed, Harness

MANY = 1000
"""No run of a story has so many appends."""


async def resumed_everywhere(h: Harness, *, durable: bool, **inputs: object) -> AsyncIterator[tuple[int, RunResult]]:
    """The number of each append at which the process was made to die, with the result of the resume after it."""
    for append in range(1, MANY):
        h.crash_at(append, durable=durable)
        try:
            await h.run(**inputs)
        except Crashed:
            pass
        else:
            assert append > 3, "the process hardly ever died"
            return
        if append == 1 and not durable:
            with pytest.raises(RunNotFound):
                await h.resume()
            continue
        yield append, await h.resume()
    raise AssertionError("it never comes to an end")


def executions(h: Harness) -> Counter[str]:
    """How often each step or item was executed in the last run and its resumes, by path, visits told apart."""
    return Counter(call.path for step in h.plan().steps for call in h.calls(step.name))
