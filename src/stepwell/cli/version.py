"""`stepwell version`."""

from __future__ import annotations

import platform
from importlib import metadata

from stepwell.cli.options import Json
from stepwell.cli.streams import output


def version(*, json: Json = False) -> int:
    """Print the version of Stepwell and of the Python that it runs on."""
    out = output()
    if json:
        out.versioned({"stepwell": installed(), "python": platform.python_version(), "system": platform.platform()})
    else:
        out.text(f"stepwell {installed()} (Python {platform.python_version()})")
    return 0


def installed() -> str:
    """The version that is installed; of a source tree that is not, nobody knows."""
    try:
        return metadata.version("stepwell")
    except metadata.PackageNotFoundError:
        return "unknown"
