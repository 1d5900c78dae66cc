"""The type of a step's value: what its return annotation says without the control types."""

from __future__ import annotations

import inspect
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Coroutine,
    Generator,
    Iterable,
    Iterator,
    Sequence,
)
from typing import Annotated, Any, Never, Union

import pytest

from stepwell.control import Control, Goto, Output, Raise, Retry, Skip, Stop
from stepwell.plan.returns import awaited, item_type, plain_class, stream_type, value_type, yielded

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


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Output[int], int),
        (int | Output[str], int | str),
        (int | Goto, int),
        (int | Output, EMPTY),
    ],
)
def test_an_output_gives_what_is_in_it_and_a_jump_nothing(annotation: object, value: object) -> None:
    """B11, K5: like `Stop`; of a bare `Output` nothing is known."""
    assert value_type(annotation) == value


@pytest.mark.parametrize(
    ("annotation", "item"),
    [
        (Iterator[int], int),
        (Iterable[int | Stop[str]], int),
        (Generator[int, None, str], int),
        (AsyncIterator[str | Output[int]], str),
        (AsyncIterable[int | None], int | None),
        (AsyncGenerator[int, None], int),
        (Iterator[Skip], EMPTY),
        (Iterator, EMPTY),
        (EMPTY, EMPTY),
        (Iterator[Any], EMPTY),
        (int, None),
        (list[int], None),
        (None, None),
        (Sequence[int], None),
    ],
)
def test_what_a_generator_yields_is_told_from_what_it_controls(annotation: object, item: object) -> None:
    """K5: and an annotation of no generator is told from one that says nothing."""
    assert yielded(annotation) == item


@pytest.mark.parametrize(
    ("annotation", "output"),
    [
        (Iterator[str], str),
        (AsyncIterator[int], list[int]),
        (Iterator[int | str], str | list[int | str]),
        (Iterator[str | Output[int]], str | int),
        (Iterator[int | Output[str]], list[int] | str),
        (Iterator[Output[int]], int),
        (Iterator[int | Stop[str]], list[int] | str),
        (Iterator[int | Skip | Retry], list[int]),
        (Generator[str, None, int], str | int),
        (Generator[str, None, Stop[int]], str | int),
        (Generator[str, None, None], str),
        (AsyncGenerator[int, None], list[int]),
        (Iterator, EMPTY),
        (EMPTY, EMPTY),
        (Iterator[Any], EMPTY),
    ],
)
def test_the_output_of_a_generator_is_text_a_list_or_what_it_says(annotation: object, output: object) -> None:
    """K5: the joined text if all are text, else the list; or what `Output`, `Stop` or `return` give."""
    assert stream_type(annotation, listed=False) == output


@pytest.mark.parametrize(
    ("annotation", "output"),
    [(Iterator[str], list[str]), (Iterator[int | Skip], list[int]), (AsyncIterator[int | str], list[int | str]),
     (Iterator, EMPTY)],
)  # fmt: skip
def test_what_a_map_runs_over_is_a_list_in_any_case(annotation: object, output: object) -> None:
    """D5: also of text."""
    assert stream_type(annotation, listed=True) == output
