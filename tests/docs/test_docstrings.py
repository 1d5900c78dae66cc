"""The examples in docstrings are run: what they show is what comes."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import stepwell

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(stepwell.__path__, "stepwell.") if ".__" not in module.name
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_show_what_comes(name: str) -> None:
    """Every module's docstrings, those of its functions and classes too."""
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert failed == 0
