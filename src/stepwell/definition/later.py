"""What `api.md` has and this version has not yet: one table a kind of thing; whatever arrives is deleted from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Never

from stepwell.errors import DefinitionError

STEP_OPTIONS: Mapping[str, tuple[object, ...]] = {
    "on_error": (None,),
    "rollback": (None,),
    "cache": (None, False),
    "check": (None,),
    "review": (None, False),
    "requires": (None,),
    "limit": (None,),
    "pipeline": (None,),
}
"""Options of a step, each with the values that ask for nothing and are accepted therefore."""

RUNS_ON = ("process", "ray")
"""Values of `runs_on`."""

PIPELINE_OPTIONS: Mapping[str, tuple[object, ...]] = {
    "state": (None,),
    "context": (None,),
    "rollback_on_failure": (None, False),
    "budget": (None,),
    "classify": (None,),
}
"""Options of a pipeline."""

PARAMETERS = ("state", "context", "config", "work_dir", "error", "answer")
"""Names of parameters that will receive something of ours, and so must not be used for anything else meanwhile."""

METHODS = (
    "sub", "review", "resource", "on_startup", "on_shutdown", "on_error", "use", "observe", "on_step_complete",
    "add_subpipeline", "from_yaml", "to_yaml",
)  # fmt: skip
"""Methods of a pipeline."""


def not_yet(what: str, way_out: str = "leave it out") -> str:
    """The sentence that says so.

    >>> not_yet("`cache`")
    '`cache` is planned, but this version of Stepwell does not have it yet; leave it out'
    """
    return f"{what} is planned, but this version of Stepwell does not have it yet; {way_out}"


class MethodNotYet(DefinitionError, AttributeError):
    """A DefinitionError for who calls the method, an AttributeError for who only asks whether it is there."""


class NotYet:
    """Stands in a class for a method that it does not have yet."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type | None = None) -> Never:
        """Raise MethodNotYet."""
        raise MethodNotYet(not_yet(f"`{'' if owner is None else owner.__name__}.{self._name}`"))
