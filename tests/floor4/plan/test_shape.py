"""How functions of every kind ask to be called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from stepwell.plan.plan import UNSET
from stepwell.plan.shape import EMPTY, Asked, Hints, Shape, read


def shape(function: Callable[..., object], **names: object) -> Shape:
    return read(function, names, Hints())


def plain(a: int, /, b: str = "x", *rest: int, c: float, d: bool = True, **more: str) -> list[int]:
    return []


def test_a_plain_function_is_read_as_inspect_reads_it() -> None:
    """C13: the short way to a signature gives what the long one gives."""

    @functools.wraps(plain)
    def wrapped(*arguments: Any, **keywords: Any) -> Any:
        return plain(*arguments, **keywords)

    assert shape(plain) == shape(wrapped)
    assert shape(plain).asked == (
        Asked("a", int, UNSET, False),
        Asked("b", str, "x", False),
        Asked("c", float, UNSET, True),
        Asked("d", bool, True, True),
    )
    assert shape(plain).any_keyword
    assert shape(plain).returns == list[int]


class Job:
    def __init__(self, folder: str) -> None:
        self.folder = folder

    def method(self, a: int) -> str:
        return ""

    async def __call__(self, b: int) -> str:
        return ""


def test_methods_objects_and_classes_are_callables_like_others() -> None:
    """A6: any callable; `self` is nobody's input."""
    job = Job("")
    assert [one.name for one in shape(job.method).asked] == ["a"]
    assert [one.name for one in shape(job).asked] == ["b"]
    assert shape(job).is_async
    assert shape(Job).asked == (Asked("folder", str, UNSET, False),)
    assert shape(Job).returns is Job


def test_a_partial_of_an_async_function_is_async() -> None:
    """A6: and what it has bound by name is no parameter any more."""

    async def use(a: int, b: int) -> str:
        return ""

    found = shape(partial(use, b=1))
    assert found.is_async
    assert found.asked == (Asked("a", int, UNSET, False),)
    assert found.returns is str


def test_a_function_that_returns_an_awaitable_is_async() -> None:
    """C14: its value is what awaiting gives."""

    def use() -> Awaitable[int]: ...  # type: ignore[empty-body]

    assert shape(use).is_async
    assert shape(use).returns is int


def test_local_names_are_found_by_string_annotations() -> None:
    """C1: `from __future__ import annotations` inside a function."""

    class Local: ...

    def use(a: Local) -> list[Local]: ...  # type: ignore[empty-body]

    assert shape(use, Local=Local).returns == list[Local]
    assert shape(use).complaints != ()


def test_a_callable_without_a_signature_is_told_so() -> None:
    """C13: some builtins do not say how they are called."""
    with pytest.raises(ValueError, match="signature"):
        inspect.signature(min)
    assert "wrap it in a function of your own" in shape(min).complaints[0]
    assert shape(len).asked[0].annotation is EMPTY
