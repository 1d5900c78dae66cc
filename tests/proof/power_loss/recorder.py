"""Keeps a log of all that is done to one folder: by SQLite through a VFS, by everybody else through `os`.

Whatever is done goes on to the real disk; the log is what a power cut is made from afterwards. It knows the calls of
Linux. A file that came into the folder by a call that is not watched here is an error when it is synced or renamed.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from .disk import ROOT, Entry, Made, Noted, Removed, Renamed, Resized, Synced, Wrote, numbered

_NAMED_WITH_ITS_FOLDER = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL
"""Files that SQLite may make at each opening: the first sync of what was opened syncs the folder too."""


class Recorder:
    """The log of one folder, which begins with the files that were found in it."""

    def __init__(self, folder: Path, found: Mapping[str, bytes | None]) -> None:
        self.log: list[Entry] = []
        self._folder = str(folder.absolute())
        self._lock = threading.RLock()
        self._nodes = {"": ROOT}
        self._contents: dict[int, bytes] = {}
        """What was seen in each file that SQLite does not write."""
        for node, _, path, content in numbered(found):
            self._nodes[path] = node
            if content is not None:
                self._contents[node] = content
        self._next = len(self._nodes)

    def note(self, *what: object) -> None:
        """Something became known outside: to a caller, to a step, to whoever follows."""
        self.log.append(Noted(what))

    def inside(self, path: Any) -> str | None:
        """The path as the log has it, "" for the folder itself; None where it is not in the folder."""
        if isinstance(path, int):
            return None
        whole = f"{os.path.abspath(os.fsdecode(path))}/"  # noqa: PTH100 - in the way of the calls that are watched
        return whole[len(self._folder) + 1 : -1] if whole.startswith(f"{self._folder}/") else None

    def node(self, path: str) -> int:
        """The number of what is at this path."""
        known = self._nodes.get(path)
        assert known is not None, f"{path} came into the folder by a call that the recorder does not watch"
        return known

    def place(self, path: str) -> tuple[int, str]:
        """The folder and the name in it."""
        parent, _, name = path.rpartition("/")
        return self.node(parent), name

    def made(self, path: str, is_folder: bool = False) -> None:
        """A file or folder is there now, perhaps a new one."""
        with self._lock:
            if path not in self._nodes:
                node = self._nodes[path] = self._next
                self._next += 1
                self.log.append(Made(node, *self.place(path), is_folder))

    def removed(self, path: str) -> None:
        """A name is gone."""
        with self._lock:
            if self._nodes.pop(path, None) is not None:
                self.log.append(Removed(*self.place(path)))

    def renamed(self, old: str, new: str) -> None:
        """A file has another name."""
        with self._lock:
            node = self.node(old)
            del self._nodes[old]
            self._nodes[new] = node
            self.log.append(Renamed(node, self.place(old), self.place(new)))

    def synced(self, node: int, before: int) -> None:
        """All that was done to this until then is safe."""
        self.log.append(Synced(node, before))

    def by_handle(self, handle: int) -> int | None:
        """The number of what is open; None where it is not in the folder."""
        path = self.inside(os.readlink(f"/proc/self/fd/{handle}"))  # noqa: PTH115 - a plain string, as all here
        if path is None:
            return None
        if stat.S_ISREG(os.fstat(handle).st_mode):
            self.caught_up(self.node(path), path)
        return self.node(path)

    def caught_up(self, node: int, path: str) -> None:
        """Log what was written to a file since it was last looked at: as one write, which may be torn anywhere."""
        content = Path(self._folder, path).read_bytes()
        before = self._contents.get(node, b"")
        if content != before:
            self._contents[node] = content
            if len(content) < len(before):
                self.log.append(Resized(node, len(content)))
            self.log.append(Wrote(node, 0, content))


class _Disk(apsw.VFS):
    """The default VFS, with everything that is done to the folder's files logged."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.base = apsw.vfs_names()[0]
        super().__init__("stepwell-recorder", self.base, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        inside = None if path is None else self.recorder.inside(path)
        if inside is None:
            return apsw.VFSFile(self.base, name, flags)
        return _File(self, inside, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        inside = self.recorder.inside(filename)
        if inside is not None:
            self.recorder.removed(inside)
            if syncdir:
                self.recorder.synced(self.recorder.place(inside)[0], len(self.recorder.log))


class _File(apsw.VFSFile):
    """One of the folder's files as a connection has it open."""

    def __init__(self, disk: _Disk, inside: str, name: Any, flags: list[int]) -> None:
        asked = flags[0]
        super().__init__(disk.base, name, flags)
        self._recorder = disk.recorder
        self._recorder.made(inside)
        self._node = self._recorder.node(inside)
        self._folder = self._recorder.place(inside)[0] if asked & _NAMED_WITH_ITS_FOLDER else None

    def xLock(self, level: int) -> None:
        try:
            super().xLock(level)
        except apsw.IOError as error:  # of a file that is open for reading: SQLite does not mind, but apsw would
            raise apsw.BusyError("not for one who only reads") from error

    def xWrite(self, data: bytes, offset: int) -> None:
        self._recorder.log.append(Wrote(self._node, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:
        self._recorder.log.append(Resized(self._node, newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:
        before = len(self._recorder.log)
        super().xSync(flags)
        self._recorder.synced(self._node, before)
        if self._folder is not None:
            self._recorder.synced(self._folder, before)
            self._folder = None


@contextmanager
def recording(folder: Path, found: Mapping[str, bytes | None]) -> Iterator[Recorder]:
    """Within this, every connection that is opened and every call of `os` is watched."""
    recorder = Recorder(folder, found)
    disk = _Disk(recorder)
    plain = {name: getattr(os, name) for name in _WATCHED}
    try:
        for name, watched in _WATCHED.items():
            setattr(os, name, watched(recorder, plain[name]))
        yield recorder
    finally:
        for name, call in plain.items():
            setattr(os, name, call)
        disk.unregister()


_Call = Callable[..., Any]


def _open(recorder: Recorder, plain: _Call) -> _Call:
    def watched(path: Any, flags: int, *args: Any, **more: Any) -> int:
        handle: int = plain(path, flags, *args, **more)
        inside = recorder.inside(path) if flags & os.O_CREAT else None
        if inside:
            recorder.made(inside)
        return handle

    return watched


def _fsync(recorder: Recorder, plain: _Call) -> _Call:
    def watched(handle: Any) -> None:
        node = recorder.by_handle(handle if isinstance(handle, int) else handle.fileno())
        before = len(recorder.log)
        plain(handle)
        if node is not None:
            recorder.synced(node, before)

    return watched


def _replace(recorder: Recorder, plain: _Call) -> _Call:
    def watched(old: Any, new: Any, **more: Any) -> None:
        inside, target = recorder.inside(old), recorder.inside(new)
        if inside:
            recorder.caught_up(recorder.node(inside), inside)
        plain(old, new, **more)
        if inside and target:
            recorder.renamed(inside, target)

    return watched


def _remove(recorder: Recorder, plain: _Call) -> _Call:
    def watched(path: Any, **more: Any) -> None:
        plain(path, **more)
        if not more and (inside := recorder.inside(path)):
            recorder.removed(inside)

    return watched


def _mkdir(recorder: Recorder, plain: _Call) -> _Call:
    def watched(path: Any, *args: Any, **more: Any) -> None:
        plain(path, *args, **more)
        if inside := recorder.inside(path):
            recorder.made(inside, is_folder=True)

    return watched


_WATCHED: dict[str, Callable[[Recorder, _Call], _Call]] = {
    "open": _open, "fsync": _fsync, "fdatasync": _fsync, "replace": _replace, "rename": _replace,
    "unlink": _remove, "remove": _remove, "mkdir": _mkdir,
}  # fmt: skip
