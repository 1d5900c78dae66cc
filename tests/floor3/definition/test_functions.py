"""What is underneath a callable, however it is wrapped."""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import lru_cache, partial, wraps

from stepwell.definition.functions import caller, innermost, is_async, local_names, own_name, place


def plain(a: int) -> int:
    return a


async def coroutine() -> int:
    return 1


class Job:
    async def __call__(self) -> int:
        return 1

    def method(self) -> int:
        return 1


def wrapping(function: Callable[..., object]) -> Callable[..., object]:
    @wraps(function)
    def wrapper(*arguments: object) -> object:
        return function(*arguments)

    return wrapper


def test_the_innermost_function_is_the_one_somebody_wrote() -> None:
    """A6: through partials, methods, objects, caches and `functools.wraps`."""
    assert innermost(plain) is plain
    assert innermost(partial(partial(plain), 1)) is plain
    assert innermost(wrapping(wrapping(plain))) is plain
    assert innermost(lru_cache(plain)) is plain
    assert innermost(Job().method) is Job.method
    assert innermost(Job()) is Job.__call__
    assert innermost(len) is None
    assert innermost(Job) is None


def test_a_wrapper_that_leads_to_itself_ends() -> None:
    """A6: whatever somebody hung on a function."""

    def odd() -> None: ...

    odd.__wrapped__ = odd  # type: ignore[attr-defined]
    assert innermost(odd) is None


def test_async_is_what_gives_something_to_await() -> None:
    """D14: partials and objects too; a sync wrapper is sync."""
    assert is_async(coroutine)
    assert is_async(partial(coroutine))
    assert is_async(Job())
    assert not is_async(plain)
    assert not is_async(Job().method)
    assert not is_async(wrapping(coroutine))


def test_a_function_knows_its_place_and_its_name() -> None:
    """A10: problems are told with file and line."""
    assert place(functools.partial(plain, 1)) == (__file__, plain.__code__.co_firstlineno)
    assert place(len) is None
    assert [own_name(one) for one in (plain, partial(plain), len, lambda: 1, Job())] == [
        "plain",
        "plain",
        "len",
        "",
        "",
    ]


def test_of_a_frame_only_what_annotations_name_is_kept() -> None:
    """C1: local types are found by string annotations, and large locals are not kept alive."""

    class Row: ...

    large = "x" * 1000

    def use(a: list[Row], b: int) -> None: ...

    assert local_names(use, locals()) == {"Row": Row}
    assert local_names(plain, {"int": large}) == {}


def test_the_caller_is_the_first_frame_outside_of_the_package() -> None:
    """A10: for callables that have no code."""
    mine = "here"
    by = caller("stepwell")
    assert by.file == __file__
    assert by.line > 0
    assert by.names["mine"] is mine
    assert not by.interactive


def test_a_main_without_a_file_is_somebody_typing() -> None:
    """A11: as in Jupyter, or at the prompt."""
    space: dict[str, object] = {"__name__": "__main__", "caller": caller}
    exec("by = caller('stepwell')", space)
    assert space["by"].interactive  # type: ignore[attr-defined]
