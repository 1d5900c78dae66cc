"""A disk that forgets: what may be on it after a power cut, given what was written, named and synced until then.

What was synced is there. Of all else each change may be there, be missing, or be there in part: a write by sectors,
a name in its folder by itself. The order in which changes were made binds nothing but what a sync stands between.
One thing is taken for granted, as SQLite does (`SQLITE_IOCAP_POWERSAFE_OVERWRITE`): a write that is torn harms no byte
outside of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

SECTOR = 512
ROOT = 0
"""The folder in which all others are; it was there before."""

HOWS = ("lost", "kept", "prefix", "subset", "torn", "noise")
"""What becomes of changes that were not synced: all lost, all kept, the first ones kept, some kept, some torn by
sectors, some torn with sectors that hold what nobody wrote."""

Image = dict[str, bytes | None]
"""What is found after the power is back: the content by its path; None for a folder."""


@dataclass(frozen=True, slots=True)
class Made:
    """A new file or folder."""

    node: int
    parent: int
    name: str
    is_folder: bool = False


@dataclass(frozen=True, slots=True)
class Wrote:
    """Bytes at a place in a file."""

    node: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Resized:
    """A file ends here now."""

    node: int
    size: int


@dataclass(frozen=True, slots=True)
class Renamed:
    """A file has this name instead; whoever had it has none."""

    node: int
    old: tuple[int, str]
    new: tuple[int, str]


@dataclass(frozen=True, slots=True)
class Removed:
    """A name is gone."""

    parent: int
    name: str


@dataclass(frozen=True, slots=True)
class Synced:
    """All of a file or folder that was done before this position in the log is safe."""

    node: int
    before: int


@dataclass(frozen=True, slots=True)
class Noted:
    """Not done to the disk: something became known outside."""

    what: tuple[object, ...]


Entry = Made | Wrote | Resized | Renamed | Removed | Synced | Noted
_Change = Wrote | Resized


@dataclass(slots=True)
class _File:
    safe: bytes = b""
    pending: list[tuple[int, _Change]] = field(default_factory=list[tuple[int, _Change]])

    def sync(self, before: int) -> None:
        if self.pending:
            content = bytearray(self.safe)
            for at, change in self.pending:
                if at < before:
                    _apply(content, change)
            self.safe = bytes(content)
            self.pending = [(at, change) for at, change in self.pending if at >= before]


@dataclass(slots=True)
class _Folder:
    safe: dict[str, int] = field(default_factory=dict[str, int])
    pending: list[tuple[int, str, int | None]] = field(default_factory=list[tuple[int, str, int | None]])

    def sync(self, before: int) -> None:
        for at, name, node in self.pending:
            if at < before:
                _name(self.safe, name, node)
        self.pending = [(at, name, node) for at, name, node in self.pending if at >= before]


class Disk:
    """Takes the entries of a log one after the other; between any two the power may be cut."""

    def __init__(self, found: Mapping[str, bytes | None] | None = None) -> None:
        self.at = 0
        """How many entries were taken."""
        self.torn = 0
        """How many writes were torn in images so far."""
        self._nodes: dict[int, _File | _Folder] = {ROOT: _Folder()}
        for node, parent, path, content in numbered(found or {}):
            self._nodes[node] = _Folder() if content is None else _File(content)
            folder = self._nodes[parent]
            assert isinstance(folder, _Folder)
            folder.safe[path.rpartition("/")[2]] = node

    def take(self, entry: Entry) -> None:
        """Something was done to the disk."""
        match entry:
            case Wrote() | Resized():
                file = self._nodes[entry.node]
                assert isinstance(file, _File)
                file.pending.append((self.at, entry))
            case Synced():
                self._nodes[entry.node].sync(entry.before)
            case Made():
                self._nodes[entry.node] = _Folder() if entry.is_folder else _File()
                self._rename(entry.parent, entry.name, entry.node)
            case Renamed():
                self._rename(*entry.old, None)
                self._rename(*entry.new, entry.node)
            case Removed():
                self._rename(entry.parent, entry.name, None)
            case Noted():
                pass
        self.at += 1

    def _rename(self, parent: int, name: str, node: int | None) -> None:
        folder = self._nodes[parent]
        assert isinstance(folder, _Folder)
        folder.pending.append((self.at, name, node))

    @property
    def is_settled(self) -> bool:
        """Whether a cut now would leave nothing to chance."""
        return not any(node.pending for node in self._nodes.values())

    def image(self, how: str, chance: Random) -> Image:
        """What may be found when the power is cut now."""
        fate = _Fate(how, chance, self._oldest(), self.at)
        image: Image = {}
        folders = [("", ROOT)]
        while folders:
            path, number = folders.pop()
            folder = self._nodes[number]
            assert isinstance(folder, _Folder)
            names = dict(folder.safe)
            for at, name, node in folder.pending:
                if fate.keeps(at):
                    _name(names, name, node)
            for name, node in names.items():
                found = self._nodes[node]
                if isinstance(found, _Folder):
                    image[path + name] = None
                    folders.append((f"{path}{name}/", node))
                else:
                    image[path + name] = fate.content(found) if found.pending else found.safe
        self.torn += fate.torn
        return image

    def _oldest(self) -> int:
        return min((node.pending[0][0] for node in self._nodes.values() if node.pending), default=self.at)


class _Fate:
    """What becomes of each change in one power cut."""

    def __init__(self, how: str, chance: Random, oldest: int, now: int) -> None:
        self.torn = 0
        self._how = how
        self._chance = chance
        self._limit = {"lost": 0, "kept": now, "prefix": chance.randint(oldest, now)}.get(how, -1)
        self._share = chance.choice((0.1, 0.5, 0.9))

    def keeps(self, at: int) -> bool:
        return at < self._limit if self._limit >= 0 else self._chance.random() < self._share

    def content(self, file: _File) -> bytes:
        content = bytearray(file.safe)
        for at, change in file.pending:
            if isinstance(change, Wrote) and self._how in ("torn", "noise") and self._chance.random() < 0.5:
                self._tear(content, change)
            elif self.keeps(at):
                _apply(content, change)
        return bytes(content)

    def _tear(self, content: bytearray, wrote: Wrote) -> None:
        """Some sectors of a write, and perhaps the file's new size without what is in it."""
        self.torn += 1
        chance = self._chance
        start, end = wrote.offset, wrote.offset + len(wrote.data)
        if len(content) < end and chance.random() < 0.5:
            content.extend(bytes(end - len(content)))
        while start < end:
            stop = min(end, (start // SECTOR + 1) * SECTOR)
            if chance.random() < self._share:
                data = wrote.data[start - wrote.offset : stop - wrote.offset]
                if self._how == "noise" and chance.random() < 0.3:
                    data = chance.randbytes(stop - start)
                _put(content, start, data)
            start = stop


def numbered(found: Mapping[str, bytes | None]) -> Iterator[tuple[int, int, str, bytes | None]]:
    """The number of each file and folder that was there from the first, that of its folder, its path, its content."""
    numbers = {"": ROOT}
    for number, path in enumerate(sorted(found), 1):
        numbers[path] = number
        yield number, numbers[path.rpartition("/")[0]], path, found[path]


def _apply(content: bytearray, change: _Change) -> None:
    if isinstance(change, Wrote):
        _put(content, change.offset, change.data)
    elif change.size < len(content):
        del content[change.size :]
    else:
        content.extend(bytes(change.size - len(content)))


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def _name(names: dict[str, int], name: str, node: int | None) -> None:
    if node is None:
        names.pop(name, None)
    else:
        names[name] = node
