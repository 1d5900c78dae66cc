"""The tests keep to laws of their own."""

from __future__ import annotations

from . import suite_laws as law
from .blueprint import ROOT, none


def test_every_test_is_named_by_a_sentence() -> None:
    none(law.names_are_sentences(ROOT / "tests"))


def test_every_skip_gives_its_reason() -> None:
    none(law.skips_give_a_reason(ROOT / "tests"))
