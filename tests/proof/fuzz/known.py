"""Breaches that are known and wait to be mended, each with its reason: none may be left when this version is done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

KNOWN: Mapping[str, str] = {}
"""What is found in the words of the breach, and what it is."""


def unknown(breaches: Iterable[str]) -> list[str]:
    """Those that are none of these."""
    return [one for one in breaches if not any(re.search(words, one) for words in KNOWN)]
