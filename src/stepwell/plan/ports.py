"""What compiling is given from outside: how to find a codec, and how to read the text of a condition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from stepwell.codecs.port import Codec
from stepwell.definition.spec import Function, StepSpec
from stepwell.errors import CodecError
from stepwell.plan.names import Problems


class Codecs(Protocol):
    """Finds the codec of a declared type."""

    def codec(self, annotation: object) -> Codec:
        """The codec; raises CodecError for a type that cannot be encoded."""
        ...


Condition = Callable[[str], tuple[Function, tuple[str, ...], frozenset[str]]]
"""Reads the text of a condition: gives a function, the names it takes as keyword parameters, and which must be steps.

Raises ValueError or a StepwellError that says what is wrong with the text.
"""


def codec_of(codecs: Codecs, annotation: object, what: str, spec: StepSpec, problems: Problems) -> Codec | None:
    """The codec of a type; a problem of this step, and None, where there is none."""
    try:
        return codecs.codec(annotation)
    except CodecError as error:
        problems.add(spec, f"{what} cannot be recorded: {error}")
        return None
