"""The folder of a run: where it is, how it is called, and that nobody else may look into it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from stepwell.ids import escape

_UNSAFE = re.compile(r"[\\:*?<>|]|^[. ]|[. ]$")
_DEVICES = re.compile(r"\A(con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(\.|\Z)", re.IGNORECASE)
"""Names that Windows keeps for devices, in every folder."""
_LONGEST = 100
"""Bytes of a name; file systems take 255."""
_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}\Z")


def part(name: str) -> str:
    """The name as one part of a path, on every system; other names give other parts, `..` leads nowhere.

    >>> part("a/b"), part(".."), part("nul")
    ('a%2Fb', '%2E%2E', '%6Eul')
    """
    text = _UNSAFE.sub(_escaped, escape(name))
    text = _DEVICES.sub(lambda match: _escaped(match) + match[0][1:], text)
    if len(text.encode("utf-8", "surrogatepass")) > _LONGEST:
        text = f"{text.encode('utf-8', 'replace')[:40].decode('utf-8', 'ignore')}-{_digest(name)[:32]}"
    return text or "%"


def _escaped(match: re.Match[str]) -> str:
    return f"%{ord(match[0][0]):02X}"


def folder_of_run(work: Path, run_id: str) -> Path:
    """The folder of a run below that of all runs; it need not be there.

    Runs whose ids differ in nothing but capitals have folders that differ in more: macOS and Windows would take their
    names for one. Ids that Stepwell made, and those without capitals, stand as they are.

    >>> [folder_of_run(Path(), run_id).name for run_id in ("nightly", "Nightly")]
    ['nightly', 'Nightly~ab6b5a4d']
    """
    if _ULID.match(run_id) or (run_id == run_id.lower() and not _ULID.match(run_id.upper())):
        return work / part(run_id)
    return work / part(f"{run_id}~{_digest(run_id)[:8]}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def make_private(folder: Path) -> None:
    """Make the folder, and those above it that are missing, for this user alone; raises OSError."""
    for each in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        each.mkdir(mode=0o700, exist_ok=True)
    if folder.resolve() != folder.parent.resolve() / folder.name:
        raise OSError(f"{folder} is a link that leads elsewhere; nothing is written there")
