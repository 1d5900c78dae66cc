"""The way out of a misspelling: "did you mean …?"."""

from __future__ import annotations

from collections.abc import Iterable

from stepwell.ids import canonical


def closest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The known name that reads most like this word, or "".

    >>> closest("colect", ["collect", "report"])
    'collect'
    """
    from difflib import get_close_matches  # nobody has misspelt anything yet

    by_form = {canonical(name): name for name in known}
    found = get_close_matches(canonical(word), by_form, n=1, cutoff=cutoff)
    return by_form[found[0]] if found else ""


def did_you_mean(word: str, known: Iterable[str], *, what: str = "", limit: int = 8) -> str:
    """The end of a message: the nearest name, else the names there are, else nothing.

    >>> did_you_mean("retires", ["retry", "timeout"])
    '; did you mean `retry`?'
    >>> did_you_mean("xyz", ["retry", "timeout"], what="options")
    '; the options are `retry`, `timeout`'
    """
    names = list(known)
    if near := closest(word, names):
        return f"; did you mean `{near}`?"
    if not what or not names:
        return ""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return f"; the {what} are {', '.join(f'`{name}`' for name in names[:limit])}{more}"
