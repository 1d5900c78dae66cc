"""The folder of an example is on the path, as it is when the example is run as a target."""

import sys
from pathlib import Path

AUDIT = Path(__file__).parents[2] / "examples" / "audit"

sys.path.insert(0, str(AUDIT))
