"""The limits that `Annotated` sets to a type, by msgspec, pydantic or annotated-types: all told as those of msgspec."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, cast

import msgspec

from stepwell.codecs.node import Node
from stepwell.codecs.records import msgspec_takes

_NAMES = ("gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "pattern")
_LIBRARIES = ("annotated_types", "pydantic")


def limits_of(node: Node, metadata: Sequence[object]) -> list[msgspec.Meta]:
    """The limits of a type; what another library means by the rest is that library's business."""
    found: list[msgspec.Meta] = []
    for each in metadata:
        if isinstance(each, msgspec.Meta):
            found.append(each)
        elif type(each).__module__.partition(".")[0] in _LIBRARIES:
            found += [limit for limit in _told(each) if _holds(node.annotation, limit)]
    return found


def _holds(annotation: Any, limit: msgspec.Meta) -> bool:
    """Whether this is a limit that the type can have."""
    return msgspec_takes(Annotated[annotation, limit])


def _told(each: Any) -> Iterator[msgspec.Meta]:
    """A `Field` holds its limits in a list, an `Interval` is one, any other has them as attributes."""
    inner = cast("Iterable[object] | None", getattr(each, "metadata", None))
    if inner is None and hasattr(each, "__iter__"):
        inner = cast("Iterable[object]", each)
    if inner is not None:
        for one in inner:
            yield from _told(one)
        return
    for name in _NAMES:
        limit: Any = getattr(each, name, None)
        if limit is None or (name == "min_length" and limit == 0):
            continue
        try:
            yield msgspec.Meta(**{name: limit})
        except (TypeError, ValueError):  # of a date, or a regular expression that was compiled: msgspec has no such one
            continue
