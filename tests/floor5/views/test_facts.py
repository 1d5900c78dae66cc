"""One fact of a run, told in words and as JSON (K1, K2): each kind, and values whose types nobody knows here."""

from __future__ import annotations

import doctest
import json
from collections.abc import Callable

import msgspec
import pytest

from stepwell import events as ev
from stepwell.codecs.values import Codecs
from stepwell.errors import PayloadLost
from stepwell.events import FACTS, Event, Failure, Payload
from stepwell.views import facts as room
from stepwell.views.facts import document, inputs_of, told

FAILURE = Failure("a", "a", None, "error", "user", "raised", "ValueError", "no\nmore", "", retryable=False, attempt=2)


def payload(value: object) -> Payload:
    return Payload(Codecs().codec(type(value)).encode(value))


def inputs(**given: object) -> Payload:
    return Payload(msgspec.msgpack.encode({name: payload(value).data for name, value in given.items()}))


LARGE = Payload(None, "d1", 20_000)


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(room).failed == 0


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (
            ev.RunStarted("r", 1, 0, pipeline="p", version="2", fingerprints={"a": ""}, inputs=inputs(n=1)),
            "p 2  1 step  n=1",
        ),
        (ev.RunResumed("r", 1, 0, recovered=True), "its process had died"),
        (ev.RunCancelled("r", 1, 0, reason="enough"), "enough"),
        (ev.RunBlocked("r", 1, 0, reason="code_changed", message="decide"), "decide"),
        (ev.RunFinished("r", 1, 0, status="failed", not_run=("b",)), "failed; without an end: b"),
        (ev.RunFinished("r", 1, 0, status="cancelled", reason="gone"), "cancelled (gone)"),
        (ev.StepStarted("r", 1, 0, "a", 1), ""),
        (ev.StepStarted("r", 1, 0, "a", 2), "attempt 2"),
        (ev.StepCompleted("r", 1, 0, "a", 1, output=payload(["x", 1])), '["x",1]'),
        (ev.StepCompleted("r", 1, 0, "a", 1, output=payload(3), stops=True), "3, it returned Stop"),
        (
            ev.StepCompleted("r", 1, 0, "a", 1, output=LARGE, degraded=True),
            "20,000 bytes, without the items that failed",
        ),
        (ev.StepCompleted("r", 1, 0, "a", 1, output=Payload(b"\xc1")), "1 bytes"),
        (ev.StepCompleted("r", 1, 0, "a", 1, goto="draft", soft_failed=True), "goes back to draft, soft-failed"),
        (ev.StepFailed("r", 1, 0, "a", 1, failure=FAILURE), "ValueError: no"),
        (ev.StepFailed("r", 1, 0, "a", 1, failure=FAILURE, tolerated=True), "ValueError: no (tolerated)"),
        (ev.StepCancelled("r", 1, 0, "a", 1, reason="run_cancelled"), "the run was cancelled"),
        (ev.StepSkipped("r", 1, 0, "a", reason="when_false: big"), "its condition `big` was false"),
        (ev.StepPruned("r", 1, 0, "a", reason="upstream_failed", because="b"), "b failed before it"),
        (ev.StepReset("r", 1, 0, paths=("a", "b"), cause="resume"), "resume: a, b"),
        (ev.MapExpanded("r", 1, 0, "m", 1, count=1200), "1,200 items"),
        (ev.MapExpanded("r", 1, 0, "m", 1, count=1, more=True), "1 item, more to come"),
        (ev.ItemCompleted("r", 1, 0, "m[0]", 1, skipped=True), "it returned Skip"),
        (ev.ItemFailed("r", 1, 0, "m[0]", 1, failure=FAILURE), "ValueError: no"),
        (ev.JoinWaiting("r", 1, 0, "j", waiting_for=tuple("abcdefg")), "for a, b, c, d, e and 2 more"),
        (ev.JoinReleased("r", 1, 0, "j"), ""),
        (ev.BranchChosen("r", 1, 0, "s", 1, "small", ()), "small -> nothing"),
        (ev.WarningIssued("r", 1, 0, reason="x", message="mind\nthis"), "mind this"),
        (ev.RunTimedOut("r", 1, 0, deadline=5.0), "deadline=5.0"),
    ],
)
def test_each_kind_says_what_there_is_to_say(fact: Event, said: str) -> None:
    """K1: every fact is told in one line."""
    assert told(fact) == said


def test_a_retry_says_why_and_when() -> None:
    said = told(ev.StepRetrying("r", 1, 0, "a", 1, retry_at=0.0, failure=FAILURE))
    assert said.startswith("ValueError: no; again at ")
    assert told(ev.ItemRetrying("r", 1, 0, "m[0]", 1, reason="later")).startswith("later; again at ")
    assert told(ev.ItemRetrying("r", 1, 0, "m[0]", 1)).startswith("it returned Retry; again at ")


@pytest.mark.parametrize("kind", FACTS.values())
def test_every_kind_becomes_json_with_its_envelope(kind: Callable[..., Event]) -> None:
    """K2: run, number, time, path and attempt come first, whatever the kind."""
    found = document(kind("r", 3, 1.5, "a", 2))
    assert list(found)[:6] == ["kind", "run_id", "seq", "at", "path", "attempt"]
    assert (found["run_id"], found["seq"], found["at"], found["path"], found["attempt"]) == ("r", 3, 1.5, "a", 2)
    json.dumps(found)


def test_values_are_shown_as_far_as_they_can_be_read() -> None:
    """Small ones decoded, large ones by size and digest; damaged bytes by their size."""
    read = document(ev.StepCompleted("r", 1, 0, "a", 1, output=payload({"words": 3})))
    assert (read["output"], read["output_bytes"]) == ({"words": 3}, 8)
    large = document(ev.StepCompleted("r", 1, 0, "a", 1, output=LARGE))
    assert (large["output"], large["output_bytes"], large["output_digest"]) == (None, 20_000, "d1")
    assert document(ev.StepCompleted("r", 1, 0, "a", 1, output=Payload(b"\xc1")))["output"] is None
    started = document(ev.RunStarted("r", 1, 0, inputs=inputs(folder="docs")))
    assert started["inputs"] == {"folder": "docs"}


def test_half_a_character_and_a_number_of_any_size_are_told() -> None:
    assert told(ev.StepCompleted("r", 1, 0, "a", 1, output={"n": 2**70})) == f'{{"n":{2**70}}}'
    assert told(ev.StepCompleted("r", 1, 0, "a", 1, output=["\udc80"])) == "['\\udc80']"


def test_inputs_that_cannot_be_read_are_no_inputs() -> None:
    def lost(_: Payload) -> bytes:
        raise PayloadLost("it is gone")

    assert inputs_of(ev.RunStarted("r", 1, 0, inputs=LARGE), lost) == {}
    assert inputs_of(ev.RunStarted("r", 1, 0, inputs=LARGE), lambda _: inputs(n=2).data or b"") == {"n": 2}
    assert inputs_of(ev.RunStarted("r", 1, 0, inputs={"n": {1}}), lost) == {"n": [1]}
    assert inputs_of(ev.RunStarted("r", 1, 0), lost) == {}
