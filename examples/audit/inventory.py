"""What is installed: the nouns of the audit, and how they are read from a Python environment."""

import base64
import csv
import hashlib
import inspect
import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path, PurePosixPath

UNKNOWN = "unknown"

# What a broken installation makes importlib.metadata raise: text that is not UTF-8, a line that no csv reader takes,
# a folder we may not read, a field or, in newer Pythons, metadata that is not there.
UNREADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError, csv.Error)


@dataclass(frozen=True)
class Installed:
    """A distribution where it was found. `files` are relative to the folder that holds `info`, with forward slashes."""

    name: str
    version: str
    info: Path  # its `.dist-info` or `.egg-info`
    files: list[str]
    listed: bool = True  # False: it has no list of its files, so they were looked for
    also_in: list[str] = field(default_factory=list)  # where others of this name are, which this one hides


@dataclass(frozen=True)
class Measured:
    """One distribution in numbers. `missing` counts files that it lists and that cannot be read."""

    name: str
    version: str
    licence: str
    files: int
    missing: int
    lines: int  # of Python
    size: int  # bytes
    modules: list[str]
    requires: list[str]
    unmet: list[str]
    editable: bool
    listed: bool
    also_in: list[str]


@dataclass(frozen=True)
class Shared:
    """A top-level module that several distributions provide."""

    module: str
    owners: list[str]


@dataclass(frozen=True)
class Clash:
    """A file that several distributions wrote, and those whose recorded hash is that of the file on disk."""

    file: str
    owners: list[str]
    matches: list[str]


