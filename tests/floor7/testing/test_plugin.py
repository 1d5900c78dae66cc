"""The pytest plugin in a suite of its own, and what importing `stepwell.testing` loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SUITE = """
from stepwell import Pipeline

pipe = Pipeline("one")

@pipe.step
def fetch(url: str) -> str:
    raise OSError

def test_with_a_harness(harness):
    h = harness(pipe)
    h.mock("fetch", returns="page")
    assert h.run_sync(url="u").output == "page"

def test_with_an_app(tmp_app, tmp_path):
    import asyncio
    result = asyncio.run(ran(tmp_app))
    assert result.status == "failed"
    assert (tmp_path / "stepwell.db").exists()

async def ran(app):
    return await app.run(pipe, url="u")
"""


def test_the_plugin_gives_a_harness_and_an_app(tmp_path: Path) -> None:
    """R1: fixtures `harness` and `tmp_app`."""
    (tmp_path / "test_suite.py").write_text(SUITE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_importing_the_tools_for_tests_loads_no_pytest() -> None:
    """The contract suites need it; the harness does not."""
    program = (
        "import sys; from stepwell.testing import Harness, VirtualClock, Crashed, Call, check_invariants; "
        "print('pytest' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_what_is_not_there_is_an_attribute_error() -> None:
    import stepwell.testing

    assert not hasattr(stepwell.testing, "Nothing")
    assert set(stepwell.testing.__all__) >= {"Harness", "VirtualClock", "Crashed", "Call", "StoreContract"}
