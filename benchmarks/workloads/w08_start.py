"""W8: what it costs to import Stepwell and to ask for its help, each in a new interpreter."""

from __future__ import annotations

from benchmarks.starting import import_ms

HELP = """
import sys
sys.argv = ["stepwell", "--help"]
from stepwell.cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""


def stepwell_import(size: int) -> float:
    """The face by itself loads nothing, so what a user needs first is asked of it too."""
    return import_ms("from stepwell import App, Pipeline", size)


def libraries(size: int) -> float:
    return import_ms("import asyncio, msgspec, inspect, logging", size)


def stepwell_help(size: int) -> float:
    return import_ms(HELP, size)


def cyclopts(size: int) -> float:
    return import_ms("import cyclopts", size)


SIDES = {
    "W8.import": {"stepwell": stepwell_import, "import asyncio, msgspec, inspect, logging": libraries},
    "W8.help": {"stepwell": stepwell_help, "import cyclopts": cyclopts},
}
