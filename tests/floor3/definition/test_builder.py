"""The sequential builder: options and values side by side in one call."""

from __future__ import annotations

from collections.abc import Mapping

from stepwell.definition.builder import Built, built_step


class Stage:
    """A step in the way of A6: nothing to inherit from."""

    def execute(self, chip: int) -> int:
        return chip


def build(
    function: object = len, before: object = None, kwargs: Mapping[str, object] | None = None, **given: object
) -> Built:
    return built_step("a", function, before, kwargs or {}, given)


def test_keywords_that_are_no_options_are_values() -> None:
    """A4: and `kwargs` holds those that would be options."""
    built = build(retry=3, chip=7, kwargs={"retry": "mine"})
    assert built.options == {"retry": 3, "after": [], "name": "a"}
    assert built.bound == {"chip": 7, "retry": "mine"}


def test_an_option_of_a_later_version_is_no_value() -> None:
    """A4: else it would change its meaning with an upgrade."""
    assert build(limit=3).options["limit"] == 3
    assert build(kwargs={"limit": 3}).bound == {"limit": 3}


def test_what_it_follows_comes_before_what_after_says() -> None:
    """A7: order of adding, and more."""
    assert build(before="x", after="y").options["after"] == ["x", "y"]
    assert build(before=["x", len]).options["after"] == ["x", len]


def test_maps_and_switches_are_known_by_their_options() -> None:
    """A5: one call for all kinds; what is an option of a map is a value for a step."""
    assert build(over="x", key=str).kind == "map"
    assert build(to={"x": "y"}, default="z").options["default"] == "z"
    assert build(key="k", default=1, to="next").bound == {"key": "k", "default": 1}


def test_an_object_with_execute_is_a_step() -> None:
    """A6: no inheritance required."""
    stage = Stage()
    assert build(stage).function == stage.execute
    assert build(len).function is len