def normal(name: str) -> str:
    """The name as packaging tools compare it (PEP 503): `Foo.Bar_baz` is `foo-bar-baz`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def metadata_folders(paths: Sequence[str]) -> Iterator[Path]:
    """The `.dist-info` and `.egg-info` in these folders, in the order in which Python would look there."""
    seen: set[Path] = set()
    for entry in paths:
        folder = Path(entry or ".").absolute()
        if folder in seen:
            continue
        seen.add(folder)
        try:
            found = sorted(path for path in folder.iterdir() if path.suffix in {".dist-info", ".egg-info"})
        except OSError:  # sys.path also names zip files, what is not there, and what we may not read
            continue
        yield from found


def read_installed(info: Path) -> Installed:
    dist = metadata.Distribution.at(info)
    stem, _, version = info.stem.partition("-")  # what pip left half removed has no metadata, but a folder it has
    name = next(iter(field_of(dist, "Name")), "") or stem or info.stem
    version = next(iter(field_of(dist, "Version")), "") or version or UNKNOWN
    files = recorded(dist)
    if files is None:
        return Installed(name, version, info, find_files(info, dist), listed=False)
    return Installed(name, version, info, sorted(files))


def field_of(dist: metadata.Distribution, field: str) -> list[str]:
    try:
        return [str(value).strip() for value in dist.metadata.get_all(field) or []]
    except UNREADABLE:
        return []


def recorded(dist: metadata.Distribution) -> dict[str, str] | None:
    """The files that the installer wrote down, with their hashes ("" if none); None without a list that can be read.

    `dist.files` gives the same, but since Python 3.12 it leaves out the files that are gone, which we want to tell.
    """
    try:
        if text := dist.read_text("RECORD"):
            rows = [row for row in csv.reader(text.splitlines()) if row and row[0]]
            return {Path(row[0]).as_posix(): row[1] if len(row) > 1 else "" for row in rows}
        files = dist.files  # of an `.egg-info`
    except UNREADABLE:
        return None
    return None if files is None else {file.as_posix(): "" for file in files}


def find_files(info: Path, dist: metadata.Distribution) -> list[str]:
    """The files of a distribution without a list of them: its metadata, and its modules by their names."""
    root = info.parent
    starts = [info]
    for module in top_level(dist) or [normal(info.stem.partition("-")[0]).replace("-", "_")]:
        if module.isidentifier():  # "" would be the whole folder
            starts += [root / module, root / f"{module}.py"]
    found = {start for start in starts if start.is_file()}
    for start in starts:
        for folder, _, names in os.walk(start):
            found.update(Path(folder) / name for name in names)
    return sorted(utf8(path.relative_to(root).as_posix()) for path in found)


def utf8(text: str) -> str:
    """The text, with `?` for what UTF-8 cannot hold: a name on disk may have bytes of another encoding in it."""
    return text.encode("utf-8", "replace").decode()


def top_level(dist: metadata.Distribution) -> list[str]:
    try:
        text = dist.read_text("top_level.txt") or ""
    except UNREADABLE:
        return []
    return sorted({name for name in text.split() if name.isidentifier()})


def modules_of(info: Path, files: Sequence[str]) -> list[str]:
    """The names that `import` finds because of this distribution.

    A folder counts only with an `__init__`: several distributions may rightly share a namespace such as `google`.
    """
    names: set[str] = set()
    if info.suffix == ".dist-info":  # what an `.egg-info` lists is its source tree, with tests and setup.py
        for file in files:
            parts = PurePosixPath(file).parts
            module = inspect.getmodulename(parts[-1]) if parts else None
            if len(parts) == 1 and module:
                names.add(module)
            elif len(parts) == 2 and module == "__init__":
                names.add(parts[0])
    names = {name for name in names if name.isidentifier() and not name.startswith("__editable__")}
    if names:
        return sorted(names)
    return [name for name in top_level(metadata.Distribution.at(info)) if not is_namespace(info.parent / name)]


def is_namespace(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.glob("__init__.*"))


def licence_of(dist: metadata.Distribution) -> str:
    """The licence in a few words: the SPDX expression, else the classifiers, else the first line of the text."""
    expression = " ".join(field_of(dist, "License-Expression"))
    classifiers = [line.split("::")[-1].strip() for line in field_of(dist, "Classifier") if is_licence(line)]
    text = [line.strip() for value in field_of(dist, "License") for line in value.splitlines()]
    first = next((line for line in text if line and line.upper() != "UNKNOWN"), "")
    return expression or ", ".join(dict.fromkeys(classifiers)) or first[:60] or UNKNOWN


def is_licence(classifier: str) -> bool:
    return classifier.startswith("License ::") and not classifier.endswith(":: OSI Approved")


def requirements_of(dist: metadata.Distribution) -> list[str]:
    """What the distribution asks for directly, without what only its extras ask for."""
    try:
        requires = dist.requires or []
    except UNREADABLE:
        return []
    return sorted({line.strip() for line in requires if not re.search(r";.*\bextra\s*==", line)}, key=str.lower)


def unmet(requirements: Sequence[str]) -> list[str]:
    """The names of those that are nowhere on `sys.path`. What has a marker (`; python_version …`) may rightly be."""
    names = [re.match(r"[A-Za-z0-9._-]+", line) for line in requirements if ";" not in line]
    return [name.group() for name in names if name and not is_installed(name.group())]


def is_installed(name: str) -> bool:
    return next(iter(metadata.distributions(name=name)), None) is not None


def is_editable(dist: metadata.Distribution) -> bool:
    try:
        return bool(json.loads(dist.read_text("direct_url.json") or "{}")["dir_info"]["editable"])
    except UNREADABLE:
        return False


def measure_file(path: Path) -> tuple[int, int] | None:
    """Bytes and lines of Python of one file; None for what is not there, not a file, or not for us to read."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # never open a pipe or a device that somebody listed
            return None
        return status.st_size, count_lines(path) if path.suffix == ".py" else 0
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None


def count_lines(path: Path) -> int:
    """Counts bytes, decodes nothing: sources may be in any encoding, and large ones pass through in pieces."""
    lines, last = 0, b"\n"
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            lines += piece.count(b"\n")
            last = piece[-1:]
    return lines + (last != b"\n")


def recorded_hashes(info: Path) -> dict[Path, str]:
    """Where each file of a distribution is, with the hash that was recorded for it ("" if none)."""
    hashes = recorded(metadata.Distribution.at(info)) or {}
    return {Path(os.path.normpath(info.parent / file)): value for file, value in hashes.items()}


def has_hash(path: Path, wanted: str) -> bool:
    """Whether the file on disk is the one that a RECORD describes, as `sha256=…` in URL-safe base64 without padding."""
    mode, _, value = wanted.partition("=")
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, mode).digest()
    except (OSError, ValueError, TypeError):  # not there, or a kind of hash that we do not know
        return False
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == value.rstrip("=")
