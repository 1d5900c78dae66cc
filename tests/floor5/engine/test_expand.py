"""The items of a map and their keys, out of what its source gave."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stepwell.engine.expand import expand, keys_of
from stepwell.engine.outcome import Expanded, Failed
from stepwell.plan.plan import Fan


def fan(key: object = None) -> Fan:
    return Fan(0, key, 32, None)  # type: ignore[arg-type]


def generated() -> Iterator[int]:
    yield from (1, 2)


@pytest.mark.parametrize("source", [[1, 2], (1, 2), range(1, 3), {1: "a", 2: "b"}, generated()])
def test_whatever_has_an_order_gives_items(source: object) -> None:
    """D5: a list, a tuple, a range, the keys of a mapping, an iterator."""
    outcome, items = expand(fan(), source)
    assert outcome == Expanded(2, None)
    assert list(items) == [1, 2]


@pytest.mark.parametrize("source", ["ab", b"ab", 3, None])
def test_what_is_no_list_fails_the_map_for_good(source: object) -> None:
    """D9: text is one value."""
    outcome, items = expand(fan(), source)
    assert isinstance(outcome, Failed)
    assert (outcome.kind, outcome.reason, outcome.retryable, items) == ("input", "items_not_usable", False, ())
    assert isinstance(outcome.error, TypeError)


def test_keys_are_recorded_as_text() -> None:
    """S6: what cannot be shown is spelled out."""
    outcome, _ = expand(fan(lambda item: item), [1, "a\nb", "\udce9"])
    assert outcome == Expanded(3, ("1", "a\\nb", "\\udce9"))


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (lambda item: item % 2, "key= gave the same key for several items: '0', '1'; it must tell each item"),
        (lambda item: None if item == 2 else item, "key= gave None for item 2; every item needs a key of its own"),
        (lambda item: "", "key= gave '' for item 0"),
        (lambda item: 1 // item, "by zero"),
    ],
)
def test_a_key_that_is_of_no_use_fails_the_map_for_good(key: object, says: str) -> None:
    """S7: before any item runs."""
    outcome, items = expand(fan(key), [0, 1, 2, 3])
    assert isinstance(outcome, Failed)
    assert (outcome.kind, outcome.retryable, items) == ("input", False, ())
    assert says in str(outcome.error)


def test_the_places_of_a_part_are_counted_from_its_first_item() -> None:
    """S7: of a live source."""
    assert keys_of(str, [7, 8], first=5) == ("7", "8")
    with pytest.raises(ValueError, match="for item 6"):
        keys_of(lambda item: "" if item == 8 else item, [7, 8], first=5)


def test_nobody_swallows_the_end_of_the_process() -> None:
    def key(item: object) -> object:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        expand(fan(key), [1])
