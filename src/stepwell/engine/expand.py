"""The items of a map and their keys: what is no list, or has two items of one key, fails the map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from stepwell.engine.outcome import Expanded, Failed, Outcome
from stepwell.engine.values import items_of
from stepwell.plan.plan import Fan
from stepwell.text import clean


def expand(fan: Fan, source: object) -> tuple[Outcome, Sequence[object]]:
    """The items that a source gives, and what is recorded of them."""
    try:
        items = items_of(source)
        if fan.key is None:
            return Expanded(len(items), None), items
        keys = keys_of(fan.key, items)
        _no_duplicates(keys)
        return Expanded(len(items), keys), items
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        return Failed("input", "items_not_usable", error, retryable=False), ()


def keys_of(key: Callable[[object], object], items: Sequence[object], first: int = 0) -> tuple[str, ...]:
    """The keys of these items as text; `first` is the place of the first one. Raises what `key` raises."""
    return tuple(_key(key(item), first + index) for index, item in enumerate(items))


def _key(key: object, index: int) -> str:
    if key is None or key == "":
        raise ValueError(f"key= gave {key!r} for item {index}; every item needs a key of its own")
    return clean(str(key)).replace("\n", "\\n").replace("\t", "\\t")


def _no_duplicates(keys: tuple[str, ...]) -> None:
    """Two items of one key could not be told apart when the run goes on."""
    if len(set(keys)) == len(keys):
        return
    double = [key for key, times in Counter(keys).items() if times > 1]
    raise ValueError(
        f"key= gave the same key for several items: {', '.join(map(repr, double[:5]))}; "
        "it must tell each item from all others"
    )
