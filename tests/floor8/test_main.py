"""`python -m stepwell` is the command."""

from __future__ import annotations

import subprocess
import sys


def test_the_module_is_the_command() -> None:
    by_module = subprocess.run(
        [sys.executable, "-m", "stepwell", "ls", "--nope"], capture_output=True, text=True, check=False
    )
    assert by_module.returncode == 2
    assert "stepwell ls --help" in by_module.stderr
