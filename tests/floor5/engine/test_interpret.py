"""What an attempt returned, as an outcome: values, control values, jumps, routes, what cannot be recorded."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from stepwell.codecs import oversize
from stepwell.codecs.values import Codecs
from stepwell.control import Goto, Output, Raise, Retry, Skip, Stop
from stepwell.engine.interpret import Form, interpret
from stepwell.engine.outcome import Again, Completed, Jump, Outcome, Skipped
from stepwell.errors import CodecError
from stepwell.events import Payload
from stepwell.plan.plan import Plan, PlanStep

from .plans import nothing, plan, routes, step

DRAFT, JUDGE = 0, 1


def stepped(annotation: object = int, number: int = JUDGE, **options: object) -> PlanStep:
    return replace(step(number, **options), codec=Codecs().codec(annotation))


def looped(annotation: object = int) -> Plan:
    """`b` may jump back to `a`, whose function is another one than its own."""
    draft = replace(step(DRAFT), function=drafted)
    return plan([draft, stepped(annotation, goto=(DRAFT,))])


def drafted() -> int:
    return 1


def of(value: object, *, encodes: bool = False, check: bool = False, one: PlanStep | None = None) -> Outcome:
    the_plan = looped()
    return interpret(the_plan, one or the_plan.steps[JUDGE], value, Form(encodes, check))


def test_a_value_is_its_outcome() -> None:
    assert of(3) == Completed(3, 3)


def test_a_value_that_is_recorded_in_bytes_is_handed_on_as_it_reads_back() -> None:
    """S21."""
    outcome = of([1], encodes=True, one=stepped(list[int]))
    assert isinstance(outcome, Completed)
    assert isinstance(outcome.output, Payload)
    assert (outcome.value, Codecs().codec(list[int]).decode(outcome.output.data or b"")) == ([1], [1])


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (Skip("why"), Skipped("why")),
        (Retry("2s", "soon"), Again(2.0, "soon")),
        (Retry(), Again(None, "")),
        (Stop(), Completed(None, None, stops=True)),
        (Stop(3), Completed(3, 3, stops=True)),
        (Output(3), Completed(3, 3)),
    ],
)
def test_a_control_value_says_what_becomes_of_the_step(value: object, outcome: Outcome) -> None:
    """B2, B4, B5."""
    assert of(value) == outcome


def test_raise_raises_what_it_holds() -> None:
    """B6."""
    with pytest.raises(OSError, match="no"):
        of(Raise(OSError("no")))


@pytest.mark.parametrize("step", ["a", "A", drafted])
def test_a_jump_names_its_target_by_name_or_by_function(step: object) -> None:
    """B11: names are equal as those of steps are."""
    assert of(Goto(step)) == Jump(DRAFT, None)  # type: ignore[arg-type]


def test_a_jump_brings_its_best_as_it_would_be_recorded() -> None:
    """B12, S21: None is a best, too."""
    assert of(Goto("a", best=3)) == Jump(DRAFT, Completed(3, 3))
    assert of(Goto("a", best=None), one=replace(looped(type(None)).steps[JUDGE])) == Jump(DRAFT, Completed(None, None))
    with pytest.raises(CodecError, match="what `b` returned cannot be recorded"):
        of(Goto("a", best="x"), check=True)


@pytest.mark.parametrize("goto", ["b", "draft", nothing])
def test_a_jump_to_where_none_was_declared_is_an_error(goto: object) -> None:
    """B11: what is declared is told."""
    with pytest.raises(ValueError, match=r"declares `a`; add it to its option goto="):
        of(Goto(goto))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="declares none"):
        of(Goto(goto), one=stepped())  # type: ignore[arg-type]


def test_a_jump_to_what_is_no_step_is_an_error() -> None:
    """B11: neither a name nor a function."""
    with pytest.raises(TypeError, match="Goto takes a step, its name or its function, not 3"):
        of(Goto(3))  # type: ignore[arg-type]


def test_a_value_of_an_ephemeral_step_is_looked_at_by_nobody() -> None:
    """S1: it may be anything, and nothing of it is recorded."""
    thing = object()
    outcome = of(thing, encodes=True, check=True, one=stepped(int, ephemeral=True))
    assert isinstance(outcome, Completed)
    assert (outcome.value, outcome.output) == (thing, None)


def test_a_value_that_cannot_be_recorded_names_the_step() -> None:
    """S21: also in memory, where values are checked."""
    for settings in ({"encodes": True}, {"check": True}):
        with pytest.raises(CodecError, match="what `b` returned cannot be recorded"):
            of("x", **settings)


def test_a_switch_leads_where_its_value_says_and_true_is_not_one() -> None:
    """B7."""
    one = stepped(object, routes=routes(DRAFT))
    assert of(True, one=one) == Completed(True, True, route=(DRAFT,))
    outcome = of(1, one=one)
    assert isinstance(outcome, Completed)
    assert outcome.route == ()


def test_a_switch_that_stops_leads_nowhere() -> None:
    """B2, B7."""
    assert of(Stop(3), one=stepped(int, routes=routes(DRAFT))) == Completed(3, 3, stops=True)


@pytest.mark.parametrize("target", [5, None, ["a"]])
def test_a_jump_to_what_is_no_step_says_what_it_takes(target: object) -> None:
    """B11: and does not ask for a step without a name to be declared."""
    with pytest.raises(TypeError, match="Goto takes a step, its name or its function, not ") as caught:
        of(Goto(target))  # type: ignore[arg-type]
    assert str(caught.value).endswith(repr(target))


@pytest.mark.parametrize(("encodes", "check"), [(True, False), (True, True), (False, True)])
def test_a_value_that_is_too_large_is_refused_with_its_size_and_its_largest_part(
    encodes: bool, check: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S21: names step, field and size."""
    monkeypatch.setattr(oversize, "LARGEST", 1_000)
    one = stepped(dict[str, list[int]])
    assert isinstance(of({"few": [1]}, encodes=encodes, check=check, one=one), Completed)
    told = (
        r"what `b` returned cannot be recorded \(`\$` is the value\): it has 2,\d+ bytes as it is recorded, and at "
        r"most 1,000 are allowed \(2,003 of them are `\$\.many`\); write it to a file"
    )
    with pytest.raises(CodecError, match=told):
        of({"few": [1], "many": [0] * 2_000}, encodes=encodes, check=check, one=one)
