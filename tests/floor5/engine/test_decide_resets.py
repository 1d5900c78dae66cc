"""What begins again: after a jump back, what its loop takes from before it and nobody has any more."""

from __future__ import annotations

import pytest

from stepwell import Goto, Pipeline
from stepwell.testing import Crashed, Harness


@pytest.mark.parametrize("crash", [False, True])
def test_a_jump_runs_again_what_was_not_kept_only_if_its_process_has_died(crash: bool) -> None:
    """A resume makes nothing again that only ended steps take; the jump that comes later needs it."""
    pipe = Pipeline("loop", output="judge")

    @pipe.step(durability="ephemeral")
    async def handle() -> object:
        return 3

    @pipe.step
    async def draft(handle: object) -> str:
        return f"draft {handle}"

    said = iter([Goto("draft"), "good"])

    @pipe.step(goto=["draft"])
    async def judge(draft: str) -> str | Goto:
        return next(said)

    with Harness(pipe) as h:
        if crash:
            h.crash_after("draft")
            with pytest.raises(Crashed):
                h.run_sync()
            result = h.resume_sync()
        else:
            result = h.run_sync()
        assert result.output == "good"
        assert len(h.calls("handle")) == 1 + crash
        assert len(h.calls("draft")) == 2
