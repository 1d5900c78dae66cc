"""What differs from run to run and is therefore not compared: one table of patterns, in the order they are applied."""

from __future__ import annotations

import re

PATTERNS = (
    (r"\b01[0-9A-HJKMNP-TV-Z]{24}\b", "RUN"),  # the id of a run
    (r"\b01[0-9A-HJKMNP-TV-Z]{6,23}(?![0-9A-Za-z])", "RUN"),  # the same, shortened
    (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?( ?[+-]\d\d:?\d\d|Z)?", "WHEN"),
    (r"\b\d\d:\d\d:\d\d(\.\d+)?\b", "WHEN"),
    (r"just now|\d+ (s|min|h|d) ago", "WHEN"),
    (r"\b\d{10}\.\d+", "WHEN"),  # seconds since the epoch, in JSON
    (r"\b(?:\d+(?:\.\d+)?(?:h|m|s|ms) ?)+(?![A-Za-z])", "TIME "),
    (r'("(?:duration|started_at|ended_at|at|took|seconds)": ?)[0-9.e-]+', r"\1TIME"),
    (r"stepwell \d\S*( \(Python 3[^)]*\))?", "stepwell VERSION"),
    (r"(File \"[^\"]*\"), line \d+", r"\1, line N"),
    (r"0x[0-9a-f]{6,}", "0x"),
    (r"[─━]{2,}", "──"),  # the width of a frame
    (r"[ \t]+", " "),  # the width of a column
)


def normal(line: str) -> str:
    """A line of output without what differs from run to run."""
    for pattern, instead in PATTERNS:
        line = re.sub(pattern, instead, line)
    return line.strip()


def same(shown: list[str], came: list[str]) -> bool:
    """Whether that is what came; a shown line `...` stands for any number of lines."""
    shown, came = [normal(one) for one in shown], [normal(one) for one in came]
    if "..." not in shown:
        return shown == came
    first = shown.index("...")
    if shown[:first] != came[:first]:
        return False
    rest = shown[first + 1 :]
    return any(same(rest, came[at:]) for at in range(first, len(came) + 1))
