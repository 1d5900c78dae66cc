"""The house itself, read once."""

from __future__ import annotations

import pytest

from .blueprint import PACKAGE, ROOT, House, floors_in_pyproject


@pytest.fixture(scope="session")
def house() -> House:
    return House(ROOT / "src" / PACKAGE, floors_in_pyproject())
