"""The inputs of a run: one name asked for by several steps is one input."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Pipe


def a(folder: list[int], limit: int = 3) -> int:
    return 1


def test_steps_that_agree_share_an_input(pipe: Pipe) -> None:
    """A24: equal types after resolving, or one left out."""

    def b(folder: list[int], limit=3) -> int:  # type: ignore[no-untyped-def]
        return 1

    pipe.step(a)
    pipe.step(b)
    inputs = pipe.compile().inputs
    assert inputs["folder"].used_by == ("a", "b")
    assert inputs["limit"].annotation is int
    assert inputs["limit"].default == 3


def test_an_input_of_two_types_is_a_problem_that_names_both(pipe: Pipe) -> None:
    """A23, C13: one value cannot be both."""

    def b(folder: list[str]) -> int:
        return 1

    pipe.step(a)
    pipe.step(b)
    assert "b: the input `folder` has the type list[str] here and list[int] in step `a`" in pipe.problems()


def test_an_input_that_one_step_needs_is_required(pipe: Pipe) -> None:
    """C5: the default of another step does not give it a value."""

    def b(limit: int) -> int:
        return 1

    pipe.step(a)
    pipe.step(b)
    assert pipe.compile().inputs["limit"].required


def test_different_defaults_are_a_problem(pipe: Pipe) -> None:
    """C13: which of the two would hold is nobody's guess; True is not 1."""

    def b(limit: int = 4) -> int:
        return 1

    def c(deep: object = 1) -> int:
        return 1

    def d(deep: object = True) -> int:
        return 1

    for function in (a, b, c, d):
        pipe.step(function)
    text = pipe.problems()
    assert "the input `limit` has the default 4 here and 3 in step `a`" in text
    assert "the input `deep` has the default True here and 1 in step `c`" in text


def test_defaults_that_cannot_be_compared_are_different(pipe: Pipe) -> None:
    """C13: an array answers `==` with an array; the compiler must not fall over it."""

    class Array:
        def __eq__(self, other: object) -> bool:
            raise ValueError("ambiguous")

        __hash__ = None  # type: ignore[assignment]

    one = Array()
    pipe.step(lambda x=one: 1, name="b")
    pipe.step(lambda x=one: 1, name="c")
    pipe.compile()
    other = Array()
    pipe.step(lambda x=other: 1, name="d")
    assert "the input `x` has the default" in pipe.problems()


def test_a_defaulted_input_that_resembles_a_step_is_a_warning(pipe: Pipe) -> None:
    """A10: a misspelt data parameter would silently take its default."""
    pipe.step(lambda: [1], name="collect")
    pipe.step(lambda colect=None, other=None: 1, name="use")
    (warning,) = pipe.compile().warnings
    assert "`colect` of `use` is an input with a default, and its name resembles the step `collect`" in warning


def test_an_input_that_cannot_be_recorded_is_a_problem(pipe: Pipe) -> None:
    """C13: inputs are recorded too."""

    class Client: ...

    def b(client) -> int:  # type: ignore[no-untyped-def]
        return 1

    b.__annotations__ = {"client": Client}
    pipe.step(b)
    assert "b: the input `client` cannot be recorded" in pipe.problems()
