"""The words of attempts: each goes to its own, and the streams are as they were when nobody listens any more."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextvars import copy_context

import pytest

from stepwell.capture.capture import Capture
from stepwell.capture.source import present
from stepwell.capture.streams import Routed
from stepwell.events import LogLine

Hears = Callable[..., tuple[Capture, list[LogLine]]]


class Kept(list[LogLine]):
    """Keeps what is said."""

    def say(self, line: LogLine) -> None:
        self.append(line)

    def close(self) -> None:
        pass


@pytest.fixture
def hear() -> Iterator[Hears]:
    """Begin to listen; whatever is on at the end of the test is closed."""
    begun: list[Capture] = []
    before = (sys.stdout, sys.stderr, logging.Logger.callHandlers, logging.getLogger().level)

    def start(run_id: str = "01J", *, tee: bool = True) -> tuple[Capture, list[LogLine]]:
        kept = Kept()
        begun.append(Capture(run_id, kept, lambda: 1.0, tee=tee))
        return begun[-1], kept

    yield start
    for capture in begun:
        capture.close()
    assert (sys.stdout, sys.stderr, logging.Logger.callHandlers, logging.getLogger().level) == before


def texts(lines: list[LogLine]) -> list[str]:
    return [line.text for line in lines]


def test_what_is_printed_goes_to_the_attempt_and_on(hear: Hears, capsys: pytest.CaptureFixture[str]) -> None:
    capture, lines = hear()
    source = capture.begin("measure[a]", 2)
    print("one", "two")
    print("three", file=sys.stderr)
    capture.end(source)
    assert [(line.path, line.attempt, line.stream, line.text) for line in lines] == [
        ("measure[a]", 2, "stdout", "one two"),
        ("measure[a]", 2, "stderr", "three"),
    ]
    assert capsys.readouterr() == ("one two\n", "three\n")


def test_without_tee_it_goes_nowhere_else(hear: Hears, capsys: pytest.CaptureFixture[str]) -> None:
    capture, lines = hear(tee=False)
    capture.begin("a", 1)
    print("quiet")
    logging.getLogger("lab").warning("loud")
    assert not sys.stdout.isatty()
    assert texts(lines) == ["quiet", "loud"]
    assert capsys.readouterr() == ("", "")


def test_what_no_attempt_prints_passes_through(hear: Hears, capsys: pytest.CaptureFixture[str]) -> None:
    capture, lines = hear(tee=False)
    capture.end(capture.begin("a", 1))
    print("between")
    thread = threading.Thread(target=print, args=("of nobody",))
    thread.start()
    thread.join()
    assert (lines, capsys.readouterr().out) == ([], "between\nof nobody\n")


def test_a_line_that_has_no_end_is_one_at_the_end_of_its_attempt(hear: Hears) -> None:
    capture, lines = hear()
    source = capture.begin("a", 1)
    print("half", end="")
    assert lines == []
    capture.end(source)
    assert texts(lines) == ["half"]


def test_threads_that_carry_the_context_speak_for_its_attempt(hear: Hears) -> None:
    capture, lines = hear()
    capture.begin("a", 1)
    contexts = [copy_context() for _ in range(8)]

    def chatter(number: int) -> None:
        for turn in range(50):
            print(f"thread {number}", end=" ")
            print(f"turn {turn}")

    threads = [threading.Thread(target=context.run, args=(chatter, n)) for n, context in enumerate(contexts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(texts(lines)) == sorted(f"thread {n} turn {turn}" for n in range(8) for turn in range(50))


def test_two_runs_at_once_do_not_mix(hear: Hears) -> None:
    (one, first), (two, second) = hear("one"), hear("two")
    contexts = copy_context(), copy_context()
    contexts[0].run(one.begin, "a", 1)
    contexts[1].run(two.begin, "a", 1)
    for word in ("x", "y"):
        contexts[0].run(print, "one", word)
        contexts[1].run(print, "two", word)
    assert [(line.run_id, line.text) for line in first] == [("one", "one x"), ("one", "one y")]
    assert [(line.run_id, line.text) for line in second] == [("two", "two x"), ("two", "two y")]
    one.close()
    contexts[0].run(print, "nobody listens")
    contexts[1].run(print, "z")
    assert texts(second)[-1] == "z"
    assert len(first) == 2


def test_a_run_inside_an_attempt_is_heard_by_both(hear: Hears, capsys: pytest.CaptureFixture[str]) -> None:
    """A step may run a pipeline of its own: what that prints is of both, and is shown once."""
    outer, heard_outside = hear("outer")

    def inside() -> list[LogLine]:
        outer.begin("step", 1)
        inner, lines = hear("inner")
        inner.begin("deep", 1)
        print("hello")
        logging.getLogger("lab").error("oh")
        return lines

    lines = copy_context().run(inside)
    assert [(line.run_id, line.path, line.text) for line in lines] == [
        ("inner", "deep", "hello"),
        ("inner", "deep", "oh"),
    ]
    assert [(line.path, line.text) for line in heard_outside] == [("step", "hello"), ("step", "oh")]
    assert capsys.readouterr().out == "hello\n"


def test_a_stream_that_a_step_puts_in_place_works_as_ever(hear: Hears) -> None:
    capture, lines = hear()
    capture.begin("a", 1)
    with contextlib.redirect_stdout(io.StringIO()) as own:
        print("mine")
    print("after")
    assert (own.getvalue(), texts(lines)) == ("mine\n", ["after"])


def test_a_stream_that_hands_on_to_ours_is_heard_once(hear: Hears) -> None:
    capture, lines = hear()
    capture.begin("a", 1)

    class Twice:
        def __init__(self, stream: object) -> None:
            self.stream = stream

        def __getattr__(self, name: str) -> object:
            return getattr(self.stream, name)

    with contextlib.redirect_stdout(Twice(sys.stdout)):  # type: ignore[type-var]
        second, others = hear("other")
        copy_context().run(second.begin, "b", 1)  # routes the stream anew
        print("once")
        second.close()
    assert (texts(lines), others) == (["once"], [])


def test_a_stream_left_in_place_by_a_redirect_notices_no_end(hear: Hears, capsys: pytest.CaptureFixture[str]) -> None:
    capture, lines = hear()
    capture.begin("a", 1)
    redirect = contextlib.redirect_stdout(io.StringIO())
    with redirect:
        capture.close()
    left = sys.stdout
    print("still here")
    assert isinstance(left, Routed)
    assert (lines, capsys.readouterr().out) == ([], "still here\n")
    sys.stdout = left.beyond


def test_the_stream_tells_of_the_one_beyond(hear: Hears, capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout
    capture, _ = hear()
    capture.begin("a", 1)
    assert sys.stdout is not before
    assert (sys.stdout.encoding, sys.stdout.errors, sys.stdout.closed) == (before.encoding, before.errors, False)
    sys.stdout.writelines(["a\n", "b\n"])
    sys.stdout.flush()
    sys.stdout.buffer.write(b"bytes\n")
    sys.stdout.buffer.flush()
    sys.stdout.close()
    assert sys.stdout.writable()
    assert not before.closed
    assert capsys.readouterr().out == "a\nb\nbytes\n"
    with pytest.raises(TypeError):
        sys.stdout.write(b"no text")  # type: ignore[arg-type]


def test_a_printing_finalizer_in_the_midst_of_a_line_does_not_hang() -> None:
    """A signal or a finalizer runs in the thread that is just speaking."""

    class Interrupted(Kept):
        def say(self, line: LogLine) -> None:
            super().say(line)
            if line.text == "first":
                print("from inside")

    lines = Interrupted()
    capture = Capture("01J", lines, lambda: 1.0, tee=False)
    copy_context().run(capture.begin, "other", 1)
    capture.begin("a", 1)
    print("first")
    capture.close()
    assert texts(lines) == ["first", "from inside"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_process_that_is_forked_speaks_for_itself(hear: Hears) -> None:
    """It has neither the loop of the run nor its locks."""
    capture, lines = hear()
    capture.begin("a", 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other tests have left threads; this child is brief
        child = os.fork()
    if child == 0:
        os._exit(0 if present() is None else 1)
    assert os.waitpid(child, 0)[1] == 0
    print("the parent speaks on")
    assert texts(lines) == ["the parent speaks on"]


def test_what_a_step_left_running_does_not_keep_its_run_alive() -> None:
    """The context of a task that outlives its run holds the capture, and no more."""
    lines = Kept()
    gone = weakref.ref(lines)
    capture = Capture("01J", lines, lambda: 1.0, tee=True)
    left = copy_context()
    left.run(capture.begin, "a", 1)
    capture.close()
    del lines
    assert gone() is None
    assert left.run(present) is None
