"""The type of a step's value: what its return annotation says without the control types."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Coroutine, Sequence
from typing import Annotated, Any, Never, Union

import pytest

from stepwell.control import Control, Raise, Retry, Skip, Stop
from stepwell.plan.returns import awaited, item_type, plain_class, value_type

EMPTY = inspect.Signature.empty


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (int, int),
        (EMPTY, EMPTY),
        (None, None),
        (int | Stop[str], int | str),
        (int | Stop[int] | Skip | Retry | Raise, int),
        (Stop[list[int]], list[int]),
        (Union[int, None, Skip], int | None),  # noqa: UP007 - the old spelling
        (int | Stop, int | None),
        (Skip | Retry, type(None)),
        (Never, type(None)),
        (int | Control, EMPTY),
        (Any, Any),
        (Annotated[int | Skip, "note"], int),
        (Annotated[int, "note"], Annotated[int, "note"]),
        (int | str, int | str),
        (Stop[int | str] | float, int | str | float),
    ],
)
def test_control_types_are_no_part_of_the_value(annotation: object, value: object) -> None:
    """B2, B5, S21: a value is encoded to what remains, and to the value type of `Stop`."""
    assert value_type(annotation) == value


def test_what_is_awaited_counts_and_not_the_awaitable() -> None:
    """C14: a callable that returns a coroutine is async."""
    assert awaited(Awaitable[int]) is int
    assert awaited(Coroutine[Any, Any, str]) is str
    assert awaited(list[int]) == list[int]


def test_the_type_of_items_is_known_of_plain_collections_only() -> None:
    """A23: when unsure, nothing is said."""
    assert item_type(list[int]) is int
    assert item_type(Sequence[str]) is str
    assert item_type(tuple[int, ...]) is int
    assert item_type(tuple[int]) is EMPTY
    assert item_type(dict[str, int]) is EMPTY
    assert item_type(list) is EMPTY


def test_a_class_is_certain_only_where_values_are_of_exactly_one() -> None:
    """A23: unions, protocols and `Any` are not."""
    assert plain_class(Annotated[list[int], "x"]) is list
    assert plain_class(None) is type(None)
    assert plain_class(int | str) is None
    assert plain_class(Any) is None
    assert plain_class("int") is None
