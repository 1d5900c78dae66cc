"""Options as people write them, and what they hear when one is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest

from stepwell.definition.options import Written, refuse_later, step_spec, title
from stepwell.definition.spec import Kind, StepSpec
from stepwell.errors import DefinitionError
from stepwell.policy import RetryPolicy


def load(rows: int = 0) -> int:
    return rows


def spec(kind: Kind = "step", function: object = load, /, **options: object) -> StepSpec:
    return step_spec(Written(kind, function, options, "here.py", 7))


def wrong(kind: Kind = "step", function: object = load, /, **options: object) -> str:
    with pytest.raises(DefinitionError) as caught:
        spec(kind, function, **options)
    return str(caught.value)


def test_a_bare_step_has_sensible_options() -> None:
    """A2, A3: name and label come from the function, file and line from its code."""
    step = spec()
    assert (step.name, step.label, step.kind, step.function) == ("load", "Load", "step", load)
    assert (step.file, step.line) == (__file__, load.__code__.co_firstlineno)
    assert (step.retry, step.timeout, step.critical, step.runs_on) == (None, None, True, "auto")


def test_a_label_reads_like_a_title() -> None:
    """A2: the default label is a prettified name."""
    assert title("load_raw-HTML") == "Load Raw HTML"
    assert spec(label="Loading…").label == "Loading…"


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("250ms", 0.25), ("30s", 30.0), ("10m", 600.0), (3, 3.0), (timedelta(minutes=1), 60.0)],
)
def test_durations_become_seconds(given: object, seconds: float) -> None:
    """E9: one duration type."""
    assert spec(timeout=given).timeout == seconds


def test_a_number_of_attempts_becomes_a_policy() -> None:
    """E5: retry=3 is three attempts in all."""
    assert spec(retry=3).retry == RetryPolicy(attempts=3)
    assert spec(retry=RetryPolicy(2, delay=0)).retry == RetryPolicy(2, delay=0)


def test_one_reference_or_several_become_a_tuple() -> None:
    """A3, A8: name or function, one or a list; a set in a fixed order."""
    step = spec(after="a", to=["b", load])
    assert (step.after, step.to) == (("a",), ("b", load))
    assert spec(after={"c", "a", "b"}).after == ("a", "b", "c")


def test_a_switch_keeps_its_routes_in_order() -> None:
    """B7: a mapping or pairs; one step or several."""
    assert spec("switch", to={"x": "a", 2: ["b", load]}).routes == (("x", ("a",)), (2, ("b", load)))
    assert spec("switch", to=[(None, "a")], default="b").default == ("b",)


def test_tags_and_meta_are_kept() -> None:
    """A21: one tag or several, any mapping."""
    step = spec(tags=["b", "a"], meta={"owner": "me"})
    assert (step.tags, step.meta) == (("b", "a"), {"owner": "me"})
    assert spec(tags="a").tags == ("a",)


def test_none_is_what_was_not_said() -> None:
    """A24: factories hand options on."""
    assert spec(retry=None, timeout=None, when=None, name=None) == spec()


@pytest.mark.parametrize(
    ("option", "given", "says"),
    [
        ("timeout", "soon", 'timeout must be like "250ms"'),
        ("timeout", 0, "timeout must be longer than nothing"),
        ("timeout", True, "timeout must be like"),
        ("retry", 0, "retry attempts must be a whole number of at least 1"),
        ("retry", "3", "retry takes a number of attempts or a RetryPolicy"),
        ("critical", 1, "critical is True or False"),
        ("runs_on", "gpu", "runs_on is one of 'auto', 'inline', 'thread'"),
        ("runs_on", "process", "runs_on='process' is planned"),
        ("when", True, "when takes a function or the text of a condition"),
        ("when", " ", "when takes a function or the text of a condition"),
        ("after", 3, "after takes a step: its name or its function, not 3"),
        ("inputs", ["a"], "inputs takes a mapping from parameter to step"),
        ("label", 3, "label takes a text"),
        ("tags", 3, "tags takes a text"),
        ("meta", 3, "meta takes a mapping"),
        ("name", "1st", "begins with a letter"),
        ("name", "a b", "begins with a letter"),
        ("name", "Item", "`Item` cannot be a step's name"),
        ("name", "work-dir", "`work-dir` cannot be a step's name"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_right(option: str, given: object, says: str) -> None:
    """A12, C13: at definition, with file and line."""
    text = wrong(**{option: given})
    assert says in text
    assert text.startswith(f"{__file__}:{load.__code__.co_firstlineno}: ")


@pytest.mark.parametrize(
    ("option", "given", "says"),
    [
        ("concurrency", 0, "concurrency of a map must be a whole number of at least 1"),
        ("concurrency", True, "concurrency of a map must be a whole number of at least 1"),
        ("min_success", 1.5, "min_success is a number of items such as 10, or a share such as 0.9"),
        ("min_success", -1, "min_success is a number of items"),
        ("min_success", True, "min_success is a number of items"),
        ("key", "name", "key takes a function of one item"),
        ("over", 3, "over takes a step"),
    ],
)
def test_the_numbers_of_a_map_are_checked(option: str, given: object, says: str) -> None:
    """D7: 0 is not "unlimited"."""
    assert (
        says in wrong("map", over="rows") if option == "" else says in wrong("map", **{"over": "rows", option: given})
    )


def test_all_that_is_wrong_with_one_step_is_told_at_once() -> None:
    """A12: not one after the other."""
    text = wrong(timeout="x", retry="y", critical=3, nonsense=1)
    assert text.startswith("4 problems")


def test_an_unknown_option_suggests_what_was_meant() -> None:
    """A10: did you mean; else what there is."""
    assert "there is no option `timout`; did you mean `timeout`?" in wrong(timout=3)
    assert "there is no option `zzz`; the options are `name`, `label`" in wrong(zzz=3)


def test_an_option_of_another_kind_of_step_says_whose_it_is() -> None:
    """D5: `over` makes no map of a step."""
    assert "`over` is an option of `@pipe.map`, and this is a step" in wrong(over="rows")
    assert "`default` is an option of `@pipe.switch`, and this is a map" in wrong("map", over="x", default="y")


@pytest.mark.parametrize(
    "option",
    ["cache", "check", "review", "on_error", "rollback", "limit", "requires", "pipeline"],
)  # fmt: skip
def test_an_option_of_a_later_version_is_refused_and_not_ignored(option: str) -> None:
    """C13: what would be ignored silently is told."""
    assert f"`{option}='x'` is planned, but this version of Stepwell does not have it yet" in wrong(**{option: "x"})


def test_asking_for_nothing_of_a_later_version_is_no_error() -> None:
    """C13: and what merely is equal to nothing asks for something."""
    assert spec(cache=False, check=None) == spec()
    assert "is planned" in wrong(cache=0)


def test_options_of_a_later_pipeline_are_refused() -> None:
    """C13: the same for pipelines."""
    refuse_later({"rollback_on_failure": False, "state": None}, {"rollback_on_failure": (False,), "state": (None,)}, ())
    with pytest.raises(DefinitionError, match="the option `budget` is planned"):
        refuse_later({"budget": 3}, {"budget": (None,)}, ())
    with pytest.raises(DefinitionError, match="no option `retrys`; did you mean `retry`"):
        refuse_later({"retrys": 3}, {}, ("retry",))


def generator() -> Iterator[int]:
    yield 1


async def async_generator() -> AsyncIterator[int]:
    yield 1


class Streams:
    def __call__(self) -> Iterator[int]:
        yield 1


@pytest.mark.parametrize("function", [generator, async_generator, partial(generator), Streams()])
def test_a_generator_is_a_step(function: object) -> None:
    """F1, K5: whatever it is wrapped in."""
    assert spec("step", function, name="a").name == "a"


def test_a_join_waits_for_all_or_any_or_a_number() -> None:
    """D2: `all` is what happens anyway."""
    assert [spec(join=one).join for one in ("all", "any", 1, 3)] == [0, 1, 1, 3]
    for none in (0, -1, True, "some", 1.5):
        assert f"join is 'all', 'any' or how many of the steps before it must be live, not {none!r}" in wrong(join=none)


@pytest.mark.parametrize(
    ("kind", "option", "given", "says"),
    [
        ("step", "join_timeout", "soon", 'join_timeout must be like "250ms"'),
        ("step", "join_timeout", 0, "join_timeout must be longer than nothing"),
        ("step", "durability", "loose", "durability is one of 'strict', 'ephemeral', not 'loose'"),
        ("step", "durability", True, "durability is one of 'strict', 'ephemeral'"),
        ("step", "goto", 3, "goto takes a step: its name or its function, not 3"),
        ("switch", "goto", [None], "goto takes a step: its name or its function, not None"),
        ("step", "max_visits", 0, "max_visits must be a whole number of at least 1, not 0"),
        ("step", "max_visits", 2.5, "max_visits must be a whole number of at least 1, not 2.5"),
        ("step", "max_visits", True, "max_visits must be a whole number of at least 1"),
        ("map", "goto", "a", "`goto` is an option of `@pipe.step`, and this is a map"),
    ],
)
def test_what_joins_loops_and_durability_take_is_told(kind: Kind, option: str, given: object, says: str) -> None:
    """B11, D3: with what is right."""
    more = {"over": "rows"} if kind == "map" else {"to": {1: "x"}} if kind == "switch" else {}
    assert says in wrong(kind, **{**more, option: given})


def test_joins_loops_and_durability_are_kept() -> None:
    """B11, D2, D3: one target of a jump or several; by default a hundred visits, and whatever the pipeline says."""
    step = spec(join=2, join_timeout="5s", durability="ephemeral", goto=["a", load], max_visits=3)
    assert (step.join, step.join_timeout, step.durability, step.goto, step.max_visits) == (
        2, 5.0, "ephemeral", ("a", load), 3,
    )  # fmt: skip
    assert spec("switch", to={1: "x"}, goto="a").goto == ("a",)
    plain = spec()
    assert (plain.join, plain.join_timeout, plain.durability, plain.goto, plain.max_visits) == (0, None, None, (), 100)


def test_a_decorated_generator_that_returns_a_value_is_a_step() -> None:
    """A6: what counts is what a call gives."""
    assert spec("step", contextmanager(generator)).name == "generator"


def test_what_cannot_be_called_is_no_step() -> None:
    """A6: a function, another callable, or an object with `execute`."""
    assert "a step is a function, another callable, or an object with `execute`, not 3" in wrong("step", 3)


def test_a_function_without_a_name_needs_one() -> None:
    """A2: a lambda, an object."""
    assert "give the step one: name=…" in wrong("step", lambda: 1)
    assert spec("step", lambda: 1, name="a").name == "a"
    assert spec("step", partial(load, 1)).name == "load"
