"""The versions of the store's tables, and the file's own mark that says it is one of ours."""

from __future__ import annotations

import re
from pathlib import Path

APPLICATION_ID = 0x53746570
"""`Step`, in the file's header."""

_SQL = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")

MIGRATIONS = tuple(part.strip() for part in re.split(r"^-- migration \d+$", _SQL, flags=re.MULTILINE)[1:])
"""What takes a store from version n to n + 1, by n."""

VERSION = len(MIGRATIONS)
