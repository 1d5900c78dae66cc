"""Every error that Stepwell raises, in one tree; each message names what was expected, what came and the way out."""
# StepwellError
# ├── DefinitionError        the pipeline is wrong: all its problems at once, each with file and line
# ├── InputError             the inputs of a run are missing, unknown or of the wrong type
# ├── CodecError             a value cannot be written to, or read from, its declared type
# ├── TargetError            FILE.py, FILE.py:name or package.module:name leads to no pipeline
# ├── SettingsError          settings of the command, in a file or the environment, are wrong
# ├── StepError              a step failed for good; the user's own exception is its __cause__
# ├── LoopLimit              a loop has come to its `max_visits` without a `best` to go on with
# ├── RunError               a run cannot do what was asked of it
# │   ├── RunNotFound        no run has this id
# │   ├── RunLive            another process runs it at this moment
# │   ├── RunBlocked         it cannot go on before somebody decides
# │   │   └── CodeChanged    its recorded steps have other code now
# │   └── KeyConflict        its start key was used with other inputs
# └── StoreError             the store cannot be read or written
#     ├── StoreBusy          another process has held it for too long
#     ├── LeaseLost          another process has taken the run over
#     └── PayloadLost        a recorded value is gone or damaged
# `stepwell.testing` adds Crashed, `stepwell.control` Cancelled.

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class StepwellError(Exception):
    """The root of the tree: `except StepwellError` catches what Stepwell raises, and nothing else."""


class Problem(NamedTuple):
    """One thing that is wrong in a definition: the step, the place in the source, and the way out."""

    message: str
    step: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        """Place, step and message in one line."""
        place = f"{self.file}:{self.line}: " if self.file else ""
        step = f"step `{self.step}`: " if self.step else ""
        return f"{place}{step}{self.message}"


class DefinitionError(StepwellError):
    """A pipeline that cannot be compiled; `problems` holds every one that was found, not just the first."""

    def __init__(self, problems: Sequence[Problem] | str) -> None:
        self.problems: tuple[Problem, ...] = (Problem(problems),) if isinstance(problems, str) else tuple(problems)
        lines = [str(problem) for problem in self.problems]
        head = "" if len(lines) == 1 else f"{len(lines)} problems in this pipeline:\n  - "
        super().__init__(head + "\n  - ".join(lines))


class InputError(StepwellError):
    """Inputs of a run that are missing, unknown or of the wrong type; raised before anything runs."""


class CodecError(StepwellError):
    """A value that cannot be encoded to its declared type, or bytes that cannot be decoded to it."""


class TargetError(StepwellError):
    """A target (`file.py`, `file.py:name`, `package.module:name`) that leads to no pipeline."""


class SettingsError(StepwellError):
    """Settings of the command that are wrong, in a file or in the environment; `problems` holds every one of them."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        head = "" if len(self.problems) == 1 else f"{len(self.problems)} problems in the settings:\n  - "
        super().__init__(head + "\n  - ".join(self.problems))


class StepError(StepwellError):
    """A step that failed for good; `__cause__` is the exception of the user's code where it is still at hand."""

    def __init__(self, message: str, *, path: str, attempt: int) -> None:
        super().__init__(message)
        self.path = path
        self.attempt = attempt


class LoopLimit(StepwellError):
    """A step wanted to jump back although `max_visits` allows no further visit, and gave no `best` to go on with."""


class RunError(StepwellError):
    """A run that cannot do what was asked of it; `run_id` names it."""

    def __init__(self, message: str, *, run_id: str = "") -> None:
        super().__init__(message)
        self.run_id = run_id


class RunNotFound(RunError):
    """No run has this id, or more than one has this prefix."""


class RunLive(RunError):
    """Another process runs this run at this moment."""


class RunBlocked(RunError):
    """The run cannot go on before somebody decides; the message has the command that unblocks it."""


class CodeChanged(RunBlocked):
    """Steps that have recorded results have other code now than when they ran."""


class KeyConflict(RunError):
    """A start key that was used before, with other inputs."""


class StoreError(StepwellError):
    """The store cannot be opened, read or written."""


class StoreBusy(StoreError):
    """Another process has kept the store locked for longer than anyone should."""


class LeaseLost(StoreError):
    """Another process has taken this run over; what this one still wanted to write was refused."""


class PayloadLost(StoreError):
    """A recorded value is gone, or its bytes are not those that were written."""
