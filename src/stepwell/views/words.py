"""Durations, times and reasons in the words of people: the terminal and the dashboard say the same."""

from __future__ import annotations

import math
from datetime import datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_REASONS = {
    "not_reached": "no branch led to it",
    "no_value": "a value that it needs was not made",
    "upstream_failed": "{} failed before it",
    "when_false": "its condition `{}` was false",
    "it_returned_skip": "it returned Skip",
    "run_cancelled": "the run was cancelled",
    "run_timed_out": "the run's time was up",
    "run_failed": "the run had failed",
    "run_stopped": "the run was stopped",
    "cancelled": "the run was cancelled",
    "timed_out": "the run's time was up",
    "failed": "the run had failed",
}


def duration(seconds: float | None) -> str:
    """How long: one decimal below a minute, then two units.

    >>> duration(1.24), duration(65), duration(7500), duration(200000), duration(None)
    ('1.2s', '1m 05s', '2h 05m', '2d 07h', '-')
    """
    if seconds is None:
        return "-"
    if seconds < _MINUTE - 0.05:
        return f"{max(0.0, seconds):.1f}s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE}m {whole % _MINUTE:02}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h {whole % _HOUR // _MINUTE:02}m"
    return f"{whole // _DAY}d {whole % _DAY // _HOUR:02}h"


def about(seconds: float) -> str:
    """How long something will take: whole seconds, and two units from a minute on.

    >>> about(0.2), about(59.2), about(65), about(7500)
    ('1s', '1m 00s', '1m 05s', '2h 05m')
    """
    whole = max(1, math.ceil(seconds))
    return f"{whole}s" if whole < _MINUTE else duration(whole)


def per(rate: float) -> str:
    """How many in a second, or in the first longer unit that has one of them.

    >>> per(1204.3), per(3.42), per(0.5), per(0.001)
    ('1,204/s', '3.4/s', '30/min', '3.6/h')
    """
    for count, unit in ((rate, "s"), (rate * _MINUTE, "min"), (rate * _HOUR, "h")):
        if count >= 1 or unit == "h":
            break
    return f"{count:,.0f}/{unit}" if count >= 10 else f"{count:.1f}/{unit}"


def ago(at: float, now: float) -> str:
    """How long ago, in one unit; the day where that is more than a month.

    >>> ago(100, 103), ago(100, 250), ago(100, 8000), ago(0, 200000)
    ('just now', '2 min ago', '2 h ago', '2 d ago')
    """
    passed = now - at
    if passed < 10:
        return "just now"
    if passed < _MINUTE:
        return f"{passed:.0f} s ago"
    if passed < _HOUR:
        return f"{passed // _MINUTE:.0f} min ago"
    if passed < _DAY:
        return f"{passed // _HOUR:.0f} h ago"
    if passed < 30 * _DAY:
        return f"{passed // _DAY:.0f} d ago"
    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d}"


def moment(at: float) -> str:
    """A time of day, in the zone of whoever reads it."""
    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M:%S %z}"


def reason(recorded: str) -> str:
    """Why a step did not run, from what is recorded; what a user wrote stays as it is.

    >>> reason("when_false: any_shared"), reason("upstream_failed: fetch"), reason("nothing new today")
    ('its condition `any_shared` was false', 'fetch failed before it', 'nothing new today')
    """
    code, _, rest = recorded.partition(": ")
    words = _REASONS.get(code)
    if words is None or ("{}" in words) != bool(rest):
        return recorded
    return words.format(rest)


def plural(count: int, noun: str) -> str:
    """A number with its noun.

    >>> plural(1, "step"), plural(1200, "item")
    ('1 step', '1,200 items')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
